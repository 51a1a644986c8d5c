"""The licence API over HTTP: answers, refusals, tenants, scopes (T-API-06, 08, 12, 13, 16, 26)."""

import base64
from collections.abc import Callable
from typing import Annotated

import pytest
from fastapi import FastAPI, Header

from licence_store.api import LicenceRoutes, build_router
from licence_store.desk import DeskParts, PresentationDesk
from licence_store.model import approval_result_to_json
from seal_service.errors import ScopeMissing
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.database import Database
from seal_service.plumbing.problems import install
from tests.support.asgi import AppClient
from tests.support.licences import (
    AUTHORITY,
    HOLDER,
    OTHER_AUTHORITY,
    make_approval_result,
    make_caller,
    make_randomness,
)
from tests.support.office import SECRET, OfficeScene

KEY = {"Idempotency-Key": "3f1a7c52-6d0c-4f0e"}
STRANGER = {"tenant": OTHER_AUTHORITY.code}
ALL_SCOPES = "licences:issue licences:read licences:revoke licences:present licences:redeem"
ITEM = "11320100MB9K00013M4320131005000"


def _require(scope: str) -> Callable[..., Caller]:
    def caller(
        tenant: Annotated[str, Header()] = AUTHORITY.code,
        scopes: Annotated[str, Header()] = ALL_SCOPES,
    ) -> Caller:
        if scope not in scopes.split():
            raise ScopeMissing
        return make_caller("approval", tenant, scopes)

    return caller


@pytest.fixture
def client(database: Database) -> AppClient:
    scene = OfficeScene(database)
    desk = PresentationDesk(
        DeskParts(
            database=database,
            blobs=scene.blobs,
            clock=scene.clock,
            randomness=make_randomness(5),
            index_secret=SECRET,
        )
    )
    app = FastAPI()
    install(app)
    app.include_router(
        build_router(
            LicenceRoutes(office=scene.office, desk=desk, clock=scene.clock, require=_require)
        )
    )
    return AppClient(app)


def _body(**changes: object) -> dict[str, object]:
    return {**approval_result_to_json(make_approval_result()), **changes}


def _issue(client: AppClient) -> dict[str, object]:
    answer = client.post("/v1/licences", json=_body(), headers=KEY)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert isinstance(made, dict)
    return made


def test_an_approval_result_is_answered_with_the_licence(client: AppClient) -> None:
    licence = _issue(client)
    assert licence["state"] == "in_force"
    assert licence["state_name"] == "有效"
    assert str(licence["qr_url"]).startswith("http://127.0.0.1:8765/q/1")
    assert set(licence["files"]) == {"ofd", "pdf"}  # type: ignore[call-overload]
    assert licence["valid_until"] is None


def test_the_same_request_again_gets_the_same_answer(client: AppClient) -> None:
    """T-API-12."""
    first = client.post("/v1/licences", json=_body(), headers=KEY)
    again = client.post("/v1/licences", json=_body(), headers=KEY)
    assert (again.status_code, again.json()) == (first.status_code, first.json())


def test_the_same_case_with_other_content_is_409(client: AppClient) -> None:
    """T-API-13."""
    _issue(client)
    other = {"Idempotency-Key": "another-key-1"}
    answer = client.post("/v1/licences", json=_body(area_code="320100"), headers=other)
    assert (answer.status_code, answer.json()["code"]) == (409, "licence-exists")
    answer = client.post("/v1/licences", json=_body(area_code="320100"), headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency-mismatch")


@pytest.mark.parametrize(
    "headers", [{}, {"Idempotency-Key": "short"}, {"Idempotency-Key": "x" * 129}]
)
def test_an_idempotency_key_is_required(client: AppClient, headers: dict[str, str]) -> None:
    assert client.post("/v1/licences", json=_body(), headers=headers).status_code == 422


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": 1},
        {"case_number": 1},
        {"case_number": None},
        {"face_data": {"name": 1}},
        {"face_data": []},
        {"holder": {"name": "甲", "code": "x"}},
        {"issued_on": 20261124},
        {"issued_on": "2026-11-24T00:00:00Z"},
        {"licence_number": 1},
    ],
)
def test_wrong_types_and_unknown_fields_are_refused(
    client: AppClient, changes: dict[str, object]
) -> None:
    """T-API-16."""
    answer = client.post("/v1/licences", json=_body(**changes), headers=KEY)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"issued_on": "2026-02-30"}, "/issued_on"),
        ({"valid_until": "2026-11-23"}, "/valid_until"),
        ({"valid_from": "2026-01-1x"}, "/valid_from"),
        (
            {"holder": {"name": "甲", "code": "91320102MA9K00028R", "code_type": "001"}},
            "/holder/code",
        ),
        (
            {"holder": {"name": "甲", "code": "91320102MA9K00028Q", "code_type": "002"}},
            "/holder/code_type",
        ),
    ],
)
def test_faulty_fields_are_pointed_to(
    client: AppClient, changes: dict[str, object], pointer: str
) -> None:
    """T-API-26."""
    answer = client.post("/v1/licences", json=_body(**changes), headers=KEY)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


def test_a_licence_is_read_listed_and_downloaded(client: AppClient) -> None:
    licence = _issue(client)
    url = f"/v1/licences/{licence['identifier']}"
    assert client.get(url).json() == licence
    page = client.get("/v1/licences", params={"limit": 1, "state": "in_force"}).json()
    assert page == {"licences": [licence], "next_after": licence["identifier"]}
    after = client.get("/v1/licences", params={"after": page["next_after"]}).json()
    assert after == {"licences": [], "next_after": None}
    file = client.get(f"{url}/files/ofd")
    assert file.headers["content-type"] == "application/ofd"
    assert file.headers["x-content-type-options"] == "nosniff"
    assert f'{licence["identifier"]}.ofd"' in file.headers["content-disposition"]
    assert b" sealed " in file.content


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "state=issuing_", "unknown=1", "after=" + "x" * 129],
)
def test_list_queries_are_bounded(client: AppClient, query: str) -> None:
    """T-API-34."""
    assert client.get(f"/v1/licences?{query}").status_code == 422


@pytest.mark.parametrize("path", ["files/exe", "files/..%2f..%2fetc", "files/ofd%00"])
def test_a_file_format_is_never_a_path(client: AppClient, path: str) -> None:
    """T-API-21."""
    licence = _issue(client)
    answer = client.get(f"/v1/licences/{licence['identifier']}/{path}")
    assert answer.status_code in (404, 422)


def test_another_tenants_licence_does_not_exist(client: AppClient) -> None:
    """T-API-06: every route."""
    url = f"/v1/licences/{_issue(client)['identifier']}"
    revocation = {"kind": "revoked", "reason": "理由", "basis_document": "文号"}
    wish = {"holder_code": HOLDER.code, "holder_code_type": "001", "purpose": "用途"}
    answers = [
        client.get(url, headers=STRANGER),
        client.get(f"{url}/files/pdf", headers=STRANGER),
        client.get(f"{url}/uses", headers=STRANGER),
        client.post(f"{url}/revocation", json=revocation, headers=STRANGER),
        client.post(f"{url}/presentations", json=wish, headers=STRANGER),
    ]
    assert [answer.status_code for answer in answers] == [404] * 5
    assert {answer.json()["code"] for answer in answers} == {"licence-not-found"}
    assert client.get("/v1/licences", headers=STRANGER).json()["licences"] == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/licences", _body()),
        ("GET", "/v1/licences", None),
        ("GET", "/v1/licences/x", None),
        ("GET", "/v1/licences/x/files/ofd", None),
        ("GET", "/v1/licences/x/uses", None),
        (
            "POST",
            "/v1/licences/x/revocation",
            {"kind": "revoked", "reason": "理由", "basis_document": "文号"},
        ),
        (
            "POST",
            "/v1/licences/x/presentations",
            {"holder_code": "x", "holder_code_type": "001", "purpose": "用途"},
        ),
        ("POST", "/v1/redemptions", {"code": "x", "service_item_code": "x", "case_number": "x"}),
    ],
)
def test_every_route_demands_a_scope(
    client: AppClient, method: str, path: str, body: dict[str, object] | None
) -> None:
    """T-API-08."""
    answer = client.request(method, path, json=body, headers={**KEY, "scopes": "none"})
    assert answer.status_code == 403


@pytest.mark.parametrize("kind", ["revoked", "withdrawn", "cancelled"])
def test_one_call_ends_a_licence(client: AppClient, kind: str) -> None:
    url = f"/v1/licences/{_issue(client)['identifier']}"
    order = {"kind": kind, "reason": "提供虚假材料", "basis_document": "云栖行审罚〔2026〕7 号"}
    answer = client.post(f"{url}/revocation", json=order)
    assert answer.status_code == 200
    assert answer.json()["state"] == kind
    assert answer.json()["revocation"]["basis_document"] == order["basis_document"]
    assert client.post(f"{url}/revocation", json=order).json() == answer.json()
    other = {**order, "reason": "另一理由"}
    assert client.post(f"{url}/revocation", json=other).status_code == 409


def test_a_licence_is_presented_and_redeemed_once(client: AppClient) -> None:
    """T-WEB-05."""
    licence = _issue(client)
    url = f"/v1/licences/{licence['identifier']}"
    wish = {"holder_code": HOLDER.code, "holder_code_type": "001", "purpose": "办理食品经营许可"}
    shown = client.post(f"{url}/presentations", json=wish)
    assert shown.status_code == 201
    order = {"code": shown.json()["code"], "service_item_code": ITEM, "case_number": "F-1"}
    released = client.post("/v1/redemptions", json=order, headers=STRANGER)
    assert released.status_code == 200
    assert released.json()["face_data"] == licence["face_data"]
    ofd = base64.b64decode(released.json()["files"]["ofd"]["content"])
    assert ofd == client.get(f"{url}/files/ofd").content
    again = client.post("/v1/redemptions", json=order, headers=STRANGER)
    assert (again.status_code, again.json()["code"]) == (404, "presentation-refused")
    uses = client.get(f"{url}/uses").json()["uses"]
    assert [use["result"] for use in uses] == ["already-used", "released"]


@pytest.mark.parametrize(
    "changes",
    [
        {"lifetime_seconds": 59},
        {"lifetime_seconds": 301},
        {"lifetime_seconds": True},
        {"holder_code_type": "002"},
        {"purpose": "\u202e"},
    ],
)
def test_wrong_wishes_are_refused(client: AppClient, changes: dict[str, object]) -> None:
    url = f"/v1/licences/{_issue(client)['identifier']}/presentations"
    wish = {"holder_code": HOLDER.code, "holder_code_type": "001", "purpose": "用途", **changes}
    assert client.post(url, json=wish).status_code == 422


def test_every_field_of_the_api_is_described_and_has_an_example(client: AppClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    ours = {name: schema for name, schema in schemas.items() if "Validation" not in name}
    for name, schema in ours.items():
        for field, described in schema.get("properties", {}).items():
            assert described.get("description"), f"{name}.{field}"
            assert "examples" in described, f"{name}.{field}"
