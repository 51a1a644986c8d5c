"""Every operation of the OpenAPI document, asked at random (T-API-39).

``ESEAL_RANDOM_REQUESTS`` sets how many requests each operation gets on each database.
"""

import os
from collections import Counter
from dataclasses import dataclass

import httpx
import pytest

from seal_service.plumbing.problems import MEDIA_TYPE, Problem
from tests.journeys.operations import Operation, example, read_operations
from tests.journeys.requests_at_random import NASTY_BODIES, Generator, Sent
from tests.journeys.service import Running, issue, make_body

pytestmark = pytest.mark.journey

EACH = int(os.environ.get("ESEAL_RANDOM_REQUESTS", "14"))
NEVER_TOLD = ("traceback", "sqlite", "sqlalchemy", "psycopg", ".py", "site-packages", "select ")


@dataclass(frozen=True)
class Target:
    """Objects that requests at random may do anything to, and the operations to ask."""

    running: Running
    operations: tuple[Operation, ...]
    values: dict[str, str]


@pytest.fixture
def target(service: Running) -> Target:
    operations = read_operations(service.service)
    (applying,) = (each for each in operations if each.name == "post_seal")
    assert applying.body is not None
    application = example(applying.body)
    assert isinstance(application, dict)
    application["valid_until"] = "2027-11-24T04:00:00Z"
    with service.client() as client:
        licence = issue(client, make_body("YQ-RANDOM-1")).json()
        seal = client.post("/v1/seals", json=application).json()
    return Target(
        running=service,
        operations=operations,
        values={
            "identifier": licence["identifier"],
            "seal_id": seal["seal_id"],
            "format": "ofd",
        },
    )


def _send(client: httpx.Client, sent: Sent) -> httpx.Response:
    return client.request(sent.method, sent.path, content=sent.content, headers=sent.headers)


def _check_answer(operation: Operation, sent: Sent, answer: httpx.Response) -> None:
    told = f"{operation.name}: {sent.path[:200]} {sent.content[:200]!r} {sent.headers}"
    assert answer.status_code < 500, told
    if sent.is_plain:
        assert answer.status_code in operation.statuses, f"{answer.status_code} {told}"
    if answer.is_success:
        return
    assert answer.headers["content-type"] == MEDIA_TYPE, told
    problem = Problem.model_validate_json(answer.content, strict=True)
    assert problem.status == answer.status_code, told
    assert problem.instance == answer.headers["x-request-id"]
    assert not [each for each in NEVER_TOLD if each in answer.text.lower()], told


def test_no_request_made_at_random_breaks_the_service(target: Target) -> None:
    """T-API-39, T-API-15, T-API-21, T-API-22, T-API-31: refused in good form or served."""
    statuses: Counter[int] = Counter()
    with target.running.client() as client:
        for operation in target.operations:
            generator = Generator(operation.name, target.values)
            for _ in range(EACH):
                sent = generator.make(operation)
                answer = _send(client, sent)
                _check_answer(operation, sent, answer)
                statuses[answer.status_code // 100] += 1
        assert client.get("/healthz").status_code == 200
    # Neither all refused nor all served: otherwise the generator would test nothing.
    assert statuses[2] > statuses.total() / 20
    assert statuses[4] > statuses.total() / 4


def test_bodies_that_are_no_good_json_are_refused_by_every_operation(target: Target) -> None:
    """T-API-14..17: the same on every route and database, and never a server error."""
    asked = [operation for operation in target.operations if operation.body is not None]
    headers = {"Content-Type": "application/json", "Idempotency-Key": "key-of-no-good-json"}
    with target.running.client() as client:
        for operation in asked[:: max(1, len(asked) // 4)]:
            for content in NASTY_BODIES:
                sent = Sent(operation.method, operation.fill(target.values), content, headers)
                answer = _send(client, sent)
                _check_answer(operation, sent, answer)
                assert answer.status_code in (400, 413, 415, 422)
