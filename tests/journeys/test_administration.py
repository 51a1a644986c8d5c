"""Callers, certificates and keys changed over HTTP, by two administrators (T-API-37)."""

import secrets
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import httpx
import pytest

from eseal.administration.api import SCOPE_APPLY, SCOPE_APPROVE, SCOPE_READ
from eseal.administration.desk import join_halves
from keys.certificates import parse_certificates
from keys.crl import RevocationReason, find_entry, parse_crl
from keys.requests import parse_certificate_request
from licence_store.model import IssuingAuthority
from seal_service.plumbing.callers import NewCaller, register_caller
from seal_service.plumbing.request_signing import RequestSigner
from tests.journeys.service import Body, Running, issue, make_body
from tests.support.licences import AUTHORITY, OTHER_AUTHORITY

pytestmark = pytest.mark.journey

ASKING = frozenset({SCOPE_READ, SCOPE_APPLY})
CONFIRMING = frozenset({SCOPE_READ, SCOPE_APPROVE})
BOTH = ASKING | CONFIRMING
BASIS = "云栖政办〔2026〕30 号"
BROKEN = "-----BEGIN CERTIFICATE-----\nnothing that could be one\n-----END CERTIFICATE-----"
ADD: Body = {"operation": "add-caller", "caller_id": "ab", "authority_code": AUTHORITY.code}
HOLDER = {"code": "11320500014149587R", "name": "示例市行政审批局"}


@contextmanager
def administrator(service: Running, scopes: frozenset[str]) -> Iterator[httpx.Client]:
    """Open a client of a new caller with these scopes."""
    caller_id = f"administrator-{secrets.token_hex(4)}"
    with service.service.installation.database.transaction() as connection:
        secret = register_caller(
            connection,
            NewCaller(caller_id=caller_id, authority_code=AUTHORITY.code, scopes=scopes),
            box=service.service.box,
            randomness=secrets.token_bytes,
            now=service.service.clock.now(),
        )
    signer = RequestSigner(caller_id, secret, clock=service.service.clock)
    with service.client(signer=signer) as client:
        yield client


def ask(client: httpx.Client, **operation: object) -> httpx.Response:
    body = {"operation": operation, "basis_document": BASIS}
    return client.post("/v1/service/requests", json=body)


def confirm(client: httpx.Client, request: Body, digest: str = "") -> httpx.Response:
    return client.post(
        f"/v1/service/requests/{request['request_id']}/confirmation",
        json={"request_digest": digest or request["request_digest"]},
    )


def done(service: Running, **operation: object) -> Body:
    """Have something asked and confirmed; return what came of it."""
    with administrator(service, ASKING) as first, administrator(service, CONFIRMING) as second:
        asked = ask(first, **operation)
        assert asked.status_code == 201, asked.text
        answer = confirm(second, asked.json())
        assert answer.status_code == 200, answer.text
        assert answer.json()["request"]["completed_at"] is not None
        found = answer.json()["outcome"]
        assert isinstance(found, dict)
        return {**found, "halves": (asked.json()["half"], found.get("half"))}


def secret_of(made: Body) -> bytes:
    first, second = (bytes.fromhex(half) for half in made["halves"])  # type: ignore[attr-defined]  # two texts
    assert first != second
    return join_halves(first, second)


def key_of(client: httpx.Client, certificate: Body) -> bytes:
    shown = client.get(f"/v1/service/certificates/{certificate['serial']}").json()
    (found,) = parse_certificates(shown["pem"].encode())
    return found.public_key.spki


def test_a_caller_is_added_by_two_and_works_until_it_is_shut_out(service: Running) -> None:
    caller_id = f"window-{secrets.token_hex(4)}"
    made = done(
        service,
        operation="add-caller",
        caller_id=caller_id,
        authority_code=AUTHORITY.code,
        scopes=["licences:issue", "licences:read"],
    )
    signer = RequestSigner(caller_id, secret_of(made))
    with service.client(signer=signer) as client:
        assert issue(client, make_body(f"YQ-{caller_id}")).status_code == 201
        done(service, operation="change-scopes", caller_id=caller_id, scopes=["licences:read"])
        assert issue(client, make_body(f"YQ-{caller_id}-2")).status_code == 403
    newer = done(service, operation="replace-secret", caller_id=caller_id)
    with service.client(signer=signer) as client:
        assert client.get("/v1/licences/x").status_code == 401, "the old secret has ended"
    signer = RequestSigner(caller_id, secret_of(newer))
    with service.client(signer=signer) as client, administrator(service, ASKING) as first:
        assert client.get("/v1/licences/x").status_code in (404, 422)
        ended = first.post(f"/v1/service/callers/{caller_id}/disabling")
        assert ended.json()["disabled_at"] is not None
        assert client.get("/v1/licences/x").status_code == 401
        again = first.post(f"/v1/service/callers/{caller_id}/disabling")
        assert again.json() == ended.json(), "the first time counts"
        listed = first.get("/v1/service/callers", params={"authority_code": AUTHORITY.code}).json()
        (row,) = [one for one in listed["callers"] if one["caller_id"] == caller_id]
        assert "secret" not in str(row).replace("sealed", "")
        assert (row["scopes"], row["disabled_at"]) == (
            ["licences:read"],
            ended.json()["disabled_at"],
        )


def test_nobody_confirms_alone_twice_or_something_else(service: Running) -> None:
    """T-API-09 to T-API-11, T-API-37."""
    with administrator(service, BOTH) as one, administrator(service, CONFIRMING) as other:
        request = ask(one, operation="replace-secret", caller_id=f"caller-{AUTHORITY.code}")
        known = one.get("/v1/service/callers").json()["callers"][0]["caller_id"]
        assert request.status_code == 404, "there is no caller of this name"
        request = ask(one, operation="change-scopes", caller_id=known, scopes=["licences:read"])
        filed = request.json()
        own = confirm(one, filed)
        assert (own.status_code, own.json()["code"]) == (403, "dual-control")
        wrong = confirm(other, filed, "0" * 64)
        assert (wrong.status_code, wrong.json()["code"]) == (403, "dual-control")
        refused = other.post(
            f"/v1/service/requests/{filed['request_id']}/refusal",
            json={"request_digest": filed["request_digest"], "remark": "不同意"},
        )
        assert refused.json()["state"] == "refused"
        late = confirm(other, filed)
        assert (late.status_code, late.json()["code"]) == (409, "seal-request-closed")
        listed = one.get("/v1/service/requests").json()["requests"]
        (row,) = [found for found in listed if found["request_id"] == filed["request_id"]]
        assert (row["state"], row["remark"], row["completed_at"]) == ("refused", "不同意", None)


def test_a_certificate_is_issued_shown_and_revoked(service: Running) -> None:
    # A new key: another test of this service may have declared the last one lost.
    issued = done(service, operation="issue-certificate", **HOLDER, new_key=True)
    with administrator(service, BOTH) as client:
        shown = client.get(f"/v1/service/certificates/{str(issued['serial'])[:16]}").json()
        (certificate,) = parse_certificates(shown["pem"].encode())
        assert (shown["state"], f"{certificate.serial:x}") == ("valid", issued["serial"])
        future = ask(
            client,
            operation="revoke-certificate",
            serial=issued["serial"],
            cause="superseded",
            invalid_since="2999-01-01T00:00:00Z",
        )
        assert (future.status_code, future.json()["code"]) == (422, "certificate-refused")
    gone = done(
        service, operation="revoke-certificate", serial=issued["serial"], cause="superseded"
    )
    assert gone["state"] == "revoked"
    with administrator(service, ASKING) as client:
        listed = client.get("/v1/service/certificates").json()["certificates"]
        states = {one["serial"]: one["state"] for one in listed}
        assert states[issued["serial"]] == "revoked"
        published = client.post("/v1/service/revocation-lists").json()["published"]
        assert "sm2-issuing-ca" in published
        items = client.get("/v1/service/calendar").json()["items"]
        assert [one["ends_at"] for one in items] == sorted(one["ends_at"] for one in items)
        assert {"certificate", "crl", "seal"} <= {one["kind"] for one in items}


def test_a_holder_gets_a_new_key_and_a_service_a_new_certificate(service: Running) -> None:
    holder = {"code": "11320500014149598W", "name": "另一审批局"}
    first = done(service, operation="issue-certificate", **holder)
    second = done(service, operation="issue-certificate", **holder, new_key=True)
    with administrator(service, ASKING) as client:
        assert key_of(client, first) != key_of(client, second)
        before = client.get("/v1/service/certificates").json()["certificates"]
        renewed = done(service, operation="renew-certificate", key_name="sm2-tsa")
        assert renewed["serial"] not in {one["serial"] for one in before}
        assert renewed["state"] == "valid"
    for name in ("seal-maker", "log"):
        done(service, operation="renew-certificate", key_name=name)
    made, pki = service.service, service.service.installation.pki
    assert made.bureau._parts.maker().certificate == pki.seal_maker.der
    assert made.statement_signer().certificate == pki.log.der
    with service.client() as client:
        assert issue(client, make_body(f"YQ-{secrets.token_hex(4)}")).status_code == 201


def test_a_request_for_an_outside_authority_is_made_over_a_key_that_stays(
    service: Running,
) -> None:
    name = f"holder-{HOLDER['code'].lower()}-sm2-{secrets.randbelow(10**9)}"
    made = done(service, operation="request-certificate", **HOLDER, key_name=name)
    lines = str(made["request"]).strip().splitlines()[1:-1]
    request = parse_certificate_request(b64decode("".join(lines)))
    with administrator(service, ASKING) as client:
        key = client.get(f"/v1/service/keys/{name}").json()
        assert key["public_key"] == request.public_key.spki.hex()
        keys = client.get("/v1/service/keys").json()
        assert keys["is_ready"]
        assert name in [one["name"] for one in keys["keys"]]
        unknown = client.get("/v1/service/keys/nobody")
        assert unknown.status_code == 404
    with administrator(service, ASKING) as first, administrator(service, CONFIRMING) as second:
        wrong = {"operation": "import-certificate", "code": HOLDER["code"], "key_name": name}
        assert ask(first, **wrong, chain=BROKEN).json()["code"] == "certificate-refused"
        stranger = first.get("/v1/service/certificates").json()["certificates"][0]["serial"]
        pem = first.get(f"/v1/service/certificates/{stranger}").json()["pem"]
        filed = ask(first, **wrong, chain=pem).json()
        refused = confirm(second, filed)
        assert (refused.status_code, refused.json()["code"]) == (422, "certificate-refused")
        listed = first.get("/v1/service/requests").json()["requests"]
        (row,) = [one for one in listed if one["request_id"] == filed["request_id"]]
        assert (row["state"], row["completed_at"]) == ("confirmed", None)


@pytest.mark.parametrize("key_name", ["sm2-root", "rsa-verifier", "log", "holder-x-sm2"])
def test_no_other_key_signs_a_certificate_request(service: Running, key_name: str) -> None:
    with administrator(service, ASKING) as client:
        answer = ask(client, operation="request-certificate", **HOLDER, key_name=key_name)
        assert (answer.status_code, answer.json()["code"]) == (422, "certificate-refused")


def test_what_somebody_asked_for_who_was_shut_out_since_is_not_done(service: Running) -> None:
    """T-API-09, T-API-37."""
    with administrator(service, ASKING) as first, administrator(service, BOTH) as second:
        filed = ask(first, operation="issue-certificate", **HOLDER).json()
        second.post(f"/v1/service/callers/{filed['applicant']}/disabling")
        answer = confirm(second, filed)
        assert (answer.status_code, answer.json()["params"]["rule"]) == (403, "applicant-lapsed")


def test_a_hold_becomes_a_loss_and_a_loss_nothing_less(service: Running) -> None:
    issued = done(service, operation="issue-certificate", **HOLDER, new_key=True)
    revoke = {"operation": "revoke-certificate", "serial": issued["serial"]}
    done(service, **revoke, cause="certificate-hold")
    since = "2026-11-20T00:00:00Z"
    done(service, **revoke, cause="key-compromise", invalid_since=since)
    done(service, **revoke, cause="superseded")
    crl = parse_crl(service.service.installation.pki.crl("sm2-issuing-ca"))
    entry = find_entry(crl, int(str(issued["serial"]), 16))
    assert entry is not None
    assert entry.reason is RevocationReason.KEY_COMPROMISE
    assert entry.invalidity_at == datetime.fromisoformat(since)


@pytest.mark.parametrize("authority", [AUTHORITY, OTHER_AUTHORITY])
def test_callers_of_authorities_administer_nothing(
    service: Running, authority: IssuingAuthority
) -> None:
    """T-API-08: whoever may do everything for an authority may do nothing to the service."""
    with service.client(authority) as client:
        for path in ("requests", "callers", "certificates", "calendar", "keys", "keys/seal-maker"):
            assert client.get(f"/v1/service/{path}").status_code == 403, path
        assert client.post("/v1/service/revocation-lists").status_code == 403
        assert client.post("/v1/service/callers/x/disabling").status_code == 403
        assert ask(client, operation="replace-secret", caller_id="x").status_code == 403
    with administrator(service, frozenset({SCOPE_READ})) as client:
        assert ask(client, operation="replace-secret", caller_id="x").status_code == 403


@pytest.mark.parametrize(
    "operation",
    [
        {
            "operation": "add-caller",
            "caller_id": "a b",
            "authority_code": AUTHORITY.code,
            "scopes": [],
        },
        {"operation": "add-caller", "caller_id": "ab", "authority_code": "1", "scopes": []},
        {"operation": "change-scopes", "caller_id": "x", "scopes": ["everything"]},
        {"operation": "revoke-certificate", "serial": "ffffffffffff", "cause": "superseded"},
        {"operation": "sign-anything"},
        {},
    ],
)
def test_what_cannot_be_done_is_refused_when_it_is_asked(service: Running, operation: Body) -> None:
    with administrator(service, ASKING) as client:
        assert ask(client, **operation).status_code in (404, 422)
