"""The judge as a whole: formats, conclusions, sameness, reach."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from keys import sm2
from keys.errors import EngineUnavailable
from tests.support.sealed_ofd import FOREIGN, SealedSpec, seal_document
from tests.support.sealed_pdf import PDFSpec, sign_pdf
from tests.support.seals import SignatureSpec, make_seal_signature
from tests.support.trust import NOW, make_evidence
from tests.verifier.verdicts import doubts, faults, judge
from verifier.judge import JudgeContext, judge_document, judge_seal_signature, open_document
from verifier.verdict import Integrity, Outcome, Verdict
from verifier.wire import verdict_to_json

CONTEXT = JudgeContext(evidence=make_evidence())
STAMPED = NOW + timedelta(seconds=2)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x00" * 2000, "营业执照".encode(), b"\x30\x03"])
def test_what_is_neither_ofd_nor_pdf_is_not_judged(data: bytes) -> None:
    verdict = judge(data)
    assert (verdict.document_kind, verdict.outcome) == ("unknown", Outcome.INDETERMINATE)
    assert doubts(verdict) == {("container", "unsupported-format")}
    assert (verdict.authentic, verdict.in_force) == (False, None)


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"PK\x03\x04" + b"\x00" * 500, b"%PDF-1.7\n"])
def test_what_only_begins_like_a_document_is_invalid(data: bytes) -> None:
    assert judge(data).outcome is Outcome.INVALID


def test_the_kind_is_told_by_the_first_bytes() -> None:
    assert open_document(seal_document()).kind == "ofd"
    assert open_document(sign_pdf()).kind == "pdf"
    assert open_document(make_seal_signature()).kind == "ses"


def test_a_bare_seal_signature_is_never_valid_without_its_original() -> None:
    """T-SES-02, T-SES-03."""
    data = make_seal_signature(SignatureSpec())
    verdict = judge_seal_signature(data, CONTEXT)
    assert verdict.integrity is Integrity.HOLDS
    assert verdict.outcome is not Outcome.VALID
    for damaged in (data + b"\x00", data[:-1], data + data):
        assert judge_seal_signature(damaged, CONTEXT).outcome is Outcome.INVALID


@pytest.fixture(params=["Asia/Shanghai", "UTC", "America/Los_Angeles"])
def _time_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


OFD = seal_document(SealedSpec(stamped_at=STAMPED))
PDF = sign_pdf(PDFSpec(stamped_at=None))
EXPECTED = [verdict_to_json(judge_document(data, CONTEXT)) for data in (OFD, PDF)]


@pytest.mark.usefixtures("_time_zone")
def test_the_verdict_is_the_same_in_every_time_zone() -> None:
    """T-PKI-30, G-10."""
    assert [verdict_to_json(judge_document(data, CONTEXT)) for data in (OFD, PDF)] == EXPECTED


def test_judging_is_repeatable_although_checks_are_remembered() -> None:
    """G-10: caches hold neither dates nor status."""
    first: Verdict = judge_document(OFD, CONTEXT)
    assert judge_document(OFD, CONTEXT) == first
    late = make_evidence()
    later = JudgeContext(evidence=type(late)(trust=late.trust, now=NOW + timedelta(days=4000)))
    assert judge_document(OFD, later).outcome is not Outcome.VALID
    assert judge_document(OFD, CONTEXT) == first


def test_a_broken_seal_stays_broken_when_it_comes_again() -> None:
    data = bytearray(seal_document(SealedSpec(provider=FOREIGN)))
    data[len(data) // 2] ^= 1
    assert judge(bytes(data)).outcome is judge(bytes(data)).outcome is Outcome.INVALID
    assert faults(judge(bytes(data)))


def test_an_engine_at_fault_is_an_error_and_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be computed must not be called forged, nor remembered as such."""

    def fail(*_: object) -> None:
        raise EngineUnavailable

    data = seal_document(SealedSpec(provider=FOREIGN))
    with monkeypatch.context() as patched:
        patched.setattr(sm2, "verify", fail)
        patched.setattr(sm2, "verify_digest", fail)
        with pytest.raises(EngineUnavailable):
            judge(data)
    assert judge(data).outcome is Outcome.VALID


def test_the_public_verifier_reaches_no_private_key() -> None:
    """ADR 0001: neither directly nor through what it imports."""
    code = (
        "import importlib, pkgutil, sys, verifier\n"
        "for m in pkgutil.walk_packages(verifier.__path__, 'verifier.'):\n"
        "    importlib.import_module(m.name)\n"
        "bad = {'keys.keystore', 'keys.private_keys', 'keys.authority', 'keys.tsa', 'keys.pki',"
        " 'seal_service.sealing', 'seal_service.seals.making', 'licence_store.office'}\n"
        "print(sorted(bad & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
