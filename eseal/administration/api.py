"""The routes of administration: callers, certificates, keys, below ``/v1/service``.

They are about the service and not about one authority, so their scopes are given to its
administrators alone. What needs two people is a request (ADR 0016).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, status

from eseal.administration.certificates import CertificateShelf
from eseal.administration.desk import Deciding, ServiceDesk, Wanted
from eseal.administration.schemas import (
    REQUEST_EXAMPLE,
    CalendarAnswer,
    CallerAnswer,
    CallerList,
    CertificateList,
    DoneAnswer,
    FiledAnswer,
    KeyList,
    PublicationAnswer,
    PublicKeyAnswer,
    ServiceRequestAnswer,
    ServiceRequestBody,
    ServiceRequestList,
    WholeCertificateAnswer,
    calendar_item,
    caller_answer,
    certificate_answer,
    filed_to_wire,
    key_answer,
    public_key_answer,
    request_to_wire,
    whole_certificate,
)
from keys.calendar import CalendarEntry
from keys.errors import CertificateRefused, IssuingRefused, KeyNotFound
from keys.signers import MeteredKeyMaker
from seal_service.decisions.schemas import DecisionBody
from seal_service.errors import (
    DualControlRefused,
    InvalidSealOrder,
    SealRequestClosed,
    SealRequestNotFound,
)
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.errors import CallerExists, CallerNotFound, InvalidCaller
from seal_service.plumbing.problems import problem_responses

SCOPE_READ = "service:read"
SCOPE_APPLY = "service:apply"
SCOPE_APPROVE = "service:approve"

RequestId = Annotated[str, Path(max_length=64, description="Request.", examples=[REQUEST_EXAMPLE])]
CallerId = Annotated[str, Path(max_length=64, description="Caller.", examples=["approval-system"])]
Serial = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{8,40}$",
        description="Number, hexadecimal, or a beginning that only one has.",
        examples=["5f0c6a4b9d1e4c0f"],
    ),
]
KeyName = Annotated[
    str,
    Path(pattern=r"^[a-z0-9][a-z0-9-]{0,95}$", description="Key.", examples=["seal-maker"]),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRoutes:
    """What the routes work with; ``require`` makes the dependency that demands a scope."""

    desk: ServiceDesk
    shelf: CertificateShelf
    keys: MeteredKeyMaker
    calendar: Callable[[], tuple[CalendarEntry, ...]]
    require: Callable[[str], Callable[..., Caller]]


def build_router(parts: ServiceRoutes) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix="/v1/service", tags=["service"])
    _add_requests(router, parts)
    _add_decisions(router, parts)
    _add_callers(router, parts)
    _add_certificates(router, parts)
    _add_upkeep(router, parts)
    _add_keys(router, parts)
    return router


def _add_requests(router: APIRouter, parts: ServiceRoutes) -> None:
    @router.post(
        "/requests",
        status_code=status.HTTP_201_CREATED,
        operation_id="post_service_request",
        summary="Ask for a change of callers, certificates or keys",
        responses=problem_responses(
            InvalidSealOrder, CertificateRefused, CallerNotFound, CallerExists, InvalidCaller
        ),
    )
    def post_service_request(
        body: ServiceRequestBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPLY))],
    ) -> FiledAnswer:
        """Answer the request, which somebody else has to confirm."""
        wanted = Wanted(
            applicant=caller.caller_id,
            operation=body.operation,
            basis_document=body.basis_document,
            reason=body.reason,
        )
        return filed_to_wire(parts.desk.file(wanted))

    @router.get(
        "/requests",
        operation_id="list_service_requests",
        summary="The requests about the service",
        responses=problem_responses(),
    )
    def list_service_requests(
        caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))],
    ) -> ServiceRequestList:
        """Answer open and decided ones, newest first."""
        found = parts.desk.list_requests()
        return ServiceRequestList(requests=[request_to_wire(one) for one in found])


def _deciding(caller: Caller, request_id: str, body: DecisionBody) -> Deciding:
    return Deciding(
        request_id=request_id,
        actor=caller.caller_id,
        digest=bytes.fromhex(body.request_digest),
        remark=body.remark,
    )


def _add_decisions(router: APIRouter, parts: ServiceRoutes) -> None:
    @router.post(
        "/requests/{request_id}/confirmation",
        operation_id="post_service_confirmation",
        summary="Confirm a request about the service, and have it done",
        responses=problem_responses(
            SealRequestNotFound,
            SealRequestClosed,
            DualControlRefused,
            CertificateRefused,
            IssuingRefused,
            CallerNotFound,
            CallerExists,
        ),
    )
    def post_service_confirmation(
        request_id: RequestId,
        body: DecisionBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPROVE))],
    ) -> DoneAnswer:
        """Answer the request as decided, and what came of it, once."""
        done = parts.desk.confirm(_deciding(caller, request_id, body))
        return DoneAnswer(request=request_to_wire(done.request), outcome=done.outcome)

    @router.post(
        "/requests/{request_id}/refusal",
        operation_id="post_service_refusal",
        summary="Refuse a request about the service",
        responses=problem_responses(SealRequestNotFound, SealRequestClosed, DualControlRefused),
    )
    def post_service_refusal(
        request_id: RequestId,
        body: DecisionBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPROVE))],
    ) -> ServiceRequestAnswer:
        """Answer the request as closed; nothing was done."""
        return request_to_wire(parts.desk.refuse(_deciding(caller, request_id, body)).request)


def _add_callers(router: APIRouter, parts: ServiceRoutes) -> None:
    @router.get(
        "/callers",
        operation_id="list_callers",
        summary="The calling programs",
        responses=problem_responses(),
    )
    def list_callers(
        caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))],
        authority_code: Annotated[
            str | None,
            Query(
                max_length=18,
                description="Those of one authority only.",
                examples=["11320102MB9K00021D"],
            ),
        ] = None,
    ) -> CallerList:
        """Answer every one, ended ones too; no secrets."""
        found = parts.desk.list_callers(authority_code)
        return CallerList(callers=[caller_answer(one) for one in found])

    @router.post(
        "/callers/{caller_id}/disabling",
        operation_id="post_caller_disabling",
        summary="Shut a calling program out, at once and for ever",
        responses=problem_responses(CallerNotFound),
    )
    def post_caller_disabling(
        caller_id: CallerId,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPLY))],
    ) -> CallerAnswer:
        """Answer the caller as ended; this waits for nobody."""
        return caller_answer(parts.desk.disable_caller(caller_id, actor=caller.caller_id))


def _add_certificates(router: APIRouter, parts: ServiceRoutes) -> None:
    @router.get(
        "/certificates",
        operation_id="list_certificates",
        summary="The certificates of this installation",
        responses=problem_responses(),
    )
    def list_certificates(
        caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))],
    ) -> CertificateList:
        """Answer ours and imported ones, ended and revoked ones too."""
        found = parts.shelf.all()
        return CertificateList(certificates=[certificate_answer(one) for one in found])

    @router.get(
        "/certificates/{serial}",
        operation_id="get_certificate",
        summary="One certificate with its bytes",
        responses=problem_responses(CertificateRefused),
    )
    def get_certificate(
        serial: Serial, caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))]
    ) -> WholeCertificateAnswer:
        """Answer one certificate."""
        return whole_certificate(parts.shelf.find(serial))


def _add_upkeep(router: APIRouter, parts: ServiceRoutes) -> None:
    @router.get(
        "/calendar",
        operation_id="get_calendar",
        summary="What ends: certificates, seals, revocation lists, time-stamp authorities",
        responses=problem_responses(),
    )
    def get_calendar(
        caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))],
    ) -> CalendarAnswer:
        """Answer what ends, the first first."""
        return CalendarAnswer(items=[calendar_item(entry) for entry in parts.calendar()])

    @router.post(
        "/revocation-lists",
        operation_id="post_revocation_lists",
        summary="Publish every revocation list again now",
        responses=problem_responses(),
    )
    def post_revocation_lists(
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPLY))],
    ) -> PublicationAnswer:
        """Answer whose lists were published; nothing is added to them."""
        return PublicationAnswer(published=list(parts.desk.publish_lists()))


def _add_keys(router: APIRouter, parts: ServiceRoutes) -> None:
    @router.get(
        "/keys",
        operation_id="list_keys",
        summary="The keys, and how signing with them goes",
        responses=problem_responses(),
    )
    def list_keys(caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))]) -> KeyList:
        """Answer names and counters since the service started; never a key."""
        health = parts.keys.health()
        stats = {one.name: one for one in parts.keys.stats()}
        return KeyList(
            is_ready=health.is_ready,
            problem=health.problem,
            keys=[key_answer(name, stats.get(name)) for name in parts.keys.names()],
        )

    @router.get(
        "/keys/{name}",
        operation_id="get_key",
        summary="The public half of a key",
        responses=problem_responses(KeyNotFound),
    )
    def get_key(
        name: KeyName, caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))]
    ) -> PublicKeyAnswer:
        """Answer the public key, proven to belong to the private one."""
        return public_key_answer(name, parts.keys.public_key(name))
