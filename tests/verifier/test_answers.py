"""The big words: one sentence, two answers, never "valid" in doubt (T-WEB-04)."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from licence_store.states import ISSUED_STATES, LicenceState
from tests.support.verdicts import (
    make_expired,
    make_facts,
    make_finding,
    make_foreign,
    make_revoked,
    make_tampered,
    make_unsigned,
    make_verdict,
)
from verifier.answers import (
    ENDINGS,
    authentic_words,
    day_en,
    headline_words,
    in_force_words,
)
from verifier.verdict import Check, Outcome, Result, Verdict


def _answers(verdict: Verdict) -> tuple[str, str, str]:
    return (
        headline_words(verdict).zh,
        authentic_words(verdict).zh,
        in_force_words(verdict).zh,
    )


def test_a_licence_in_force_is_genuine_and_in_force() -> None:
    assert _answers(make_verdict()) == ("真实，现行有效", "真实", "现行有效")


@pytest.mark.parametrize(
    ("state", "sentence", "force", "english"),
    [
        ("revoked", "真实，但已于2026年11月24日吊销", "已吊销", "Genuine, but revoked"),
        ("withdrawn", "真实，但已于2026年11月24日撤销", "已撤销", "Genuine, but withdrawn"),
        ("cancelled", "真实，但已于2026年11月24日注销", "已注销", "Genuine, but cancelled"),
        ("suspended", "真实，但已于2026年11月24日暂扣", "已暂扣", "Genuine, but suspended"),
        ("voided", "真实，但已于2026年11月24日作废", "已作废", "Genuine, but voided"),
        ("transferred", "真实，但已于2026年11月24日转出", "已转出", "Genuine, but transferred"),
        (
            "replaced",
            "真实，但已于2026年11月24日被新版本取代",
            "已被新版本取代",
            "Genuine, but replaced by a newer one",
        ),
    ],
)
def test_an_ended_licence_is_genuine_but_ended_on_a_day(
    state: str, sentence: str, force: str, english: str
) -> None:
    since = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    verdict = make_revoked(state=state, state_since=since)
    assert _answers(verdict) == (sentence, "真实", force)
    assert headline_words(verdict).en == f"{english} on 24 November 2026"
    assert headline_words(verdict).tone == "bad"


def test_the_three_endings_by_the_authority_differ_in_word_and_meaning() -> None:
    meanings = {ENDINGS[state].meaning_zh for state in ("revoked", "withdrawn", "cancelled")}
    assert len(meanings) == 3


def test_every_state_in_which_a_licence_can_be_seen_has_words() -> None:
    assert set(ENDINGS) == ISSUED_STATES - {LicenceState.IN_FORCE}


def test_the_day_of_an_ending_is_the_day_in_china() -> None:
    verdict = make_revoked(state_since=datetime(2026, 11, 24, 17, 30, tzinfo=UTC))
    assert headline_words(verdict).zh == "真实，但已于2026年11月25日吊销"


def test_an_ending_gives_the_reason_of_the_authority() -> None:
    assert headline_words(make_revoked()).because_zh == "原因：擅自改变经营场所，经责令改正拒不改正"


def test_an_ending_without_reason_or_day_says_what_the_word_means() -> None:
    words = headline_words(make_revoked(state_reason="", state_since=None))
    assert words.zh == "真实，但已吊销"
    assert words.because_zh == "作为行政处罚，取消证照效力。"


def test_a_licence_past_its_last_day_has_ended_on_that_day() -> None:
    assert _answers(make_expired()) == ("真实，但已于2026年11月24日到期", "真实", "已到期")


def test_the_last_day_itself_is_still_in_force() -> None:
    verdict = make_verdict(licence=make_facts(valid_until="2026-11-26"))
    assert in_force_words(verdict).zh == "现行有效"


def test_a_licence_before_its_first_day_is_not_yet_in_force() -> None:
    flaw = make_finding(Check.VALIDITY_PERIOD, result=Result.FAILED, reason="licence-not-yet-valid")
    verdict = make_verdict(flaw, licence=make_facts(valid_from="2027-01-01"))
    assert _answers(verdict) == ("真实，但2027年1月1日才生效", "真实", "尚未生效")


@pytest.mark.parametrize("state", sorted(ENDINGS))
def test_an_ended_licence_is_not_in_force_even_if_the_verdict_says_so(state: str) -> None:
    verdict = replace(make_verdict(licence=make_facts(state=state)), in_force=True)
    assert in_force_words(verdict).tone == "bad"
    assert "有效" not in headline_words(verdict).zh


def test_an_unknown_state_is_not_in_force() -> None:
    verdict = make_verdict(licence=make_facts(state="something_new"))
    assert _answers(verdict) == ("真实，但不在有效状态", "真实", "不在有效状态")


def test_a_licence_whose_force_is_not_known_is_not_called_in_force() -> None:
    verdict = make_verdict(in_force=None)
    assert _answers(verdict) == ("真实，效力无法确认", "真实", "无法确认")


def test_a_changed_file_is_invalid_and_its_force_is_not_judged() -> None:
    assert _answers(make_tampered()) == ("无效", "不真实", "不作判断")
    assert headline_words(make_tampered()).because_zh == "声称是本库的证照，但与库中文件不一致。"


def test_an_intact_file_of_an_unknown_issuer_cannot_be_confirmed() -> None:
    assert _answers(make_foreign()) == ("无法确认", "无法确认", "不作判断")
    words = headline_words(make_foreign())
    assert words.because_zh == "内容自盖章后未被改动，但制章者证书未能追溯到受信任的根证书。"
    assert words.because_en.startswith("Unchanged since sealing. Seal maker's certificate: ")


def test_a_valid_file_that_is_not_ours_has_its_force_asked_of_its_issuer() -> None:
    verdict = make_verdict(is_ours=False)
    assert _answers(verdict) == ("有效", "真实", "请向颁发机构查询")
    assert headline_words(verdict).because_zh == "印章可信，内容自盖章后未被改动。"


def test_an_unsigned_file_is_neither_true_nor_false() -> None:
    assert _answers(make_unsigned()) == ("未签章", "无从判断", "不作判断")


def test_valid_but_not_authentic_is_never_shown_as_valid() -> None:
    verdict = make_verdict(authentic=False)
    assert verdict.outcome is Outcome.VALID
    assert _answers(verdict) == ("无法确认", "无法确认", "不作判断")


def test_an_english_day_reads_day_month_year() -> None:
    assert day_en(date(2026, 1, 9)) == "9 January 2026"
