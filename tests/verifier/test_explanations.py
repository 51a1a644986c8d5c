"""Explanations: what it means, who can mend it, what to do; for every check, in plain words."""

import re

import pytest

from tests.support.verdicts import make_finding
from verifier.explanations import MEANINGS, OPEN, explain
from verifier.verdict import Check, Result
from verifier.words import REASONS

JARGON = re.compile(r"ASN|DER\b|CMS|ByteRange|字节|解析")


@pytest.mark.parametrize("check", list(Check))
def test_every_check_says_what_its_failure_means(check: Check) -> None:
    meaning = MEANINGS[check]
    assert meaning.zh.endswith("。")
    assert meaning.en.endswith(".")
    assert not JARGON.search(meaning.zh)


@pytest.mark.parametrize("result", [Result.FAILED, Result.UNKNOWN])
@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_that_is_not_passed_gets_three_answers(reason: str, result: Result) -> None:
    explanation = explain(make_finding(Check.STRUCTURE, result=result, reason=reason))
    assert explanation is not None
    assert explanation.meaning_zh
    assert explanation.who_zh
    assert explanation.who_en
    assert explanation.advice


@pytest.mark.parametrize("result", [Result.PASSED, Result.NOTICE])
def test_what_passed_or_is_a_remark_needs_none(result: Result) -> None:
    assert explain(make_finding(Check.STRUCTURE, result=result)) is None


def test_what_is_open_is_never_called_a_forgery() -> None:
    explanation = explain(
        make_finding(Check.SIGNATURE_VALUE, result=Result.UNKNOWN, reason="not-checked")
    )
    assert explanation is not None
    assert explanation.meaning_zh == OPEN.zh
