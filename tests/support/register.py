"""A seal register with seals in use, and a sealer whose keys are in memory and may fail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate
from keys.errors import KeyNotFound
from keys.keystore import StoreHealth
from keys.private_keys import PrivateKey
from keys.profiles import SEAL_HOLDER
from keys.public_key import PublicKey
from seal_service.formats.ses import SealPicture, SESVersion
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.database import Database
from seal_service.sealing import Sealer, SealerParts, SealingOrder
from seal_service.seals import mandates, registry
from seal_service.seals.making import SealOrder, make_seal
from seal_service.seals.model import (
    MadeSeal,
    MandateGrant,
    Seal,
    SealApplication,
    SealFace,
    SealKind,
    SealPlace,
    SigningIdentity,
)
from seal_service.seals.registry import ApplyOrder, MoveOrder
from seal_service.seals.states import SealAction
from tests.support.licences import BUSINESS_LICENCE, MovingClock, make_randomness
from tests.support.seals import PICTURE
from tests.support.trust import (
    AUTHORITY_CODE,
    AUTHORITY_NAME,
    NOW,
    RSA_TRUST,
    SM2_TRUST,
    YEAR,
    CertificateSpec,
    Trust,
    certify,
    make_key,
)

TENANT = AUTHORITY_CODE
OTHER_TENANT = "11320100MB9K00013M"
KEY_NAMES = {KeyAlgorithm.SM2: "seal-sm2", KeyAlgorithm.RSA: "seal-rsa"}
PLACE = SealPlace(page_number=1, centre_x_mm=60, centre_y_mm=70)
_FAMILIES = {KeyAlgorithm.SM2: SM2_TRUST, KeyAlgorithm.RSA: RSA_TRUST}


@dataclass
class MemoryKeys:
    """A key store without files. ``before_sign`` may raise, or do something at the worst time."""

    keys: dict[str, PrivateKey] = field(default_factory=dict)
    before_sign: Callable[[str], None] = lambda name: None
    change_signature: Callable[[bytes], bytes] = bytes
    signed: list[str] = field(default_factory=list)

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.keys))

    def has(self, name: str) -> bool:
        return name in self.keys

    def public_key(self, name: str) -> PublicKey:
        if name not in self.keys:
            raise KeyNotFound(name=name)
        return self.keys[name].public_key

    def sign_with(self, name: str, message: bytes) -> bytes:
        self.before_sign(name)
        self.signed.append(name)
        return self.change_signature(self.keys[name].sign(message))

    def health(self) -> StoreHealth:
        return StoreHealth(is_ready=True, keys=len(self.keys))


def holder_certificate(algorithm: KeyAlgorithm, **changes: object) -> Certificate:
    """Certify the seal holder; the key is that of ``AUTHORITY_NAME``."""
    spec = {
        "name": AUTHORITY_NAME,
        "profile": SEAL_HOLDER,
        "issuer": "示例签发机构",
        "algorithm": algorithm,
        "organisation_code": TENANT,
        **changes,
    }
    return certify(CertificateSpec(**spec))  # type: ignore[arg-type]  # keywords are flaws


def identity(algorithm: KeyAlgorithm, **changes: object) -> SigningIdentity:
    """Return the holder's key and chain."""
    family: Trust = _FAMILIES[algorithm]
    return SigningIdentity(
        key_name=KEY_NAMES[algorithm],
        chain=(holder_certificate(algorithm, **changes).der, family.authority.der),
    )


def memory_keys() -> MemoryKeys:
    """Return a store with the holder's two keys."""
    return MemoryKeys(
        {name: make_key(AUTHORITY_NAME, algorithm) for algorithm, name in KEY_NAMES.items()}
    )


def make_application(**changes: object) -> SealApplication:
    """Make an application; the keywords replace parts of it."""
    parts: dict[str, object] = {
        "authority_code": TENANT,
        "kind": SealKind.LICENCE,
        "face": SealFace(name=AUTHORITY_NAME, line_below="电子证照专用章", number="3201020000017"),
        "valid_from": NOW - timedelta(days=1),
        "valid_until": NOW + YEAR,
        **changes,
    }
    return SealApplication(**parts)  # type: ignore[arg-type]  # keywords are flaws


@lru_cache(maxsize=32)
def made_seal(
    seal_id: str,
    name: str,
    until: datetime = NOW + YEAR,
    version: SESVersion = SESVersion.V4,
) -> MadeSeal:
    """Make a seal with a picture of one pixel."""
    sm2, rsa = identity(KeyAlgorithm.SM2), identity(KeyAlgorithm.RSA)
    maker = SM2_TRUST.maker()
    eseal = make_seal(
        SealOrder(
            seal_id=seal_id,
            name=name,
            picture=SealPicture(format="PNG", data=PICTURE, width_mm=42, height_mm=42),
            certificates=(sm2.certificate,),
            created_at=NOW - timedelta(days=1),
            valid_from=NOW - timedelta(days=1),
            valid_until=until,
        ),
        sign=maker.sign,
        maker_certificate=maker.certificate,
        version=version,
    )
    return MadeSeal(
        eseal_der=eseal, picture_png=PICTURE, width_mm=42, height_mm=42, sm2=sm2, rsa=rsa
    )


def order(seal: Seal, action: SealAction, at: datetime = NOW, /, **changes: str) -> MoveOrder:
    """Make the order for a step by two persons."""
    return MoveOrder(
        authority_code=seal.authority_code,
        seal_id=seal.seal_id,
        action=action,
        applicant=changes.get("applicant", "applicant"),
        approver=changes.get("approver", "manager"),
        basis_document=changes.get("basis_document", "云栖政办〔2026〕12 号"),
        reason=changes.get("reason", ""),
        now=at,
    )


def apply_for_seal(database: Database, seal_id: str = "SEAL-1", /, **changes: object) -> Seal:
    """Enter an application."""
    with database.transaction() as connection:
        return registry.apply(
            connection,
            ApplyOrder(
                seal_id=seal_id,
                application=make_application(**changes),
                applicant="applicant",
                basis_document="云栖政办〔2026〕12 号",
                reason="",
                now=NOW,
            ),
        )


def move(
    database: Database, seal: Seal, action: SealAction, at: datetime = NOW, /, **changes: str
) -> Seal:
    """Do a step in a transaction of its own."""
    with database.transaction() as connection:
        return registry.move(connection, order(seal, action, at, **changes))


def bring_into_use(
    database: Database, seal: Seal, made: MadeSeal | None = None, *, upto: str = "activate"
) -> Seal:
    """Lead an application through approval and making into use, or up to an earlier step."""
    made = made or made_seal(seal.seal_id, seal.name, seal.application.valid_until)
    with database.transaction() as connection:
        digest = seal.application.digest
        registry.approve(connection, order(seal, SealAction.APPROVE), digest)
        seal = registry.record_made(connection, order(seal, SealAction.MAKE), made)
        for action in (SealAction.FILE, SealAction.ISSUE, SealAction.ACTIVATE):
            seal = registry.move(connection, order(seal, action))
            if action == upto:
                break
    return seal


def grant(database: Database, seal: Seal, **changes: object) -> None:
    """Grant a mandate: any caller, business licences, for a year."""
    parts: dict[str, object] = {
        "authority_code": seal.authority_code,
        "seal_id": seal.seal_id,
        "caller_id": None,
        "licence_type_code": BUSINESS_LICENCE,
        "valid_from": NOW - timedelta(days=1),
        "valid_until": NOW + YEAR,
        "applicant": "applicant",
        "approver": "manager",
        "basis_document": "用章授权书",
        **changes,
    }
    with database.transaction() as connection:
        mandates.grant_mandate(
            connection,
            MandateGrant(**parts),  # type: ignore[arg-type]  # keywords are flaws
            NOW,
        )


class SealScene:
    """A sealer with one seal in use, mandated for business licences."""

    def __init__(self, database: Database, *, randomness: int = 3) -> None:
        self.database = database
        self.clock = MovingClock(NOW)
        self.keys = memory_keys()
        self.stamp_sm2: Callable[[bytes], bytes] = SM2_TRUST.stamper(NOW).stamp
        self.stamp_rsa: Callable[[bytes], bytes] = RSA_TRUST.stamper(NOW).stamp
        self.sealer = Sealer(
            SealerParts(
                database=database,
                clock=self.clock,
                randomness=make_randomness(randomness),
                keys=self.keys,
                stamp_sm2=lambda value: self.stamp_sm2(value),
                stamp_rsa=lambda value: self.stamp_rsa(value),
            )
        )
        self.seal = bring_into_use(database, apply_for_seal(database))
        grant(database, self.seal)

    def order(
        self, places: Sequence[SealPlace] = (PLACE,), /, *, tenant: str = TENANT, **changes: str
    ) -> SealingOrder:
        """Make an order of the usual caller."""
        caller = Caller(
            caller_id=changes.get("caller_id", "approval"),
            authority_code=tenant,
            scopes=frozenset(),
        )
        return SealingOrder(
            caller=caller,
            seal_id=changes.get("seal_id", self.seal.seal_id),
            case_number="YQ-2026-000001",
            licence_type_code=changes.get("licence_type_code", BUSINESS_LICENCE),
            subject="1.2.156.3005.2.example",
            places=tuple(places),
        )
