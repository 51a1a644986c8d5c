"""The public pages: what a phone sees behind a QR code, and the form that takes a file.

Thin on purpose: admit the address, ask the judge, write the page. No account, no cookie, no script
and no redirect. Every error on these routes is a page for people, not JSON; one and the same page
answers every code that leads nowhere (T-WEB-01 to 03).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Header, Request, Response
from starlette.types import Scope

from keys.errors import Kind, ServiceError
from licence_store.errors import LicenceNotFound
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.problems import problem_response
from verifier.comparing import Comparison
from verifier.comparison.presenting import present_comparison
from verifier.page_writer import PageWriter
from verifier.presenting import present_document, present_licence
from verifier.uploads import read_upload
from verifier.verdict import Verdict


def admit_everyone(request: Request) -> None:
    """Let every address in: for tests and for set-ups that limit rates in front."""


def compare_nothing(data: bytes, verdict: Verdict) -> Comparison | None:
    """Compare no file with anything: for set-ups without comparison."""
    del data, verdict
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """What the pages work with."""

    judge_code: Callable[[str], Verdict]
    """Judge the licence behind ``/q/<code>``; raises ``LicenceNotFound`` for any wrong code."""
    judge_upload: Callable[[bytes], Verdict]
    clock: Clock
    public_url: str
    """The address people see, as printed on licences."""
    admit_lookup: Callable[[Request], None] = admit_everyone
    """Count a look-up by the address it came from; raises ``RateLimited`` (T-WEB-12)."""
    admit_upload: Callable[[Request], None] = admit_everyone
    compare: Callable[[bytes, Verdict], Comparison | None] = compare_nothing
    """Find out what was changed in an upload that is not genuine (``comparison.desk``)."""


def build_problem_writer(
    clock: Clock, public_url: str
) -> Callable[[ServiceError, Scope], Response]:
    """Make what writes the refusals of the gate before any route (``plumbing.limits``).

    On the paths people visit it is a page, elsewhere a problem document. A path below ``/q/`` that
    the gate does not let through gets the answer of every wrong code (T-WEB-02).
    """
    pages = PageWriter(public_url)

    def write_problem(error: ServiceError, scope: Scope) -> Response:
        path = scope["path"]
        if path.startswith("/q/"):
            is_client = error.kind not in (Kind.INTERNAL, Kind.UNAVAILABLE)
            return pages.problem(LicenceNotFound() if is_client else error, clock.now())
        if path in ("/", "/verify"):
            return pages.problem(error, clock.now())
        return problem_response(error, scope)

    return write_problem


def build_web_router(parts: WebParts) -> APIRouter:
    """Build the routes of the public pages."""
    router = APIRouter(include_in_schema=False)
    pages = PageWriter(parts.public_url)
    _add_home(router, parts, pages)
    _add_licence(router, parts, pages)
    _add_upload(router, parts, pages)
    _add_static(router, parts, pages)
    return router


def _add_home(router: APIRouter, parts: WebParts, pages: PageWriter) -> None:
    @router.get("/")
    @router.get("/verify")
    def show_home() -> Response:
        """Answer the front page; also to whoever reloads the answer to an upload."""
        return pages.home(parts.clock.now())


def _add_licence(router: APIRouter, parts: WebParts, pages: PageWriter) -> None:
    # The whole rest of the path is the code, so that no spelling of it reaches another answer.
    @router.get("/q/{code:path}")
    def show_licence(code: str, request: Request) -> Response:
        """Answer the state of the licence behind a QR code at this instant (T-WEB-16)."""
        try:
            parts.admit_lookup(request)
            verdict = parts.judge_code(code)
        except ServiceError as error:
            return pages.problem(error, parts.clock.now())
        return pages.licence(present_licence(verdict), verdict.judged_at)


def _add_upload(router: APIRouter, parts: WebParts, pages: PageWriter) -> None:
    @router.post("/verify")
    def verify_upload(
        request: Request,
        content_type: Annotated[str, Header()] = "",
        body: Annotated[bytes, Body(media_type="multipart/form-data")] = b"",
    ) -> Response:
        """Answer the verdict on an uploaded file, which is forgotten afterwards."""
        try:
            parts.admit_upload(request)
            document = read_upload(content_type, body)
            verdict = parts.judge_upload(document)
            view = present_comparison(parts.compare(document, verdict), verdict.licence)
        except ServiceError as error:
            return pages.problem(error, parts.clock.now())
        return pages.document(present_document(verdict), verdict.judged_at, view)


def _add_static(router: APIRouter, parts: WebParts, pages: PageWriter) -> None:
    @router.get("/static/{name}")
    def get_static(name: str) -> Response:
        """Answer the style sheet or the icon."""
        return pages.static(name) or pages.problem(LicenceNotFound(), parts.clock.now())
