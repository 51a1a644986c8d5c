"""The comparison API: what differs between a file and the licence it claims to be, and pictures.

``POST /v1/comparisons`` answers a caller about licences of its own authority, in full;
``POST /v1/page-pictures`` draws a page of any file. Files are the raw body, or the ``document``
part of a form; they are looked at in memory, in bounded processes, and forgotten.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Query, Response

from keys.errors import ServiceError
from licence_store.errors import FileDamaged, LicenceNotFound
from seal_service.errors import (
    DocumentTooLarge,
    LimitExceeded,
    MalformedDocument,
    UnsupportedFormat,
)
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.errors import WorkersBusy
from seal_service.plumbing.problems import problem_responses
from verifier.api import read_document
from verifier.comparing import Comparison
from verifier.comparison.jobs import PagePicture
from verifier.comparison.schemas import ComparisonAnswer, comparison_answer
from verifier.uploads import UploadMissing, UploadUnreadable

SCOPE_COMPARE = "comparisons:create"
LARGEST_PAGE_NUMBER = 500
PICTURE_HEADERS = {
    # A drawing that is opened by itself runs nothing and loads nothing (T-WEB-09).
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_REFUSALS: tuple[type[ServiceError], ...] = (
    UploadUnreadable,
    UploadMissing,
    DocumentTooLarge,
    UnsupportedFormat,
    MalformedDocument,
    LimitExceeded,
    WorkersBusy,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRoutes:
    """What the routes work with; ``require`` makes the dependency that demands a scope."""

    compare: Callable[[bytes, str, str], Comparison]
    """Compare a file for an authority, with the licence of an identifier or the one it names."""
    picture: Callable[[bytes, int], PagePicture]
    require: Callable[[str], Callable[..., Caller]]


def build_comparison_router(parts: ComparisonRoutes) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix="/v1", tags=["verifications"])
    _add_comparison(router, parts)
    _add_picture(router, parts)
    return router


def _add_comparison(router: APIRouter, parts: ComparisonRoutes) -> None:
    @router.post(
        "/comparisons",
        operation_id="post_comparison",
        summary="Compare a file with the licence it claims to be",
        responses=problem_responses(*_REFUSALS, LicenceNotFound, FileDamaged),
    )
    def post_comparison(
        caller: Annotated[Caller, Depends(parts.require(SCOPE_COMPARE))],
        identifier: Annotated[
            str, Query(max_length=200, description="Licence; empty: the one the file names.")
        ] = "",
        pictures: Annotated[bool, Query(description="Whether to answer pictures too.")] = False,
        content_type: Annotated[str, Header()] = "",
        body: Annotated[bytes, Body(media_type="application/octet-stream")] = b"",
    ) -> ComparisonAnswer:
        """Answer 200 with the differences, which may be none."""
        document = read_document(content_type, body)
        found = parts.compare(document, caller.authority_code, identifier)
        return comparison_answer(found, with_pictures=pictures)


def _add_picture(router: APIRouter, parts: ComparisonRoutes) -> None:
    @router.post(
        "/page-pictures",
        operation_id="post_page_picture",
        summary="Draw a page of an OFD (SVG) or PDF (PNG) file",
        response_class=Response,
        responses={
            **problem_responses(*_REFUSALS),
            200: {"content": {"image/svg+xml": {}, "image/png": {}}},
        },
    )
    def post_page_picture(
        caller: Annotated[Caller, Depends(parts.require(SCOPE_COMPARE))],
        page: Annotated[int, Query(ge=1, le=LARGEST_PAGE_NUMBER, description="From 1.")] = 1,
        content_type: Annotated[str, Header()] = "",
        body: Annotated[bytes, Body(media_type="application/octet-stream")] = b"",
    ) -> Response:
        """Answer 200 with a picture that runs nothing and refers to nothing."""
        del caller
        return picture_response(parts.picture(read_document(content_type, body), page))


def picture_response(picture: PagePicture) -> Response:
    """Return a picture with the headers that keep it inert (T-WEB-09)."""
    headers = {**PICTURE_HEADERS, "Page-Count": str(picture.pages)}
    return Response(picture.data, media_type=picture.media_type, headers=headers)
