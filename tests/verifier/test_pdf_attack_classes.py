"""The published classes of attack on PDF files, as ours and as foreign: each names its reason.

``test_pdf_rules`` asks only that none is valid; files that claim to be ours fail by their form
already. Here the same files claim nothing, so that the rule itself must find the attack.
"""

from collections.abc import Callable

import pytest

from tests.support import messages, pdf, pdf_attacks
from tests.support.pdf import approved, seal, twice_sealed
from tests.support.trust import RSA_TRUST
from tests.verifier.verdicts import doubts, faults, judge
from verifier.verdict import Outcome

Finding = tuple[str, str]
RANGE, VALUE = ("coverage", "byte-range"), ("structure", "malformed")
LATER, UNREAD = ("later-changes", "modified-after-signing"), ("container", "malformed")
DIGEST, ODD = ("document-digest", "data-hash-mismatch"), ("container", "ambiguous-structure")

CLASSES: dict[str, tuple[Callable[[], pdf_attacks.Variants], set[Finding]]] = {
    "T-PDF-01": (pdf_attacks.universal_forgeries, {RANGE, VALUE}),
    "T-PDF-02": (lambda: pdf_attacks.incremental_savings(seal()), {LATER, UNREAD}),
    "T-PDF-02 approved": (lambda: pdf_attacks.incremental_savings(approved()), {LATER, UNREAD}),
    "T-PDF-03": (pdf_attacks.wrappings, {RANGE, UNREAD}),
    "T-PDF-04": (pdf_attacks.bent_ranges, {RANGE, DIGEST}),
    "T-PDF-05": (pdf_attacks.padded_contents, {VALUE}),
    "T-PDF-06": (pdf_attacks.shadows, {LATER}),
    "T-PDF-07": (pdf_attacks.evil_annotations, {LATER}),
    "T-PDF-08": (pdf_attacks.sneaky_signatures, {LATER}),
    "T-PDF-09": (pdf_attacks.lowered_permissions, {LATER, ODD}),
}


@pytest.fixture(autouse=True)
def _trusted_signer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the attacks start from files that a trusted signer made."""
    monkeypatch.setattr(messages, "rsa_party", lambda: RSA_TRUST.holder())


@pytest.fixture(params=["own", "foreign"], autouse=True)
def _claims(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the files name a licence of ours, or nothing."""
    if request.param == "foreign":
        monkeypatch.setattr(pdf, "KEYWORDS", "a document of somebody")


@pytest.mark.parametrize("name", CLASSES)
def test_every_variant_is_invalid_for_the_reason_of_its_class(name: str) -> None:
    """T-PDF-01 to T-PDF-09, T-PDF-02, 03, 04, 05, 06, 07, 08."""
    assert judge(seal()).outcome is Outcome.VALID
    variants, reasons = CLASSES[name]
    for variant, document in variants().items():
        verdict = judge(document)
        assert verdict.outcome is Outcome.INVALID, variant
        assert faults(verdict) & reasons, variant


def test_a_range_that_ends_before_the_file_does_leaves_the_rest_uncovered() -> None:
    """T-PDF-11: whatever else is wrong."""
    verdict = judge(pdf_attacks.bent_ranges()["not-to-the-end"])
    assert ("coverage", "uncovered") in faults(verdict) | doubts(verdict)


def test_bytes_around_the_file_never_pass() -> None:
    """T-PDF-14."""
    for variant, document in pdf_attacks.framed().items():
        assert judge(document).outcome in (Outcome.INVALID, Outcome.INDETERMINATE), variant


def test_two_seals_of_the_builder_hold_in_both_forms() -> None:
    verdict = judge(twice_sealed())
    assert [one.integrity.value for one in verdict.signatures] == ["holds", "holds"]
