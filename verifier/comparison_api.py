"""The comparison API: what differs between a file and the licence it claims to be, and pictures.

``POST /v1/comparisons`` answers a caller about licences of its own authority, in full;
``POST /v1/page-pictures`` draws a page of any file. Files are the raw body, or the ``document``
part of a form; they are looked at in memory, in bounded processes, and forgotten.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

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
from verifier.comparing import Comparison, PageDifference, Place, Side
from verifier.page_pictures.jobs import PagePicture
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


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldDifferenceAnswer(_Answer):
    """One named value that differs."""

    place: Place = Field(description="Where it stands: index, data or face.", examples=["index"])
    item: str = Field(description="Its name in the file.", examples=["CertificateHolderName"])
    label: str = Field(description="Its name for people.", examples=["持证主体"])
    ours: str | None = Field(
        description="In the library's file; null if absent.", examples=["金陵云栖茶点有限公司"]
    )
    theirs: str | None = Field(
        description="In the file received; null if absent.", examples=["金陵云溪茶点有限公司"]
    )


class LineDifferenceAnswer(_Answer):
    """One visible line of text that differs."""

    page: int = Field(description="From 1.", examples=[1])
    ours: str | None = Field(description="In the library's file.", examples=["壹佰万元整"])
    theirs: str | None = Field(description="In the file received.", examples=["玖佰万元整"])


class AreaAnswer(_Answer):
    """One changed area, in millimetres from the top-left corner of the page."""

    x: float = Field(description="Left edge.", examples=[198.0])
    y: float = Field(description="Upper edge.", examples=[79.2])
    width: float = Field(description="Width.", examples=[4.1])
    height: float = Field(description="Height.", examples=[3.8])


class PageDifferenceAnswer(_Answer):
    """One page that looks different."""

    page: int = Field(description="From 1.", examples=[1])
    note: str = Field(
        description="page-added, page-removed, no-picture or empty.", examples=["page-added"]
    )
    areas: list[AreaAnswer] = Field(description="Changed areas.", examples=[[]])
    ours: str | None = Field(
        description="PNG in base64 with the areas boxed, if pictures were asked for.",
        examples=[None],
    )
    theirs: str | None = Field(description="The same of the file received.", examples=[None])


class ComparisonAnswer(_Answer):
    """What differs; whether the file is genuine is asked of ``/v1/verifications``."""

    compared_with: Side = Field(description="With what it was compared.", examples=["library"])
    fields: list[FieldDifferenceAnswer] = Field(description="Named values.", examples=[[]])
    lines: list[LineDifferenceAnswer] = Field(description="Visible text.", examples=[[]])
    pages: list[PageDifferenceAnswer] = Field(description="Pages.", examples=[[]])
    compared_pages: int = Field(description="How many pages were compared.", examples=[1])
    is_complete: bool = Field(description="Whether that was all there is.", examples=[True])


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


def comparison_answer(found: Comparison, *, with_pictures: bool) -> ComparisonAnswer:
    """Return the wire form of a comparison."""
    words = found.words
    return ComparisonAnswer(
        compared_with=found.side,
        fields=[
            FieldDifferenceAnswer(
                place=one.place, item=one.item, label=one.label, ours=one.ours, theirs=one.theirs
            )
            for one in (() if words is None else words.fields)
        ],
        lines=[
            LineDifferenceAnswer(page=one.page, ours=one.ours, theirs=one.theirs)
            for one in (() if words is None else words.lines)
        ],
        pages=[_page(page, with_pictures=with_pictures) for page in found.pages],
        compared_pages=found.compared_pages,
        is_complete=found.is_complete,
    )


def _page(page: PageDifference, *, with_pictures: bool) -> PageDifferenceAnswer:
    return PageDifferenceAnswer(
        page=page.number,
        note=page.note,
        areas=[
            AreaAnswer(x=x, y=y, width=width, height=height)
            for x, y, width, height in page.boxes_mm
        ],
        ours=_encoded(page.ours) if with_pictures else None,
        theirs=_encoded(page.theirs) if with_pictures else None,
    )


def _encoded(png: bytes | None) -> str | None:
    return None if png is None else base64.b64encode(png).decode("ascii")
