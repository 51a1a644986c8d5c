"""Third-party files get exactly the verdicts that are known of them, finding by finding.

The files come from the public repository ofdrw/ofdrw (Apache-2.0) and are not part of this
repository: the tests are skipped where the folder with them is absent. No trust anchor comes with
them, so the best they can get is "integrity holds, issuer not trusted".
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.path import TrustStore
from verifier.judge import JudgeContext, judge_document, judge_seal_signature
from verifier.rules.chain import ChainEvidence
from verifier.verdict import Integrity, Outcome, Result, SignatureVerdict, Trust, Verdict

SAMPLES = Path(__file__).parents[2].parent / "shared" / "interop" / "ofd"
NOW = datetime(2026, 11, 26, tzinfo=UTC)
CONTEXT = JudgeContext(evidence=ChainEvidence(trust=TrustStore(), now=NOW))
OPEN = {
    ("seal-maker-chain", "unknown", "untrusted"),
    ("signer-chain", "unknown", "untrusted"),
    ("revocation", "unknown", "status-unknown"),
}
"""What stays open without any trust anchor."""

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="third-party samples are not present beside the repository"
)


def judge(name: str) -> Verdict:
    return judge_document((SAMPLES / name).read_bytes(), CONTEXT)


def bad(signature: SignatureVerdict) -> set[tuple[str, str, str]]:
    """Return check, result and reason of what failed or stayed open."""
    return {
        (one.check.value, one.result.value, one.reason)
        for one in signature.findings
        if one.result in (Result.FAILED, Result.UNKNOWN)
    }


def passed(signature: SignatureVerdict) -> set[str]:
    return {one.check.value for one in signature.findings if one.result is Result.PASSED}


def answers(signature: SignatureVerdict) -> tuple[Outcome, Integrity, Trust]:
    return signature.outcome, signature.integrity, signature.trust


HOLDS_UNTRUSTED = (Outcome.INDETERMINATE, Integrity.HOLDS, Trust.UNTRUSTED)
BROKEN = (Outcome.INVALID, Integrity.BROKEN, Trust.UNTRUSTED)
WHOLE = {
    "structure", "algorithm", "document-digest", "coverage", "later-changes", "signature-value",
    "signer-bound-to-seal", "seal-value", "seal-period", "stamp-placement", "signing-time",
}  # fmt: skip


def test_the_valid_tax_file_holds_and_its_issuer_is_not_trusted() -> None:
    verdict = judge("v4-tax-test-valid.ofd")
    (signature,) = verdict.signatures
    assert answers(signature) == HOLDS_UNTRUSTED
    assert bad(signature) == OPEN
    assert passed(signature) == WHOLE
    assert signature.signed_at == datetime(2020, 10, 10, 7, 11, 20, tzinfo=UTC)
    digest = next(one for one in signature.findings if one.reason == "digest-holds")
    assert digest.subject == "13"
    assert (verdict.outcome, verdict.authentic) == (Outcome.INDETERMINATE, False)
    assert verdict.coverage.uncovered == verdict.coverage.unreferenced == ()


def test_the_tampered_tax_file_names_the_one_changed_entry() -> None:
    verdict = judge("v4-tax-test-tampered.ofd")
    (signature,) = verdict.signatures
    assert answers(signature) == BROKEN
    assert bad(signature) == OPEN | {("document-digest", "failed", "digest-changed")}
    changed = [one.subject for one in signature.findings if one.reason == "digest-changed"]
    assert changed == ["Doc_0/Document.xml"]
    assert {"signature-value", "seal-value", "signer-bound-to-seal"} <= passed(signature)
    assert verdict.outcome is Outcome.INVALID


def test_the_locked_file_holds_with_its_seal_copy() -> None:
    verdict = judge("v4-whole-protected-valid.ofd")
    (signature,) = verdict.signatures
    assert answers(signature) == HOLDS_UNTRUSTED
    assert bad(signature) == OPEN
    assert passed(signature) == WHOLE | {"seal-copy"}
    assert verdict.outcome is Outcome.INDETERMINATE


def test_a_seal_added_after_the_lock_breaks_the_first_and_not_the_second() -> None:
    """T-OFD-60."""
    verdict = judge("v4-append-after-lock.ofd")
    first, second = verdict.signatures
    assert answers(first) == BROKEN
    assert bad(first) == OPEN | {
        ("document-digest", "failed", "digest-changed"),
        ("later-changes", "failed", "appended-after-lock"),
    }
    changed = [one.subject for one in first.findings if one.reason == "digest-changed"]
    assert changed == ["Doc_0/Signs/Signatures.xml"]
    assert answers(second) == HOLDS_UNTRUSTED
    assert bad(second) == OPEN
    digest = next(one for one in second.findings if one.reason == "digest-holds")
    assert digest.subject == "11"
    assert verdict.outcome is Outcome.INVALID


def test_the_nonconforming_vendor_file_fails_but_its_seal_value_holds() -> None:
    """T-SES-21, T-OFD-56."""
    verdict = judge("v1-nonconforming-vendor.ofd")
    (signature,) = verdict.signatures
    assert answers(signature) == BROKEN
    assert {
        ("algorithm", "failed", "unsupported-algorithm"),
        ("document-digest", "failed", "data-hash-mismatch"),
        ("signature-value", "failed", "signature-mismatch"),
        ("signer-bound-to-seal", "failed", "signer-not-in-seal"),
    } <= bad(signature)
    assert "seal-value" in passed(signature)
    assert signature.seal is not None
    assert signature.seal.version == 1
    assert verdict.outcome is Outcome.INVALID


def test_the_bare_v5_signature_holds_without_its_original() -> None:
    data = (SAMPLES / "v5-signedvalue.dat").read_bytes()
    signature = judge_seal_signature(data, CONTEXT)
    assert answers(signature) == HOLDS_UNTRUSTED
    assert {"signature-value", "seal-value", "signer-bound-to-seal"} <= passed(signature)
    assert ("document-digest", "unknown", "not-checked") in bad(signature)
    assert signature.seal is not None
    assert (signature.kind, signature.seal.version) == ("ofd-seal", 5)
    verdict = judge_document(data, CONTEXT)
    assert verdict.signatures == (signature,)
    assert verdict.outcome is Outcome.INDETERMINATE


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("*.ofd")))
def test_none_is_ever_authentic_without_a_trust_anchor(name: str) -> None:
    verdict = judge(name)
    assert not verdict.authentic
    assert verdict.in_force is None
    assert verdict.licence is None
