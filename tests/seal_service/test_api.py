"""The seal API over HTTP: answers, refusals, tenants, scopes (T-API-06, 08, 09, 10, 16)."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Header, Request

from seal_service.api import SealRoutes, build_router
from seal_service.decisions.api import DecisionRoutes
from seal_service.decisions.api import build_router as build_decisions
from seal_service.errors import ScopeMissing
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.database import Database
from seal_service.plumbing.problems import install
from seal_service.seals.statements import StatementSigner, check_statement
from tests.seal_service.test_bureau import FONT, Scene
from tests.support.asgi import AppClient
from tests.support.licences import BUSINESS_LICENCE
from tests.support.register import OTHER_TENANT, TENANT
from tests.support.trust import MAKER_NAME, SM2_TRUST, make_key

pytestmark = pytest.mark.skipif(not FONT.path.exists(), reason="Noto Serif CJK is not installed")

ALL_SCOPES = "seals:read seals:apply seals:approve seals:make seals:manage seals:audit"
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
MANDATE = {
    "caller_id": None,
    "type_codes": [BUSINESS_LICENCE, "approval-letter"],
    "matter_codes": ["000116003000"],
    "hours": {"begin": "08:30", "end": "17:30"},
    "daily_count": 200,
    "valid_from": "2026-11-24T00:00:00Z",
    "valid_until": "2027-11-24T00:00:00Z",
    "basis_document": "用章授权书",
    "reason": "自动出证",
}
BASIS = {"basis_document": "云栖政办〔2026〕12 号", "reason": "依规定"}

SIGNER = StatementSigner(
    certificate=SM2_TRUST.maker().certificate,
    chain=(SM2_TRUST.authority.der,),
    sign=make_key(MAKER_NAME).sign,
)


def _admit(request: Request) -> None:
    """Let everyone in."""


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
        routes = SealRoutes(
            bureau=self.scene.bureau, require=_require, signer=lambda: SIGNER, admit_public=_admit
        )
        app.include_router(build_router(routes))
        decisions = DecisionRoutes(desk=self.scene.desk, bureau=self.scene.bureau, require=_require)
        app.include_router(build_decisions(decisions))
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
        body = {**BASIS, "action": action}
        return self.post(f"{path}/state", body, status=status, **{"who": "manager", **headers})

    def ask(self, path: str, action: str, **headers: str) -> dict[str, object]:
        return self.post(f"{path}/requests", {**BASIS, "action": action}, status=201, **headers)

    def decide(
        self,
        path: str,
        request: dict[str, object],
        *,
        decision: str = "confirmation",
        status: int = 200,
        **headers: str,
    ) -> dict[str, object]:
        route = f"{path}/requests/{request['request_id']}/{decision}"
        body = {"request_digest": request["request_digest"], "remark": "已核对"}
        return self.post(route, body, status=status, **{"who": "approver", **headers})

    def end(self, path: str, action: str) -> dict[str, object]:
        return self.decide(path, self.ask(path, action))

    def status(self, path: str, at: str = "") -> dict[str, object]:
        answer = self.get(f"{path}/status{at}")
        statement = answer["statement"]
        assert isinstance(statement, dict)
        signature = base64.b64decode(str(answer["signature"]))
        assert check_statement(statement, signature).der == SIGNER.certificate
        return statement

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


def test_the_status_of_an_instant_is_answered_and_signed(client: Client) -> None:
    path = client.in_use()
    client.scene.clock.move(timedelta(hours=2))
    client.end(path, "revoke")
    assert client.status(path)["state"] == "revoked"
    then = client.status(path, "?at=2026-11-24T13:00:00%2B08:00")
    assert (then["state"], then["at"]) == ("active", "2026-11-24T05:00:00Z")
    late = client.status(path, "?at=2026-11-24T06:00:00Z")
    assert (late["state_name"], late["action"]) == ("已撤销", "revoke")


def test_everyone_may_ask_for_the_status_and_learns_no_more(client: Client) -> None:
    # T-API-06: the one answer across tenants; no picture, no persons, no free words.
    path = client.in_use()
    answer = client.get(f"{path}/status", tenant=OTHER_TENANT, scopes="")
    assert "applicant" not in str(answer)
    assert str(BASIS["basis_document"]) not in str(answer)
    assert client.get("/seals/NONE/status", status=404)["code"] == "seal-not-found"


def test_no_status_is_signed_for_an_instant_to_come(client: Client) -> None:
    path = client.in_use()
    problem = client.get(f"{path}/status?at=2026-11-24T04:00:01Z", status=422)
    assert problem["code"] == "invalid-seal-order"


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
    client.end(path, "revoke")
    body = {**BASIS, "action": "resume"}
    problem = client.post(f"{path}/requests", body, status=409)
    assert problem["code"] == "seal-state"


def test_stopping_needs_one_person_resuming_two(client: Client) -> None:
    path = client.in_use()
    client.move(path, "suspend", who="applicant")
    request = client.ask(path, "resume")
    assert client.decide(path, request, who="applicant", status=403)["code"] == "dual-control"
    client.decide(path, request)
    assert client.get(path)["state"] == "active"


def test_the_applicant_does_not_bring_the_seal_into_use(client: Client) -> None:
    # T-API-09: whoever filed the application, whatever a body says.
    path = client.approve(client.apply())
    client.post(f"{path}/making", BASIS, status=403, who="applicant")
    client.post(f"{path}/making", BASIS, who="maker")
    for action in ("file", "issue"):
        client.move(path, action)
    assert client.move(path, "activate", who="applicant", status=403)


def test_no_body_names_a_person(client: Client) -> None:
    # T-API-09
    path = client.in_use()
    body = {**BASIS, "action": "suspend", "applicant": "somebody else"}
    client.post(f"{path}/state", body, status=422, who="manager")
    client.move(path, "suspend")
    events = client.get(f"{path}/history")["events"]
    last = events[-1]  # type: ignore[index]
    assert (last["applicant"], last["approver"]) == ("manager", "manager")


def test_an_application_is_rejected_by_somebody_else(client: Client) -> None:
    path = f"/seals/{client.apply()['seal_id']}"
    client.post(f"{path}/rejection", BASIS, status=403, who="applicant")
    assert client.post(f"{path}/rejection", BASIS, who="approver")["state"] == "rejected"


def test_an_approval_that_is_too_old_makes_no_seal(client: Client) -> None:
    # T-API-11
    path = client.approve(client.apply())
    client.scene.clock.move(timedelta(days=31))
    problem = client.post(f"{path}/making", BASIS, status=403, who="maker")
    assert problem["params"]["rule"] == "approval-expired"  # type: ignore[index]


def test_an_approval_is_used_once(client: Client) -> None:
    # T-API-11
    path = client.approve(client.apply())
    client.post(f"{path}/making", BASIS, who="maker")
    assert client.post(f"{path}/making", BASIS, status=409, who="maker")["code"] == "seal-state"


def test_seals_are_listed_newest_first_in_pages(client: Client) -> None:
    seals = [client.apply()["seal_id"] for _ in range(3)]
    first = client.get("/seals?limit=2")
    rest = client.get(f"/seals?limit=2&after={first['next_after']}")
    listed = [*first["seals"], *rest["seals"]]  # type: ignore[misc]
    assert [seal["seal_id"] for seal in listed] == seals[::-1]
    assert rest["next_after"] is None
    assert client.get("/seals?state=active")["seals"] == []


def test_seals_are_searched_for_by_name_with_state_and_pages(client: Client) -> None:
    names = ("金陵市数据局", "金陵市档案局", "云栖区数据局")
    data, _, district = (client.apply(name=name)["seal_id"] for name in names)
    first = client.get("/seals?search=数据局&limit=1&state=applied")
    rest = client.get(f"/seals?search=数据局&limit=1&state=applied&after={first['next_after']}")
    listed = [*first["seals"], *rest["seals"]]  # type: ignore[misc]
    assert [seal["seal_id"] for seal in listed] == [district, data]
    assert client.get("/seals?search=数据局&state=active")["seals"] == []
    assert client.get("/seals?search=%25")["seals"] == []
    assert client.get("/seals?search=数据局", tenant=OTHER_TENANT)["seals"] == []


def test_a_list_answers_a_made_seal_as_reading_it_does(client: Client) -> None:
    seal = client.get(client.in_use())
    assert client.get("/seals")["seals"] == [seal]
    assert seal["picture_sha256"] is not None


@pytest.mark.parametrize("search", ["章" * 101, "a%00", "%0A"])
def test_a_search_is_bounded_and_has_no_control_characters(client: Client, search: str) -> None:
    client.get(f"/seals?search={search}", status=422)


def test_a_mandate_is_asked_for_confirmed_listed_and_withdrawn(client: Client) -> None:
    path = client.in_use()
    request = client.post(f"{path}/mandates", MANDATE, status=201)
    assert client.get(f"{path}/mandates")["mandates"] == []
    client.decide(path, request, who="applicant", status=403)
    assert client.decide(path, request)["state"] == "confirmed"
    mandates = client.get(f"{path}/mandates")["mandates"]
    assert isinstance(mandates, list)
    (granted,) = mandates
    assert (granted["applicant"], granted["approver"]) == ("applicant", "approver")
    assert granted["type_codes"] == [BUSINESS_LICENCE, "approval-letter"]
    assert granted["hours"] == {"begin": "08:30", "end": "17:30"}
    assert granted["daily_count"] == 200
    route = f"{path}/mandates/{granted['mandate_id']}/withdrawal"
    ended = client.post(route, {"reason": "系统停用"}, who="manager")
    assert ended["withdrawn_at"] == "2026-11-24T04:00:00Z"
    client.post(route, {"reason": "系统停用"}, status=403, who="manager")


@pytest.mark.parametrize(
    "changes",
    [
        {"hours": {"begin": "17:30", "end": "08:30"}},
        {"hours": {"begin": "8:30", "end": "17:30"}},
        {"daily_count": 0},
        {"valid_until": "2026-11-23T00:00:00Z"},
        {"applicant": "somebody else"},
    ],
)
def test_a_mandate_is_read_strictly(client: Client, changes: dict[str, object]) -> None:
    # T-API-09, T-API-16
    path = client.in_use()
    client.post(f"{path}/mandates", {**MANDATE, **changes}, status=422)
    assert client.get(f"{path}/requests")["requests"] == []


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
    for route in ("", "/history", "/mandates", "/requests", "/uses"):
        assert client.get(path + route, status=404, tenant=OTHER_TENANT)["code"] == "seal-not-found"
    digest = {**BASIS, "application_digest": "00" * 32}
    asked = {**BASIS, "action": "revoke"}
    decided = {"request_digest": "00" * 32}
    bodies = {
        "approval": digest,
        "rejection": BASIS,
        "making": BASIS,
        "state": {**BASIS, "action": "suspend"},
        "mandates": MANDATE,
        "mandates/1/withdrawal": {"reason": "停用"},
        "requests": asked,
        "requests/x/confirmation": decided,
        "requests/x/refusal": decided,
        "compromises": {**BASIS, "since": "2026-11-24T00:00:00Z"},
    }
    for route, body in bodies.items():
        client.post(f"{path}/{route}", body, status=404, tenant=OTHER_TENANT, who="manager")
    assert client.get("/seals", tenant=OTHER_TENANT)["seals"] == []
    assert client.get(path)["state"] == "active"


@pytest.mark.parametrize(
    ("method", "route", "scope"),
    [
        ("get", "/seals", "seals:read"),
        ("get", "/seals/x", "seals:read"),
        ("get", "/seals/x/history", "seals:read"),
        ("get", "/seals/x/mandates", "seals:read"),
        ("get", "/seals/x/requests", "seals:read"),
        ("get", "/seals/x/uses", "seals:audit"),
        ("post", "/seals", "seals:apply"),
        ("post", "/seals/x/requests", "seals:apply"),
        ("post", "/seals/x/mandates", "seals:apply"),
        ("post", "/seals/x/compromises", "seals:apply"),
        ("post", "/seals/x/approval", "seals:approve"),
        ("post", "/seals/x/rejection", "seals:approve"),
        ("post", "/seals/x/requests/y/confirmation", "seals:approve"),
        ("post", "/seals/x/requests/y/refusal", "seals:approve"),
        ("post", "/seals/x/making", "seals:make"),
        ("post", "/seals/x/state", "seals:manage"),
        ("post", "/seals/x/mandates/1/withdrawal", "seals:manage"),
    ],
)
def test_every_route_demands_its_scope(client: Client, method: str, route: str, scope: str) -> None:
    # T-API-08: every other scope together does not open it.
    scopes = ALL_SCOPES.replace(scope, "")
    if method == "get":
        problem = client.get(route, status=403, scopes=scopes)
    else:
        problem = client.post(route, {}, status=403, scopes=scopes)
    assert problem["code"] == "scope-missing"
