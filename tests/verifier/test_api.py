"""``POST /v1/verifications``: a file in, a verdict out."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from fastapi import FastAPI

from seal_service.errors import ScopeMissing
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.problems import install
from tests.support.asgi import AppClient
from tests.support.licences import make_caller
from tests.support.sealed_ofd import seal_document
from tests.support.sealed_pdf import sign_pdf
from tests.support.trust import NOW, make_evidence
from verifier.api import SCOPE_VERIFY, VerificationRoutes, build_router
from verifier.given_evidence import GivenEvidence, read_evidence
from verifier.judge import JudgeContext, judge_document
from verifier.receipts.model import ReceiptForm, ReceiptUnavailable
from verifier.schemas import VerificationAnswer
from verifier.verdict import Verdict
from verifier.wire import verdict_to_json

URL = "/v1/verifications"


def judge(data: bytes) -> Verdict:
    return judge_document(data, JudgeContext(evidence=make_evidence()))


def judge_given(data: bytes, given: GivenEvidence) -> Verdict:
    evidence = read_evidence(given, now=NOW)
    return judge_document(data, JudgeContext(evidence=evidence))


def issue_receipt(form: ReceiptForm, verdict: Verdict, document: bytes) -> bytes:
    raise ReceiptUnavailable(form=form, outcome=verdict.outcome, size=len(document))


def client(*, may: bool = True) -> AppClient:
    def require(scope: str) -> Callable[..., Caller]:
        def caller() -> Caller:
            if not may:
                raise ScopeMissing(scope=scope)
            return make_caller(scopes=scope)

        return caller

    app = FastAPI()
    install(app)
    app.include_router(
        build_router(
            VerificationRoutes(
                judge=judge, judge_given=judge_given, issue_receipt=issue_receipt, require=require
            )
        )
    )
    return AppClient(app)


@pytest.mark.parametrize(
    ("data", "media_type", "kind"),
    [
        (seal_document(), "application/ofd", "ofd"),
        (sign_pdf(), "application/pdf", "pdf"),
        (seal_document(), "application/octet-stream", "ofd"),
    ],
)
def test_a_raw_file_gets_its_verdict(data: bytes, media_type: str, kind: str) -> None:
    answer = client().request("POST", URL, content=data, headers={"content-type": media_type})
    assert answer.status_code == 200
    body = answer.json()
    assert body == verdict_to_json(judge(data)) | {"judged_at": body["judged_at"]}
    assert (body["verdict"], body["authentic"], body["in_force"]) == ("valid", True, None)
    assert body["document"]["kind"] == kind
    assert body["coverage"] == {"uncovered": [], "unreferenced": []}


def test_a_form_with_a_file_gets_its_verdict() -> None:
    data = seal_document()
    body = (
        b'--b\r\nContent-Disposition: form-data; name="document"; filename="a.ofd"\r\n\r\n'
        + data
        + b"\r\n--b--\r\n"
    )
    answer = client().request(
        "POST", URL, content=body, headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert answer.status_code == 200
    assert answer.json()["verdict"] == "valid"


def test_a_forged_file_is_an_answer_and_no_error() -> None:
    answer = client().request(
        "POST", URL, content=seal_document()[:-5], headers={"content-type": "application/ofd"}
    )
    assert answer.status_code == 200
    assert answer.json()["verdict"] == "invalid"


@pytest.mark.parametrize("junk", [b"hello", b"PK\x03\x04", b"%PDF-1.7", b"\x30\x80", b"\x00" * 99])
def test_junk_is_an_answer_and_never_valid(junk: bytes) -> None:
    answer = client().request(
        "POST", URL, content=junk, headers={"content-type": "application/octet-stream"}
    )
    assert answer.status_code == 200
    assert answer.json()["verdict"] in ("invalid", "indeterminate")
    assert answer.json()["authentic"] is False


@pytest.mark.parametrize(
    ("media_type", "content", "status", "code"),
    [
        ("text/plain", b"x", 415, "unsupported-format"),
        ("application/pdf", b"", 422, "upload-missing"),
        ("multipart/form-data; boundary=b", b"nothing", 400, "upload-unreadable"),
        ("application/pdf", b"x" * (20 * 1024 * 1024 + 1), 413, "document-too-large"),
    ],
)
def test_what_is_no_file_is_refused(
    media_type: str, content: bytes, status: int, code: str
) -> None:
    """T-API-18."""
    answer = client().request("POST", URL, content=content, headers={"content-type": media_type})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_caller_without_the_scope_is_refused() -> None:
    """T-API-08."""
    answer = client(may=False).request(
        "POST", URL, content=b"x", headers={"content-type": "application/pdf"}
    )
    assert answer.status_code == 403
    assert SCOPE_VERIFY == "verifications:create"


def test_the_answer_has_exactly_the_keys_other_programs_rely_on() -> None:
    verdict = judge(seal_document())
    body = VerificationAnswer.model_validate(verdict_to_json(verdict)).model_dump(mode="json")
    assert body == verdict_to_json(verdict)
    assert {"verdict", "authentic", "in_force", "coverage", "signatures"} <= body.keys()
    assert {
        "kind", "integrity", "trust", "signed_at", "time_source", "signer", "seal", "findings",
    } <= body["signatures"][0].keys()  # fmt: skip
    with pytest.raises(TypeError, match="no truth value"):
        bool(replace(verdict))
