"""The seal side of an installation: sealing, making, requests, and what is signed about seals.

Settings and opened stores to objects, for ``eseal.main``. The bureau signs with the maker's key and
no other, the sealer with the holders' and no other: each gets a scope of the store.
"""

import secrets
from collections.abc import Callable
from datetime import datetime

from eseal.installation import Installation
from eseal.outside import Outside, build_outside
from keys.algorithms import KeyAlgorithm
from keys.certificates import parse_certificate
from keys.crl import RevocationReason, RevokedEntry
from keys.errors import IssuingRefused
from keys.key_scope import KeyScope
from keys.pki import PKI
from keys.pki_making import LOG_KEY, SEAL_MAKER_KEY
from seal_service.plumbing.bounded import BoundedPool
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.logging import log_alarm
from seal_service.sealing import Sealer, SealerParts
from seal_service.sealings.desk import DeskParts as SealingDeskParts
from seal_service.sealings.desk import SealingDesk
from seal_service.seals import rehearsal
from seal_service.seals.bureau import BureauParts, SealBureau
from seal_service.seals.emblems import load_emblem
from seal_service.seals.faces import SealFonts
from seal_service.seals.glyphs import SealFont
from seal_service.seals.model import Seal, SigningIdentity
from seal_service.seals.preview import SealPainter
from seal_service.seals.request_desk import RequestDesk, RequestParts, RevokeCertificate
from seal_service.seals.statements import StatementSigner
from seal_service.settings import SealSettings

HOLDER_KEYS = "holder-"
"""How the names of seal holders' keys begin."""
SEAL_FONT_ROLE = "EsealSong-Regular.ttf"
NAME_SEAL_FONT_ROLE = "EsealSong-Bold.ttf"


def build_sealer(installation: Installation, clock: Clock) -> Sealer:
    """Build what seals documents."""
    outside = build_outside(installation, clock)
    return Sealer(
        SealerParts(
            database=installation.database,
            clock=clock,
            randomness=secrets.token_bytes,
            keys=KeyScope(installation.store, lambda name: name.startswith(HOLDER_KEYS)),
            stamp_sm2=outside.stamp(KeyAlgorithm.SM2),
            stamp_rsa=outside.stamp(KeyAlgorithm.RSA),
            settings=_seal_settings(installation),
        )
    )


def build_sealing_desk(
    installation: Installation, clock: Clock, sealer: Sealer, pool: BoundedPool
) -> SealingDesk:
    """Build the desk that seals documents of callers."""
    return SealingDesk(
        SealingDeskParts(
            database=installation.database,
            blobs=installation.blobs,
            sealer=sealer,
            clock=clock,
            randomness=secrets.token_bytes,
            rehearse=lambda document, layout: pool.run(rehearsal.rehearse, document, layout),
        )
    )


def build_bureau(installation: Installation, clock: Clock) -> SealBureau:
    """Build the register with the maker."""
    pki = installation.pki
    return SealBureau(
        BureauParts(
            database=installation.database,
            clock=clock,
            randomness=secrets.token_bytes,
            keys=KeyScope(installation.store, lambda name: name == SEAL_MAKER_KEY),
            # Asked at each use: a renewed certificate counts at once.
            maker=lambda: SigningIdentity(key_name=SEAL_MAKER_KEY, chain=pki.chain(pki.seal_maker)),
            painter=build_painter(installation),
            identities=_identity_source(pki, build_outside(installation, clock), clock),
            settings=_seal_settings(installation),
        )
    )


def build_painter(installation: Installation) -> SealPainter:
    """Build what draws seals."""
    settings = installation.settings
    emblem = settings.national_emblem_file
    return SealPainter(
        installation.database,
        SealFonts(
            text=SealFont(path=settings.fonts_folder / SEAL_FONT_ROLE),
            name=SealFont(path=settings.fonts_folder / NAME_SEAL_FONT_ROLE),
        ),
        None if emblem is None else load_emblem(emblem),
    )


def _identity_source(
    pki: PKI, outside: Outside, clock: Clock
) -> Callable[[Seal, KeyAlgorithm], SigningIdentity]:
    """Return what finds a holder's newest key with a certificate, outside ones before our own."""

    def identity(seal: Seal, algorithm: KeyAlgorithm) -> SigningIdentity:
        code, name = seal.authority_code, seal.application.face.name
        for key_name in pki.holder_keys(code, algorithm):
            imported = outside.current(key_name)
            if imported is not None:
                return SigningIdentity(key_name=key_name, chain=imported.encoded)
        certificate = pki.issue_seal_holder(name, code, algorithm, now=clock.now())
        return SigningIdentity(
            key_name=pki.holder_key(code, algorithm), chain=pki.chain(certificate)
        )

    return identity


def build_request_desk(installation: Installation, clock: Clock) -> RequestDesk:
    """Build the desk where one person asks and another confirms."""
    return RequestDesk(
        RequestParts(
            database=installation.database,
            clock=clock,
            randomness=secrets.token_bytes,
            revoke_certificate=_revoker(installation.pki),
            settings=_seal_settings(installation),
        )
    )


def _seal_settings(installation: Installation) -> SealSettings:
    settings = installation.settings
    return SealSettings(
        request_hours=settings.seal_request_hours,
        approval_days=settings.seal_approval_days,
        ses_version=settings.ses_version,
        clock_counts_after=settings.clock_counts_after,
    )


def _revoker(pki: PKI) -> RevokeCertificate:
    def revoke(der: bytes, revoked_at: datetime, invalid_since: datetime) -> None:
        certificate = parse_certificate(der)
        entry = RevokedEntry(
            serial=certificate.serial,
            # Lists count in whole seconds.
            revoked_at=revoked_at.replace(microsecond=0),
            reason=RevocationReason.KEY_COMPROMISE,
            invalidity_at=invalid_since.replace(microsecond=0),
        )
        try:
            pki.revoke(certificate, entry, now=revoked_at.replace(microsecond=0))
        except IssuingRefused as error:
            if error.params.get("reason") != "issuer":
                raise
            # Only its own authority can revoke it; the register says since when it is lost.
            log_alarm("outside_certificate_to_revoke", serial=f"{certificate.serial:x}")

    return revoke


def build_statement_signer(installation: Installation) -> StatementSigner:
    """Return what signs statements about seals: the key of the log of their uses."""
    store, certificate = installation.store, installation.pki.log
    return StatementSigner(
        certificate=certificate.der,
        chain=installation.pki.chain(certificate)[1:],
        sign=lambda message: store.sign_with(LOG_KEY, message),
    )
