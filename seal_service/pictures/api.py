"""The API of seal pictures: ``/v1/seal-pictures``, and the picture of a seal before it is made.

Previews and uploads ask for the scope of applying: whoever applies looks first. An upload is a form
with the parts ``size`` (JSON) and ``picture`` (PNG or JPEG). Another tenant's picture answers 404
(T-API-06).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response, status
from starlette.requests import Request

from seal_service.errors import (
    GlyphMissing,
    InvalidSealOrder,
    ScanRefused,
    SealNotFound,
    SealPictureNotFound,
    SelfCheckFailed,
    UnsafePicture,
)
from seal_service.pictures.schemas import (
    FaceBody,
    PictureDigest,
    SealId,
    UploadAnswer,
    UploadSize,
    describe_upload,
    read_size,
    upload_to_wire,
)
from seal_service.plumbing.auth import BODY, Caller
from seal_service.plumbing.errors import MalformedRequest
from seal_service.plumbing.forms import read_form
from seal_service.plumbing.problems import problem_responses
from seal_service.plumbing.strict_json import read_json
from seal_service.seals.model import SealKind
from seal_service.seals.preview import PictureDesk

SCOPE_APPLY = "seals:apply"
SCOPE_READ = "seals:read"
PNG = "image/png"
_PNG_ANSWER: dict[str, object] = {
    "description": "The picture: red on a transparent ground, in its physical size.",
    "content": {PNG: {"schema": {"type": "string", "format": "binary"}}},
}
_DRAWING_REFUSALS = (
    InvalidSealOrder,
    GlyphMissing,
    UnsafePicture,
    SealPictureNotFound,
    SelfCheckFailed,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRoutes:
    """What the routes work with; ``require`` makes the dependency that demands a scope."""

    desk: PictureDesk
    require: Callable[[str], Callable[..., Caller]]


def build_router(parts: PictureRoutes) -> APIRouter:
    """Build the routes of seal pictures."""
    router = APIRouter(prefix="/v1", tags=["seal pictures"])
    _add_previews(router, parts)
    _add_upload(router, parts)
    _add_uploaded(router, parts)
    return router


def _add_previews(router: APIRouter, parts: PictureRoutes) -> None:
    applicant = parts.require(SCOPE_APPLY)

    @router.post(
        "/seal-pictures/previews",
        operation_id="post_seal_picture_preview",
        summary="See a seal before applying for it",
        response_class=Response,
        responses={
            status.HTTP_200_OK: _PNG_ANSWER,
            **problem_responses(*_DRAWING_REFUSALS),
        },
    )
    def post_seal_picture_preview(
        body: FaceBody, caller: Annotated[Caller, Depends(applicant)]
    ) -> Response:
        """Answer the picture that making would draw; nothing is kept."""
        picture = parts.desk.painter.preview(
            caller.authority_code, SealKind(body.kind), body.to_face()
        )
        return _png(picture.data)

    @router.get(
        "/seals/{seal_id}/picture",
        operation_id="get_seal_picture",
        summary="See a seal as made, or as it would be made",
        response_class=Response,
        responses={
            status.HTTP_200_OK: _PNG_ANSWER,
            **problem_responses(SealNotFound, *_DRAWING_REFUSALS),
        },
    )
    def get_seal_picture(
        seal_id: SealId, caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))]
    ) -> Response:
        """Answer what whoever approves should have looked at; for the owner only."""
        return _png(parts.desk.preview_seal(caller.authority_code, seal_id).data)


def _add_upload(router: APIRouter, parts: PictureRoutes) -> None:
    @router.post(
        "/seal-pictures",
        status_code=status.HTTP_201_CREATED,
        operation_id="post_seal_picture",
        summary="Upload the scan of an impression",
        openapi_extra={"requestBody": describe_upload()},
        responses=problem_responses(ScanRefused, UnsafePicture),
    )
    def post_seal_picture(
        request: Request,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_APPLY))],
        content_type: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> UploadAnswer:
        """Answer the digest of the cleaned picture; the same scan again gets the same."""
        size, picture = read_upload(content_type, request.scope.get(BODY, b""))
        kept = parts.desk.upload(
            caller.authority_code,
            picture,
            (float(size.width_mm), float(size.height_mm)),
            by=caller.caller_id,
        )
        return upload_to_wire(kept)


def _add_uploaded(router: APIRouter, parts: PictureRoutes) -> None:
    @router.get(
        "/seal-pictures/{picture_sha256}",
        operation_id="get_uploaded_picture",
        summary="See an uploaded picture as it was cleaned",
        response_class=Response,
        responses={
            status.HTTP_200_OK: _PNG_ANSWER,
            **problem_responses(SealPictureNotFound),
        },
    )
    def get_uploaded_picture(
        picture_sha256: PictureDigest,
        caller: Annotated[Caller, Depends(parts.require(SCOPE_READ))],
    ) -> Response:
        """Answer the very bytes that a seal of this picture would carry."""
        return _png(parts.desk.uploaded(caller.authority_code, picture_sha256).scan.png)


def read_upload(content_type: str, body: bytes) -> tuple[UploadSize, bytes]:
    """Return the size and the picture; raises ``MalformedRequest`` or ``InvalidFields``."""
    form = read_form(content_type, body)
    if form.keys() != {"size", "picture"}:
        raise MalformedRequest("表单须有且只有 size 与 picture 两部分", reason="form")
    return read_size(read_json(form["size"])), form["picture"]


def _png(data: bytes) -> Response:
    return Response(data, media_type=PNG, headers={"Cache-Control": "no-store"})
