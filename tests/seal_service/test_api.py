"""The seal API over HTTP: answers, refusals, tenants, scopes (T-API-06, 08, 09, 10, 16)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Header

from seal_service.api import SealRoutes, build_router
from seal_service.errors import ScopeMissing
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.database import Database
from seal_service.plumbing.problems import install
from tests.seal_service.test_bureau import FONT, Scene
from tests.support.asgi import AppClient
from tests.support.licences import BUSINESS_LICENCE
from tests.support.register import OTHER_TENANT, TENANT

pytestmark = pytest.mark.skipif(not FONT.path.exists(), reason="Noto Serif CJK is not installed")

ALL_SCOPES = "seals:read seals:make seals:manage"
APPLICATION = {
    "kind": "licence",
    "name": "金陵市云栖区行政审批局",
    "line_below": "电子证照专用章",
    "number": "3201020000017",
    "diameter_mm": 42.0,
    "valid_from": "2026-11-23T04:00:00Z",
    "valid_until": "2027-11-23T12:00:00+08:00",
    "basis_document": "云栖政办〔2026〕12 号",
    "reason": "启用电子证照专用章",
}
BASIS = {"basis_document": "云栖政办〔2026〕12 号", "reason": "依规定"}


def _require(scope: str) -> Callable[..., Caller]:
    def caller(
        who: Annotated[str, Header()] = "applicant",
        tenant: Annotated[str, Header()] = TENANT,
        scopes: Annotated[str, Header()] = ALL_SCOPES,
    ) -> Caller:
        if scope not in scopes.split():
            raise ScopeMissing
        return Caller(caller_id=who, authority_code=tenant, scopes=frozenset(scopes.split()))

    return caller


class Client:
    """Speaks for one person at a time."""

    def __init__(self, database: Database) -> None:
        self.scene = Scene(database)
        app = FastAPI()
        install(app)
        app.include_router(build_router(SealRoutes(bureau=self.scene.bureau, require=_require)))
        self._client = AppClient(app)

    def get(self, path: str, *, status: int = 200, **headers: str) -> dict[str, object]:
        return self._read(self._client.get(f"/v1{path}", headers=headers), status)

    def post(
        self, path: str, body: object, *, status: int = 200, **headers: str
    ) -> dict[str, object]:
        return self._read(self._client.post(f"/v1{path}", json=body, headers=headers), status)

    @staticmethod
    def _read(answer: httpx.Response, status: int) -> dict[str, object]:
        assert answer.status_code == status, answer.text
        read = answer.json()
        assert isinstance(read, dict)
        return read

    def apply(self, **changes: object) -> dict[str, object]:
        return self.post("/seals", {**APPLICATION, **changes}, status=201)

    def approve(self, seal: dict[str, object]) -> str:
        body = {**BASIS, "application_digest": seal["application_digest"]}
        path = f"/seals/{seal['seal_id']}"
        self.post(f"{path}/approval", body, who="approver")
        return path

    def move(self, path: str, action: str, *, status: int = 200, **headers: str) -> object:
        body = {**BASIS, "action": action, "applicant": "applicant"}
        return self.post(f"{path}/state", body, status=status, **{"who": "manager", **headers})

    def in_use(self) -> str:
        path = self.approve(self.apply())
        self.post(f"{path}/making", BASIS, who="maker")
        for action in ("file", "issue", "activate"):
            self.move(path, action)
        return path


@pytest.fixture
def client(database: Database) -> Client:
    return Client(database)


def test_a_seal_is_applied_for_approved_made_and_brought_into_use(client: Client) -> None:
    applied = client.apply()
    assert (applied["state"], applied["applicant"]) == ("applied", "applicant")
    assert applied["certificates"] == []
    path = client.approve(applied)
    made = client.post(f"{path}/making", BASIS, who="maker")
    assert (made["state"], made["state_name"]) == ("made", "已制作")
    algorithms = [item["algorithm"] for item in made["certificates"]]  # type: ignore[attr-defined]
    assert algorithms == ["sm2", "rsa"]
    for action in ("file", "issue", "activate"):
        client.move(path, action)
    seal = client.get(path)
    assert (seal["state"], seal["name"]) == ("active", "金陵市云栖区行政审批局电子证照专用章")
    assert seal["valid_until"] == "2027-11-23T04:00:00Z"
    history = client.get(f"{path}/history")["events"]
    assert [event["action"] for event in history] == [  # type: ignore[attr-defined]
        "apply",
        "approve",
        "make",
        "file",
        "issue",
        "activate",
    ]


def test_an_answer_names_no_key_and_shows_no_picture(client: Client) -> None:
    answer = str(client.get(client.in_use()))
    assert "seal-sm2" not in answer
    assert "PNG" not in answer


def test_the_status_of_an_instant_is_answered(client: Client) -> None:
    path = client.in_use()
    client.scene.clock.move(timedelta(hours=2))
    client.move(path, "revoke")
    assert client.get(f"{path}/status")["state"] == "revoked"
    then = client.get(f"{path}/status?at=2026-11-24T13:00:00%2B08:00")
    assert (then["state"], then["at"]) == ("active", "2026-11-24T05:00:00Z")
    late = client.get(f"{path}/status?at=2026-11-24T06:00:00Z")
    assert (late["state_name"], late["reason"]) == ("已撤销", "依规定")


@pytest.mark.parametrize("at", ["yesterday", "2026-11-24T05:00:00", "2026-11-24"])
def test_an_instant_needs_its_zone(client: Client, at: str) -> None:
    path = client.approve(client.apply())
    problem = client.get(f"{path}/status?at={at}", status=422)
    assert problem["code"] == "invalid-seal-order"


def test_nobody_approves_their_own_application(client: Client) -> None:
    # T-API-09
    seal = client.apply()
    body = {**BASIS, "application_digest": seal["application_digest"]}
    problem = client.post(f"/seals/{seal['seal_id']}/approval", body, status=403, who="applicant")
    assert problem["code"] == "dual-control"


def test_an_approval_of_another_application_is_refused(client: Client) -> None:
    # T-API-10
    seal = client.apply()
    body = {**BASIS, "application_digest": "00" * 32}
    problem = client.post(f"/seals/{seal['seal_id']}/approval", body, status=403, who="approver")
    assert problem["code"] == "dual-control"


def test_an_illegal_step_is_a_conflict(client: Client) -> None:
    path = client.in_use()
    client.move(path, "revoke")
    problem = client.post(
        f"{path}/state",
        {**BASIS, "action": "resume", "applicant": "applicant"},
        status=409,
        who="manager",
    )
    assert problem["code"] == "seal-state"


def test_stopping_needs_one_person_resuming_two(client: Client) -> None:
    path = client.in_use()
    client.move(path, "suspend", who="applicant")
    client.move(path, "resume", who="applicant", status=403)
    client.move(path, "resume")


def test_seals_are_listed_newest_first_in_pages(client: Client) -> None:
    seals = [client.apply()["seal_id"] for _ in range(3)]
    first = client.get("/seals?limit=2")
    rest = client.get(f"/seals?limit=2&after={first['next_after']}")
    listed = [*first["seals"], *rest["seals"]]  # type: ignore[misc]
    assert [seal["seal_id"] for seal in listed] == seals[::-1]
    assert rest["next_after"] is None
    assert client.get("/seals?state=active")["seals"] == []


def test_a_mandate_is_granted_and_listed(client: Client) -> None:
    path = client.in_use()
    body = {
        "caller_id": None,
        "licence_type_code": BUSINESS_LICENCE,
        "valid_from": "2026-11-24T00:00:00Z",
        "valid_until": "2027-11-24T00:00:00Z",
        "applicant": "applicant",
        "basis_document": "用章授权书",
    }
    granted = client.post(f"{path}/mandates", body, status=201, who="manager")
    assert granted["approver"] == "manager"
    assert client.get(f"{path}/mandates")["mandates"] == [granted]
    client.post(f"{path}/mandates", body, status=403, who="applicant")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "round"},
        {"diameter_mm": 420},
        {"number": "32-01"},
        {"valid_from": "2026-11-23T04:00:00"},
        {"valid_until": "2026-11-22T04:00:00Z"},
        {"line_below": ""},
        {"colour": "blue"},
        {"name": 7},
    ],
)
def test_an_application_is_read_strictly(client: Client, changes: dict[str, object]) -> None:
    # T-API-16
    client.post("/seals", {**APPLICATION, **changes}, status=422)
    assert client.get("/seals")["seals"] == []


def test_another_tenants_seal_does_not_exist(client: Client) -> None:
    # T-API-06: every route answers 404, never 403.
    path = client.in_use()
    for route in ("", "/status", "/history", "/mandates"):
        assert client.get(path + route, status=404, tenant=OTHER_TENANT)["code"] == "seal-not-found"
    digest = {**BASIS, "application_digest": "00" * 32}
    mandate = {
        "caller_id": None,
        "licence_type_code": None,
        "valid_from": "2026-11-24T00:00:00Z",
        "valid_until": "2027-11-24T00:00:00Z",
        "applicant": "applicant",
        "basis_document": "用章授权书",
    }
    move = {**BASIS, "action": "revoke", "applicant": "applicant"}
    bodies = {"approval": digest, "making": BASIS, "state": move, "mandates": mandate}
    for route, body in bodies.items():
        client.post(f"{path}/{route}", body, status=404, tenant=OTHER_TENANT, who="manager")
    assert client.get("/seals", tenant=OTHER_TENANT)["seals"] == []
    assert client.get(path)["state"] == "active"


@pytest.mark.parametrize(
    ("method", "route", "scopes"),
    [
        ("get", "/seals", "seals:make seals:manage"),
        ("get", "/seals/x", "seals:manage"),
        ("get", "/seals/x/status", "seals:manage"),
        ("get", "/seals/x/history", "seals:manage"),
        ("get", "/seals/x/mandates", "seals:manage"),
        ("post", "/seals", "seals:read seals:make"),
        ("post", "/seals/x/approval", "seals:read seals:make"),
        ("post", "/seals/x/making", "seals:read seals:manage"),
        ("post", "/seals/x/state", "seals:read seals:make"),
        ("post", "/seals/x/mandates", "seals:read seals:make"),
    ],
)
def test_every_route_demands_its_scope(
    client: Client, method: str, route: str, scopes: str
) -> None:
    # T-API-08
    if method == "get":
        problem = client.get(route, status=403, scopes=scopes)
    else:
        problem = client.post(route, {}, status=403, scopes=scopes)
    assert problem["code"] == "scope-missing"
