"""Write the public pages: HTML without scripts, and the headers that keep it that way.

Every value is escaped by the template engine (T-WEB-08). The host shown on a page and every link
come from the configured public address, never from a request (T-WEB-18).
"""

import hashlib
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from keys.errors import ServiceError
from licence_store.errors import LicenceNotFound
from seal_service.plumbing.instants import instant
from seal_service.plumbing.problems import status_of
from verifier.comparison.presenting import ComparisonView
from verifier.presenting import VerdictPage, beijing_second

PAGES = Path(__file__).parent / "pages"
STATIC_TYPES = {"verifier.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGE_HEADERS = {
    **_ALWAYS,
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Language": "zh-CN",
}
STATIC_HEADERS = {
    **_ALWAYS,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'",
    "Cache-Control": "public, max-age=86400",
}

RETRY_SECONDS = 5


class PageWriter:
    """Holds the templates and what is the same on every page."""

    def __init__(self, public_url: str) -> None:
        address = urlsplit(public_url)
        self._environment = Environment(
            loader=FileSystemLoader(PAGES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            host=address.netloc, root=address.path.rstrip("/"), version=_static_version()
        )

    def home(self, now: datetime) -> Response:
        """Return the front page."""
        return self._page("home.html", 200, now)

    def licence(self, page: VerdictPage, judged_at: datetime) -> Response:
        """Return the page behind a QR code."""
        return self._page("licence.html", 200, judged_at, page=page)

    def document(
        self, page: VerdictPage, judged_at: datetime, view: ComparisonView | None = None
    ) -> Response:
        """Return the page for an uploaded file, with what was changed in it if that is known."""
        return self._page("document.html", 200, judged_at, page=page, view=view)

    def problem(self, error: ServiceError, now: datetime) -> Response:
        """Return an error as a page; only fixed words of its class are shown.

        All codes that lead nowhere, whatever is wrong with them, get this one answer (T-WEB-01).
        """
        status = status_of(error)
        template = "not-found.html" if isinstance(error, LicenceNotFound) else "problem.html"
        response = self._page(template, status, now, error=error)
        if status in (429, 503):
            wait = error.params.get("retry_after", RETRY_SECONDS)
            response.headers["Retry-After"] = str(wait)
        return response

    def static(self, name: str) -> Response | None:
        """Return a file of the pages' own, or None; only listed names exist."""
        media_type = STATIC_TYPES.get(name)
        if media_type is None:
            return None
        content = (PAGES / "static" / name).read_bytes()
        return Response(content, media_type=media_type, headers=STATIC_HEADERS)

    def _page(
        self,
        template: str,
        status: int,
        moment: datetime,
        *,
        page: VerdictPage | None = None,
        error: ServiceError | None = None,
        view: ComparisonView | None = None,
    ) -> Response:
        text = self._environment.get_template(template).render(
            page=page,
            view=view,
            error=error,
            judged_at_utc=instant(moment),
            judged_at_beijing=beijing_second(moment),
        )
        return Response(
            text, status_code=status, media_type="text/html; charset=utf-8", headers=PAGE_HEADERS
        )


def _static_version() -> str:
    """Return what changes with the static files, so that a browser may keep them."""
    digest = hashlib.sha256()
    for name in STATIC_TYPES:
        digest.update((PAGES / "static" / name).read_bytes())
    return digest.hexdigest()[:12]
