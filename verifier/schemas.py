"""Wire types of the verification API: the answer, every field explained.

The shape is that of ``verifier.wire``; keys may be added, never renamed or removed.
"""

from pydantic import BaseModel, ConfigDict, Field

from verifier.verdict import Check, Integrity, Outcome, Result, TimeSource, Trust

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
