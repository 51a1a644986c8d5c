"""Wire types of the seal API: strict, no unknown fields, every field explained (T-API-16).

Instants are text here, because JSON has none; they are RFC 3339 with a zone.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from seal_service.errors import InvalidSealOrder
from seal_service.picture_schemas import DESIGN_EXAMPLE, DesignAnswer, FaceBody
from seal_service.plumbing.strict_json import StrictModel
from seal_service.seals.lookup import LARGEST_PAGE
from seal_service.seals.model import MandateGrant, SealApplication, SealKind
from seal_service.seals.states import SealState

_SEAL_ID_EXAMPLE = "11320102MB9K00021D7F3A90B2C4D5E6F1"
_INSTANT_EXAMPLE = "2026-11-24T04:00:00Z"
_BASIS_EXAMPLE = "云栖政办〔2026〕12 号"

InstantText = Annotated[
    str,
    Field(
        min_length=20,
        max_length=35,
        description="Instant with its zone, RFC 3339.",
        examples=[_INSTANT_EXAMPLE],
    ),
]
Basis = Annotated[
    str,
    Field(
        min_length=2,
        max_length=200,
        description="The decision or document this rests on.",
        examples=[_BASIS_EXAMPLE],
    ),
]
Reason = Annotated[
    str, Field(max_length=500, description="Why, in words.", examples=["启用电子证照专用章"])
]
Person = Annotated[
    str,
    Field(
        min_length=2,
        max_length=64,
        description="Who asked for it; recorded, and never the one who decides.",
        examples=["seal-applicant"],
    ),
]
SealId = Annotated[
    str, Path(max_length=64, description="Seal identifier (esID).", examples=[_SEAL_ID_EXAMPLE])
]


def read_instant(text: str, field: str) -> datetime:
    """Return an aware instant; raises ``InvalidSealOrder`` naming the field."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidSealOrder("不是带时区的 RFC 3339 时间", field=field)
    return moment.astimezone(UTC)


class SealApplicationBody(FaceBody):
    """An application for a seal (印章申请)."""

    valid_from: InstantText
    valid_until: InstantText
    predecessor_seal_id: str | None = Field(
        default=None,
        max_length=64,
        description="The seal this one takes the place of.",
        examples=[None],
    )
    basis_document: Basis
    reason: Reason = ""

    def to_application(self, authority_code: str) -> SealApplication:
        """Convert to the domain value; raises ``InvalidSealOrder``."""
        return SealApplication(
            authority_code=authority_code,
            kind=SealKind(self.kind),
            face=self.to_face(),
            valid_from=read_instant(self.valid_from, "valid_from"),
            valid_until=read_instant(self.valid_until, "valid_until"),
            predecessor_seal_id=self.predecessor_seal_id,
        )


class ApprovalBody(StrictModel):
    """Approval of exactly one application."""

    application_digest: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="Digest of the application that was read.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    basis_document: Basis
    reason: Reason = ""


class MakingBody(StrictModel):
    """The order to make an approved seal."""

    basis_document: Basis
    reason: Reason = ""


class MoveBody(StrictModel):
    """A step in the life of a seal."""

    action: Literal[
        "reject",
        "file",
        "issue",
        "activate",
        "suspend",
        "resume",
        "report_lost",
        "change",
        "revoke",
        "cancel",
        "destroy",
    ] = Field(description="What is done.", examples=["suspend"])
    applicant: Person
    basis_document: Basis
    reason: Reason


class MandateBody(StrictModel):
    """A mandate to use a seal (用章授权)."""

    caller_id: str | None = Field(
        max_length=64,
        description="The caller that may use it; null for any of the authority.",
        examples=["approval-system"],
    )
    licence_type_code: str | None = Field(
        max_length=21,
        description="Licence type; null for every type.",
        examples=["11100000MB0143028R001"],
    )
    valid_from: InstantText
    valid_until: InstantText
    applicant: Person
    basis_document: Basis

    def to_grant(self, authority_code: str, seal_id: str, approver: str) -> MandateGrant:
        """Convert to the domain value; raises ``InvalidSealOrder``."""
        return MandateGrant(
            authority_code=authority_code,
            seal_id=seal_id,
            caller_id=self.caller_id,
            licence_type_code=self.licence_type_code,
            valid_from=read_instant(self.valid_from, "valid_from"),
            valid_until=read_instant(self.valid_until, "valid_until"),
            applicant=self.applicant,
            approver=approver,
            basis_document=self.basis_document,
        )


class SealCertificateAnswer(StrictModel):
    """A certificate of a seal."""

    algorithm: str = Field(description="``sm2`` or ``rsa``.", examples=["sm2"])
    serial: str = Field(description="Serial number, hexadecimal.", examples=["4f2a9c01"])
    subject: str = Field(description="Subject.", examples=["CN=金陵市云栖区行政审批局"])
    not_after: str = Field(description="Last instant of validity.", examples=[_INSTANT_EXAMPLE])
    fingerprint: str = Field(description="SM3 of the certificate.", examples=["0b1c…"])


class SealAnswer(StrictModel):
    """A seal, as its owner sees it."""

    seal_id: str = Field(description="Seal identifier (esID).", examples=[_SEAL_ID_EXAMPLE])
    kind: str = Field(description="Kind of seal.", examples=["licence"])
    name: str = Field(description="Seal name.", examples=["金陵市云栖区行政审批局电子证照专用章"])
    number: str = Field(description="Registered seal code.", examples=["3201020000017"])
    diameter_mm: float = Field(description="Physical diameter.", examples=[42.0])
    design: DesignAnswer = Field(description="How it looks.", examples=[DESIGN_EXAMPLE])
    valid_from: str = Field(description="First instant of validity.", examples=[_INSTANT_EXAMPLE])
    valid_until: str = Field(description="Last instant of validity.", examples=[_INSTANT_EXAMPLE])
    state: str = Field(description="State in the register.", examples=["active"])
    state_name: str = Field(description="State, in Chinese.", examples=["正常"])
    epoch: int = Field(description="Raised whenever use is stopped.", examples=[1])
    applicant: str = Field(description="Who applied.", examples=["seal-applicant"])
    applied_at: str = Field(description="When.", examples=[_INSTANT_EXAMPLE])
    application_digest: str = Field(description="What an approval must name.", examples=["9f86…"])
    predecessor_seal_id: str | None = Field(
        description="The seal it took the place of.", examples=[None]
    )
    picture_sha256: str | None = Field(
        description="Digest of the picture; null before making.", examples=["5e88…"]
    )
    certificates: list[SealCertificateAnswer] = Field(
        description="Empty before making.", examples=[[]]
    )


class SealPage(StrictModel):
    """One page of a list."""

    seals: list[SealAnswer] = Field(description="Newest first.", examples=[[]])
    next_after: str | None = Field(
        description="Pass as ``after`` for the next page; null on the last.",
        examples=[_SEAL_ID_EXAMPLE],
    )


class SealStatusAnswer(StrictModel):
    """The state of a seal at an instant."""

    seal_id: str = Field(description="Seal identifier (esID).", examples=[_SEAL_ID_EXAMPLE])
    name: str = Field(description="Seal name.", examples=["金陵市云栖区行政审批局电子证照专用章"])
    at: str = Field(description="The instant the answer speaks of.", examples=[_INSTANT_EXAMPLE])
    state: str = Field(description="State then.", examples=["revoked"])
    state_name: str = Field(description="State, in Chinese.", examples=["已撤销"])
    since: str = Field(description="When that state began.", examples=[_INSTANT_EXAMPLE])
    reason: str = Field(description="Why it was stopped.", examples=["签名密钥疑似泄露"])
    valid_from: str = Field(description="First instant of validity.", examples=[_INSTANT_EXAMPLE])
    valid_until: str = Field(description="Last instant of validity.", examples=[_INSTANT_EXAMPLE])


class SealEventAnswer(StrictModel):
    """One step in the life of a seal."""

    happened_at: str = Field(description="When.", examples=[_INSTANT_EXAMPLE])
    action: str = Field(description="What was done.", examples=["activate"])
    state_before: str | None = Field(description="Null for the application.", examples=["issued"])
    state_after: str = Field(description="State from then on.", examples=["active"])
    applicant: str = Field(description="Who asked.", examples=["seal-applicant"])
    approver: str = Field(description="Who decided.", examples=["seal-manager"])
    basis_document: str = Field(description="What it rests on.", examples=[_BASIS_EXAMPLE])
    reason: str = Field(description="Why.", examples=[""])


class SealHistory(StrictModel):
    """The whole life of a seal."""

    events: list[SealEventAnswer] = Field(description="In order.", examples=[[]])


class MandateAnswer(StrictModel):
    """A mandate in the register."""

    mandate_id: int = Field(description="Number of the mandate.", examples=[1])
    seal_id: str = Field(description="Seal.", examples=[_SEAL_ID_EXAMPLE])
    caller_id: str | None = Field(
        description="Null: any caller of the authority.", examples=["approval-system"]
    )
    licence_type_code: str | None = Field(
        description="Null: every type.", examples=["11100000MB0143028R001"]
    )
    valid_from: str = Field(description="First instant.", examples=[_INSTANT_EXAMPLE])
    valid_until: str = Field(description="Last instant.", examples=[_INSTANT_EXAMPLE])
    withdrawn_at: str | None = Field(description="When it was ended early.", examples=[None])
    applicant: str = Field(description="Who asked.", examples=["seal-applicant"])
    approver: str = Field(description="Who decided.", examples=["seal-manager"])
    basis_document: str = Field(description="What it rests on.", examples=[_BASIS_EXAMPLE])


class MandateList(StrictModel):
    """The mandates of a seal."""

    mandates: list[MandateAnswer] = Field(description="Ended ones too.", examples=[[]])


class SealListQuery(BaseModel):
    """What to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: SealState | None = Field(
        default=None, description="Only seals in this state.", examples=["active"]
    )
    after: str | None = Field(
        default=None,
        max_length=64,
        description="``next_after`` of the page before.",
        examples=[_SEAL_ID_EXAMPLE],
    )
    limit: int = Field(
        default=50, ge=1, le=LARGEST_PAGE, description="Seals per page.", examples=[50]
    )
