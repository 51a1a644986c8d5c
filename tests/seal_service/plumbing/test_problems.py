"""Problem documents: one shape for every refusal (RFC 9457; T-API-31)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import pytest
from fastapi import FastAPI, Header, Query
from starlette.exceptions import HTTPException

import licence_store.errors  # noqa: F401 - declares its errors
import seal_service.plumbing.errors  # noqa: F401
from keys.errors import Kind, ServiceError
from seal_service.errors import CallerUnknown, RateLimited, SelfCheckFailed, StorageUnavailable
from seal_service.plumbing.faults import MOST_FAULTS
from seal_service.plumbing.problems import (
    STATUS,
    install,
    problem_responses,
    status_of,
    to_problem,
)
from seal_service.plumbing.strict_json import StrictModel
from tests.support.asgi import AppClient


class Inner(StrictModel):
    code: str


class Order(StrictModel):
    inner: Inner
    numbers: list[int]


@dataclass(frozen=True)
class Fault:
    pointer: str
    detail: str
    code: str = "invalid"


class ThingRefused(ServiceError):
    """An error of a package above, known here by its attributes only."""

    code = "test-thing-refused"
    kind = Kind.INVALID
    title = "事物有误"
    title_en = "The thing has faults"
    advice = "请更正。"

    def __init__(self) -> None:
        super().__init__("/a: 缺少")
        self.errors = (Fault("/a", "缺少"),)


@pytest.fixture(scope="module")
def client() -> AppClient:
    app = FastAPI()
    install(app)

    @app.post("/orders", responses=problem_responses(ThingRefused))
    def post_order(
        order: Order,
        limit: Annotated[int, Query(le=10)] = 1,
        key: Annotated[str, Header(min_length=3)] = "key",
    ) -> dict[str, object]:
        return {}

    @app.get("/refused")
    def refused() -> None:
        raise ThingRefused

    @app.get("/http/{status}")
    def raise_http(status: int) -> None:
        raise HTTPException(status, "detail of the framework")

    return AppClient(app)


def subclasses(base: type[ServiceError]) -> Iterator[type[ServiceError]]:
    for each in base.__subclasses__():
        yield each
        yield from subclasses(each)


def test_an_error_is_answered_in_the_one_shape(client: AppClient) -> None:
    answer = client.get("/refused")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert len(document.pop("instance")) == 32
    assert document == {
        "type": "/problems/test-thing-refused",
        "title": "事物有误",
        "status": 422,
        "detail": "/a: 缺少",
        "code": "test-thing-refused",
        "advice": "请更正。",
        "errors": [{"pointer": "/a", "detail": "缺少", "code": "invalid"}],
    }


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"numbers": []}, "/inner", "missing"),
        ({"inner": {}, "numbers": []}, "/inner/code", "missing"),
        ({"inner": {"code": 1}, "numbers": []}, "/inner/code", "string-type"),
        ({"inner": {"code": "a"}, "numbers": [1, "2"]}, "/numbers/1", "int-type"),
        ({"inner": {"code": "a"}, "numbers": [], "a/b~c": 1}, "/a~1b~0c", "extra-forbidden"),
    ],
)
def test_a_faulty_field_is_pointed_to(
    client: AppClient, body: dict[str, object], pointer: str, code: str
) -> None:
    answer = client.post("/orders", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-fields")
    (fault,) = answer.json()["errors"]
    assert (fault["pointer"], fault["code"]) == (pointer, code)


def test_a_faulty_parameter_is_named(client: AppClient) -> None:
    body = {"inner": {"code": "a"}, "numbers": []}
    answer = client.request("POST", "/orders?limit=11", json=body, headers={"key": "k"})
    assert [(fault["pointer"], fault["detail"]) for fault in answer.json()["errors"]] == [
        ("", "查询参数 limit：数值过大"),
        ("", "请求头参数 key：文字过短"),
    ]


def test_what_was_sent_is_never_repeated(client: AppClient) -> None:
    """T-API-31."""
    answer = client.post("/orders", json={"inner": {"code": ["CANARY"]}, "numbers": "CANARY"})
    assert answer.status_code == 422
    assert "CANARY" not in answer.text


def test_the_list_of_faults_is_bounded(client: AppClient) -> None:
    body = {f"{number}" + "x" * 1000: 1 for number in range(1000)}
    answer = client.post("/orders", json=body)
    assert len(answer.json()["errors"]) == MOST_FAULTS
    assert len(answer.content) < 60_000


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b'{"a": NaN}', b'{"\\ud800": 1}'])
def test_a_body_that_cannot_be_read_is_no_crash_even_without_the_guard(
    client: AppClient, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.request("POST", "/orders", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize(
    ("status", "answered", "code"),
    [
        (404, 404, "not-found"),
        (405, 405, "method-not-allowed"),
        (413, 413, "request-too-large"),
        (400, 400, "malformed-request"),
        (418, 400, "malformed-request"),
    ],
)
def test_a_refusal_of_the_framework_has_the_same_shape(
    client: AppClient, status: int, answered: int, code: str
) -> None:
    answer = client.get(f"/http/{status}")
    assert (answer.status_code, answer.json()["code"]) == (answered, code)
    assert "framework" not in answer.text


def test_internal_errors_tell_nothing_of_themselves() -> None:
    """T-API-31."""
    answer = to_problem(SelfCheckFailed("/var/lib/key.pem", path="/var/lib/key.pem"), "id")
    assert answer.status == 500
    assert b"/var/lib" not in answer.body


@pytest.mark.parametrize(
    ("error", "name", "value"),
    [
        (StorageUnavailable(), "retry-after", "5"),
        (RateLimited(retry_after=17), "retry-after", "17"),
        (CallerUnknown(), "www-authenticate", "Signature"),
    ],
)
def test_headers_say_what_to_do_next(error: ServiceError, name: str, value: str) -> None:
    assert to_problem(error, "id").headers[name] == value


def test_a_lone_surrogate_in_a_detail_can_still_be_sent() -> None:
    document = json.loads(to_problem(CallerUnknown("\ud800甲"), "id").body)
    assert document["detail"] == "\ud800甲"


def test_every_kind_has_a_status() -> None:
    assert set(STATUS) == set(Kind)
    assert len(set(STATUS.values())) == len(STATUS)


def test_every_error_has_its_own_code_and_words() -> None:
    found = [each for each in subclasses(ServiceError) if "code" in vars(each)]
    codes = [each.code for each in found]
    assert sorted(codes) == sorted(set(codes))
    for each in found:
        assert each.title
        assert each.advice
        assert each.code.replace("-", "").isalnum()
        assert each.code == each.code.lower()


def test_routes_describe_their_problems(client: AppClient) -> None:
    described = client.get("/openapi.json").json()
    answers = described["paths"]["/orders"]["post"]["responses"]
    assert "`test-thing-refused` 事物有误" in answers["422"]["description"]
    assert {"400", "401", "403", "413", "429", "500", "503"} <= set(answers)
    (media,) = answers["422"]["content"]
    assert media == "application/problem+json"
    schemas = described["components"]["schemas"]
    assert {"Problem", "ProblemFault"} <= set(schemas)


def test_a_problem_document_fits_its_description(client: AppClient) -> None:
    schema = client.get("/openapi.json").json()["components"]["schemas"]["Problem"]
    document = client.get("/refused").json()
    assert set(schema["required"]) <= set(document) <= set(schema["properties"])


def test_a_class_of_errors_is_answered_with_its_status() -> None:
    assert status_of(StorageUnavailable) == 503
