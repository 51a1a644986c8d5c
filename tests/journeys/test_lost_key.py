"""A key is found to be lost since an instant: two persons say so, and verdicts change (T-PKI-27).

What was sealed before that instant, provably, stays valid; what was sealed afterwards does not; the
seal stops at once, and so does every other seal with that key.
"""

import base64
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from keys.certificates import parse_certificate
from keys.crl import RevocationReason, find_entry, parse_crl
from seal_service.plumbing.callers import NewCaller, register_caller
from seal_service.plumbing.request_signing import RequestSigner
from seal_service.seals.statements import check_statement
from tests.journeys.service import Kit, Running, issue, make_body, running
from tests.support.licences import AUTHORITY

pytestmark = pytest.mark.journey

ROLES = {
    "unit": "seals:apply",
    "office": "seals:approve",
    "keeper": "seals:manage",
    "auditor": "seals:audit",
}
"""Callers with one scope each, and everything they need."""
FORMATS = ("ofd", "pdf")


@dataclass(frozen=True, kw_only=True)
class Story:
    """Two licences, and the instant between them from which on the key is lost."""

    running: Running
    roles: dict[str, httpx.Client]
    seal: str
    before: dict[str, object]
    after: dict[str, object]
    lost_at: datetime

    def verdict(self, licence: dict[str, object], form: str) -> dict[str, object]:
        """Judge one file of a licence as everybody may."""
        with self.running.client() as client:
            file = client.get(f"/v1/licences/{licence['identifier']}/files/{form}")
            answer = client.post(
                "/v1/verifications",
                content=file.content,
                headers={"Content-Type": "application/octet-stream"},
            )
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert isinstance(found, dict)
        return found


def _roles(started: Running, stack: ExitStack) -> dict[str, httpx.Client]:
    service, clients = started.service, {}
    for name, scope in ROLES.items():
        with service.installation.database.transaction() as connection:
            secret = register_caller(
                connection,
                NewCaller(caller_id=name, authority_code=AUTHORITY.code, scopes=frozenset({scope})),
                box=service.box,
                randomness=secrets.token_bytes,
                now=service.clock.now(),
            )
        clients[name] = stack.enter_context(started.client(signer=RequestSigner(name, secret)))
    return clients


@pytest.fixture
def story(kit: Kit) -> Iterator[Story]:
    with running(kit) as started, ExitStack() as stack, started.client() as client:
        seal = client.get("/v1/seals", params={"state": "active"}).json()["seals"][0]["seal_id"]
        before = issue(client, make_body("YQ-LOST-1")).json()
        time.sleep(2)
        # Whole seconds, as revocation lists count them.
        lost_at = datetime.now(UTC).replace(microsecond=0)
        time.sleep(1)
        after = issue(client, make_body("YQ-LOST-2")).json()
        yield Story(
            running=started,
            roles=_roles(started, stack),
            seal=f"/v1/seals/{seal}",
            before=before,
            after=after,
            lost_at=lost_at,
        )


def _declare(story: Story) -> dict[str, object]:
    """Have one person file and another confirm."""
    body = {
        "since": story.lost_at.isoformat(),
        "basis_document": "云栖网安〔2026〕3 号",
        "reason": "密码卡遗失",
    }
    filed = story.roles["unit"].post(f"{story.seal}/compromises", json=body)
    assert filed.status_code == 201, filed.text
    request = filed.json()
    route = f"{story.seal}/requests/{request['request_id']}/confirmation"
    decision = {"request_digest": request["request_digest"]}
    assert story.roles["unit"].post(route, json=decision).status_code == 403
    confirmed = story.roles["office"].post(route, json=decision)
    assert confirmed.status_code == 200, confirmed.text
    again = story.roles["office"].post(route, json=decision)
    assert (again.status_code, again.json()["code"]) == (409, "seal-request-closed")
    found = confirmed.json()
    assert isinstance(found, dict)
    return found


def test_a_lost_key_ends_what_it_sealed_since_and_nothing_before(story: Story) -> None:
    """T-PKI-27, T-SES-23, T-SES-25."""
    for licence in (story.before, story.after):
        assert {story.verdict(licence, form)["verdict"] for form in FORMATS} == {"valid"}
    request = _declare(story)
    assert (request["state"], request["decided_by"]) == ("confirmed", "office")
    assert request["completed_at"] is not None
    for form in FORMATS:
        old = story.verdict(story.before, form)
        assert (old["verdict"], old["authentic"]) == ("valid", True), old
        new = story.verdict(story.after, form)
        assert (new["verdict"], new["authentic"]) == ("invalid", False)
        assert {"revoked", "seal-stopped"} & _failed_reasons(new)
    _check_stopped(story)
    _check_listed(story)
    _check_certificates(story)
    _check_statements(story)


def _failed_reasons(verdict: dict[str, object]) -> set[str]:
    signatures = verdict["signatures"]
    assert isinstance(signatures, list)
    findings = [one for signature in signatures for one in signature["findings"]]
    return {one["reason"] for one in findings if one["result"] == "failed"}


def _check_stopped(story: Story) -> None:
    """No further licence is issued: neither new, nor on a retry under another key."""
    with story.running.client() as client:
        refused = issue(client, make_body("YQ-LOST-3"))
    assert (refused.status_code, refused.json()["code"]) == (409, "seal-revoked")


def _check_listed(story: Story) -> None:
    """Everything sealed since is listed, and nothing from before."""
    query = {"since": story.lost_at.isoformat()}
    listed = story.roles["auditor"].get(f"{story.seal}/uses", params=query).json()["uses"]
    assert {use["subject"] for use in listed} == {story.after["identifier"]}
    assert sorted(use["format"] for use in listed) == ["ofd", "pdf"]


def _check_certificates(story: Story) -> None:
    """Both certificates are on their lists, with the reason and the date of the loss."""
    installation = story.running.service.installation
    seal_id = story.seal.rpartition("/")[2]
    made = story.running.service.bureau.show(AUTHORITY.code, seal_id).made
    assert made is not None
    for identity in (made.sm2, made.rsa):
        certificate = parse_certificate(identity.certificate)
        name = f"{certificate.public_key.algorithm}-issuing-ca"
        entry = find_entry(parse_crl(installation.pki.crl(name)), certificate.serial)
        assert entry is not None
        assert entry.reason is RevocationReason.KEY_COMPROMISE
        assert entry.invalidity_at == story.lost_at


def _check_statements(story: Story) -> None:
    """Anyone can ask, and keep the answer: revoked from that instant on, active before."""
    expected = {
        story.lost_at - timedelta(seconds=1): "active",
        story.lost_at: "revoked",
    }
    with httpx.Client(base_url=story.running.address, trust_env=False) as stranger:
        for at, state in expected.items():
            answer = stranger.get(f"{story.seal}/status", params={"at": at.isoformat()}).json()
            statement = answer["statement"]
            assert (statement["state"], statement["at"][:19]) == (state, at.isoformat()[:19])
            signature = base64.b64decode(answer["signature"])
            signer = check_statement(statement, signature)
            assert signer.der == story.running.service.installation.pki.log.der
