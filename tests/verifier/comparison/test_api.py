"""The comparison API: differences as JSON, pictures that stay inert (T-WEB-09)."""

import base64

import pytest
from fastapi import FastAPI

from licence_store.errors import LicenceNotFound
from seal_service.errors import ScopeMissing
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.problems import install
from tests.support.asgi import AppClient
from tests.support.licences import AUTHORITY, make_caller
from verifier.comparing import (
    Comparison,
    FieldDifference,
    LineDifference,
    PageDifference,
    Place,
    Side,
    WordDifferences,
)
from verifier.comparison.api import SCOPE_COMPARE, ComparisonRoutes, build_comparison_router
from verifier.comparison.jobs import PagePicture

OFD = {"content-type": "application/ofd"}
FOUND = Comparison(
    side=Side.LIBRARY,
    words=WordDifferences(
        fields=(
            FieldDifference(
                place=Place.INDEX, item="CertificateName", label="证照名称", ours="a", theirs=None
            ),
        ),
        lines=(LineDifference(page=1, ours="b", theirs="c"),),
        our_pages=1,
        their_pages=1,
    ),
    pages=(PageDifference(number=1, boxes_mm=((1.0, 2.0, 3.0, 4.0),), ours=b"O", theirs=b"T"),),
    compared_pages=1,
)


def _compare(data: bytes, authority_code: str, identifier: str) -> Comparison:
    assert authority_code == AUTHORITY.code
    if identifier == "unknown":
        raise LicenceNotFound
    return FOUND


def _picture(data: bytes, number: int) -> PagePicture:
    return PagePicture(
        number=number, pages=7, media_type="image/svg+xml", data=b"<svg/>", width_mm=1, height_mm=1
    )


def _client(*, may: bool = True) -> AppClient:
    def require(scope: str) -> object:
        def caller() -> Caller:
            if not may:
                raise ScopeMissing(scope=scope)
            return make_caller(scopes=scope)

        return caller

    app = FastAPI()
    install(app)
    routes = ComparisonRoutes(compare=_compare, picture=_picture, require=require)  # type: ignore[arg-type]
    app.include_router(build_comparison_router(routes))
    return AppClient(app)


def test_differences_are_answered_in_full() -> None:
    answer = _client().request("POST", "/v1/comparisons", content=b"PK", headers=OFD)
    assert answer.status_code == 200
    assert answer.json() == {
        "compared_with": "library",
        "fields": [
            {
                "place": "index",
                "item": "CertificateName",
                "label": "证照名称",
                "ours": "a",
                "theirs": None,
            }
        ],
        "lines": [{"page": 1, "ours": "b", "theirs": "c"}],
        "pages": [
            {
                "page": 1,
                "note": "",
                "areas": [{"x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0}],
                "ours": None,
                "theirs": None,
            }
        ],
        "compared_pages": 1,
        "is_complete": True,
    }


def test_pictures_are_answered_when_asked_for() -> None:
    answer = _client().request(
        "POST", "/v1/comparisons", content=b"PK", headers=OFD, params={"pictures": "true"}
    )
    (page,) = answer.json()["pages"]
    assert (base64.b64decode(page["ours"]), base64.b64decode(page["theirs"])) == (b"O", b"T")


def test_a_licence_of_somebody_else_is_not_found() -> None:
    answer = _client().request(
        "POST", "/v1/comparisons", content=b"PK", headers=OFD, params={"identifier": "unknown"}
    )
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/v1/comparisons", "/v1/page-pictures"])
def test_the_scope_is_demanded_and_the_file_too(path: str) -> None:
    refused = _client(may=False).request("POST", path, content=b"PK", headers=OFD)
    assert refused.status_code == 403
    assert refused.json()["code"] == "scope-missing"
    assert SCOPE_COMPARE == "comparisons:create"
    assert _client().request("POST", path, content=b"", headers=OFD).status_code == 422
    odd = {"content-type": "text/html"}
    assert _client().request("POST", path, content=b"PK", headers=odd).status_code == 415


def test_a_picture_that_is_opened_by_itself_runs_nothing() -> None:
    answer = _client().request(
        "POST", "/v1/page-pictures", content=b"PK", headers=OFD, params={"page": 3}
    )
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["page-count"] == "7"


@pytest.mark.parametrize("page", ["0", "-1", "501", "x"])
def test_a_page_number_is_a_small_number(page: str) -> None:
    answer = _client().request(
        "POST", "/v1/page-pictures", content=b"PK", headers=OFD, params={"page": page}
    )
    assert answer.status_code == 422
