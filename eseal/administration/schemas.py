"""Wire types of administration: strict, every field explained."""

from pydantic import Field

from eseal.administration.certificates import (
    KeptCertificate,
    certificate_to_wire,
    instant_text,
)
from eseal.administration.desk import Filed
from eseal.administration.operations import (
    CALLER_EXAMPLE,
    CODE_EXAMPLE,
    Content,
    Operation,
)
from keys.calendar import CalendarEntry
from keys.certificates import encode_pem
from keys.public_key import PublicKey
from keys.signers import KeyStats
from seal_service.decisions.schemas import AnyRequestAnswer, request_facts
from seal_service.plumbing.callers import RegisteredCaller
from seal_service.plumbing.strict_json import StrictModel
from seal_service.schemas import INSTANT_EXAMPLE, Basis, Reason
from seal_service.seals.requests import SealRequest

REQUEST_EXAMPLE = "sv-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
_KEY_EXAMPLE = "seal-maker"
_SERIAL_EXAMPLE = "5f0c6a4b9d1e4c0f8a7b6c5d4e3f2a1b"


class ServiceRequestBody(StrictModel):
    """A change of the service that a second person confirms."""

    operation: Operation = Field(
        description="What is to be done.",
        examples=[{"operation": "change-scopes", "caller_id": CALLER_EXAMPLE, "scopes": []}],
    )
    basis_document: Basis
    reason: Reason = ""


class ServiceRequestAnswer(AnyRequestAnswer):
    """A request about the service."""

    operation: dict[str, object] = Field(
        description="What is asked.",
        examples=[{"operation": "change-scopes", "caller_id": CALLER_EXAMPLE, "scopes": []}],
    )


class FiledAnswer(ServiceRequestAnswer):
    """A request as filed."""

    half: str | None = Field(
        description="First half of a caller's new secret, hexadecimal; answered once.",
        examples=[None],
    )


class ServiceRequestList(StrictModel):
    """The requests about the service."""

    requests: list[ServiceRequestAnswer] = Field(description="Newest first.", examples=[[]])


class DoneAnswer(StrictModel):
    """A request as decided, and what came of it."""

    request: ServiceRequestAnswer = Field(description="The request as decided.", examples=[{}])
    outcome: dict[str, object] = Field(
        description="Certificate, PKCS#10, list number, or the second half of a secret; once.",
        examples=[{"caller_id": CALLER_EXAMPLE, "half": "…"}],
    )


class CertificateAnswer(StrictModel):
    """A certificate of this installation."""

    serial: str = Field(description="Number, hexadecimal.", examples=[_SERIAL_EXAMPLE])
    source: str = Field(description="`own`, or for which key it was imported.", examples=["own"])
    name: str = Field(description="Common name.", examples=["电子印章制作（测试）"])
    subject: str = Field(description="Whole subject.", examples=["CN=电子印章制作（测试）,C=CN"])
    issuer: str = Field(description="Whole issuer.", examples=["CN=SM2 签发机构（测试）,C=CN"])
    organisation_code: str | None = Field(description="Credit code.", examples=[CODE_EXAMPLE])
    algorithm: str = Field(description="`sm2` or `rsa`.", examples=["sm2"])
    not_before: str = Field(description="First instant.", examples=[INSTANT_EXAMPLE])
    not_after: str = Field(description="Last instant.", examples=[INSTANT_EXAMPLE])
    state: str = Field(
        description="`valid`, `expired` or `revoked`; of an imported one the period only.",
        examples=["valid"],
    )
    fingerprint_sm3: str = Field(description="SM3 of the certificate.", examples=["66c7…"])


class WholeCertificateAnswer(CertificateAnswer):
    """A certificate with its bytes."""

    pem: str = Field(
        description="The certificate, PEM.", examples=["-----BEGIN CERTIFICATE-----\n…"]
    )


class CertificateList(StrictModel):
    """The certificates of this installation."""

    certificates: list[CertificateAnswer] = Field(
        description="Ours, the newest first, then the imported ones.", examples=[[]]
    )


class CalendarItem(StrictModel):
    """Something that ends."""

    kind: str = Field(description="certificate, seal, crl or tsa.", examples=["certificate"])
    name: str = Field(description="Which.", examples=[_KEY_EXAMPLE])
    ends_at: str = Field(description="When.", examples=[INSTANT_EXAMPLE])
    days_left: int = Field(description="Whole days until then.", examples=[61])
    urgency: str = Field(description="none, soon, near, urgent or ended.", examples=["none"])


class CalendarAnswer(StrictModel):
    """What ends, the first first."""

    items: list[CalendarItem] = Field(description="In order.", examples=[[]])


class KeyAnswer(StrictModel):
    """A key of the key store, and what happened with it since the service started."""

    name: str = Field(description="Name in the key store.", examples=[_KEY_EXAMPLE])
    signatures: int = Field(description="How many left, verified.", examples=[12])
    failures: int = Field(description="How many failed.", examples=[0])
    mean_ms: float = Field(description="Mean wall time of one.", examples=[0.7])
    slowest_ms: float = Field(description="The slowest.", examples=[2.1])
    last_error: str = Field(description="Reason of the last failure.", examples=[""])


class KeyList(StrictModel):
    """The keys of the key store."""

    is_ready: bool = Field(description="Whether the store can sign.", examples=[True])
    problem: str = Field(description="Why not.", examples=[""])
    keys: list[KeyAnswer] = Field(description="By name.", examples=[[]])


class PublicKeyAnswer(StrictModel):
    """The public half of a key; the other is answered to nobody."""

    name: str = Field(description="Name in the key store.", examples=[_KEY_EXAMPLE])
    algorithm: str = Field(description="`sm2` or `rsa`.", examples=["sm2"])
    bits: int = Field(description="Size.", examples=[256])
    public_key: str = Field(
        description="SubjectPublicKeyInfo, DER in hexadecimal.", examples=["3059…"]
    )


class CallerAnswer(StrictModel):
    """A calling program; never its secret."""

    caller_id: str = Field(description="Identifier.", examples=[CALLER_EXAMPLE])
    authority_code: str = Field(description="The tenant.", examples=[CODE_EXAMPLE])
    scopes: list[str] = Field(description="What it may do.", examples=[["licences:issue"]])
    created_at: str = Field(description="When.", examples=[INSTANT_EXAMPLE])
    expires_at: str | None = Field(description="When it ends.", examples=[None])
    disabled_at: str | None = Field(description="When it was shut out.", examples=[None])


class CallerList(StrictModel):
    """The callers."""

    callers: list[CallerAnswer] = Field(description="By authority and name.", examples=[[]])


class PublicationAnswer(StrictModel):
    """Revocation lists that were published again."""

    published: list[str] = Field(description="Their authorities.", examples=[["sm2-issuing-ca"]])


def request_to_wire(request: SealRequest) -> ServiceRequestAnswer:
    """Convert to the wire."""
    asked = Content.from_text(request.content).operation.model_dump(mode="json")
    return ServiceRequestAnswer.model_validate({**request_facts(request), "operation": asked})


def filed_to_wire(filed: Filed) -> FiledAnswer:
    """Convert to the wire."""
    half = filed.half.hex() or None
    return FiledAnswer(**request_to_wire(filed.request).model_dump(), half=half)


def certificate_answer(one: KeptCertificate) -> CertificateAnswer:
    """Convert to the wire."""
    return CertificateAnswer.model_validate(certificate_to_wire(one))


def whole_certificate(one: KeptCertificate) -> WholeCertificateAnswer:
    """Convert to the wire, bytes included."""
    return WholeCertificateAnswer.model_validate(
        {**certificate_to_wire(one), "pem": encode_pem(one.certificate.der)}
    )


def calendar_item(entry: CalendarEntry) -> CalendarItem:
    """Convert to the wire."""
    return CalendarItem(
        kind=entry.item.kind.value,
        name=entry.item.name,
        ends_at=instant_text(entry.item.ends_at),
        days_left=entry.days_left,
        urgency=entry.urgency.value,
    )


def key_answer(name: str, stats: KeyStats | None) -> KeyAnswer:
    """Convert to the wire; a key that was not used has zeros."""
    found = stats or KeyStats(name=name)
    count = max(found.signatures, 1)
    return KeyAnswer(
        name=name,
        signatures=found.signatures,
        failures=found.failures,
        mean_ms=round(found.seconds * 1000 / count, 3),
        slowest_ms=round(found.slowest_seconds * 1000, 3),
        last_error=found.last_error,
    )


def public_key_answer(name: str, key: PublicKey) -> PublicKeyAnswer:
    """Convert to the wire."""
    return PublicKeyAnswer(
        name=name, algorithm=str(key.algorithm), bits=key.bits, public_key=key.spki.hex()
    )


def caller_answer(caller: RegisteredCaller) -> CallerAnswer:
    """Convert to the wire."""
    until, ended = caller.expires_at, caller.disabled_at
    return CallerAnswer(
        caller_id=caller.caller_id,
        authority_code=caller.authority_code,
        scopes=sorted(caller.scopes),
        created_at=instant_text(caller.created_at),
        expires_at=None if until is None else instant_text(until),
        disabled_at=None if ended is None else instant_text(ended),
    )
