"""Signed requests over HTTP: who is let in, and that all others look alike (T-API-01..05, 08)."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import func, select

from seal_service.plumbing.auth import Authenticator, Caller
from seal_service.plumbing.callers import (
    NewCaller,
    change_scopes,
    disable,
    register_caller,
    replace_secret,
)
from seal_service.plumbing.database import Database
from seal_service.plumbing.limits import RequestGuard
from seal_service.plumbing.nonces import MOST_REMOVED, remove_old_nonces, use_nonce
from seal_service.plumbing.problems import install
from seal_service.plumbing.request_signing import RequestSigner
from seal_service.plumbing.secret_box import SecretBox
from seal_service.plumbing.tables import caller_nonces
from tests.support.licences import AUTHORITY, OTHER_AUTHORITY, MovingClock, make_randomness
from tests.support.signed import SignedClient

BODY = b'{"a": 1}'
JSON = {"Content-Type": "application/json"}


@dataclass
class Scene:
    database: Database
    clock: MovingClock = field(default_factory=MovingClock)
    box: SecretBox = field(default_factory=lambda: SecretBox(b"key of the box, for tests"))

    def register(self, caller_id: str = "approval", **changes: object) -> bytes:
        new = {
            "caller_id": caller_id,
            "authority_code": AUTHORITY.code,
            "scopes": frozenset({"licences:read"}),
            **changes,
        }
        with self.database.transaction() as connection:
            return register_caller(
                connection,
                NewCaller(**new),  # type: ignore[arg-type]  # a builder's keywords are flaws
                box=self.box,
                randomness=make_randomness(3),
                now=self.clock.now(),
            )

    def app(self) -> FastAPI:
        authenticator = Authenticator(
            database=self.database, clock=self.clock, box=self.box, decoy_key=b"d" * 32
        )
        app = FastAPI()
        install(app)
        app.add_middleware(RequestGuard)
        reader = authenticator.require("licences:read")

        @app.api_route("/things/{name}", methods=["GET", "POST"])
        def thing(name: str, caller: Annotated[Caller, Depends(reader)]) -> dict[str, object]:
            return {
                "name": name,
                "caller_id": caller.caller_id,
                "authority_code": caller.authority_code,
                "scopes": sorted(caller.scopes),
            }

        return app

    def client(self, secret: bytes, caller_id: str = "approval") -> SignedClient:
        return SignedClient(self.app(), RequestSigner(caller_id, secret, clock=self.clock))


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.fixture
def client(scene: Scene) -> SignedClient:
    return scene.client(scene.register())


def post(client: SignedClient, url: str = "/things/a?x=1&y=2") -> httpx.Request:
    return client.prepare("POST", url, content=BODY, headers={**JSON, "Idempotency-Key": "key-1"})


def changed(request: httpx.Request, **parts: object) -> httpx.Request:
    values: dict[str, object] = {
        "method": request.method,
        "url": request.url,
        "content": request.content,
        "headers": request.headers,
        **parts,
    }
    return httpx.Request(**values)  # type: ignore[arg-type]  # a builder's keywords are flaws


def test_a_signed_request_is_let_in_as_its_caller(client: SignedClient) -> None:
    answer = client.send_prepared(post(client))
    assert answer.json() == {
        "name": "a",
        "caller_id": "approval",
        "authority_code": AUTHORITY.code,
        "scopes": ["licences:read"],
    }


@pytest.mark.parametrize(
    "url", ["/things/a", "/things/a?", "/things/%E7%94%B2", "/things/a%20b?q=%2F"]
)
def test_a_signed_request_without_a_body_is_let_in(client: SignedClient, url: str) -> None:
    assert client.send("GET", url).status_code == 200


def test_another_host_name_does_not_matter(client: SignedClient) -> None:
    """A gateway may rename the host; the target, the body and the key are what is bound."""
    request = post(client)
    moved = changed(request, url=request.url.copy_with(host="gateway.example"))
    moved.headers["host"] = "gateway.example"
    assert client.send_prepared(moved).status_code == 200


def test_all_refusals_are_one_and_the_same_answer(scene: Scene) -> None:
    """T-API-01: nothing tells an unknown caller from a wrong secret, a replay or a bad form."""
    secret = scene.register()
    client = scene.client(secret)
    scene.register("gone")
    scene.register("late", expires_at=scene.clock.now())
    with scene.database.transaction() as connection:
        disable(connection, "gone", now=scene.clock.now())
    used = post(client)
    client.send_prepared(used)
    answers = [
        client.send_prepared(used),
        SignedClient(scene.app()).send("POST", "/things/a", content=BODY, headers=JSON),
        scene.client(secret, "stranger").send("GET", "/things/a"),
        scene.client(secret, "gone").send("GET", "/things/a"),
        scene.client(secret, "late").send("GET", "/things/a"),
        scene.client(b"x" * 32).send("GET", "/things/a"),
        scene.client(b"").send("GET", "/things/a"),
        scene.client(secret, "a b").send("GET", "/things/a"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    documents = [{**answer.json(), "instance": ""} for answer in answers]
    assert all(document == documents[0] for document in documents)
    assert documents[0]["code"] == "caller-unknown"
    names = [sorted(answer.headers) for answer in answers]
    assert all(each == names[0] for each in names)


@pytest.mark.parametrize(
    "parts",
    [
        {"method": "GET"},
        {"url": "http://test/things/b?x=1&y=2"},
        {"url": "http://test/things/a?y=2&x=1"},
        {"url": "http://test/things/a?x=1"},
        {"url": "http://test/things/a?x=1&y=2&z=3"},
        {"url": "http://test/things/%61?x=1&y=2"},
        {"content": b'{"a": 2}'},
        {"content": b'{"a": 1} '},
        {"content": b""},
    ],
)
def test_a_signature_over_another_request_is_refused(
    client: SignedClient, parts: dict[str, object]
) -> None:
    """T-API-02."""
    request = post(client)
    headers = httpx.Headers(request.headers)
    headers.pop("content-length")
    answer = client.send_prepared(changed(request, headers=headers, **parts))
    assert (answer.status_code, answer.json()["code"]) == (401, "caller-unknown")


@pytest.mark.parametrize(
    ("name", "value"),
    [("Idempotency-Key", "key-2"), ("Content-Type", "application/json; charset=utf-8")],
)
def test_a_covered_header_cannot_be_changed_removed_or_doubled(
    client: SignedClient, name: str, value: str
) -> None:
    """T-API-02."""
    other = post(client)
    other.headers[name] = value
    without = post(client)
    del without.headers[name]
    doubled = post(client)
    doubled.headers = httpx.Headers([*doubled.headers.multi_items(), (name, doubled.headers[name])])
    for request in (other, without, doubled):
        assert client.send_prepared(request).status_code == 401


@pytest.mark.parametrize("name", ["Signature", "Signature-Input", "Content-Digest"])
def test_a_signature_header_cannot_be_doubled(client: SignedClient, name: str) -> None:
    """T-API-02."""
    request = post(client)
    request.headers = httpx.Headers([*request.headers.multi_items(), (name, request.headers[name])])
    assert client.send_prepared(request).status_code == 401


def test_every_changed_bit_of_the_signature_is_refused(client: SignedClient) -> None:
    request = post(client)
    value = request.headers["signature"]
    for place in range(7, 50, 6):
        letter = "A" if value[place] != "A" else "B"
        request.headers["signature"] = value[:place] + letter + value[place + 1 :]
        assert client.send_prepared(request).status_code == 401
    request.headers["signature"] = value
    assert client.send_prepared(request).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(300, 200), (301, 401), (-300, 200), (-301, 401)])
def test_a_request_is_good_for_five_minutes(
    scene: Scene, client: SignedClient, seconds: int, status: int
) -> None:
    """T-API-03."""
    request = post(client)
    scene.clock.move(timedelta(seconds=seconds))
    assert client.send_prepared(request).status_code == status


@pytest.mark.parametrize("seconds", [0, 299, 300])
def test_a_nonce_is_used_once_also_after_a_restart(
    scene: Scene, client: SignedClient, seconds: int
) -> None:
    """T-API-03: a new application over the same database stands for the restart."""
    request = post(client)
    assert client.send_prepared(request).status_code == 200
    scene.clock.move(timedelta(seconds=seconds))
    restarted = SignedClient(scene.app())
    assert restarted.send_prepared(request).status_code == 401


def test_a_request_of_a_fast_clock_cannot_be_repeated_until_it_is_too_old(
    scene: Scene, client: SignedClient
) -> None:
    """T-API-03: signed 300 s ahead of us, it stays acceptable for 600 s, as long as its nonce."""
    scene.clock.move(timedelta(seconds=300))
    request = post(client)
    scene.clock.move(timedelta(seconds=-300))
    assert client.send_prepared(request).status_code == 200
    for _ in range(2):
        scene.clock.move(timedelta(seconds=300))
        assert client.send("GET", "/things/a").status_code == 200
        assert client.send_prepared(request).status_code == 401


def test_two_callers_may_use_one_nonce(scene: Scene) -> None:
    """T-API-03."""
    app = scene.app()
    for caller_id in ("one", "two"):
        signer = RequestSigner(
            caller_id, scene.register(caller_id), clock=scene.clock, make_nonce=lambda: "n" * 24
        )
        assert SignedClient(app, signer).send("GET", "/things/a").status_code == 200


def test_an_algorithm_named_by_the_client_is_refused(client: SignedClient) -> None:
    """T-API-04: the algorithm belongs to the key."""
    for name in ("none", "hmac-sha256", "rsa-pss-sha512"):
        request = post(client)
        text = request.headers["signature-input"].replace("hmac-sm3", name)
        request.headers["signature-input"] = text
        assert client.send_prepared(request).status_code == 401


@pytest.mark.parametrize(
    "name", ["X-Client-Cert", "X-SSL-Client-S-DN", "X-Forwarded-User", "Forwarded", "Authorization"]
)
def test_an_identity_in_a_forwarded_header_is_not_believed(scene: Scene, name: str) -> None:
    """T-API-05."""
    scene.register()
    client = SignedClient(scene.app())
    assert client.send("GET", "/things/a", headers={name: "approval"}).status_code == 401


def test_a_missing_scope_is_told_to_a_known_caller_only(scene: Scene) -> None:
    """T-API-08."""
    secret = scene.register(scopes=frozenset({"licences:issue"}))
    answer = scene.client(secret).send("GET", "/things/a")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    assert scene.client(b"x" * 32).send("GET", "/things/a").status_code == 401


def test_changes_of_a_caller_take_effect_at_the_next_request(scene: Scene) -> None:
    client = scene.client(scene.register())
    assert client.send("GET", "/things/a").status_code == 200
    with scene.database.transaction() as connection:
        change_scopes(connection, "approval", frozenset())
    assert client.send("GET", "/things/a").status_code == 403
    with scene.database.transaction() as connection:
        change_scopes(connection, "approval", frozenset({"licences:read"}))
        new = replace_secret(connection, "approval", box=scene.box, randomness=make_randomness(4))
    assert client.send("GET", "/things/a").status_code == 401
    renewed = scene.client(new)
    assert renewed.send("GET", "/things/a").status_code == 200
    with scene.database.transaction() as connection:
        disable(connection, "approval", now=scene.clock.now())
    assert renewed.send("GET", "/things/a").status_code == 401


def test_a_caller_belongs_to_its_tenant(scene: Scene) -> None:
    secret = scene.register(authority_code=OTHER_AUTHORITY.code)
    answer = scene.client(secret).send("GET", "/things/a")
    assert answer.json()["authority_code"] == OTHER_AUTHORITY.code


def test_a_box_with_another_key_fails_closed_and_tells_nothing(scene: Scene) -> None:
    secret = scene.register()
    scene.box = SecretBox(b"another key of the box")
    answer = scene.client(secret).send("GET", "/things/a")
    assert (answer.status_code, answer.json()["code"]) == (500, "secret-damaged")
    assert answer.json()["detail"] == answer.json()["title"]


def test_without_the_guard_nobody_is_let_in(scene: Scene) -> None:
    secret = scene.register()
    app = scene.app()
    app.user_middleware.clear()
    client = SignedClient(app, RequestSigner("approval", secret, clock=scene.clock))
    assert client.send("GET", "/things/a").status_code == 500


def test_old_nonces_are_removed_a_bounded_number_at_a_time(scene: Scene) -> None:
    now = scene.clock.now()
    with scene.database.transaction() as connection:
        for number in range(MOST_REMOVED + 5):
            assert use_nonce(connection, "approval", f"nonce-{number}", now)
        later = now + timedelta(seconds=600)
        assert remove_old_nonces(connection, later) == 0
        later += timedelta(seconds=1)
        assert remove_old_nonces(connection, later) == MOST_REMOVED
        assert remove_old_nonces(connection, later) == 5


def test_requests_clean_up_behind_themselves(scene: Scene, client: SignedClient) -> None:
    for _ in range(3):
        assert client.send("GET", "/things/a").status_code == 200
    scene.clock.move(timedelta(seconds=601))
    assert client.send("GET", "/things/a").status_code == 200
    with scene.database.reading() as connection:
        left = connection.execute(select(func.count()).select_from(caller_nonces)).scalar_one()
    assert left == 1


def test_no_secret_is_in_the_answer_or_the_log(
    client: SignedClient, capsys: pytest.CaptureFixture[str], scene: Scene
) -> None:
    """T-API-30."""
    secret = scene.register("other")
    answer = scene.client(secret, "other").send("GET", "/things/a")
    said = capsys.readouterr()
    text = said.out + said.err + json.dumps(answer.json())
    assert secret.hex() not in text
    assert repr(secret) not in text
