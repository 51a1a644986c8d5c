"""PDF receipts: a page that verifies like any signed PDF, whatever the document brought along."""

import io
from dataclasses import replace
from functools import cache

import pikepdf
import pytest

from keys.path import TrustStore
from seal_service.errors import SelfCheckFailed
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.reading import read_pdf
from tests.support.receipts import VERIFIER_NAME, DeskSpec, judge, make_desk, needs_fonts
from tests.support.sealed_ofd import SealedSpec, seal_document
from tests.support.sealed_pdf import sign_pdf
from tests.support.trust import NOW, make_evidence
from tests.support.verdicts import make_finding
from verifier.judge import JudgeContext, judge_document
from verifier.receipts.model import ReceiptForm
from verifier.receipts.page import MOST_FINDINGS
from verifier.receipts.pdf_form import FIELD
from verifier.verdict import Check, Outcome, Result, TimeSource, Verdict

pytestmark = needs_fonts


@cache
def document() -> bytes:
    return seal_document(SealedSpec(stamped_at=NOW))


def issue(verdict: Verdict, data: bytes) -> bytes:
    return make_desk().issue(ReceiptForm.PDF, verdict, data)


def test_a_receipt_verifies_like_any_signed_pdf() -> None:
    """T-WEB-15."""
    verdict = judge(issue(judge(document()), document()))
    (signature,) = verdict.signatures
    assert verdict.outcome is Outcome.VALID
    assert (signature.kind, signature.name) == ("rsa-pades", FIELD)
    assert (signature.signer, signature.time_source) == (VERIFIER_NAME, TimeSource.TIMESTAMP)


def test_a_receipt_is_no_licence_and_certified_against_every_change() -> None:
    made = read_pdf(issue(judge(document()), document()))
    assert made.claims == {}
    assert made.signatures[0].permission is Permission.NO_CHANGES


def test_a_receipt_of_one_seal_is_one_page() -> None:
    assert _pages(issue(judge(document()), document())) == 1


def _pages(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return len(opened.pages)


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7", b"PK\x03\x04", sign_pdf()[:-9]])
def test_junk_and_forgeries_get_receipts_too(data: bytes) -> None:
    verdict = judge(data)
    assert verdict.outcome is not Outcome.VALID
    assert judge(issue(verdict, data)).outcome is Outcome.VALID


def test_hostile_text_never_keeps_a_receipt_from_being_made() -> None:
    """Control characters, reading order, markup, characters without a glyph, length."""
    subjects = ["\u202efdp", "#panic()", "a\x00b\x1b[31m", "\U000e0001", "𠮷" * 999, "]] // {{", ""]
    findings = tuple(
        make_finding(Check.CONTAINER, result=Result.FAILED, reason="malformed", subject=subject)
        for subject in subjects
    )
    verdict = replace(judge(document()), findings=findings, outcome=Outcome.INVALID)
    assert judge(issue(verdict, document())).outcome is Outcome.VALID


def test_a_flood_of_findings_is_cut_and_said_so() -> None:
    flood = tuple(
        make_finding(
            Check.COVERAGE, result=Result.FAILED, reason="uncovered", subject=f"Doc_0/{number}.xml"
        )
        for number in range(5 * MOST_FINDINGS)
    )
    made = issue(replace(judge(document()), findings=flood), document())
    assert _pages(made) < 8


def test_a_receipt_that_would_not_verify_is_not_issued() -> None:
    nobody = replace(make_evidence(), trust=TrustStore())
    desk = make_desk(DeskSpec(evidence=lambda: nobody))
    with pytest.raises(SelfCheckFailed):
        desk.issue(ReceiptForm.PDF, judge(document()), document())


def test_a_changed_receipt_does_not_hold() -> None:
    made = bytearray(issue(judge(document()), document()))
    made[len(made) // 3] ^= 1
    verdict = judge_document(bytes(made), JudgeContext(evidence=make_evidence()))
    assert verdict.outcome is Outcome.INVALID
