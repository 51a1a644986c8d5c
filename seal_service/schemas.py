"""Wire types of the seal API: strict, no unknown fields, every field explained (T-API-16).

Instants are text here, because JSON has none; they are RFC 3339 with a zone.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from seal_service.errors import InvalidSealOrder
from seal_service.pictures.schemas import DESIGN_EXAMPLE, DesignAnswer, FaceBody
from seal_service.pictures.schemas import SealId as SealId
from seal_service.plumbing.strict_json import StrictModel
from seal_service.seals.lookup import LARGEST_PAGE, LONGEST_SEARCH
from seal_service.seals.model import SealApplication, SealKind
from seal_service.seals.states import SealState

SEAL_ID_EXAMPLE = "11320102MB9K00021D7F3A90B2C4D5E6F1"
INSTANT_EXAMPLE = "2026-11-24T04:00:00Z"
BASIS_EXAMPLE = "云栖政办〔2026〕12 号"

InstantText = Annotated[
    str,
    Field(
        min_length=20,
        max_length=35,
        description="Instant with its zone, RFC 3339.",
        examples=[INSTANT_EXAMPLE],
    ),
]
Basis = Annotated[
    str,
    Field(
        min_length=2,
        max_length=200,
        description="The decision or document this rests on.",
        examples=[BASIS_EXAMPLE],
    ),
]
Reason = Annotated[
    str, Field(max_length=500, description="Why, in words.", examples=["启用电子证照专用章"])
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


class RejectionBody(StrictModel):
    """An application that is not approved."""

    basis_document: Basis
    reason: Reason


class MakingBody(StrictModel):
    """The order to make an approved seal."""

    basis_document: Basis
    reason: Reason = ""


class MoveBody(StrictModel):
    """A step in the life of a seal that its manager does alone."""

    action: Literal[
        "file",
        "issue",
        "activate",
        "suspend",
        "report_lost",
    ] = Field(description="What is done.", examples=["suspend"])
    basis_document: Basis
    reason: Reason


class SealCertificateAnswer(StrictModel):
    """A certificate of a seal."""

    algorithm: str = Field(description="``sm2`` or ``rsa``.", examples=["sm2"])
    serial: str = Field(description="Serial number, hexadecimal.", examples=["4f2a9c01"])
    subject: str = Field(description="Subject.", examples=["CN=金陵市云栖区行政审批局"])
    not_after: str = Field(description="Last instant of validity.", examples=[INSTANT_EXAMPLE])
    fingerprint: str = Field(description="SM3 of the certificate.", examples=["0b1c…"])


class SealAnswer(StrictModel):
    """A seal, as its owner sees it."""

    seal_id: str = Field(description="Seal identifier (esID).", examples=[SEAL_ID_EXAMPLE])
    kind: str = Field(description="Kind of seal.", examples=["licence"])
    name: str = Field(description="Seal name.", examples=["金陵市云栖区行政审批局电子证照专用章"])
    number: str = Field(description="Registered seal code.", examples=["3201020000017"])
    diameter_mm: float = Field(description="Physical diameter.", examples=[42.0])
    design: DesignAnswer = Field(description="How it looks.", examples=[DESIGN_EXAMPLE])
    valid_from: str = Field(description="First instant of validity.", examples=[INSTANT_EXAMPLE])
    valid_until: str = Field(description="Last instant of validity.", examples=[INSTANT_EXAMPLE])
    state: str = Field(description="State in the register.", examples=["active"])
    state_name: str = Field(description="State, in Chinese.", examples=["正常"])
    epoch: int = Field(description="Raised whenever use is stopped.", examples=[1])
    applicant: str = Field(description="Who applied.", examples=["seal-applicant"])
    applied_at: str = Field(description="When.", examples=[INSTANT_EXAMPLE])
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
        examples=[SEAL_ID_EXAMPLE],
    )


class SealStatementAnswer(StrictModel):
    """What anyone may know of a seal at an instant, as far as it is known today."""

    type: str = Field(description="Always ``seal-status``.", examples=["seal-status"])
    version: int = Field(description="Of this shape.", examples=[1])
    seal_id: str = Field(description="Seal identifier (esID).", examples=[SEAL_ID_EXAMPLE])
    name: str = Field(description="Seal name.", examples=["金陵市云栖区行政审批局电子证照专用章"])
    at: str = Field(description="The instant the answer speaks of.", examples=[INSTANT_EXAMPLE])
    state: str = Field(description="State then.", examples=["revoked"])
    state_name: str = Field(description="State, in Chinese.", examples=["已撤销"])
    since: str = Field(description="When that state began.", examples=[INSTANT_EXAMPLE])
    action: str = Field(description="What brought it into that state.", examples=["revoke"])
    valid_from: str = Field(description="First instant of validity.", examples=[INSTANT_EXAMPLE])
    valid_until: str = Field(description="Last instant of validity.", examples=[INSTANT_EXAMPLE])
    seal_sm3: str | None = Field(
        description="SM3 of the e-seal as made; null before making.", examples=["1f0a…"]
    )
    answered_at: str = Field(description="When this was signed.", examples=[INSTANT_EXAMPLE])


class SealStatusAnswer(StrictModel):
    """The state of a seal, signed, to be kept."""

    statement: SealStatementAnswer = Field(
        description="What is signed, in canonical form.",
        examples=[{"type": "seal-status", "state": "active"}],
    )
    signature: str = Field(
        description="GB/T 35275 SignedData, base64, over the canonical statement.",
        examples=["MIIF…"],
    )


class SealEventAnswer(StrictModel):
    """One step in the life of a seal."""

    happened_at: str = Field(description="When.", examples=[INSTANT_EXAMPLE])
    action: str = Field(description="What was done.", examples=["activate"])
    state_before: str | None = Field(description="Null for the application.", examples=["issued"])
    state_after: str = Field(description="State from then on.", examples=["active"])
    applicant: str = Field(description="Who asked.", examples=["seal-applicant"])
    approver: str = Field(description="Who decided.", examples=["seal-manager"])
    basis_document: str = Field(description="What it rests on.", examples=[BASIS_EXAMPLE])
    reason: str = Field(description="Why.", examples=[""])
    effective_at: str | None = Field(
        description="Since when it counts, where that is earlier: a lost key.", examples=[None]
    )


class SealHistory(StrictModel):
    """The whole life of a seal."""

    events: list[SealEventAnswer] = Field(description="In order.", examples=[[]])


class SealListQuery(BaseModel):
    """What to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: SealState | None = Field(
        default=None, description="Only seals in this state.", examples=["active"]
    )
    search: str = Field(
        default="",
        max_length=LONGEST_SEARCH,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="Part of the seal's name, or the beginning of its id or registered number.",
        examples=["电子证照专用章"],
    )
    after: str | None = Field(
        default=None,
        max_length=64,
        description="``next_after`` of the page before.",
        examples=[SEAL_ID_EXAMPLE],
    )
    limit: int = Field(
        default=50, ge=1, le=LARGEST_PAGE, description="Seals per page.", examples=[50]
    )
