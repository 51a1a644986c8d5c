"""Wire types of requests, decisions, mandates and lost keys: strict, every field explained."""

import json
import re
from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from seal_service.errors import InvalidSealOrder
from seal_service.plumbing.instants import instant
from seal_service.plumbing.strict_json import StrictModel
from seal_service.schemas import (
    BASIS_EXAMPLE,
    INSTANT_EXAMPLE,
    SEAL_ID_EXAMPLE,
    Basis,
    InstantText,
    Reason,
    read_instant,
)
from seal_service.seals.compromise import SealedSince
from seal_service.seals.model import Mandate, MandateGrant, MandateLimits
from seal_service.seals.requests import SealRequest

_REQUEST_EXAMPLE = "sr-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
_TYPE_EXAMPLE = "11100000MB0143028R001"
_MATTER_EXAMPLE = "000116003000"
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")

RequestId = Annotated[str, Path(max_length=64, description="Request.", examples=[_REQUEST_EXAMPLE])]
MandateId = Annotated[int, Path(ge=1, le=2**53, description="Number of the mandate.", examples=[1])]
TypeCode = Annotated[str, Field(min_length=1, max_length=21)]
MatterCode = Annotated[str, Field(min_length=1, max_length=64)]


class RequestBody(StrictModel):
    """A step in the life of a seal that a second person confirms."""

    action: Literal["resume", "change", "revoke", "cancel", "destroy"] = Field(
        description="What is asked for.", examples=["revoke"]
    )
    basis_document: Basis
    reason: Reason


class CompromiseBody(StrictModel):
    """The key of a seal may be in other hands (密钥失密)."""

    since: InstantText = Field(
        description="Since when; everything sealed from then on is in doubt."
    )
    basis_document: Basis
    reason: Reason


class HoursBody(StrictModel):
    """Hours of the day in Asia/Shanghai."""

    begin: str = Field(description="First minute.", examples=["08:30"])
    end: str = Field(description="End, exclusive; at most 24:00.", examples=["17:30"])

    def to_minutes(self) -> tuple[int, int]:
        """Return minutes of the day; raises ``InvalidSealOrder``."""
        return _minutes(self.begin), _minutes(self.end)


def _minutes(text: str) -> int:
    if _TIME.fullmatch(text) is None:
        raise InvalidSealOrder("须为 HH:MM", field="hours")
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


class MandateBody(StrictModel):
    """A mandate to use a seal (用章授权), as asked for."""

    caller_id: str | None = Field(
        max_length=64,
        description="The caller that may use it; null for any of the authority.",
        examples=["approval-system"],
    )
    type_codes: list[TypeCode] = Field(
        default=[],
        max_length=50,
        description="Licence types and kinds of document; empty for every one.",
        examples=[[_TYPE_EXAMPLE, "approval-letter"]],
    )
    matter_codes: list[MatterCode] = Field(
        default=[],
        max_length=200,
        description="Service items (事项编码); empty for every one.",
        examples=[[_MATTER_EXAMPLE]],
    )
    hours: HoursBody | None = Field(
        default=None, description="Hours of the day; null for all.", examples=[None]
    )
    daily_count: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="Most uses a day, Asia/Shanghai; a licence takes two, OFD and PDF.",
        examples=[200],
    )
    valid_from: InstantText
    valid_until: InstantText
    basis_document: Basis
    reason: Reason = ""

    def to_grant(self, authority_code: str, seal_id: str, applicant: str) -> MandateGrant:
        """Convert to the domain value, not yet approved; raises ``InvalidSealOrder``."""
        single = self.type_codes[0] if len(self.type_codes) == 1 else None
        return MandateGrant(
            authority_code=authority_code,
            seal_id=seal_id,
            caller_id=self.caller_id,
            licence_type_code=single,
            valid_from=read_instant(self.valid_from, "valid_from"),
            valid_until=read_instant(self.valid_until, "valid_until"),
            applicant=applicant,
            approver="",
            basis_document=self.basis_document,
            limits=MandateLimits(
                type_codes=() if single else tuple(self.type_codes),
                matter_codes=tuple(self.matter_codes),
                hours=None if self.hours is None else self.hours.to_minutes(),
                daily_count=self.daily_count,
            ),
        )


class DecisionBody(StrictModel):
    """A decision about exactly one request."""

    request_digest: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="Digest of the request that was read.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    remark: Reason = ""


class AnyRequestAnswer(StrictModel):
    """What every request has that a second person decides."""

    request_id: str = Field(description="Request.", examples=[_REQUEST_EXAMPLE])
    request_digest: str = Field(description="What a decision must name.", examples=["9f86…"])
    applicant: str = Field(description="The caller that filed it.", examples=["seal-applicant"])
    basis_document: str = Field(description="What it rests on.", examples=[BASIS_EXAMPLE])
    reason: str = Field(description="Why.", examples=[""])
    filed_at: str = Field(description="When.", examples=[INSTANT_EXAMPLE])
    expires_at: str = Field(description="Last instant to confirm it.", examples=[INSTANT_EXAMPLE])
    state: str = Field(description="open, confirmed or refused.", examples=["confirmed"])
    decided_by: str | None = Field(description="Who decided.", examples=["seal-approver"])
    decided_at: str | None = Field(description="When.", examples=[INSTANT_EXAMPLE])
    remark: str = Field(description="What was said about it.", examples=[""])
    completed_at: str | None = Field(
        description="When all that follows was done; a lost key's certificates may take longer.",
        examples=[INSTANT_EXAMPLE],
    )


class RequestAnswer(AnyRequestAnswer):
    """A request about a seal."""

    seal_id: str = Field(description="Seal.", examples=[SEAL_ID_EXAMPLE])
    kind: str = Field(description="move, mandate or compromise.", examples=["move"])
    content: dict[str, object] = Field(
        description="What is asked, by kind.", examples=[{"action": "revoke"}]
    )


class RequestList(StrictModel):
    """The requests about a seal."""

    requests: list[RequestAnswer] = Field(description="Newest first.", examples=[[]])


class WithdrawalBody(StrictModel):
    """The end of a mandate."""

    reason: Reason


class MandateAnswer(StrictModel):
    """A mandate in the register."""

    mandate_id: int = Field(description="Number of the mandate.", examples=[1])
    seal_id: str = Field(description="Seal.", examples=[SEAL_ID_EXAMPLE])
    caller_id: str | None = Field(
        description="Null: any caller of the authority.", examples=["approval-system"]
    )
    type_codes: list[str] = Field(
        description="Licence types and kinds of document; empty: every one.",
        examples=[[_TYPE_EXAMPLE]],
    )
    matter_codes: list[str] = Field(
        description="Service items; empty: every one.", examples=[[_MATTER_EXAMPLE]]
    )
    hours: HoursBody | None = Field(description="Hours of the day; null: all.", examples=[None])
    daily_count: int | None = Field(description="Most uses a day; null: any.", examples=[200])
    valid_from: str = Field(description="First instant.", examples=[INSTANT_EXAMPLE])
    valid_until: str = Field(description="Last instant.", examples=[INSTANT_EXAMPLE])
    withdrawn_at: str | None = Field(description="When it was ended early.", examples=[None])
    applicant: str = Field(description="Who asked.", examples=["seal-applicant"])
    approver: str = Field(description="Who confirmed.", examples=["seal-approver"])
    basis_document: str = Field(description="What it rests on.", examples=[BASIS_EXAMPLE])


class MandateList(StrictModel):
    """The mandates of a seal."""

    mandates: list[MandateAnswer] = Field(description="Ended ones too.", examples=[[]])


class SealUseAnswer(StrictModel):
    """One released use of a seal's keys."""

    use_id: str = Field(description="Use.", examples=["su-00112233445566778899aabbccddeeff"])
    seal_id: str = Field(description="Seal.", examples=[SEAL_ID_EXAMPLE])
    caller_id: str = Field(description="Who used it.", examples=["approval-system"])
    case_number: str = Field(description="Case.", examples=["YQ-2026-000001"])
    type_code: str = Field(
        description="Licence type or kind of document.", examples=[_TYPE_EXAMPLE]
    )
    subject: str = Field(
        description="Licence identifier, or the document's name.", examples=["准予行政许可决定书"]
    )
    format: str = Field(description="ofd or pdf.", examples=["ofd"])
    committed_at: str = Field(description="When it was released.", examples=[INSTANT_EXAMPLE])
    sealing_id: str | None = Field(
        description="Sealing, of a document that is no licence.", examples=[None]
    )


class SealUseList(StrictModel):
    """What was sealed with a seal's keys since an instant."""

    uses: list[SealUseAnswer] = Field(description="In order.", examples=[[]])
    next_after: int | None = Field(
        description="Pass as ``after`` for the next page; null on the last.", examples=[None]
    )


def request_facts(request: SealRequest) -> dict[str, object]:
    """Return the fields of ``AnyRequestAnswer``."""
    decided, completed = request.decided_at, request.completed_at
    return {
        "request_id": request.request_id,
        "request_digest": request.digest.hex(),
        "applicant": request.applicant,
        "basis_document": request.basis_document,
        "reason": request.reason,
        "filed_at": instant(request.filed_at),
        "expires_at": instant(request.expires_at),
        "state": request.state.value,
        "decided_by": request.decided_by,
        "decided_at": None if decided is None else instant(decided),
        "remark": request.remark,
        "completed_at": None if completed is None else instant(completed),
    }


def request_to_wire(request: SealRequest) -> RequestAnswer:
    """Convert a request."""
    facts = {
        **request_facts(request),
        "seal_id": request.seal_id,
        "kind": request.kind.value,
        "content": json.loads(request.content),
    }
    return RequestAnswer.model_validate(facts)


def mandate_to_wire(mandate: Mandate) -> MandateAnswer:
    """Convert a mandate."""
    grant, limits = mandate.grant, mandate.grant.limits
    single = grant.licence_type_code
    withdrawn = mandate.withdrawn_at
    return MandateAnswer(
        mandate_id=mandate.mandate_id,
        seal_id=grant.seal_id,
        caller_id=grant.caller_id,
        type_codes=list(limits.type_codes) if single is None else [single, *limits.type_codes],
        matter_codes=list(limits.matter_codes),
        hours=None if limits.hours is None else _hours(limits.hours),
        daily_count=limits.daily_count,
        valid_from=instant(grant.valid_from),
        valid_until=instant(grant.valid_until),
        withdrawn_at=None if withdrawn is None else instant(withdrawn),
        applicant=grant.applicant,
        approver=grant.approver,
        basis_document=grant.basis_document,
    )


def _hours(minutes: tuple[int, int]) -> HoursBody:
    begin, end = (f"{at // 60:02d}:{at % 60:02d}" for at in minutes)
    return HoursBody(begin=begin, end=end)


def use_to_wire(use: SealedSince) -> SealUseAnswer:
    """Convert a use."""
    return SealUseAnswer(
        use_id=use.use_id,
        seal_id=use.seal_id,
        caller_id=use.caller_id,
        case_number=use.case_number,
        type_code=use.type_code,
        subject=use.subject,
        format=use.format,
        committed_at=instant(use.committed_at),
        sealing_id=use.sealing_id,
    )
