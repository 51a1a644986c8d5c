"""Every route of the OpenAPI document: no signature, no scope, another authority's objects."""

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from eseal.trial import ALL_SCOPES
from seal_service.plumbing.callers import NewCaller, register_caller
from seal_service.plumbing.request_signing import RequestSigner
from tests.journeys.operations import DOCUMENT_TYPE, Operation, example, read_operations
from tests.journeys.service import SECONDS, Running, issue, make_body
from tests.support.licences import AUTHORITY, OTHER_AUTHORITY
from tests.support.pdf import make_pdf

pytestmark = pytest.mark.journey

SCOPES = {
    "post_licence": "licences:issue",
    "list_licences": "licences:read",
    "get_licence": "licences:read",
    "get_licence_file": "licences:read",
    "post_revocation": "licences:revoke",
    "post_presentation": "licences:present",
    "post_redemption": "licences:redeem",
    "list_uses": "licences:read",
    "list_seals": "seals:read",
    "get_seal": "seals:read",
    "get_seal_history": "seals:read",
    "post_seal": "seals:apply",
    "post_seal_approval": "seals:approve",
    "post_seal_rejection": "seals:approve",
    "post_seal_making": "seals:make",
    "post_seal_state": "seals:manage",
    "post_seal_request": "seals:apply",
    "post_seal_compromise": "seals:apply",
    "list_seal_requests": "seals:read",
    "post_request_confirmation": "seals:approve",
    "post_request_refusal": "seals:approve",
    "post_mandate": "seals:apply",
    "list_mandates": "seals:read",
    "post_mandate_withdrawal": "seals:manage",
    "list_seal_uses": "seals:audit",
    "post_seal_picture_preview": "seals:apply",
    "get_seal_picture": "seals:read",
    "post_seal_picture": "seals:apply",
    "get_uploaded_picture": "seals:read",
    "post_verification": "verifications:create",
    "post_verification_receipt": "verifications:create",
    "post_comparison": "comparisons:create",
    "post_page_picture": "comparisons:create",
    "post_sealing": "seals:use",
    "get_sealing": "seals:use",
    "get_sealed_document": "seals:use",
    "post_service_request": "service:apply",
    "list_service_requests": "service:read",
    "post_service_confirmation": "service:approve",
    "post_service_refusal": "service:approve",
    "list_callers": "service:read",
    "post_caller_disabling": "service:apply",
    "list_certificates": "service:read",
    "get_certificate": "service:read",
    "get_calendar": "service:read",
    "post_revocation_lists": "service:apply",
    "list_keys": "service:read",
    "get_key": "service:read",
}
"""The one scope that opens each operation; a new operation must be entered here."""
PUBLIC = {"get_seal_status"}
"""Operations that everyone may call without a signature, about any authority's objects."""
FURTHER_SCOPES = {"verifications:evidence"}
"""Scopes that open nothing of their own, but a part of an operation."""
SERVICE_SCOPES = {"service:read", "service:apply", "service:approve"}
"""Scopes about the installation and no authority: no caller of a trial has them."""
OF_THE_SERVICE = {"caller_id", "serial", "name"}
"""Parameters that name what the installation has; closed to callers of authorities by scope."""
NOT_FOUND = {
    "identifier": "licence-not-found",
    "seal_id": "seal-not-found",
    "sealing_id": "sealing-not-found",
    "picture_sha256": "seal-picture-not-found",
}
"""Parameters of a path that name what an authority owns, and the answer to everyone else."""
PARTS_OF_OBJECTS = {"format", "request_id", "mandate_id"}
"""Parameters that name something only within such an object."""


@dataclass(frozen=True)
class Owned:
    """What the first authority owns, as values of path parameters."""

    running: Running
    operations: tuple[Operation, ...]
    values: dict[str, str]

    def send(self, client: httpx.Client, operation: Operation) -> httpx.Response:
        """Send a valid request for an object of the first authority."""
        headers = {"Idempotency-Key": f"key-{secrets.token_hex(8)}"}
        path = operation.fill(self.values)
        if operation.takes_document:
            headers["Content-Type"] = DOCUMENT_TYPE
            return client.request(operation.method, path, content=b"no document", headers=headers)
        body = None if operation.body is None else example(operation.body)
        return client.request(operation.method, path, json=body, headers=headers)


@pytest.fixture(scope="module")
def owned(service_on_sqlite: Running) -> Owned:
    with service_on_sqlite.client() as client:
        licence = issue(client, make_body("YQ-OWNED-1")).json()
        seals = client.get("/v1/seals", params={"state": "active"}).json()["seals"]
        sealing = _seal_a_document(client, seals[0]["seal_id"])
    return Owned(
        running=service_on_sqlite,
        operations=read_operations(service_on_sqlite.service),
        values={
            "identifier": licence["identifier"],
            "seal_id": seals[0]["seal_id"],
            "sealing_id": sealing,
            "format": "ofd",
        },
    )


def _seal_a_document(client: httpx.Client, seal_id: str) -> str:
    """Seal a document that is no licence; return the identifier of the sealing."""
    body = {
        "seal_id": seal_id,
        "case_number": "YQ-OWNED-3",
        "document_kind": "approval-letter",
        "document_name": "准予行政许可决定书",
        "mode": "lock",
        "placements": [{"kind": "point", "x_mm": 50.0, "y_mm": 50.0}],
        "document": base64.b64encode(make_pdf()).decode(),
    }
    answer = client.post("/v1/sealings", json=body, headers={"Idempotency-Key": "key-YQ-OWNED-3"})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return str(answer.headers["location"]).rpartition("/")[2]


@contextmanager
def _client(owned: Owned, caller_id: str, scopes: frozenset[str]) -> Iterator[httpx.Client]:
    service = owned.running.service
    with service.installation.database.transaction() as connection:
        secret = register_caller(
            connection,
            NewCaller(caller_id=caller_id, authority_code=AUTHORITY.code, scopes=scopes),
            box=service.box,
            randomness=secrets.token_bytes,
            now=service.clock.now(),
        )
    with owned.running.client(signer=RequestSigner(caller_id, secret)) as client:
        yield client


def test_every_operation_is_known_with_its_scope(owned: Owned) -> None:
    """T-API-08: nobody adds a route without saying who may use it."""
    assert {operation.name for operation in owned.operations} == SCOPES.keys() | PUBLIC
    assert set(SCOPES.values()) | FURTHER_SCOPES == ALL_SCOPES | SERVICE_SCOPES
    assert ALL_SCOPES.isdisjoint(SERVICE_SCOPES)
    named = {name for operation in owned.operations for name in operation.path_names}
    assert named - PARTS_OF_OBJECTS - OF_THE_SERVICE == NOT_FOUND.keys()


def test_no_operation_answers_without_a_signature(owned: Owned) -> None:
    """T-API-01, T-API-08: not even with a body or path that is wrong."""
    with httpx.Client(base_url=owned.running.address, timeout=SECONDS, trust_env=False) as client:
        for operation in owned.operations:
            if operation.name in PUBLIC:
                continue
            answer = owned.send(client, operation)
            assert (answer.status_code, answer.json()["code"]) == (401, "caller-unknown")
            empty = client.request(operation.method, operation.fill({}))
            assert empty.status_code == 401, operation.name


@pytest.mark.parametrize("missing", sorted(set(SCOPES.values())))
def test_an_operation_is_closed_to_who_has_every_scope_but_its_own(
    owned: Owned, missing: str
) -> None:
    """T-API-08: 403, and nothing is done."""
    wanted = [operation for operation in owned.operations if SCOPES.get(operation.name) == missing]
    others = (ALL_SCOPES | SERVICE_SCOPES) - {missing}
    with _client(owned, f"without-{missing}".replace(":", "-"), others) as client:
        for operation in wanted:
            answer = owned.send(client, operation)
            assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
            assert answer.json()["params"] == {"scope": missing}


def test_another_authority_finds_no_object_whatever_the_route(owned: Owned) -> None:
    """T-API-06, T-API-07: 404 and never 403, for every route that names an object."""
    about_objects = [
        operation
        for operation in owned.operations
        if operation.path_names & NOT_FOUND.keys() and operation.name not in PUBLIC
    ]
    assert len(about_objects) > 10
    before = _everything(owned)
    with owned.running.client(OTHER_AUTHORITY) as client:
        for operation in about_objects:
            answer = owned.send(client, operation)
            (name,) = operation.path_names & NOT_FOUND.keys()
            code = NOT_FOUND[name]
            assert (answer.status_code, answer.json()["code"]) == (404, code), operation.name
    assert _everything(owned) == before


def test_the_answer_for_a_foreign_object_is_that_for_none(owned: Owned) -> None:
    """T-API-06: so nobody learns which identifiers exist."""
    identifier = owned.values["identifier"]
    unknown = identifier.replace(identifier.split(".")[-3], "ABCDEFGHJKLMNPQRSTUV")
    with owned.running.client(OTHER_AUTHORITY) as client:
        answers = [client.get(f"/v1/licences/{each}").json() for each in (identifier, unknown)]
    for answer in answers:
        answer.pop("instance")
    assert answers[0] == answers[1]


def test_lists_hold_nothing_of_another_authority(owned: Owned) -> None:
    """T-API-06: neither by paging nor by asking for what another has."""
    with owned.running.client(OTHER_AUTHORITY) as client:
        for query in ({}, {"case_number": "YQ-OWNED-1"}, {"after": owned.values["identifier"]}):
            assert client.get("/v1/licences", params=query).json()["licences"] == []
        for query in ({}, {"after": owned.values["seal_id"]}):
            found = client.get("/v1/seals", params=query).json()["seals"]
            assert owned.values["seal_id"] not in {seal["seal_id"] for seal in found}


def test_nobody_issues_in_the_name_of_another_authority(owned: Owned) -> None:
    """T-API-07: the authority in the body must be the caller's own; its seal follows from it."""
    with owned.running.client(OTHER_AUTHORITY) as client:
        answer = issue(client, make_body("YQ-OWNED-2"))
    assert (answer.status_code, answer.json()["code"]) == (403, "authority-mismatch")


def test_a_seal_cannot_follow_on_another_authoritys_seal(owned: Owned) -> None:
    """T-API-07: naming the predecessor is no way to learn of it or to end it."""
    (operation,) = (each for each in owned.operations if each.name == "post_seal")
    assert operation.body is not None
    body = example(operation.body)
    assert isinstance(body, dict)
    body |= {"valid_until": "2027-11-24T04:00:00Z", "predecessor_seal_id": owned.values["seal_id"]}
    with owned.running.client(OTHER_AUTHORITY) as client:
        answer = client.post("/v1/seals", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "seal-not-found")


def _everything(owned: Owned) -> list[object]:
    """Read all the first authority has, to see that it stays as it is."""
    identifier, seal_id = owned.values["identifier"], owned.values["seal_id"]
    paths = [
        f"/v1/licences/{identifier}",
        f"/v1/licences/{identifier}/uses",
        f"/v1/seals/{seal_id}",
        f"/v1/seals/{seal_id}/history",
        f"/v1/seals/{seal_id}/mandates",
        f"/v1/seals/{seal_id}/requests",
        f"/v1/sealings/{owned.values['sealing_id']}",
    ]
    with owned.running.client() as client:
        return [client.get(path).json() for path in paths]
