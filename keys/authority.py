"""Our certificate authority for tests and closed deployments: issue, revoke, publish.

1. Check the order: the issuer may issue this kind, and its own period covers the new one.
2. Encode the certificate; its key identifiers and revocation address come from the issuer.
3. Sign with a key that only the key store can reach.
4. Read the result back and compare it with the order; then release it.

The list of revoked certificates is the state: the next list holds what the last one held. Nothing
leaves it but a certificate whose hold ends (RFC 5280, 5.3.1).
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from keys.certificates import Certificate, parse_certificate
from keys.crl import (
    CRL,
    CRLPlan,
    RevocationReason,
    RevokedEntry,
    encode_crl_tbs,
    parse_crl,
    read_entries,
)
from keys.errors import IssuingRefused, ServiceError
from keys.keystore import Signer
from keys.profiles import ROOT, Profile
from keys.public_key import PublicKey, verify_signature
from keys.x509_building import (
    SERIAL_BYTES,
    AuthorityAccess,
    CertificatePlan,
    Subject,
    assemble_signed,
    encode_name,
    encode_tbs,
    key_identifier,
    serial_number,
)

BACKDATING = timedelta(hours=1)
"""How long before now a certificate begins, for relying parties whose clocks are late."""
CRL_VALIDITY = timedelta(days=7)

Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateOrder:
    """What is to be certified; who may order it was decided before."""

    profile: Profile
    subject: Subject
    public_key: PublicKey
    now: datetime
    validity: timedelta | None = None
    """Shorter than the profile's, where given."""


class Authority:
    """One issuing key with its certificate."""

    def __init__(
        self,
        *,
        signer: Signer,
        key_name: str,
        certificate: Certificate,
        crl_url: str,
        access: AuthorityAccess | None = None,
        randomness: Randomness = secrets.token_bytes,
    ) -> None:
        """Take the key ``key_name``; raise ``IssuingRefused`` where it is not the certificate's."""
        if signer.public_key(key_name).spki != certificate.public_key.spki:
            raise IssuingRefused("key and certificate differ", reason="key-mismatch")
        self.certificate = certificate
        self._signer = signer
        self._key_name = key_name
        self._crl_url = crl_url
        self._access = access or AuthorityAccess()
        self._randomness = randomness
        self._key_id = key_identifier(certificate.public_key.spki)

    def issue_certificate(self, order: CertificateOrder) -> bytes:
        """Issue a certificate and return its DER.

        Raises ``IssuingRefused`` for a kind this authority may not issue, or outside its period.
        """
        self._check_order(order)
        not_before = max(order.now - BACKDATING, self.certificate.not_before)
        not_after = min(
            order.now + (order.validity or order.profile.validity), self.certificate.not_after
        )
        plan = CertificatePlan(
            profile=order.profile,
            serial=serial_number(self._randomness(SERIAL_BYTES)),
            issuer_der=self.certificate.subject_der,
            subject_der=encode_name(order.subject),
            spki=order.public_key.spki,
            authority_key_id=self._key_id,
            not_before=not_before.replace(microsecond=0),
            not_after=not_after.replace(microsecond=0),
            issuer_algorithm=self.certificate.public_key.algorithm,
            crl_urls=(self._crl_url,),
            access=self._access,
        )
        tbs = encode_tbs(plan)
        issued = assemble_signed(tbs, plan.issuer_algorithm, self._sign(tbs))
        _check_issued(issued, plan, self.certificate.public_key)
        return issued

    def publish_crl(
        self,
        *,
        now: datetime,
        previous: bytes | None = None,
        revoked: Iterable[RevokedEntry] = (),
        validity: timedelta = CRL_VALIDITY,
    ) -> bytes:
        """Publish the next list: what ``previous`` held, and ``revoked``; return its DER.

        Raises ``IssuingRefused`` where the clock went back behind the last list, or ``previous``
        is not this authority's.
        """
        last = None if previous is None else self._own_crl(previous)
        if last is not None and now < last.this_update:
            raise IssuingRefused("the clock is behind the last list", reason="clock")
        algorithm = self.certificate.public_key.algorithm
        tbs = encode_crl_tbs(
            CRLPlan(
                issuer_der=self.certificate.subject_der,
                authority_key_id=self._key_id,
                number=1 if last is None else (last.number or 0) + 1,
                this_update=now,
                next_update=now + validity,
                entries=merge_entries(() if last is None else read_entries(last), revoked),
                algorithm=algorithm,
            )
        )
        return assemble_signed(tbs, algorithm, self._sign(tbs))

    def _own_crl(self, data: bytes) -> CRL:
        try:
            crl = parse_crl(data)
            verify_signature(
                self.certificate.public_key, crl.tbs_raw, crl.signature, crl.signature_oid
            )
        except ServiceError as error:
            raise IssuingRefused("not our last list", reason="crl") from error
        if crl.issuer_der != self.certificate.subject_der:
            raise IssuingRefused("not our last list", reason="crl")
        return crl

    def _sign(self, tbs: bytes) -> bytes:
        return self._signer.sign_with(self._key_name, tbs)

    def _check_order(self, order: CertificateOrder) -> None:
        """Step 1."""
        own = self.certificate
        if not own.not_before <= order.now < own.not_after:
            raise IssuingRefused("the authority's certificate is not valid now", reason="period")
        room = own.path_length
        wanted = order.profile.path_length
        if not own.is_ca or (wanted is not None and room is not None and wanted >= room):
            raise IssuingRefused("path length", reason="path-length")
        if order.public_key.algorithm is not own.public_key.algorithm:
            # Chains of one algorithm only: SM2 and RSA roots are trusted apart.
            raise IssuingRefused("mixed algorithms", reason="algorithm")
        if order.public_key.weakness is not None:
            raise IssuingRefused(order.public_key.weakness, reason="weak-key")


def issue_root(
    signer: Signer,
    key_name: str,
    subject: Subject,
    *,
    now: datetime,
    crl_url: str,
    randomness: Randomness = secrets.token_bytes,
) -> bytes:
    """Issue a self-signed root over a key of the store and return its DER."""
    public_key = signer.public_key(key_name)
    name = encode_name(subject)
    plan = CertificatePlan(
        profile=ROOT,
        serial=serial_number(randomness(SERIAL_BYTES)),
        issuer_der=name,
        subject_der=name,
        spki=public_key.spki,
        authority_key_id=key_identifier(public_key.spki),
        not_before=(now - BACKDATING).replace(microsecond=0),
        not_after=(now + ROOT.validity).replace(microsecond=0),
        issuer_algorithm=public_key.algorithm,
        crl_urls=(crl_url,),
    )
    tbs = encode_tbs(plan)
    issued = assemble_signed(tbs, public_key.algorithm, signer.sign_with(key_name, tbs))
    _check_issued(issued, plan, public_key)
    return issued


def merge_entries(
    known: Iterable[RevokedEntry], revoked: Iterable[RevokedEntry]
) -> tuple[RevokedEntry, ...]:
    """Add entries to a list; the earliest revocation and invalidity of a certificate stay.

    So does the loss of a key, as the reason.

    An entry with ``REMOVE_FROM_CRL`` ends a hold; it ends no other revocation.
    """
    found = {entry.serial: entry for entry in known}
    for entry in revoked:
        before = found.get(entry.serial)
        if entry.reason is RevocationReason.REMOVE_FROM_CRL:
            if before is None or before.reason is not RevocationReason.CERTIFICATE_HOLD:
                raise IssuingRefused("only a hold can end", reason="not-on-hold")
            del found[entry.serial]
            continue
        found[entry.serial] = entry if before is None else _merge(before, entry)
    return tuple(sorted(found.values(), key=lambda entry: entry.serial))


def _merge(before: RevokedEntry, entry: RevokedEntry) -> RevokedEntry:
    dates = [at for at in (before.invalidity_at, entry.invalidity_at) if at is not None]
    return RevokedEntry(
        serial=entry.serial,
        revoked_at=min(before.revoked_at, entry.revoked_at),
        # A lost key stays lost, whatever is said of it later.
        reason=before.reason if before.reason is RevocationReason.KEY_COMPROMISE else entry.reason,
        invalidity_at=min(dates, default=None),
    )


def _check_issued(issued: bytes, plan: CertificatePlan, issuer: PublicKey) -> None:
    """Step 4: signature, key, period, usage and names are those of the plan."""
    certificate = parse_certificate(issued)
    verify_signature(
        issuer,
        certificate.tbs_raw,
        certificate.signature,
        certificate.signature_oid,
        certificate.signature_parameters,
    )
    profile = plan.profile
    as_planned = (
        certificate.serial == plan.serial
        and certificate.public_key.spki == plan.spki
        and certificate.subject_der == plan.subject_der
        and (certificate.not_before, certificate.not_after) == (plan.not_before, plan.not_after)
        and certificate.key_usage == profile.key_usage
        and certificate.is_ca == profile.is_authority
        and certificate.path_length == profile.path_length
        and (certificate.extended_key_usage or frozenset()) == set(profile.extended_key_usage)
        and not certificate.notices
    )
    if not as_planned:
        raise IssuingRefused("the certificate is not as ordered", reason="self-check")
