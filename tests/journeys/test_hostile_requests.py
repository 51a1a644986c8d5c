"""Hostile requests against the whole service: bytes on the wire, and fields that break a rule."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from eseal.main import build_api
from eseal.settings import PROJECT
from licence_store.tables import licences
from tests.journeys.service import Running, issue, make_body
from tests.support.licences import HOLDER, business_face

pytestmark = pytest.mark.journey

RARE = PROJECT / "examples" / "approval-results" / "03-business-licence-rare-characters.json"
HEAD = b"POST /v1/licences HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
MEBIBYTE = 1024 * 1024
SECONDS = 10
SILENCE_SECONDS = 0.3


def _count(service: Running) -> int:
    with service.service.installation.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(licences)).scalar_one()


@contextmanager
def _connection(service: Running) -> Iterator[socket.socket]:
    parts = urlsplit(service.address)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=SECONDS) as made:
        yield made


def _read_answers(connection: socket.socket) -> bytes:
    """Read until the other side closes, or has said something and then stays silent."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
            connection.settimeout(SILENCE_SECONDS)
    except (ConnectionResetError, TimeoutError):
        pass
    return b"".join(parts)


def _answers(service: Running, request: bytes, *, gives_up: bool = False) -> list[int]:
    """Send bytes, and perhaps end the sending; return the statuses of all answers."""
    with _connection(service) as connection:
        try:
            connection.sendall(request)
            if gives_up:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            # Refused while we were sending: the answer is there all the same.
            pass
        said = _read_answers(connection)
    return [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]]


# Bytes on the wire


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (HEAD + b"Content-Length: 1048577\r\n\r\n" + b" " * 1048577, 413),
        (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", 400),
        (
            HEAD
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + (b"10000\r\n" + b" " * 0x10000 + b"\r\n") * 17
            + b"0\r\n\r\n",
            413,
        ),
        (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", 415),
        (HEAD + b"Content-Encoding: deflate\r\nContent-Length: 2\r\n\r\n{}", 415),
    ],
    ids=["declared too long", "absurd length", "chunks without length", "gzip", "deflate"],
)
def test_a_body_over_the_limit_is_refused_however_it_comes(
    service: Running, request_bytes: bytes, status: int
) -> None:
    """T-API-18: by its declared length, by counting, and never unpacked."""
    assert _answers(service, request_bytes) == [status]


def test_a_body_shorter_than_declared_does_nothing(service: Running) -> None:
    """T-API-18: the other side gives up; nothing is read of half a body."""
    before = _count(service)
    body = json.dumps(make_body("YQ-HOSTILE-1")).encode()
    head = HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) + 10)
    assert _answers(service, head + body, gives_up=True) in ([], [400])
    assert _count(service) == before


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 2, 3\r\n",
        b"Content-Length: +2\r\n",
        b"Content-Length: 0x2\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"X: a\r\n b\x00\r\nContent-Length: 2\r\n",
        b"Bad Header: 1\r\nContent-Length: 2\r\n",
    ],
)
def test_a_request_whose_end_is_in_doubt_is_refused_and_the_connection_closed(
    service: Running, headers: bytes
) -> None:
    """T-API-20: one answer, whatever the bytes behind look like."""
    hidden = b"{}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    (status,) = _answers(service, HEAD + headers + b"\r\n" + hidden)
    assert status in (400, 501)


def test_a_length_beside_chunks_hides_no_second_request(service: Running) -> None:
    """T-API-20: a gateway may count by the one, we by the other; refused and closed."""
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    request = (
        HEAD
        + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % (5 + len(smuggled))
        + b"0\r\n\r\n"
        + smuggled
    )
    assert _answers(service, request) == [400]


def test_no_route_signs_a_digest_that_a_caller_chose(service: Running) -> None:
    """T-KEY-06: only whole documents that were read are sealed."""
    described = build_api(service.service).openapi()
    names = {
        name
        for path in described["paths"].values()
        for operation in path.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
        for name in content["schema"].get("properties", {})
    }
    schemas = described["components"]["schemas"].items()
    bodies = {field for name, one in schemas if "Body" in name for field in one["properties"]}
    # What a decision names is a digest of what was read, and no key ever signs it.
    chosen = {name for name in names | bodies if re.search("digest|hash|to_sign|message", name)}
    assert chosen <= {"request_digest", "application_digest"}
    order = {"mode": "lock", "seal_id": "x", "case_number": "x", "digest": "00" * 32}
    with service.client() as client:
        key = {"Idempotency-Key": "key-oracle-1"}
        answer = client.post("/v1/sealings", json=order, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-fields")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "OPTIONS", "PURGE", "PUT", "DELETE"])
def test_methods_outside_the_contract_are_refused(service: Running, method: str) -> None:
    """T-API-33."""
    head = f"{method} /v1/licences HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    assert _answers(service, f"{head}X-HTTP-Method-Override: GET\r\n\r\n".encode()) == [405]


@pytest.mark.parametrize(
    "query",
    ["limit=1&limit=2", "limit=%00", "limit=%ff", "limit=1000000000", "limit=1.5", "unknown=1",
     "state=issuing' OR '1'='1", "after=%25"],
)  # fmt: skip
def test_odd_parameters_are_refused_or_find_nothing(service: Running, query: str) -> None:
    """T-API-14, T-API-15, T-API-22, T-API-34."""
    with service.client() as client:
        answer = client.get(f"/v1/licences?{query}")
    if answer.is_success:
        assert answer.json()["licences"] == []
    else:
        assert answer.status_code in (400, 422)


# Fields that break a rule

_FACE = business_face()
BROKEN: dict[str, dict[str, object]] = {
    "unknown field": {"colour": "red"},
    "number for text": {"area_code": 320102},
    "truth for text": {"case_number": True},
    "text for object": {"holder": "金陵云栖茶点有限公司"},
    "list for text": {"service_item_name": ["公司设立登记"]},
    "number in face data": {"face_data": {**_FACE, "registered_capital": 1000000}},
    "check digit of the holder": {
        "holder": {"name": HOLDER.name, "code": HOLDER.code[:-1] + "7", "code_type": "001"}
    },
    "check digit of a citizen": {
        "holder": {"name": "林一舟", "code": "320102199001010017", "code_type": "111"}
    },
    "30 February": {"issued_on": "2026-02-30"},
    "other calendar form": {"issued_on": "2026/11/24"},
    "full-width digits": {"valid_from": "２０２６-11-24"},
    "end before begin": {"valid_from": "2026-11-24", "valid_until": "2026-11-23"},
    "no holder name": {"holder": {"name": "", "code": HOLDER.code, "code_type": "001"}},
    "unknown code type": {"holder": {"name": HOLDER.name, "code": HOLDER.code, "code_type": "042"}},
    "area code": {"area_code": "32010"},
    "unknown face field": {"face_data": {**_FACE, "colour": "red"}},
    "missing face field": {"face_data": {"name": HOLDER.name}},
    "face and holder differ": {"face_data": {**_FACE, "name": "另一家有限公司"}},
}
SHOWS_SOMETHING_ELSE = {
    "right to left": "\u202e",
    "isolate": "\u2067",
    "zero width space": "\u200b",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "private use": "\ue123",
    "unassigned": "\U0003fffe",
    "line separator": "\u2028",
    "control": "\x1b",
    "tag": "\U000e0041",
    "interlinear": "\ufff9",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_field_that_breaks_its_rule_is_named_and_nothing_is_stored(
    service: Running, fault: str
) -> None:
    """T-API-16, T-API-26: 422 with a pointer to the field, before a number is taken."""
    before = _count(service)
    with service.client() as client:
        answer = issue(client, {**make_body("YQ-HOSTILE-2"), **BROKEN[fault]})
    assert answer.status_code == 422, answer.text
    assert all(each["pointer"].startswith("/") for each in answer.json()["errors"])
    assert _count(service) == before


@pytest.mark.parametrize("kind", SHOWS_SOMETHING_ELSE)
def test_characters_that_show_something_else_are_refused(service: Running, kind: str) -> None:
    """T-API-28: in the holder's name, which stands on the face, the page and the log."""
    name = f"金陵云栖{SHOWS_SOMETHING_ELSE[kind]}茶点有限公司"
    holder = replace(HOLDER, name=name)
    before = _count(service)
    body = make_body("YQ-HOSTILE-3", holder=holder, face_data=business_face(holder))
    with service.client() as client:
        answer = issue(client, body)
    assert answer.status_code == 422, answer.text
    assert _count(service) == before


def test_rare_characters_are_issued_as_they_were_sent(service: Running) -> None:
    """T-API-27: beyond the basic plane, on the face and in the answer, letter by letter."""
    body = json.loads(RARE.read_text(encoding="utf-8"))
    with service.client() as client:
        answer = issue(client, body)
        assert answer.status_code == 201, answer.text
        assert answer.json()["holder"] == body["holder"]
        assert answer.json()["face_data"].items() >= body["face_data"].items()
        url = f"/v1/licences/{answer.json()['identifier']}/files/ofd"
        ofd = client.get(url).content
    assert any(ord(letter) > 0xFFFF for letter in json.dumps(body, ensure_ascii=False))
    verdict = service.service.verification.judge_upload(ofd)
    assert verdict.licence is not None
    assert verdict.licence.holder_name == body["holder"]["name"]


def test_a_character_without_a_glyph_is_refused_before_sealing(service: Running) -> None:
    """T-API-27: never a blank box on a sealed face; the case may be asked for again."""
    holder = replace(HOLDER, name="金陵云栖𓀀茶点有限公司")
    body = make_body("YQ-HOSTILE-4", holder=holder, face_data=business_face(holder))
    with service.client() as client:
        answer = issue(client, body)
        assert answer.status_code == 422
        assert answer.json()["code"] in ("glyph-missing", "invalid-approval-result")
        mended = issue(client, make_body("YQ-HOSTILE-4"))
    assert mended.status_code == 201
