"""Codes behind ``/q/`` with the real library, log and judge: guessed, bent, revoked, timed."""

import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_bytes
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from licence_store.links import make_code
from seal_service.plumbing.limits import RequestGuard
from tests.journeys.service import SECONDS, Running, issue, make_body
from tests.support.live import serve
from verifier.web import WebParts, build_problem_writer, build_web_router

pytestmark = pytest.mark.journey

PAIRS = 120
SHOWN_AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


class _StoppedClock:
    """So that pages differ by what they say, not by when."""

    def now(self) -> datetime:
        return SHOWN_AT


@dataclass(frozen=True)
class Public:
    """The public pages over the shared service, without limits of rate, and one licence there."""

    running: Running
    client: httpx.Client
    licence: dict[str, object]

    @property
    def code(self) -> str:
        """Return the code on the licence."""
        return urlsplit(str(self.licence["qr_url"])).path.removeprefix("/q/")

    def look_up(self, code: str) -> tuple[int, str]:
        """Return status and page of a code."""
        answer = self.client.get(f"/q/{code}")
        return answer.status_code, answer.text


@pytest.fixture(scope="module")
def public(service_on_sqlite: Running) -> Iterator[Public]:
    service, clock = service_on_sqlite.service, _StoppedClock()
    app = FastAPI()
    parts = WebParts(
        judge_code=service.verification.judge_code,
        judge_upload=service.verification.judge_upload,
        clock=clock,
        public_url=service.settings.public_url(),
    )
    app.include_router(build_web_router(parts))
    gate = RequestGuard(app, write_problem=build_problem_writer(clock, parts.public_url))
    with service_on_sqlite.client() as signed:
        licence = issue(signed, make_body("YQ-PUBLIC-1")).json()
    service.maintenance.run()
    with (
        serve(gate) as address,
        httpx.Client(base_url=address, timeout=SECONDS, trust_env=False) as client,
    ):
        yield Public(running=service_on_sqlite, client=client, licence=licence)


@pytest.fixture(scope="module")
def unknown_page(public: Public) -> tuple[int, str]:
    """Return the answer to a well-formed code that leads nowhere."""
    return public.look_up(make_code(token_bytes(16)))


def _bent(code: str) -> dict[str, str]:
    other = "A" if code[5] != "A" else "B"
    return {
        "one letter": code[:5] + other + code[6:],
        "unused bits": code[:-1] + chr(ord(code[-1]) + 1),
        "shorter": code[:-1],
        "longer": code + "A",
        "padded": code + "==",
        "upper case": code.upper(),
        "lower case": code.lower(),
        "other version": "2" + code[1:],
        "no version": code[1:],
        "other alphabet": code[:5] + "+" + code[6:],
        "full-width digit": "１" + code[1:],
        "arabic digit": "١" + code[1:],
        "encoded twice": "%2531" + code[1:],
        "blank behind": code + "%20",
        "line break": code + "%0a",
        "nul": code + "%00",
        "not UTF-8": code + "%ff",
        "slash behind": code + "/",
        "something behind": code + "/ofd",
        "long": code * 100,
        "nothing": "",
    }


@pytest.mark.parametrize("kind", _bent("1" + "x" * 22))
def test_a_bent_code_is_answered_like_an_unknown_one(
    public: Public, unknown_page: tuple[int, str], kind: str
) -> None:
    """T-WEB-02: whatever is done to a code that leads to a licence, same status, same page."""
    assert public.look_up(public.code)[0] == 200
    assert unknown_page[0] == 404
    assert public.look_up(_bent(public.code)[kind]) == unknown_page


def test_numbers_are_no_codes(public: Public, unknown_page: tuple[int, str]) -> None:
    """T-WEB-01: what can be counted up or read elsewhere opens nothing."""
    identifier = str(public.licence["identifier"])
    number = str(public.licence["licence_number"])
    count = str(int(time.time()))
    for guess in (identifier, number, number[:-1] + "X", count, "1", "0" * 23, identifier[-23:]):
        assert public.look_up(guess) == unknown_page


def test_a_code_with_the_number_of_another_licence_is_answered_like_an_unknown_one(
    public: Public, unknown_page: tuple[int, str]
) -> None:
    """T-WEB-03: a code says all there is; nothing can be added to it."""
    with public.running.client() as client:
        other = issue(client, make_body("YQ-PUBLIC-2")).json()
    for extra in (other["identifier"], other["licence_number"]):
        assert public.look_up(f"{public.code}/{extra}") == unknown_page
        assert public.look_up(f"{extra}/{public.code}") == unknown_page


def test_an_unfinished_licence_has_no_page(
    public: Public, unknown_page: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-WEB-01: a number is taken before the licence is in force; until then there is nothing."""
    office, seen = public.running.service.office, []
    links = type(office).qr_link

    def remember(self: object, authority_code: str, identifier: str) -> str:
        seen.append(links(office, authority_code, identifier))
        raise RuntimeError("stopped while making")

    with public.running.client() as client, monkeypatch.context() as patched:
        patched.setattr(type(office), "qr_link", remember)
        assert issue(client, make_body("YQ-PUBLIC-3")).status_code == 500
    assert public.look_up(urlsplit(seen[0]).path.removeprefix("/q/")) == unknown_page


def test_a_revoked_licence_says_so_at_the_next_look(public: Public) -> None:
    """T-WEB-16, T-WEB-04: nothing of an earlier answer is kept, here or on the way."""
    with public.running.client() as client:
        licence = issue(client, make_body("YQ-PUBLIC-4")).json()
        public.running.service.maintenance.run()
        path = urlsplit(licence["qr_url"]).path
        before = public.client.get(path)
        order = {"kind": "revoked", "reason": "提交虚假材料取得登记", "basis_document": "决定 3 号"}
        url = f"/v1/licences/{licence['identifier']}/revocation"
        assert client.post(url, json=order).status_code == 200
        after = public.client.get(path)
    assert "现行有效" in _words(before)
    assert "现行有效" not in _words(after)
    assert "吊销" in _words(after)
    assert "no-store" in before.headers["cache-control"]


def test_how_long_an_answer_takes_tells_nothing_of_a_wrong_code(public: Public) -> None:
    """T-WEB-17: unknown and malformed codes are one class of timing, by their medians."""
    malformed = public.code[:5] + "+" + public.code[6:]
    times: dict[str, list[float]] = {"unknown": [], "malformed": []}
    for _ in range(PAIRS):
        for kind, code in (("unknown", make_code(token_bytes(16))), ("malformed", malformed)):
            started = time.perf_counter()
            public.look_up(code)
            times[kind].append(time.perf_counter() - started)
    unknown, wrong = (statistics.median(times[kind]) for kind in ("unknown", "malformed"))
    # Generous: on a busy machine single answers differ far more than the classes may.
    assert abs(unknown - wrong) < max(0.003, 0.5 * max(unknown, wrong))


def _words(answer: httpx.Response) -> str:
    return re.sub(r"<[^>]*>|\s", "", answer.text)
