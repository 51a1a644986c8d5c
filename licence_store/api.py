"""The licence API: ``/v1/licences`` and ``/v1/redemptions``.

Thin on purpose: read the request, call the office or the desk, write the answer. Errors are raised
as they are; the edge renders them as problems. Another tenant's licence answers 404 (T-API-06).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response, status

from licence_store.codes import HolderCodeType
from licence_store.desk import PresentationDesk, PresentationWish
from licence_store.errors import (
    AuthorityMismatch,
    FieldFault,
    FileDamaged,
    FileUnavailable,
    HolderMismatch,
    InvalidApprovalResult,
    InvalidFaceData,
    InvalidMetadata,
    InvalidRequest,
    LeaseLost,
    LicenceBusy,
    LicenceExists,
    LicenceNotFound,
    LicenceStateRefused,
    LicenceTypeNotAllowed,
    PresentationRefused,
)
from licence_store.library import RevocationOrder
from licence_store.model import FileFormat, Licence
from licence_store.office import LicenceOffice
from licence_store.schemas import (
    ApprovalResultBody,
    FileFormatPath,
    Identifier,
    LicenceAnswer,
    LicencePage,
    ListQuery,
    PresentationAnswer,
    PresentationBody,
    RedemptionAnswer,
    RedemptionBody,
    RevocationBody,
    UsePage,
    UsesQuery,
)
from licence_store.states import RevocationKind
from licence_store.wire import (
    licence_to_wire,
    presentation_to_wire,
    release_to_wire,
    use_to_wire,
)
from seal_service.errors import IdempotencyMismatch
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.idempotency import idempotency_header
from seal_service.plumbing.problems import problem_responses

SCOPE_ISSUE = "licences:issue"
SCOPE_READ = "licences:read"
SCOPE_REVOKE = "licences:revoke"
SCOPE_PRESENT = "licences:present"
SCOPE_REDEEM = "licences:redeem"

CallerDependency = Callable[..., Caller]


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceRoutes:
    """What the routes work with; ``require`` makes the dependency that demands a scope."""

    office: LicenceOffice
    desk: PresentationDesk
    clock: Clock
    require: Callable[[str], CallerDependency]


def build_router(parts: LicenceRoutes) -> APIRouter:
    """Build the routes of the licence library."""
    router = APIRouter(prefix="/v1", tags=["licences"])
    _add_issuing(router, parts)
    _add_listing(router, parts)
    _add_reading(router, parts)
    _add_revocation(router, parts)
    _add_presentation(router, parts)
    _add_redemption(router, parts)
    _add_uses(router, parts)
    return router


IdempotencyKey = Annotated[str, idempotency_header(one_per="approval result")]


def _wire(parts: LicenceRoutes, licence: Licence) -> LicenceAnswer:
    link = parts.office.qr_link(licence.authority_code, licence.identifier)
    return licence_to_wire(licence, link)


def _add_issuing(router: APIRouter, parts: LicenceRoutes) -> None:
    @router.post(
        "/licences",
        status_code=status.HTTP_201_CREATED,
        operation_id="post_licence",
        summary="Issue a licence from an approval result",
        responses=problem_responses(
            InvalidApprovalResult,
            InvalidFaceData,
            InvalidMetadata,
            LicenceTypeNotAllowed,
            AuthorityMismatch,
            LicenceExists,
            IdempotencyMismatch,
            LicenceBusy,
            LeaseLost,
        ),
    )
    def post_licence(
        body: ApprovalResultBody,
        key: IdempotencyKey,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_ISSUE))],
    ) -> LicenceAnswer:
        """Answer 201 with the licence; the same request again gets the same answer."""
        issued = parts.office.issue(caller, body.to_approval_result(), key)
        return _wire(parts, issued.licence)


def _add_listing(router: APIRouter, parts: LicenceRoutes) -> None:
    @router.get(
        "/licences",
        operation_id="list_licences",
        summary="List the licences of the caller's authority",
        responses=problem_responses(),
    )
    def list_licences(
        wanted: Annotated[ListQuery, Query()],
        caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))],
    ) -> LicencePage:
        """Answer one page, newest first."""
        licences = parts.office.list_licences(caller, wanted.to_filter())
        is_full = len(licences) == wanted.limit
        return LicencePage(
            licences=[_wire(parts, licence) for licence in licences],
            next_after=licences[-1].identifier if is_full else None,
        )


def _add_reading(router: APIRouter, parts: LicenceRoutes) -> None:
    reader = parts.require(SCOPE_READ)

    @router.get(
        "/licences/{identifier}",
        operation_id="get_licence",
        summary="Read one licence",
        responses=problem_responses(LicenceNotFound),
    )
    def get_licence(
        identifier: Identifier, caller: Annotated[Caller, Depends(reader)]
    ) -> LicenceAnswer:
        """Answer the licence with its state and files."""
        return _wire(parts, parts.office.show(caller, identifier))

    @router.get(
        "/licences/{identifier}/files/{format}",
        operation_id="get_licence_file",
        summary="Download a sealed file",
        response_class=Response,
        responses=problem_responses(LicenceNotFound, FileUnavailable, FileDamaged),
    )
    def get_licence_file(
        identifier: Identifier,
        format: FileFormatPath,
        caller: Annotated[Caller, Depends(reader)],
    ) -> Response:
        """Answer the bytes exactly as they were sealed."""
        licence = parts.office.show(caller, identifier)
        form = FileFormat(format)
        content = parts.office.read_file(licence, form)
        return _file_response(licence, form, content)


def _file_response(licence: Licence, form: FileFormat, content: bytes) -> Response:
    file = licence.file(form)
    if file is None:
        raise FileUnavailable(format=form.value)
    return Response(
        content,
        media_type=file.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{licence.identifier}.{form.value}"',
            "ETag": f'"{file.digest}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


def _add_revocation(router: APIRouter, parts: LicenceRoutes) -> None:
    @router.post(
        "/licences/{identifier}/revocation",
        operation_id="post_revocation",
        summary="End the force of a licence: revoke, withdraw or cancel",
        responses=problem_responses(LicenceNotFound, LicenceStateRefused, InvalidRequest),
    )
    def post_revocation(
        identifier: Identifier,
        body: RevocationBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_REVOKE))],
    ) -> LicenceAnswer:
        """Answer the licence in its new state; the same order again changes nothing."""
        order = RevocationOrder(
            authority_code=caller.authority_code,
            identifier=identifier,
            kind=RevocationKind(body.kind),
            reason=body.reason,
            basis_document=body.basis_document,
            caller_id=caller.caller_id,
            now=parts.clock.now(),
        )
        return _wire(parts, parts.office.revoke(order))


def _add_presentation(router: APIRouter, parts: LicenceRoutes) -> None:
    @router.post(
        "/licences/{identifier}/presentations",
        status_code=status.HTTP_201_CREATED,
        operation_id="post_presentation",
        summary="Ask for a one-time code that shows a licence",
        responses=problem_responses(
            LicenceNotFound, HolderMismatch, LicenceStateRefused, InvalidRequest
        ),
    )
    def post_presentation(
        identifier: Identifier,
        body: PresentationBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_PRESENT))],
    ) -> PresentationAnswer:
        """Answer a code that one approval system may redeem once, soon."""
        wish = PresentationWish(
            identifier=identifier,
            holder_code=body.holder_code,
            holder_code_type=_holder_code_type(body.holder_code_type),
            purpose=body.purpose,
            service_item_code=body.service_item_code,
            lifetime_seconds=body.lifetime_seconds,
        )
        return presentation_to_wire(parts.desk.present(caller, wish))


def _add_redemption(router: APIRouter, parts: LicenceRoutes) -> None:
    @router.post(
        "/redemptions",
        operation_id="post_redemption",
        summary="Redeem a one-time code",
        responses=problem_responses(PresentationRefused, LicenceStateRefused, FileDamaged),
    )
    def post_redemption(
        body: RedemptionBody,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_REDEEM))],
    ) -> RedemptionAnswer:
        """Answer the face data and files that the holder released for one purpose."""
        released = parts.desk.redeem(
            caller,
            code=body.code,
            service_item_code=body.service_item_code,
            case_number=body.case_number,
        )
        return release_to_wire(released)


def _add_uses(router: APIRouter, parts: LicenceRoutes) -> None:
    @router.get(
        "/licences/{identifier}/uses",
        operation_id="list_uses",
        summary="Who used a licence, when and for what",
        responses=problem_responses(LicenceNotFound),
    )
    def list_uses(
        identifier: Identifier,
        wanted: Annotated[UsesQuery, Query()],
        caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))],
    ) -> UsePage:
        """Answer one page of the use log, newest first."""
        uses = parts.desk.uses(caller, identifier, before=wanted.before, limit=wanted.limit)
        is_full = len(uses) == wanted.limit
        return UsePage(
            uses=[use_to_wire(use) for use in uses],
            next_before=uses[-1].use_id if is_full else None,
        )


def _holder_code_type(text: str) -> HolderCodeType:
    try:
        return HolderCodeType(text)
    except ValueError:
        fault = FieldFault(pointer="/holder_code_type", detail="不在 GB/T 36903 附录 A 的代码表中")
        raise InvalidRequest((fault,)) from None
