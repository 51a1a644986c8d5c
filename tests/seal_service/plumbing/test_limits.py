"""The gate before every route: sizes, encodings, targets, headers (T-API-14..18, 31..33)."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, File, Form, Request, UploadFile
from starlette.types import Message, Receive, Scope, Send

from seal_service.errors import StorageUnavailable
from seal_service.plumbing.auth import BODY
from seal_service.plumbing.limits import Limits, RequestGuard
from seal_service.plumbing.problems import install
from seal_service.plumbing.strict_json import StrictModel
from tests.support.signed import SignedClient, in_chunks

JSON = {"Content-Type": "application/json"}
LIMITS = Limits(body=1000, upload=3000, upload_paths=("/documents",), body_seconds=0.3)


class Order(StrictModel):
    name: str
    number: int = 0


def make_app() -> FastAPI:
    app = FastAPI()
    install(app)
    app.add_middleware(RequestGuard, limits=LIMITS)

    @app.post("/orders")
    def post_order(order: Order) -> dict[str, object]:
        return order.model_dump()

    @app.post("/documents")
    def post_document(file: Annotated[UploadFile, File()]) -> dict[str, object]:
        return {"size": file.size}

    @app.post("/forms")
    def post_form(code: Annotated[str, Form()]) -> dict[str, object]:
        return {"code": code}

    @app.get("/orders")
    def get_orders(request: Request, limit: int = 1) -> dict[str, object]:
        return {"limit": limit, "body": len(request.scope[BODY])}

    @app.get("/crash")
    def crash() -> None:
        raise KeyError("secret of /etc/passwd SELECT")

    @app.get("/down")
    def down() -> None:
        raise StorageUnavailable

    @app.get("/tokens/{token}")
    def get_token(token: str) -> dict[str, object]:
        return {}

    return app


@pytest.fixture(scope="module")
def client() -> SignedClient:
    return SignedClient(make_app())


def order_of(size: int) -> bytes:
    return json.dumps({"name": "x" * (size - len('{"name": ""}'))}).encode()


def post(
    client: SignedClient, content: bytes, path: str = "/orders", **headers: str
) -> httpx.Response:
    return client.send("POST", path, content=content, headers={**JSON, **headers})


def test_a_good_request_is_served(client: SignedClient) -> None:
    answer = post(client, b'{"name": "\\u7532", "number": 2}')
    assert answer.json() == {"name": "甲", "number": 2}


def test_a_body_of_exactly_the_limit_is_served(client: SignedClient) -> None:
    assert post(client, order_of(1000)).status_code == 200


def test_a_larger_body_is_refused_by_its_declared_length(client: SignedClient) -> None:
    """T-API-18."""
    answer = post(client, order_of(1001))
    assert (answer.status_code, answer.json()["code"]) == (413, "request-too-large")
    assert answer.json()["params"] == {"limit": 1000}


def chunked(client: SignedClient, chunk: bytes, times: int, **headers: str) -> httpx.Response:
    request = httpx.Request(
        "POST",
        "http://test/orders",
        content=in_chunks(chunk, times),
        headers={**JSON, **headers},
    )
    return client.send_prepared(request)


def test_bytes_of_a_chunked_body_are_counted(client: SignedClient) -> None:
    """T-API-18."""
    assert chunked(client, b" ", 1001).status_code == 413
    assert chunked(client, b" " * 10, 100_000_000).status_code == 413


def test_a_length_that_lies_does_not_help(client: SignedClient) -> None:
    """T-API-18."""
    answer = chunked(client, b" " * 100, 11, **{"Content-Length": "10"})
    assert answer.status_code == 413


@pytest.mark.parametrize("length", ["-1", "+5", "1e3", "", "1_0", "9" * 30])
def test_a_length_that_is_no_number_is_refused(client: SignedClient, length: str) -> None:
    answer = chunked(client, b"{}", 1, **{"Content-Length": length})
    assert answer.status_code == 400


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "x"])
def test_a_compressed_body_is_refused(client: SignedClient, encoding: str) -> None:
    """T-API-18."""
    bomb = gzip.compress(b" " * 10_000)
    answer = post(client, bomb, **{"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (415, "encoding-refused")


def test_an_upload_path_takes_more(client: SignedClient) -> None:
    request = httpx.Request("POST", "http://test/documents", files={"file": b"x" * 2000})
    assert client.send_prepared(request).json() == {"size": 2000}
    request = httpx.Request("POST", "http://test/documents", files={"file": b"x" * 3000})
    assert client.send_prepared(request).status_code == 413


def test_a_path_that_only_begins_like_an_upload_path_takes_no_more() -> None:
    assert LIMITS.for_path("/documents/a") == 3000
    assert LIMITS.for_path("/documents-and-more") == 1000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"name": "a", "name": "b"}', 400),
        (b'{"name": "a", "number": NaN}', 400),
        (b'{"name": "a", "number": Infinity}', 400),
        (b'{"name": "a", "number": 1e400}', 400),
        (b'{"name": "a", "number": -0}', 400),
        (b'{"name": "a", "number": 9223372036854775808}', 400),
        (b'{"name": "\\ud800"}', 400),
        (b'{"name": "\\u0000"}', 400),
        (b"\xef\xbb\xbf" + b'{"name": "a"}', 400),
        ('{"name": "a"}'.encode("utf-16"), 400),
        (b'{"name": "\xff"}', 400),
        (b"[" * 900, 400),
        (b"{", 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"name": "a", "extra": 1}', 422),
        (b'{"name": "a", "number": true}', 422),
        (b'{"name": "a", "number": "12"}', 422),
        (b'{"name": "a", "number": 1.0}', 422),
        (b"{}", 422),
        (b"", 422),
    ],
)
def test_a_doubtful_body_is_refused_before_the_framework_reads_it(
    client: SignedClient, body: bytes, status: int
) -> None:
    """T-API-14..17."""
    answer = post(client, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json;charset=utf-8",
        'application/json; charset="UTF-8"',
        "application/problem+json",
        "application/vnd.x+JSON; q=1",
        " application/json ",
    ],
)
def test_json_by_any_name_is_read_strictly(client: SignedClient, content_type: str) -> None:
    """T-API-14: nothing the framework takes as JSON passes unread."""
    answer = post(client, b'{"name": "a", "name": "b"}', **{"Content-Type": content_type})
    assert answer.status_code == 400


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", ""])
def test_a_body_that_is_not_called_json_is_not_read_as_json(
    client: SignedClient, content_type: str
) -> None:
    """T-API-14: the framework must not take by guessing what the gate did not read."""
    answer = post(client, b'{"name": "a", "name": "b"}', **{"Content-Type": content_type})
    assert answer.status_code == 422


def test_json_in_another_character_set_is_refused(client: SignedClient) -> None:
    """T-API-15."""
    answer = post(client, b"{}", **{"Content-Type": "application/json; charset=utf-16"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "query",
    [
        "limit=1&limit=2",
        "limit=1&li%6dit=1",
        "limit&limit",
        "a=%00",
        "%00=a",
        "a=%ff",
        "a=%ed%a0%80",
        "&".join(f"a{number}=1" for number in range(101)),
    ],
)
def test_doubtful_parameters_are_refused(client: SignedClient, query: str) -> None:
    """T-API-14, T-API-15."""
    answer = client.send("GET", f"/orders?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")


def test_a_form_field_given_twice_is_refused(client: SignedClient) -> None:
    """T-API-14."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.send("POST", "/forms", content=b"code=1", headers=form).json() == {"code": "1"}
    for content in (b"code=1&code=2", b"code=%00", b"code=\xff"):
        assert client.send("POST", "/forms", content=content, headers=form).status_code == 400


def test_nul_in_a_path_is_refused(client: SignedClient) -> None:
    """T-API-15."""
    assert client.send("GET", "/tokens/a%00b").status_code == 400


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "OPTIONS", "PROPFIND", "get", "X"])
def test_a_method_nobody_promised_is_405(client: SignedClient, method: str) -> None:
    """T-API-33."""
    request = httpx.Request("GET", "http://test/orders")
    request.method = method
    answer = client.send_prepared(request)
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


def test_a_method_of_another_route_is_405_and_names_the_right_ones(client: SignedClient) -> None:
    """T-API-33."""
    answer = client.send("DELETE", "/crash")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


def test_a_method_override_header_is_ignored(client: SignedClient) -> None:
    """T-API-33."""
    answer = client.send("GET", "/orders", headers={"X-HTTP-Method-Override": "POST"})
    assert answer.json() == {"limit": 1, "body": 0}


@pytest.mark.parametrize("path", ["/orders", "/nowhere", "/crash", "/orders?limit=x"])
def test_every_answer_has_the_security_headers_and_no_cors(client: SignedClient, path: str) -> None:
    """T-API-32."""
    answer = client.send("GET", path, headers={"Origin": "https://evil.example"})
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["strict-transport-security"].split("=")[1].split(";")[0]) >= 31536000
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_every_answer_has_its_own_request_id(client: SignedClient) -> None:
    given = {"X-Request-Id": "chosen-by-caller"}
    answers = [client.send("GET", "/nowhere", headers=given) for _ in range(2)]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 2
    assert all(answer.json()["instance"] in ids for answer in answers)


def test_an_exception_nobody_expected_tells_nothing(
    client: SignedClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """T-API-31: the caller gets an id, the log has the trace under it."""
    answer = client.send("GET", "/crash")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    for word in ("KeyError", "secret", "passwd", "SELECT", "Traceback", ".py"):
        assert word not in answer.text
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    crash = next(event for event in events if event["event"] == "request_crashed")
    assert crash["error"] == "KeyError"
    assert "crash" in crash["trace"]
    assert "secret" not in json.dumps(crash)
    assert crash["request_id"] == answer.json()["instance"]


def test_a_service_that_is_down_says_when_to_come_again(client: SignedClient) -> None:
    answer = client.send("GET", "/down")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_the_log_names_the_route_and_never_the_token(
    client: SignedClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """T-API-30."""
    client.send("GET", "/tokens/CANARY-TOKEN?x=CANARY-QUERY", headers={"X": "CANARY-HEADER"})
    said = capsys.readouterr().err
    assert "CANARY" not in said
    served = json.loads(said.splitlines()[-1])
    assert served["event"] == "request_served"
    assert (served["route"], served["method"], served["status"]) == ("/tokens/{token}", "GET", 200)


def call(messages: list[Message | None], method: str = "POST") -> list[Message]:
    """Drive the guard by hand: None stands for a caller who sends nothing more, and waits."""
    sent: list[Message] = []
    waiting = iter(messages)

    async def receive() -> Message:
        message = next(waiting)
        if message is None:
            await asyncio.sleep(60)
            raise AssertionError
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": "/orders",
        "raw_path": b"/orders",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    asyncio.run(make_app()(scope, receive, send))
    return sent


def test_a_body_that_never_ends_is_refused_in_time() -> None:
    """T-API-19."""
    part = {"type": "http.request", "body": b"{", "more_body": True}
    sent = call([part, None])
    assert sent[0]["status"] == 400
    assert json.loads(sent[1]["body"])["params"] == {"reason": "slow-body"}


def test_a_caller_who_hangs_up_gets_no_answer() -> None:
    part = {"type": "http.request", "body": b"{", "more_body": True}
    assert call([part, {"type": "http.disconnect"}]) == []


def test_a_crash_after_the_answer_began_adds_nothing_to_it() -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["body"] == b"{}"
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError

    async def send(message: Message) -> None:
        sent.append(message)

    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"}]
    )

    async def receive() -> Message:
        return next(messages)

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    asyncio.run(RequestGuard(app)(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start"]


def test_other_protocols_pass() -> None:
    seen: list[str] = []

    async def app(scope: object, receive: object, send: object) -> None:
        seen.append("passed")

    async def nothing() -> Message:
        return {}

    async def drop(message: Message) -> None:
        return None

    asyncio.run(RequestGuard(app)({"type": "lifespan"}, nothing, drop))
    assert seen == ["passed"]
