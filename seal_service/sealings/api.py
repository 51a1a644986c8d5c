"""The sealing API: ``/v1/sealings`` takes any OFD or PDF and answers it with a seal on it.

The request is JSON with the document in base64, or a form with the parts ``order`` (JSON) and
``document`` (the file). Thin on purpose: read the request, call the desk, write the answer. Another
tenant's sealing answers 404 (T-API-06).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response, status
from starlette.requests import Request

from keys.errors import InvalidKey, KeyNotFound, KeyStoreUnavailable
from seal_service.errors import (
    AlreadySealed,
    DocumentTooLarge,
    IdempotencyMismatch,
    InvalidPlacement,
    InvalidSealOrder,
    LimitExceeded,
    MalformedDocument,
    MandateMissing,
    SealExpired,
    SealingNotFound,
    SealNotFound,
    SealRevoked,
    SealStateRefused,
    SealSuspended,
    SealUseClosed,
    SelfCheckFailed,
    TSAUnavailable,
    UnsupportedFormat,
)
from seal_service.plumbing.auth import BODY, Caller
from seal_service.plumbing.errors import MalformedRequest, StoredFileDamaged
from seal_service.plumbing.forms import MULTIPART, read_form
from seal_service.plumbing.idempotency import idempotency_header
from seal_service.plumbing.instants import instant
from seal_service.plumbing.problems import problem_responses
from seal_service.plumbing.strict_json import read_json
from seal_service.sealings.desk import Released, SealingDesk
from seal_service.sealings.schemas import (
    SealingAnswer,
    SealingBody,
    SealingId,
    describe_request,
    read_body,
    read_order,
)
from seal_service.seals.kept import KeptSealing
from seal_service.seals.uses import DocumentFormat

SCOPE_USE = "seals:use"
JSON = "application/json"
MEDIA_TYPES = {DocumentFormat.OFD: "application/ofd", DocumentFormat.PDF: "application/pdf"}

_DOCUMENT_ANSWER: dict[str, object] = {
    "description": "The sealed document; `Location` leads to its record.",
    "content": {
        media_type: {"schema": {"type": "string", "format": "binary"}}
        for media_type in MEDIA_TYPES.values()
    },
}
_REFUSALS = (
    UnsupportedFormat,
    DocumentTooLarge,
    MalformedDocument,
    LimitExceeded,
    InvalidPlacement,
    InvalidSealOrder,
    AlreadySealed,
    MandateMissing,
    SealNotFound,
    SealSuspended,
    SealRevoked,
    SealExpired,
    SealStateRefused,
    SealUseClosed,
    IdempotencyMismatch,
    InvalidKey,
    KeyNotFound,
    KeyStoreUnavailable,
    TSAUnavailable,
    SelfCheckFailed,
    StoredFileDamaged,
)
"""What sealing may refuse besides what every route may."""
IdempotencyKey = Annotated[str, idempotency_header(one_per="document")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingRoutes:
    """What the routes work with; ``require`` makes the dependency that demands a scope."""

    desk: SealingDesk
    require: Callable[[str], Callable[..., Caller]]


def build_router(parts: SealingRoutes) -> APIRouter:
    """Build the routes of sealing."""
    router = APIRouter(prefix="/v1", tags=["sealings"])
    _add_sealing(router, parts)
    _add_record(router, parts)
    _add_document(router, parts)
    return router


def _add_sealing(router: APIRouter, parts: SealingRoutes) -> None:
    @router.post(
        "/sealings",
        status_code=status.HTTP_201_CREATED,
        operation_id="post_sealing",
        summary="Seal a document",
        response_class=Response,
        openapi_extra={"requestBody": describe_request()},
        responses={
            status.HTTP_201_CREATED: _DOCUMENT_ANSWER,
            **problem_responses(*_REFUSALS),
        },
    )
    def post_sealing(
        request: Request,
        key: IdempotencyKey,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_USE))],
        content_type: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> Response:
        """Answer 201 with the sealed document; the same request again gets the same bytes."""
        order, document = read_request(content_type, request.scope.get(BODY, b""))
        released = parts.desk.seal(
            order.to_order(caller), document, key=key, order_digest=order.digest()
        )
        return _answer(released, status.HTTP_201_CREATED)


def _add_record(router: APIRouter, parts: SealingRoutes) -> None:
    @router.get(
        "/sealings/{sealing_id}",
        operation_id="get_sealing",
        summary="Read the record of a sealed document",
        responses=problem_responses(SealingNotFound),
    )
    def get_sealing(
        sealing_id: SealingId, caller: Annotated[Caller, Depends(parts.require(SCOPE_USE))]
    ) -> SealingAnswer:
        """Answer who sealed what with which seal."""
        return to_wire(parts.desk.show(caller.authority_code, sealing_id))


def _add_document(router: APIRouter, parts: SealingRoutes) -> None:
    @router.get(
        "/sealings/{sealing_id}/document",
        operation_id="get_sealed_document",
        summary="Read a sealed document again",
        response_class=Response,
        responses={
            status.HTTP_200_OK: _DOCUMENT_ANSWER,
            **problem_responses(SealingNotFound, StoredFileDamaged),
        },
    )
    def get_sealed_document(
        sealing_id: SealingId, caller: Annotated[Caller, Depends(parts.require(SCOPE_USE))]
    ) -> Response:
        """Answer the same bytes as the request that sealed it."""
        released = parts.desk.document(caller.authority_code, sealing_id)
        return _answer(released, status.HTTP_200_OK)


def read_request(content_type: str, body: bytes) -> tuple[SealingBody, bytes]:
    """Return what is asked for, and the document.

    Raises ``UnsupportedFormat`` for another media type, ``MalformedRequest`` or ``InvalidFields``.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == JSON:
        with_document = read_body(read_json(body))
        return with_document, with_document.content()
    if media_type != MULTIPART:
        raise UnsupportedFormat("neither JSON nor a form", media_type=media_type[:80])
    form = read_form(content_type, body)
    if form.keys() != {"order", "document"}:
        raise MalformedRequest("表单须有且只有 order 与 document 两部分", reason="form")
    return read_order(read_json(form["order"])), form["document"]


def to_wire(kept: KeptSealing) -> SealingAnswer:
    """Convert a record."""
    return SealingAnswer(
        sealing_id=kept.sealing_id,
        seal_id=kept.seal_id,
        seal_use_id=kept.use_id,
        case_number=kept.case_number,
        document_kind=kept.document_kind,
        document_name=kept.document_name,
        mode=kept.mode,
        format=kept.format.value,
        source_sm3=kept.source_digest,
        sm3=kept.digest,
        size=kept.size,
        sealed_at=instant(kept.sealed_at),
        caller_id=kept.retry.caller_id,
    )


def _answer(released: Released, status_code: int) -> Response:
    kept = released.kept
    return Response(
        released.document,
        status_code=status_code,
        media_type=MEDIA_TYPES[kept.format],
        headers={
            "Location": f"/v1/sealings/{kept.sealing_id}",
            "Content-Disposition": f'attachment; filename="{kept.sealing_id}.{kept.format.value}"',
        },
    )
