"""Evidence and receipts over the API: a form with both parts, for callers who may."""

import base64
import json
from collections.abc import Callable, Sequence

import httpx
import pytest
from fastapi import FastAPI

from keys.certificates import encode_pem
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.problems import install
from tests.support.asgi import AppClient
from tests.support.licences import make_caller
from tests.support.receipts import judge, make_desk, needs_fonts
from tests.support.sealed_ofd import seal_document
from tests.support.sealed_pdf import sign_pdf
from tests.support.trust import NOW, RSA_TRUST, SM2_TRUST, make_evidence
from verifier.api import SCOPE_EVIDENCE, SCOPE_VERIFY, VerificationRoutes, build_router
from verifier.given_evidence import GivenEvidence, read_evidence
from verifier.judge import JudgeContext, judge_document
from verifier.receipts.json_form import check_json_receipt
from verifier.uploads import LARGEST_EVIDENCE
from verifier.verdict import Outcome, Verdict

URL = "/v1/verifications"
RECEIPTS = "/v1/verifications/receipts"
BOTH = (SCOPE_VERIFY, SCOPE_EVIDENCE)


def judge_given(data: bytes, given: GivenEvidence) -> Verdict:
    evidence = read_evidence(given, now=NOW)
    return judge_document(data, JudgeContext(evidence=evidence))


def client(*scopes: str) -> AppClient:
    def require(scope: str) -> Callable[[], Caller]:
        def caller() -> Caller:
            assert scope in scopes
            return make_caller(scopes=" ".join(scopes))

        return caller

    app = FastAPI()
    install(app)
    routes = VerificationRoutes(
        judge=judge,
        judge_given=judge_given,
        issue_receipt=make_desk().issue,
        require=require,
    )
    app.include_router(build_router(routes))
    return AppClient(app)


def form(parts: Sequence[tuple[str, bytes]]) -> bytes:
    pieces = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + data + b"\r\n"
        for name, data in parts
    ]
    return b"".join(pieces) + b"--b--\r\n"


def post(parts: Sequence[tuple[str, bytes]], *scopes: str, url: str = URL) -> httpx.Response:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    return client(*scopes or BOTH).request("POST", url, content=form(parts), headers=headers)


def encoded(*data: bytes) -> list[str]:
    return [base64.b64encode(one).decode() for one in data]


def evidence(**changes: object) -> bytes:
    whole: dict[str, object] = {
        "trust": encoded(SM2_TRUST.root.der, encode_pem(RSA_TRUST.root.der).encode()),
        "intermediates": encoded(SM2_TRUST.authority.der, RSA_TRUST.authority.der),
        "crls": encoded(*(f.crl(of_root=r) for f in (SM2_TRUST, RSA_TRUST) for r in (True, False))),
        "at": "2026-11-24T13:00:00+08:00",
    }
    return json.dumps(whole | changes).encode()


@pytest.mark.parametrize("document", [seal_document(), sign_pdf()])
def test_a_file_is_judged_against_the_evidence_beside_it(document: bytes) -> None:
    answer = post([("document", document), ("evidence", evidence())])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["verdict"], body["in_force"], body["licence"]) == ("valid", None, None)
    assert (body["judged_at"], body["judged_at_source"]) == ("2026-11-24T05:00:00Z", "given")


def test_evidence_replaces_our_own_trust() -> None:
    answer = post([("document", seal_document()), ("evidence", b"{}")])
    assert answer.json()["verdict"] == "indeterminate"
    assert answer.json()["judged_at_source"] == "clock"


def test_the_policy_given_decides_and_is_named() -> None:
    part = evidence(crls=[], policy='name = "lenient"\nrevocation_unknown = "notice"\n')
    body = post([("document", seal_document()), ("evidence", part)]).json()
    assert (body["verdict"], body["policy"]) == ("valid", "lenient")


def test_a_caller_without_the_scope_may_not_bring_evidence() -> None:
    """T-API-08."""
    parts = [("document", seal_document()), ("evidence", evidence())]
    answer = post(parts, SCOPE_VERIFY)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    assert post(parts[:1], SCOPE_VERIFY).status_code == 200


@pytest.mark.parametrize(
    ("part", "status", "code"),
    [
        (b"", 400, "malformed-request"),
        (b"[]", 422, "invalid-fields"),
        (b'{"trust": [], "trust": []}', 400, "malformed-request"),
        (b'{"roots": []}', 422, "invalid-fields"),
        (b'{"trust": "AAAA"}', 422, "invalid-fields"),
        (b'{"trust": ["?!?!"]}', 422, "invalid-fields"),
        (b'{"at": "yesterday"}', 422, "invalid-fields"),
        (b'{"at": "2026-11-24T04:00:00"}', 422, "invalid-fields"),
        (b'{"trust": ["AAAAAAAA"]}', 422, "evidence-refused"),
        (b'{"policy": "colour = 1"}', 422, "policy-refused"),
        (json.dumps({"crls": ["AAAA"] * 65}).encode(), 422, "invalid-fields"),
        (b" " * (LARGEST_EVIDENCE + 1), 413, "document-too-large"),
    ],
)
def test_evidence_is_read_strictly(part: bytes, status: int, code: str) -> None:
    """T-API-14 to T-API-18."""
    answer = post([("document", sign_pdf()), ("evidence", part)])
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_fault_in_the_evidence_is_pointed_at() -> None:
    answer = post([("document", sign_pdf()), ("evidence", b'{"crls": ["AAAA", "?!?!"]}')])
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/crls/1"]


@pytest.mark.parametrize("name", ["document", "evidence"])
def test_a_part_that_comes_twice_is_refused(name: str) -> None:
    """T-API-15: two readers could take different parts."""
    parts = [("document", sign_pdf()), ("evidence", evidence()), (name, b"{}")]
    answer = post(parts)
    assert (answer.status_code, answer.json()["code"]) == (400, "upload-unreadable")


def test_a_json_receipt_states_the_verdict_and_verifies() -> None:
    """T-WEB-15."""
    parts = [("document", seal_document()), ("evidence", evidence())]
    answer = post(parts, url=f"{RECEIPTS}?format=json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    checked = check_json_receipt(answer.content, make_evidence())
    assert checked.signature.outcome is Outcome.VALID
    assert checked.is_for(parts[0][1])
    assert checked.statement["judged_at_source"] == "given"


@needs_fonts
def test_a_pdf_receipt_of_a_forged_file_verifies() -> None:
    headers = {"content-type": "application/pdf"}
    answer = client(SCOPE_VERIFY).request(
        "POST", f"{RECEIPTS}?format=pdf", content=sign_pdf()[:-9], headers=headers
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert judge(answer.content).outcome is Outcome.VALID


@pytest.mark.parametrize("query", ["", "?format=xml", "?format=PDF"])
def test_another_form_of_receipt_is_refused(query: str) -> None:
    answer = post([("document", sign_pdf())], url=RECEIPTS + query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-fields")
