"""The gate and the signature check behind a real server, by a real client (T-API-03, 18, 20)."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_bytes
from threading import Thread
from time import sleep
from typing import Annotated

import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI

from seal_service.plumbing.auth import Authenticator, Caller
from seal_service.plumbing.callers import NewCaller, register_caller
from seal_service.plumbing.clock import SystemClock
from seal_service.plumbing.database import Database
from seal_service.plumbing.limits import RequestGuard
from seal_service.plumbing.problems import install
from seal_service.plumbing.request_signing import RequestSigner
from seal_service.plumbing.secret_box import SecretBox
from seal_service.plumbing.strict_json import StrictModel
from tests.conftest import make_tables
from tests.support.licences import AUTHORITY


class Order(StrictModel):
    name: str


@dataclass(frozen=True)
class Running:
    port: int
    secret: bytes

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    url = f"sqlite:///{tmp_path_factory.mktemp('http') / 'test.db'}"
    make_tables(url)
    database = Database(url)
    box = SecretBox(token_bytes(32))
    new = NewCaller(
        caller_id="approval", authority_code=AUTHORITY.code, scopes=frozenset({"things:make"})
    )
    with database.transaction() as connection:
        secret = register_caller(
            connection, new, box=box, randomness=token_bytes, now=SystemClock().now()
        )
    server = uvicorn.Server(
        uvicorn.Config(make_app(database, box), host="127.0.0.1", port=0, log_level="error")
    )
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        sleep(0.01)
    yield Running(port=server.servers[0].sockets[0].getsockname()[1], secret=secret)
    server.should_exit = True
    thread.join()
    database.close()


def make_app(database: Database, box: SecretBox) -> FastAPI:
    authenticator = Authenticator(
        database=database, clock=SystemClock(), box=box, decoy_key=token_bytes(32)
    )
    app = FastAPI()
    install(app)
    app.add_middleware(RequestGuard)

    @app.post("/things/{name}")
    def post_thing(
        name: str,
        order: Order,
        caller: Annotated[Caller, Depends(authenticator.require("things:make"))],
    ) -> dict[str, object]:
        return {"name": name, "order": order.name, "caller_id": caller.caller_id}

    return app


def test_a_signed_request_goes_through_a_real_server(running: Running) -> None:
    with httpx.Client(auth=RequestSigner("approval", running.secret)) as client:
        for path in ("/things/a", "/things/%E7%94%B2%2B?x=1&y=%20&z"):
            answer = client.post(running.url + path, json={"name": "甲"})
            assert answer.status_code == 200, answer.text
            assert answer.json()["order"] == "甲"


def test_a_captured_request_cannot_be_sent_again(running: Running) -> None:
    """T-API-03."""
    with httpx.Client(auth=RequestSigner("approval", running.secret)) as client:
        first = client.post(running.url + "/things/a", json={"name": "a"})
    with httpx.Client() as client:
        assert client.send(first.request).status_code == 401


def test_an_unsigned_request_is_refused(running: Running) -> None:
    answer = httpx.post(running.url + "/things/a", json={"name": "a"})
    assert (answer.status_code, answer.json()["code"]) == (401, "caller-unknown")


def exchange(running: Running, *parts: bytes) -> bytes:
    """Send raw bytes and return what comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            pass
        return received


HEAD = (
    b"POST /things/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
)


def test_an_endless_chunked_body_is_cut_off(running: Running) -> None:
    """T-API-18."""
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    answer = exchange(running, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 40)
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"Content-Length: x\r\n\r\n{}",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"X: a\r\n b\r\nContent-Length : 2\r\n\r\n{}",
    ],
)
def test_ambiguous_framing_never_reaches_a_route(running: Running, framing: bytes) -> None:
    """T-API-20: refused by the server or by the gate, and the connection is closed."""
    answer = exchange(running, HEAD + framing)
    assert answer.split(b" ")[1] in (b"400", b"401"), answer
    assert answer.count(b"HTTP/1.1 ") == 1
