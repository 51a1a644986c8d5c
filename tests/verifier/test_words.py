"""Every check and every reason has words; what failed says who can mend it and how."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.verdicts import make_finding
from verifier.rules.findings import REASON_CODES
from verifier.rules.licence import STATE_REASONS
from verifier.verdict import Check, Result
from verifier.words import CHECK_NAMES, MARKS, REASONS, WHO_EN, reason_words

VERIFIER = Path(__file__).parents[2] / "verifier"
_SAYING = {"passed", "failed", "unknown", "notice", "finding", "say"}
_REASON = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _reasons_in(module: Path) -> set[str]:
    """Collect the reasons a module writes down as text when it says what a check gave."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        named = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
        if node.func.id in _SAYING:
            named += node.args[1:3] if node.func.id == "finding" else node.args[1:2]
        found |= {
            value.value
            for value in named
            if isinstance(value, ast.Constant) and isinstance(value.value, str)
        }
    return {reason for reason in found if _REASON.fullmatch(reason)}


def test_every_reason_the_rules_give_has_words() -> None:
    modules = [*sorted((VERIFIER / "rules").glob("*.py")), VERIFIER / "judge.py"]
    used = set().union(*map(_reasons_in, modules))
    used |= set(REASON_CODES.values()) | set(STATE_REASONS.values())
    assert len(used) > 40
    assert used - set(REASONS) == set()


@pytest.mark.parametrize("check", Check)
def test_every_check_has_a_name_in_both_languages(check: Check) -> None:
    assert all(CHECK_NAMES[check])


@pytest.mark.parametrize("result", Result)
def test_every_result_has_a_mark(result: Result) -> None:
    assert len(MARKS[result]) == 1


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_said_in_both_languages(reason: str) -> None:
    words = REASONS[reason]
    assert re.search("[一-鿿]", words.zh)
    assert words.en.isascii()
    assert not words.zh.endswith("。")


@pytest.mark.parametrize("result", [Result.FAILED, Result.UNKNOWN])
@pytest.mark.parametrize("reason", [*REASONS, "never-heard-of"])
def test_what_failed_or_is_open_says_who_can_mend_it_and_how(reason: str, result: Result) -> None:
    words = reason_words(make_finding(reason=reason, result=result))
    assert words.who in WHO_EN
    assert words.advice.endswith("。")


def test_a_passed_check_asks_nobody_to_do_anything() -> None:
    words = reason_words(make_finding(Check.REVOCATION))
    assert (words.who, words.advice) == ("", "")


def test_an_unlisted_reason_shows_its_code() -> None:
    assert reason_words(make_finding(reason="never-heard-of")).zh == "never-heard-of"
