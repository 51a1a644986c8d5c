"""A verdict cannot be misread: no truth value, one rule from findings to outcome (ADR 0004)."""

import itertools

import pytest

from tests.support.verdicts import (
    make_finding,
    make_foreign,
    make_revoked,
    make_tampered,
    make_unsigned,
    make_verdict,
)
from verifier.verdict import (
    CHECK_ORDER,
    FORCE_CHECKS,
    INTEGRITY_CHECKS,
    SEVERITY,
    TRUST_CHECKS,
    Check,
    Integrity,
    Outcome,
    Result,
    Trust,
    in_order,
    integrity_of,
    outcome_of,
    trust_of,
    worst,
)


def test_a_verdict_has_no_truth_value() -> None:
    with pytest.raises(TypeError):
        bool(make_verdict())


def test_the_verdict_on_a_signature_has_no_truth_value() -> None:
    with pytest.raises(TypeError):
        bool(make_verdict().signatures[0])


def test_one_failed_check_makes_it_invalid_whatever_else_is_found() -> None:
    for others in itertools.product(Result, repeat=2):
        findings = [make_finding(result=result) for result in (*others, Result.FAILED)]
        assert outcome_of(findings) is Outcome.INVALID


def test_an_undecided_check_leaves_it_open() -> None:
    findings = [make_finding(result=r) for r in (Result.PASSED, Result.UNKNOWN, Result.NOTICE)]
    assert outcome_of(findings) is Outcome.INDETERMINATE


def test_no_check_at_all_and_notices_alone_are_not_valid() -> None:
    assert outcome_of([]) is Outcome.INDETERMINATE
    assert outcome_of([make_finding(result=Result.NOTICE)]) is Outcome.INDETERMINATE


def test_only_passed_checks_are_valid_and_a_notice_does_no_harm() -> None:
    findings = [make_finding(), make_finding(result=Result.NOTICE)]
    assert outcome_of(findings) is Outcome.VALID


def test_integrity_looks_at_the_sealed_bytes_alone() -> None:
    assert integrity_of(make_foreign().all_findings()) is Integrity.HOLDS
    assert integrity_of(make_tampered().all_findings()) is Integrity.BROKEN
    assert integrity_of([make_finding(Check.SIGNER_CHAIN)]) is Integrity.UNKNOWN


def test_trust_looks_at_the_chains_alone() -> None:
    assert trust_of(make_tampered().all_findings()) is Trust.TRUSTED
    assert trust_of(make_foreign().all_findings()) is Trust.UNTRUSTED
    assert trust_of([make_finding()]) is Trust.UNKNOWN


def test_a_document_is_as_bad_as_its_worst_signature() -> None:
    assert worst([Outcome.VALID, Outcome.INVALID, Outcome.INDETERMINATE]) is Outcome.INVALID
    assert worst([Outcome.VALID, Outcome.INDETERMINATE]) is Outcome.INDETERMINATE
    assert worst([]) is Outcome.UNSIGNED
    assert set(SEVERITY) == set(Outcome)


def test_the_headline_is_what_failed_before_what_is_open() -> None:
    flaws = (
        make_finding(Check.CONTAINER, result=Result.UNKNOWN, reason="container-extra"),
        make_finding(Check.SIGNATURE_VALUE, result=Result.FAILED, reason="signature-mismatch"),
    )
    cause = make_verdict(*flaws).headline()
    assert cause is not None
    assert cause.reason == "signature-mismatch"
    assert make_verdict().headline() is None


def test_findings_of_the_document_come_first() -> None:
    verdict = make_verdict()
    count = len(verdict.findings)
    assert verdict.all_findings()[:count] == verdict.findings


def test_the_order_of_checks_is_fixed_and_stable_within_a_check() -> None:
    first, second = make_finding(subject="1"), make_finding(subject="2")
    shuffled = [make_finding(Check.REVOCATION), first, make_finding(Check.COVERAGE), second]
    assert [one.check for one in in_order(shuffled)] == [
        Check.CONTAINER,
        Check.CONTAINER,
        Check.COVERAGE,
        Check.REVOCATION,
    ]
    assert in_order(shuffled)[:2] == (first, second)
    assert list(CHECK_ORDER) == list(Check)


def test_a_check_is_about_force_or_about_truth_and_never_both() -> None:
    assert not FORCE_CHECKS & (INTEGRITY_CHECKS | TRUST_CHECKS)


def test_truth_and_force_are_independent_answers() -> None:
    revoked = make_revoked()
    assert (revoked.authentic, revoked.in_force) == (True, False)
    unsigned = make_unsigned()
    assert (unsigned.authentic, unsigned.in_force) == (False, None)
