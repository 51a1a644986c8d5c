"""The same approval result asked for again, over HTTP: at once, in parallel, with other content."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from licence_store.tables import licences
from seal_service.seals.tables import seal_uses
from tests.journeys.service import Kit, LaterClock, Running, issue, make_body, running

pytestmark = pytest.mark.journey

TWINS = 50
BOTH_FORMS = ("ofd", "pdf")


def _count(service: Running, case_number: str) -> tuple[int, int]:
    """Return how many licences a case has, and how many uses of a seal, whatever their state."""
    with service.service.installation.database.reading() as connection:
        counts = [
            connection.execute(
                select(func.count()).select_from(table).where(table.c.case_number == case_number)
            ).scalar_one()
            for table in (licences, seal_uses)
        ]
    return counts[0], counts[1]


def _download(client: httpx.Client, licence: dict[str, object]) -> list[bytes]:
    return [
        client.get(f"/v1/licences/{licence['identifier']}/files/{form}").content
        for form in BOTH_FORMS
    ]


def test_fifty_equal_requests_at_once_make_one_licence(service: Running) -> None:
    """T-API-12, T-STO-05: one licence, one answer, one pair of files, two uses of the seal."""
    body = make_body("YQ-TWINS-1")
    gate = threading.Barrier(TWINS)

    def ask(number: int) -> tuple[int, bytes, list[bytes]]:
        with service.client() as client:
            gate.wait()
            answer = issue(client, body, "one-key-of-all" if number % 2 else f"own-key-{number}")
            return answer.status_code, answer.content, _download(client, answer.json())

    with ThreadPoolExecutor(TWINS) as pool:
        answers = list(pool.map(ask, range(TWINS)))
    assert {status for status, _, _ in answers} == {201}
    assert len({content for _, content, _ in answers}) == 1
    assert len({tuple(files) for _, _, files in answers}) == 1
    assert _count(service, "YQ-TWINS-1") == (1, 2)


def test_two_cases_under_one_key_are_one_licence_and_one_refusal(service: Running) -> None:
    """T-API-13: a key is bound to the content it came with first."""
    with service.client() as client:
        first = issue(client, make_body("YQ-TWINS-2"), "key-of-two-cases")
        other = issue(client, make_body("YQ-TWINS-3"), "key-of-two-cases")
    assert first.status_code == 201
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-mismatch")
    assert _count(service, "YQ-TWINS-3") == (0, 0)


def test_a_case_with_other_content_is_refused_and_nothing_is_issued(service: Running) -> None:
    """T-API-13: the same approval number with another day of issue, under whatever key."""
    body = make_body("YQ-TWINS-4")
    with service.client() as client:
        licence = issue(client, body).json()
        for key in ("key-YQ-TWINS-4", "another-key"):
            answer = issue(client, {**body, "issued_on": "2026-11-23"}, key)
            assert answer.status_code == 409
        assert client.get(f"/v1/licences/{licence['identifier']}").json() == licence
    assert _count(service, "YQ-TWINS-4") == (1, 2)


def test_different_content_of_one_case_at_once_leaves_one_licence(service: Running) -> None:
    """T-STO-05: whoever comes first has the case; the others are told."""
    gate = threading.Barrier(8)

    def ask(number: int) -> int:
        body = make_body("YQ-TWINS-5", area_code="320102" if number % 2 else "320103")
        with service.client() as client:
            gate.wait()
            return issue(client, body, f"racing-key-{number}").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(ask, range(8)))
    assert statuses == [201] * 4 + [409] * 4
    assert _count(service, "YQ-TWINS-5") == (1, 2)


def test_a_request_repeated_after_a_year_gets_the_same_answer(kit: Kit) -> None:
    """T-API-12: the key is kept for ever, and over a restart."""
    body = make_body("YQ-TWINS-6")
    with running(kit) as found, found.client() as client:
        first = issue(client, body)
        files = _download(client, first.json())
    with running(kit, LaterClock(timedelta(days=366))) as found, found.client() as client:
        again = issue(client, body)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert _download(client, again.json()) == files
