"""Requests about seals, their decision, mandates, lost keys: below ``/v1/seals/{seal_id}``.

One caller files, another confirms; both are who signed the request, and no body names a person
(T-API-09). Confirming names the digest of what was read (T-API-10) and works once (T-API-11).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, status

from seal_service.api import SCOPE_APPLY, SCOPE_APPROVE, SCOPE_AUDIT, SCOPE_MANAGE, SCOPE_READ
from seal_service.decisions.schemas import (
    CompromiseBody,
    DecisionBody,
    MandateAnswer,
    MandateBody,
    MandateId,
    MandateList,
    RequestAnswer,
    RequestBody,
    RequestId,
    RequestList,
    SealUseList,
    WithdrawalBody,
    mandate_to_wire,
    request_to_wire,
    use_to_wire,
)
from seal_service.errors import (
    DualControlRefused,
    InvalidSealOrder,
    MandateMissing,
    SealNotFound,
    SealRequestClosed,
    SealRequestNotFound,
    SealStateRefused,
)
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.problems import problem_responses
from seal_service.schemas import SealId, read_instant
from seal_service.seals.bureau import SealBureau
from seal_service.seals.compromise import LARGEST_PAGE
from seal_service.seals.request_desk import Asked, Confirmer, RequestDesk, Withdrawal
from seal_service.seals.states import SealAction


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRoutes:
    """What the routes work with; ``require`` makes the dependency that demands a scope."""

    desk: RequestDesk
    bureau: SealBureau
    require: Callable[[str], Callable[..., Caller]]


def build_router(parts: DecisionRoutes) -> APIRouter:
    """Build the routes of requests and decisions."""
    router = APIRouter(prefix="/v1/seals/{seal_id}", tags=["seals"])
    _add_filing(router, parts)
    _add_compromise(router, parts)
    _add_confirmation(router, parts)
    _add_refusal(router, parts)
    _add_list(router, parts)
    _add_mandate_request(router, parts)
    _add_mandates(router, parts)
    _add_uses(router, parts)
    return router


def _asked(caller: Caller, seal_id: str, body: RequestBody | CompromiseBody | MandateBody) -> Asked:
    return Asked(
        authority_code=caller.authority_code,
        seal_id=seal_id,
        applicant=caller.caller_id,
        basis_document=body.basis_document,
        reason=body.reason,
    )


def _confirmer(caller: Caller, seal_id: str, request_id: str, body: DecisionBody) -> Confirmer:
    return Confirmer(
        authority_code=caller.authority_code,
        seal_id=seal_id,
        request_id=request_id,
        actor=caller.caller_id,
        digest=bytes.fromhex(body.request_digest),
        remark=body.remark,
    )


def _add_filing(router: APIRouter, parts: DecisionRoutes) -> None:
    @router.post(
        "/requests",
        status_code=status.HTTP_201_CREATED,
        operation_id="post_seal_request",
        summary="Ask to resume, change, revoke, cancel or destroy a seal",
        responses=problem_responses(SealNotFound, SealStateRefused, InvalidSealOrder),
    )
    def post_seal_request(
        seal_id: SealId,
        body: RequestBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPLY))],
    ) -> RequestAnswer:
        """Answer the request, which somebody else has to confirm."""
        asked = _asked(caller, seal_id, body)
        return request_to_wire(parts.desk.file_move(asked, SealAction(body.action)))


def _add_compromise(router: APIRouter, parts: DecisionRoutes) -> None:
    @router.post(
        "/compromises",
        status_code=status.HTTP_201_CREATED,
        operation_id="post_seal_compromise",
        summary="Ask to declare the key of a seal lost since an instant",
        responses=problem_responses(SealNotFound, SealStateRefused, InvalidSealOrder),
    )
    def post_seal_compromise(
        seal_id: SealId,
        body: CompromiseBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPLY))],
    ) -> RequestAnswer:
        """Answer the request. Suspend the seal first where confirming may take time."""
        since = read_instant(body.since, "since")
        return request_to_wire(parts.desk.file_compromise(_asked(caller, seal_id, body), since))


def _add_confirmation(router: APIRouter, parts: DecisionRoutes) -> None:
    @router.post(
        "/requests/{request_id}/confirmation",
        operation_id="post_request_confirmation",
        summary="Confirm a request about a seal, and have it done",
        responses=problem_responses(
            SealNotFound,
            SealRequestNotFound,
            SealRequestClosed,
            SealStateRefused,
            DualControlRefused,
            InvalidSealOrder,
        ),
    )
    def post_request_confirmation(
        seal_id: SealId,
        request_id: RequestId,
        body: DecisionBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPROVE))],
    ) -> RequestAnswer:
        """Answer the request as decided; when a stop is answered, no use commits any more."""
        by = _confirmer(caller, seal_id, request_id, body)
        return request_to_wire(parts.desk.confirm(by))


def _add_refusal(router: APIRouter, parts: DecisionRoutes) -> None:
    @router.post(
        "/requests/{request_id}/refusal",
        operation_id="post_request_refusal",
        summary="Refuse a request about a seal",
        responses=problem_responses(
            SealNotFound, SealRequestNotFound, SealRequestClosed, DualControlRefused
        ),
    )
    def post_request_refusal(
        seal_id: SealId,
        request_id: RequestId,
        body: DecisionBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPROVE))],
    ) -> RequestAnswer:
        """Answer the request as closed; nothing was done."""
        by = _confirmer(caller, seal_id, request_id, body)
        return request_to_wire(parts.desk.refuse(by))


def _add_list(router: APIRouter, parts: DecisionRoutes) -> None:
    @router.get(
        "/requests",
        operation_id="list_seal_requests",
        summary="The requests about a seal",
        responses=problem_responses(SealNotFound),
    )
    def list_seal_requests(
        seal_id: SealId, caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))]
    ) -> RequestList:
        """Answer open and decided ones, newest first."""
        found = parts.desk.list_requests(caller.authority_code, seal_id)
        return RequestList(requests=[request_to_wire(request) for request in found])


def _add_mandate_request(router: APIRouter, parts: DecisionRoutes) -> None:
    @router.post(
        "/mandates",
        status_code=status.HTTP_201_CREATED,
        operation_id="post_mandate",
        summary="Ask for a mandate to use a seal",
        responses=problem_responses(SealNotFound, InvalidSealOrder),
    )
    def post_mandate(
        seal_id: SealId,
        body: MandateBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPLY))],
    ) -> RequestAnswer:
        """Answer the request; the mandate begins when somebody else confirms it."""
        wanted = body.to_grant(caller.authority_code, seal_id, caller.caller_id)
        return request_to_wire(parts.desk.file_mandate(_asked(caller, seal_id, body), wanted))


def _add_mandates(router: APIRouter, parts: DecisionRoutes) -> None:
    @router.get(
        "/mandates",
        operation_id="list_mandates",
        summary="Who may use a seal for what",
        responses=problem_responses(SealNotFound),
    )
    def list_mandates(
        seal_id: SealId, caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))]
    ) -> MandateList:
        """Answer every mandate, ended ones too."""
        mandates = parts.bureau.mandates(caller.authority_code, seal_id)
        return MandateList(mandates=[mandate_to_wire(mandate) for mandate in mandates])

    @router.post(
        "/mandates/{mandate_id}/withdrawal",
        operation_id="post_mandate_withdrawal",
        summary="End a mandate at once",
        responses=problem_responses(SealNotFound, MandateMissing),
    )
    def post_mandate_withdrawal(
        seal_id: SealId,
        mandate_id: MandateId,
        body: WithdrawalBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_MANAGE))],
    ) -> MandateAnswer:
        """Answer the mandate as ended; ending one waits for nobody."""
        ended = parts.desk.withdraw_mandate(
            caller.authority_code,
            seal_id,
            mandate_id,
            Withdrawal(actor=caller.caller_id, reason=body.reason),
        )
        return mandate_to_wire(ended)


def _add_uses(router: APIRouter, parts: DecisionRoutes) -> None:
    @router.get(
        "/uses",
        operation_id="list_seal_uses",
        summary="What was sealed with a seal's keys since an instant",
        responses=problem_responses(SealNotFound, InvalidSealOrder),
    )
    def list_seal_uses(
        seal_id: SealId,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_AUDIT))],
        since: Annotated[
            str,
            Query(
                max_length=35,
                description="Instant with its zone, RFC 3339.",
                examples=["2026-11-24T04:00:00Z"],
            ),
        ] = "2000-01-01T00:00:00Z",
        after: Annotated[
            int, Query(ge=0, le=2**53, description="``next_after`` of the page before.")
        ] = 0,
    ) -> SealUseList:
        """Answer released uses in order, also of other seals that share a key."""
        moment = read_instant(since, "since")
        found = parts.desk.sealed_since(caller.authority_code, seal_id, moment, after=after)
        is_full = len(found) == LARGEST_PAGE
        return SealUseList(
            uses=[use_to_wire(use) for use in found],
            next_after=found[-1].serial if is_full else None,
        )
