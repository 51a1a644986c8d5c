"""JSON receipts: what they state, that they verify, and what no longer does."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from keys.algorithms import sm3
from keys.errors import ServiceError
from keys.path import TrustStore
from licence_store.model import canonical_json
from seal_service.errors import SelfCheckFailed
from tests.support.receipts import SOFTWARE, VERIFIER_NAME, DeskSpec, judge, make_desk, make_signer
from tests.support.sealed_ofd import SealedSpec, seal_document
from tests.support.sealed_pdf import sign_pdf
from tests.support.trust import (
    NOW,
    RSA_TRUST,
    SM2_TRUST,
    STRANGER,
    EvidenceSpec,
    make_evidence,
)
from verifier.receipts.json_form import CheckedReceipt, check_json_receipt
from verifier.receipts.model import ReceiptForm, ReceiptRefused
from verifier.verdict import Integrity, Outcome, TimeSource, Trust
from verifier.wire import verdict_to_json

Content = dict[str, dict[str, object]]


@cache
def document() -> bytes:
    return seal_document(SealedSpec(stamped_at=NOW))


@cache
def receipt() -> bytes:
    return make_desk().issue(ReceiptForm.JSON, judge(document()), document())


def check(data: bytes) -> CheckedReceipt:
    return check_json_receipt(data, make_evidence())


def test_a_receipt_holds_and_its_time_is_proven() -> None:
    signature = check(receipt()).signature
    assert signature.outcome is Outcome.VALID
    assert (signature.integrity, signature.trust) == (Integrity.HOLDS, Trust.TRUSTED)
    assert (signature.signed_at, signature.time_source) == (NOW, TimeSource.TIMESTAMP)
    assert signature.signer == VERIFIER_NAME


def test_a_receipt_says_who_judged_what_when_and_by_which_rules() -> None:
    """T-WEB-15."""
    statement = check(receipt()).statement
    verdict = judge(document())
    assert statement["document"] == {
        "sm3": sm3(document()).hex(),
        "sha256": hashlib.sha256(document()).hexdigest(),
        "size": len(document()),
        "kind": "ofd",
    }
    assert statement["verdict"] == verdict_to_json(verdict)
    assert (statement["verifier"], statement["software"]) == (VERIFIER_NAME, SOFTWARE)
    assert (statement["issued_at"], statement["judged_at"]) == (
        "2026-11-24T04:00:00Z",
        "2026-11-24T05:00:00Z",
    )
    assert (statement["judged_at_source"], statement["policy"]) == ("clock", "default")
    assert statement["headline"] == {"zh": "有效", "en": "Valid"}
    assert statement["receipt_id"] == "vr-" + "07" * 16


def test_a_receipt_belongs_to_one_document() -> None:
    checked = check(receipt())
    assert checked.is_for(document())
    assert not checked.is_for(document() + b"\x00")


def test_a_receipt_is_written_in_canonical_form() -> None:
    assert receipt() == canonical_json(json.loads(receipt())) + b"\n"


def test_a_receipt_may_be_laid_out_anew_and_still_holds() -> None:
    pretty = json.dumps(json.loads(receipt()), ensure_ascii=True, indent=4).encode()
    assert check(pretty).signature.outcome is Outcome.VALID


def test_a_forged_document_gets_its_receipt_too() -> None:
    changed = bytearray(sign_pdf())
    changed[200] ^= 1
    made = make_desk().issue(ReceiptForm.JSON, judge(bytes(changed)), bytes(changed))
    checked = check(made)
    assert checked.signature.outcome is Outcome.VALID
    assert checked.statement["headline"] == {"zh": "无效", "en": "Invalid"}


def _verdict(content: Content) -> None:
    content["receipt"]["verdict"]["verdict"] = "invalid"  # type: ignore[index]


def _digest(content: Content) -> None:
    content["receipt"]["document"]["sm3"] = "0" * 64  # type: ignore[index]


def _added(content: Content) -> None:
    content["receipt"]["remark"] = ""


def _time(content: Content) -> None:
    content["receipt"]["issued_at"] = "2026-11-24T03:59:59Z"


@pytest.mark.parametrize("change", [_verdict, _digest, _added, _time])
def test_a_changed_statement_does_not_hold(change: Callable[[Content], None]) -> None:
    content = json.loads(receipt())
    change(content)
    signature = check(canonical_json(content)).signature
    assert signature.outcome is Outcome.INVALID
    assert signature.integrity is Integrity.BROKEN


def test_the_signature_of_another_receipt_does_not_hold() -> None:
    other = json.loads(make_desk().issue(ReceiptForm.JSON, judge(sign_pdf()), sign_pdf()))
    mixed = canonical_json({"receipt": other["receipt"], "signature": _signature()})
    assert check(mixed).signature.outcome is Outcome.INVALID


def _signature() -> str:
    return str(json.loads(receipt())["signature"])


def test_a_receipt_of_a_stranger_is_not_confirmed() -> None:
    """T-PKI-05."""
    trusting = make_evidence(EvidenceSpec(families=(SM2_TRUST, RSA_TRUST, STRANGER)))
    desk = make_desk(DeskSpec(signer=lambda a: make_signer(a, STRANGER), evidence=lambda: trusting))
    made = desk.issue(ReceiptForm.JSON, judge(document()), document())
    signature = check(made).signature
    assert (signature.outcome, signature.trust) == (Outcome.INDETERMINATE, Trust.UNTRUSTED)


def test_a_receipt_that_would_not_verify_is_not_issued() -> None:
    nobody = replace(make_evidence(), trust=TrustStore())
    desk = make_desk(DeskSpec(evidence=lambda: nobody))
    with pytest.raises(SelfCheckFailed):
        desk.issue(ReceiptForm.JSON, judge(document()), document())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "json"),
        (b"%PDF-1.7", "json"),
        (b"[]", "members"),
        (b'{"receipt": {}}', "members"),
        (b'{"receipt": [], "signature": ""}', "members"),
        (b'{"receipt": {}, "signature": "", "more": 1}', "members"),
        (b'{"receipt": {}, "receipt": {}, "signature": ""}', "json"),
        (b'{"receipt": {"type": "x", "version": 1}, "signature": ""}', "version"),
        (
            b'{"receipt": {"type": "verification-receipt", "version": 2}, "signature": ""}',
            "version",
        ),
        (
            b'{"receipt": {"type": "verification-receipt", "version": 1}, "signature": "?"}',
            "base64",
        ),
        (
            b'{"receipt": {"type": "verification-receipt", "version": 1}, "signature": ""}',
            "issued-at",
        ),
        (b" " * (4 * 1024 * 1024 + 1), "too-long"),
    ],
)
def test_what_is_no_receipt_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ReceiptRefused) as refusal:
        check(data)
    assert refusal.value.params["reason"] == reason


def test_a_message_that_is_none_is_a_finding() -> None:
    content = json.loads(receipt())
    content["signature"] = base64.b64encode(b"nothing").decode()
    assert check(canonical_json(content)).signature.outcome is Outcome.INVALID


@pytest.mark.parametrize("bit", [0, 3, 6])
def test_no_flipped_bit_changes_what_a_valid_receipt_says(bit: int) -> None:
    """Refused, or not valid, or the same statement (base64 has spare bits, JSON has spaces)."""
    original = check(receipt()).statement
    for at in range(bit, len(receipt()), 11):
        changed = bytearray(receipt())
        changed[at] ^= 1 << bit
        try:
            checked = check(bytes(changed))
        except ServiceError:
            continue
        is_valid = checked.signature.outcome is Outcome.VALID
        assert not is_valid or checked.statement == original, at
