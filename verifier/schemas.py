"""Wire types of the verification API: the evidence given, and the answer, every field explained.

The shape is that of ``verifier.wire``; keys may be added, never renamed or removed.
"""

import base64
import binascii
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seal_service.plumbing.errors import InvalidFields, RequestFault
from seal_service.plumbing.faults import list_faults
from seal_service.plumbing.strict_json import StrictModel, read_json
from verifier.given_evidence import LARGEST_POLICY, MOST_FILES, GivenEvidence, GivenFile
from verifier.uploads import LARGEST_EVIDENCE, RAW_TYPES
from verifier.verdict import (
    Check,
    InstantSource,
    Integrity,
    Outcome,
    Result,
    TimeSource,
    Trust,
)

_INSTANT = "2026-11-24T04:00:00Z"


class _Answer(BaseModel):
    """Base of what we answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FindingAnswer(_Answer):
    """What one check gave for one subject."""

    check: Check = Field(description="Which check.", examples=["document-digest"])
    result: Result = Field(description="What it gave.", examples=["failed"])
    reason: str = Field(description="Stable reason code.", examples=["digest-changed"])
    subject: str = Field(description="What was looked at.", examples=["Doc_0/Document.xml"])
    clause: str = Field(description="Standard and clause.", examples=["GB/T 33190-2016, 18"])
    detail: str = Field(description="Short English fact for engineers.", examples=[""])


class SealAnswer(_Answer):
    """The seal as the file shows it."""

    id: str = Field(description="Number of the seal (esID).", examples=["32050000019999"])
    name: str = Field(description="Name of the seal.", examples=["金陵市云栖区行政审批局"])
    version: int = Field(description="Generation of the format: 1, 4 or 5.", examples=[4])


class SignatureAnswer(_Answer):
    """One seal or signature, judged alone."""

    kind: str = Field(
        description="ofd-seal, ofd-sign, rsa-pades, gm-seal, gm-cms, timestamp or unsupported.",
        examples=["ofd-seal"],
    )
    name: str = Field(
        description="Path of Signature.xml, or name of the PDF field.",
        examples=["/Doc_0/Signs/Sign_0/Signature.xml"],
    )
    verdict: Outcome = Field(description="The answer for this signature.", examples=["valid"])
    integrity: Integrity = Field(
        description="Whether the sealed bytes are the bytes at hand.", examples=["holds"]
    )
    trust: Trust = Field(
        description="Whether maker and signer lead to a configured root.", examples=["trusted"]
    )
    signed_at: str | None = Field(description="Instant in UTC.", examples=[_INSTANT])
    time_source: TimeSource = Field(
        description="Where that instant comes from.", examples=["timestamp"]
    )
    judged_for: str = Field(
        description="Instant at which periods were judged: signed_at, else judged_at.",
        examples=[_INSTANT],
    )
    signer: str = Field(
        description="Name in the signer's certificate.", examples=["金陵市云栖区行政审批局"]
    )
    seal: SealAnswer | None = Field(
        description="The seal; null for a signature without one.",
        examples=[{"id": "32050000019999", "name": "金陵市云栖区行政审批局", "version": 4}],
    )
    findings: list[FindingAnswer] = Field(description="Every check, in fixed order.", examples=[[]])


class CoverageAnswer(_Answer):
    """What the signatures that hold do not protect."""

    uncovered: list[str] = Field(
        description="Entries that a viewer would draw or read.", examples=[[]]
    )
    unreferenced: list[str] = Field(description="Entries that nothing refers to.", examples=[[]])


class DocumentAnswer(_Answer):
    """Which document was judged."""

    digest: str = Field(
        description="SM3 of the file, hexadecimal.", examples=["6f2d3c1b0a9988776655"]
    )
    kind: str = Field(description="ofd, pdf, ses or unknown.", examples=["ofd"])


class LicenceRecordAnswer(_Answer):
    """What our own library says of the licence."""

    identifier: str = Field(
        description="GB/T 36904 identifier.",
        examples=[
            "1.2.156.3005.2.11100000MB0143028R001.11320102MB9K00021D.7K2M9QX4B1T8ZD03WHA5.001.C"
        ],
    )
    name: str = Field(description="Licence type.", examples=["营业执照"])
    licence_number: str = Field(description="Printed number.", examples=["91320102MA9K00028Q"])
    holder_name: str = Field(description="Holder.", examples=["金陵云栖茶点有限公司"])
    issuing_authority_name: str = Field(
        description="Issuing authority.", examples=["金陵市云栖区行政审批局"]
    )
    state: str = Field(description="State in the library.", examples=["in_force"])
    state_reason: str = Field(description="Why, where it lost its force.", examples=[""])
    state_since: str | None = Field(description="Since when, in UTC.", examples=[None])
    issued_on: str = Field(description="Calendar day.", examples=["2026-11-24"])
    valid_from: str = Field(description="First day.", examples=["2026-11-24"])
    valid_until: str = Field(
        description="Last day, inclusive; empty for a long-term licence.", examples=["2031-11-23"]
    )
    test: bool = Field(description="Whether it is for tests only.", examples=[False])


class VerificationAnswer(_Answer):
    """The verdict on one document; "forged" is an answer, too, and no error."""

    verdict: Outcome = Field(description="The one answer.", examples=["valid"])
    authentic: bool = Field(description="真伪: apart from its force.", examples=[True])
    in_force: bool | None = Field(
        description="效力; null for documents that are not ours.", examples=[True]
    )
    judged_at: str = Field(description="The instant the answer holds for.", examples=[_INSTANT])
    judged_at_source: InstantSource = Field(
        description="Where that instant comes from: our clock, or given with the request.",
        examples=["clock"],
    )
    policy: str = Field(description="Name of the verification policy.", examples=["default"])
    document: DocumentAnswer = Field(
        description="The document.", examples=[{"digest": "6f2d3c1b0a9988776655", "kind": "ofd"}]
    )
    coverage: CoverageAnswer = Field(
        description="What is not protected.", examples=[{"uncovered": [], "unreferenced": []}]
    )
    signatures: list[SignatureAnswer] = Field(description="Every seal or signature.", examples=[[]])
    findings: list[FindingAnswer] = Field(
        description="Findings about the document as a whole.", examples=[[]]
    )
    licence: LicenceRecordAnswer | None = Field(
        description="The record, where the licence is ours.", examples=[None]
    )


# The evidence

_PEM_EXAMPLE = "LS0tLS1CRUdJTi..."
_Files = Annotated[
    list[Annotated[str, Field(min_length=4, max_length=LARGEST_EVIDENCE)]],
    Field(max_length=MOST_FILES),
]


class EvidenceBody(StrictModel):
    """The part ``evidence`` of a form: what to judge against instead of our own library.

    Every file in base64, PEM or DER, SM2 or RSA. Nothing is fetched.
    """

    trust: _Files = Field(
        default=[], description="Trusted root certificates.", examples=[[_PEM_EXAMPLE]]
    )
    intermediates: _Files = Field(
        default=[], description="Issuing certificates, trusted no more than the file's own."
    )
    crls: _Files = Field(default=[], description="Revocation lists.")
    ocsp_responses: _Files = Field(default=[], description="OCSP responses.")
    policy: Annotated[str, Field(max_length=LARGEST_POLICY)] | None = Field(
        default=None, description="Verification policy, TOML.", examples=['name = "strict"']
    )
    at: Annotated[str, Field(max_length=40)] | None = Field(
        default=None,
        description="Judge as of this instant, RFC 3339; by default now.",
        examples=[_INSTANT],
    )

    def to_evidence(self) -> GivenEvidence:
        """Convert to the domain value; raises ``InvalidFields``: no base64, no instant."""
        policy = self.policy
        return GivenEvidence(
            trust=_files("trust", self.trust),
            intermediates=_files("intermediates", self.intermediates),
            crls=_files("crls", self.crls),
            ocsp_responses=_files("ocsp_responses", self.ocsp_responses),
            policy=None if policy is None else GivenFile(name="policy", data=policy.encode()),
            at=None if self.at is None else _moment(self.at),
        )


def read_evidence_part(part: bytes) -> GivenEvidence:
    """Read the part ``evidence``; raises ``MalformedRequest`` or ``InvalidFields``."""
    try:
        return EvidenceBody.model_validate(read_json(part)).to_evidence()
    except ValidationError as error:
        found = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise InvalidFields(list_faults(found)) from None


def _files(name: str, texts: list[str]) -> tuple[GivenFile, ...]:
    return tuple(
        GivenFile(name=f"{name}/{number}", data=_decoded(text, f"/{name}/{number}"))
        for number, text in enumerate(texts)
    )


def _decoded(text: str, pointer: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _fault(pointer, "不是 base64 编码", "base64") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _fault("/at", "不是 RFC 3339 时刻", "instant") from None
    if moment.tzinfo is None:
        raise _fault("/at", "时刻须带时区", "instant")
    return moment


def _fault(pointer: str, detail: str, code: str) -> InvalidFields:
    return InvalidFields((RequestFault(pointer=pointer, detail=detail, code=code),))


def describe_request() -> dict[str, object]:
    """Return what OpenAPI says of the request body: the file, or a form that may bring evidence."""
    binary = {"type": "string", "format": "binary", "description": "OFD or PDF."}
    form = {
        "type": "object",
        "required": ["document"],
        "properties": {"document": binary, "evidence": EvidenceBody.model_json_schema()},
    }
    raw = {media_type: {"schema": binary} for media_type in RAW_TYPES}
    encoding = {"evidence": {"contentType": "application/json"}}
    return {
        "required": True,
        "content": {**raw, "multipart/form-data": {"schema": form, "encoding": encoding}},
    }
