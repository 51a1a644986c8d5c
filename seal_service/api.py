"""The seal API: ``/v1/seals``.

Thin on purpose: read the request, call the bureau, write the answer. Who calls decides: the caller
is the approver of every step, and another one than whoever asked. Another tenant's seal answers
404 (T-API-06).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, status

from keys.errors import InvalidKey, KeyNotFound, KeyStoreUnavailable
from seal_service.errors import (
    DualControlRefused,
    GlyphMissing,
    InvalidSealOrder,
    SealExpired,
    SealNotFound,
    SealPictureNotFound,
    SealStateRefused,
    SelfCheckFailed,
    UnsafePicture,
)
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.problems import problem_responses
from seal_service.schemas import (
    ApprovalBody,
    MakingBody,
    MandateAnswer,
    MandateBody,
    MandateList,
    MoveBody,
    SealAnswer,
    SealApplicationBody,
    SealHistory,
    SealId,
    SealListQuery,
    SealPage,
    SealStatusAnswer,
    read_instant,
)
from seal_service.seals.bureau import SealBureau, Step
from seal_service.seals.states import SealAction
from seal_service.wire import event_to_wire, mandate_to_wire, seal_to_wire, status_to_wire

SCOPE_READ = "seals:read"
SCOPE_MAKE = "seals:make"
SCOPE_MANAGE = "seals:manage"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRoutes:
    """What the routes work with; ``require`` makes the dependency that demands a scope."""

    bureau: SealBureau
    require: Callable[[str], Callable[..., Caller]]


def build_router(parts: SealRoutes) -> APIRouter:
    """Build the routes of the seal register."""
    router = APIRouter(prefix="/v1", tags=["seals"])
    _add_list(router, parts)
    _add_seal(router, parts)
    _add_past(router, parts)
    _add_application(router, parts)
    _add_approval(router, parts)
    _add_making(router, parts)
    _add_moves(router, parts)
    _add_mandates(router, parts)
    return router


def _add_list(router: APIRouter, parts: SealRoutes) -> None:
    @router.get(
        "/seals",
        operation_id="list_seals",
        summary="List the seals of the caller's authority",
        responses=problem_responses(),
    )
    def list_seals(
        wanted: Annotated[SealListQuery, Query()],
        caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))],
    ) -> SealPage:
        """Answer one page, newest first."""
        seals = parts.bureau.list_seals(
            caller.authority_code, state=wanted.state, after=wanted.after, limit=wanted.limit
        )
        is_full = len(seals) == wanted.limit
        return SealPage(
            seals=[seal_to_wire(seal) for seal in seals],
            next_after=seals[-1].seal_id if is_full else None,
        )


def _add_seal(router: APIRouter, parts: SealRoutes) -> None:
    @router.get(
        "/seals/{seal_id}",
        operation_id="get_seal",
        summary="Read one seal",
        responses=problem_responses(SealNotFound),
    )
    def get_seal(
        seal_id: SealId, caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))]
    ) -> SealAnswer:
        """Answer the seal with its state and certificates."""
        return seal_to_wire(parts.bureau.show(caller.authority_code, seal_id))


def _add_past(router: APIRouter, parts: SealRoutes) -> None:
    reader = parts.require(SCOPE_READ)

    @router.get(
        "/seals/{seal_id}/status",
        operation_id="get_seal_status",
        summary="The state of a seal, now or at an instant",
        responses=problem_responses(SealNotFound, InvalidSealOrder),
    )
    def get_seal_status(
        seal_id: SealId,
        caller: Annotated[Caller, Depends(reader)],
        at: Annotated[
            str | None,
            Query(
                max_length=35,
                description="Instant with its zone, RFC 3339; now when absent.",
                examples=["2026-11-24T04:00:00Z"],
            ),
        ] = None,
    ) -> SealStatusAnswer:
        """Answer from the register's history."""
        moment = None if at is None else read_instant(at, "at")
        return status_to_wire(parts.bureau.status(caller.authority_code, seal_id, moment))

    @router.get(
        "/seals/{seal_id}/history",
        operation_id="get_seal_history",
        summary="The whole life of a seal",
        responses=problem_responses(SealNotFound),
    )
    def get_seal_history(
        seal_id: SealId, caller: Annotated[Caller, Depends(reader)]
    ) -> SealHistory:
        """Answer every step in order."""
        events = parts.bureau.history(caller.authority_code, seal_id)
        return SealHistory(events=[event_to_wire(event) for event in events])


def _add_application(router: APIRouter, parts: SealRoutes) -> None:
    @router.post(
        "/seals",
        status_code=status.HTTP_201_CREATED,
        operation_id="post_seal",
        summary="Apply for a seal",
        responses=problem_responses(InvalidSealOrder, SealNotFound, SealPictureNotFound),
    )
    def post_seal(
        body: SealApplicationBody, caller: Annotated[Caller, Depends(parts.require(SCOPE_MANAGE))]
    ) -> SealAnswer:
        """Answer the application under its seal identifier; the caller is the applicant."""
        seal = parts.bureau.apply(
            body.to_application(caller.authority_code),
            applicant=caller.caller_id,
            basis_document=body.basis_document,
            reason=body.reason,
        )
        return seal_to_wire(seal)


def _add_approval(router: APIRouter, parts: SealRoutes) -> None:
    @router.post(
        "/seals/{seal_id}/approval",
        operation_id="post_seal_approval",
        summary="Approve an application for a seal",
        responses=problem_responses(
            SealNotFound, SealStateRefused, DualControlRefused, InvalidSealOrder
        ),
    )
    def post_seal_approval(
        seal_id: SealId,
        body: ApprovalBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_MANAGE))],
    ) -> SealAnswer:
        """Approve exactly the application whose digest is named; not one's own."""
        step = Step(
            applicant="",
            approver=caller.caller_id,
            basis_document=body.basis_document,
            reason=body.reason,
        )
        digest = bytes.fromhex(body.application_digest)
        return seal_to_wire(parts.bureau.approve(caller.authority_code, seal_id, step, digest))


def _add_making(router: APIRouter, parts: SealRoutes) -> None:
    @router.post(
        "/seals/{seal_id}/making",
        operation_id="post_seal_making",
        summary="Make an approved seal",
        responses=problem_responses(
            SealNotFound,
            SealStateRefused,
            DualControlRefused,
            InvalidSealOrder,
            GlyphMissing,
            UnsafePicture,
            InvalidKey,
            KeyNotFound,
            KeyStoreUnavailable,
            SealExpired,
            SelfCheckFailed,
        ),
    )
    def post_seal_making(
        seal_id: SealId,
        body: MakingBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_MAKE))],
    ) -> SealAnswer:
        """Draw the picture, have the maker sign the seal, enter both."""
        step = Step(
            applicant="",
            approver=caller.caller_id,
            basis_document=body.basis_document,
            reason=body.reason,
        )
        return seal_to_wire(parts.bureau.make(caller.authority_code, seal_id, step))


def _add_moves(router: APIRouter, parts: SealRoutes) -> None:
    @router.post(
        "/seals/{seal_id}/state",
        operation_id="post_seal_state",
        summary="Move a seal: file, issue, activate, suspend, resume, revoke ...",
        responses=problem_responses(
            SealNotFound, SealStateRefused, DualControlRefused, InvalidSealOrder
        ),
    )
    def post_seal_state(
        seal_id: SealId,
        body: MoveBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_MANAGE))],
    ) -> SealAnswer:
        """Answer the seal in its new state; when a stop is answered, no use commits any more."""
        step = Step(
            applicant=body.applicant,
            approver=caller.caller_id,
            basis_document=body.basis_document,
            reason=body.reason,
        )
        action = SealAction(body.action)
        return seal_to_wire(parts.bureau.move(caller.authority_code, seal_id, action, step))


def _add_mandates(router: APIRouter, parts: SealRoutes) -> None:
    @router.post(
        "/seals/{seal_id}/mandates",
        status_code=status.HTTP_201_CREATED,
        operation_id="post_mandate",
        summary="Grant a mandate to use a seal",
        responses=problem_responses(SealNotFound, DualControlRefused, InvalidSealOrder),
    )
    def post_mandate(
        seal_id: SealId,
        body: MandateBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_MANAGE))],
    ) -> MandateAnswer:
        """Answer the mandate; the caller approves what somebody else asked for."""
        grant = body.to_grant(caller.authority_code, seal_id, caller.caller_id)
        return mandate_to_wire(parts.bureau.grant(grant))

    @router.get(
        "/seals/{seal_id}/mandates",
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
