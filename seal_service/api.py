"""The seal API: ``/v1/seals``.

Thin on purpose: read the request, call the bureau, write the answer. Who calls acts: no body names
a person. What needs a second person is in ``seal_service.decisions``. Another tenant's seal answers
404 (T-API-06), but for its public status.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, status

from keys.errors import InvalidKey, KeyNotFound, KeyStoreUnavailable
from seal_service.errors import (
    DualControlRefused,
    GlyphMissing,
    InvalidSealOrder,
    RateLimited,
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
    MoveBody,
    RejectionBody,
    SealAnswer,
    SealApplicationBody,
    SealHistory,
    SealId,
    SealListQuery,
    SealPage,
    SealStatusAnswer,
    read_instant,
)
from seal_service.seals.bureau import APPROVING_SCOPE, SealBureau, Step
from seal_service.seals.statements import StatementSigner
from seal_service.seals.states import SealAction
from seal_service.wire import event_to_wire, listed_to_wire, seal_to_wire, status_to_wire

SCOPE_READ = "seals:read"
SCOPE_APPLY = "seals:apply"
SCOPE_APPROVE = APPROVING_SCOPE
SCOPE_MAKE = "seals:make"
SCOPE_MANAGE = "seals:manage"
SCOPE_AUDIT = "seals:audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRoutes:
    """What the routes work with; ``require`` makes the dependency that demands a scope."""

    bureau: SealBureau
    require: Callable[[str], Callable[..., Caller]]
    signer: Callable[[], StatementSigner]
    """Signs what everyone may ask."""
    admit_public: Callable[[Request], None]
    """Counts the requests of an address; raises ``RateLimited``."""


def build_router(parts: SealRoutes) -> APIRouter:
    """Build the routes of the seal register."""
    router = APIRouter(prefix="/v1", tags=["seals"])
    _add_list(router, parts)
    _add_seal(router, parts)
    _add_status(router, parts)
    _add_history(router, parts)
    _add_application(router, parts)
    _add_approval(router, parts)
    _add_rejection(router, parts)
    _add_making(router, parts)
    _add_moves(router, parts)
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
            caller.authority_code,
            state=wanted.state,
            search=wanted.search,
            after=wanted.after,
            limit=wanted.limit,
        )
        is_full = len(seals) == wanted.limit
        return SealPage(
            seals=[listed_to_wire(seal) for seal in seals],
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


def _add_status(router: APIRouter, parts: SealRoutes) -> None:
    @router.get(
        "/seals/{seal_id}/status",
        operation_id="get_seal_status",
        summary="The state of any seal, now or at an instant, signed; open to everyone",
        responses=problem_responses(
            SealNotFound, InvalidSealOrder, RateLimited, KeyNotFound, KeyStoreUnavailable
        ),
        dependencies=[Depends(parts.admit_public)],
    )
    def get_seal_status(
        seal_id: SealId,
        at: Annotated[
            str | None,
            Query(
                max_length=35,
                description="Instant with its zone, RFC 3339; now when absent.",
                examples=["2026-11-24T04:00:00Z"],
            ),
        ] = None,
    ) -> SealStatusAnswer:
        """Answer from the register's history: no picture, of the owner no more than the name."""
        moment = None if at is None else read_instant(at, "at")
        return status_to_wire(*parts.bureau.public_status(seal_id, moment, parts.signer()))


def _add_history(router: APIRouter, parts: SealRoutes) -> None:
    @router.get(
        "/seals/{seal_id}/history",
        operation_id="get_seal_history",
        summary="The whole life of a seal",
        responses=problem_responses(SealNotFound),
    )
    def get_seal_history(
        seal_id: SealId, caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))]
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
        body: SealApplicationBody, caller: Annotated[Caller, Depends(parts.require(SCOPE_APPLY))]
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
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPROVE))],
    ) -> SealAnswer:
        """Approve exactly the application whose digest is named; not one's own."""
        step = _step(caller, body)
        digest = bytes.fromhex(body.application_digest)
        return seal_to_wire(parts.bureau.approve(caller.authority_code, seal_id, step, digest))


def _add_rejection(router: APIRouter, parts: SealRoutes) -> None:
    @router.post(
        "/seals/{seal_id}/rejection",
        operation_id="post_seal_rejection",
        summary="Reject an application for a seal",
        responses=problem_responses(
            SealNotFound, SealStateRefused, DualControlRefused, InvalidSealOrder
        ),
    )
    def post_seal_rejection(
        seal_id: SealId,
        body: RejectionBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPROVE))],
    ) -> SealAnswer:
        """End the application; not one's own, which is cancelled instead."""
        step, reject = _step(caller, body), SealAction.REJECT
        return seal_to_wire(parts.bureau.move(caller.authority_code, seal_id, reject, step))


def _step(caller: Caller, body: RejectionBody | ApprovalBody | MakingBody | MoveBody) -> Step:
    """Return who acts: the caller. For an application the applicant is who filed it."""
    return Step(
        applicant=caller.caller_id,
        approver=caller.caller_id,
        basis_document=body.basis_document,
        reason=body.reason,
    )


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
        step = _step(caller, body)
        return seal_to_wire(parts.bureau.make(caller.authority_code, seal_id, step))


def _add_moves(router: APIRouter, parts: SealRoutes) -> None:
    @router.post(
        "/seals/{seal_id}/state",
        operation_id="post_seal_state",
        summary="Move a seal alone: file, issue, activate, suspend, report lost",
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
        step, action = _step(caller, body), SealAction(body.action)
        return seal_to_wire(parts.bureau.move(caller.authority_code, seal_id, action, step))
