"""What a page shows of a verdict: masked facts, findings in their order (T-WEB-11)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from licence_store.codes import HolderCodeType
from tests.support.licences import HOLDER
from tests.support.verdicts import (
    PERSON,
    make_facts,
    make_finding,
    make_foreign,
    make_revoked,
    make_signature,
    make_tampered,
    make_unsigned,
    make_verdict,
)
from verifier.presenting import (
    Fact,
    VerdictPage,
    licence_facts,
    mask_holder_code,
    mask_name,
    present_document,
    present_licence,
)
from verifier.verdict import CHECK_ORDER, Check, LicenceFacts, Result, TimeSource, Verdict
from verifier.words import CHECK_NAMES

NAMES = {zh: check for check, (zh, _) in CHECK_NAMES.items()}


def _facts(licence: LicenceFacts) -> dict[str, Fact]:
    return {fact.zh: fact for fact in licence_facts(make_verdict(licence=licence), licence)}


def _all_text(page: VerdictPage) -> str:
    return repr(page)


def test_an_organisation_is_shown_with_name_and_code() -> None:
    facts = _facts(make_facts())
    assert facts["持证主体"].value == HOLDER.name
    assert facts["统一社会信用代码"].value == HOLDER.code
    assert facts["证照编号"].value == "JY23201020010244"


def test_a_person_is_shown_masked() -> None:
    facts = _facts(make_facts(**PERSON))
    assert facts["持证主体"].value == "欧***"
    assert facts["公民身份号码"].value == "1101011990****4514"


def test_a_holder_of_unknown_type_is_masked_like_a_person() -> None:
    facts = _facts(make_facts(holder_code_type="", holder_code="AB12345678"))
    assert facts["持证主体"].value.startswith("金*")
    assert facts["持证主体代码"].value == "AB******78"


@pytest.mark.parametrize(("name", "shown"), [("林", "林*"), ("林舟", "林*"), ("林一舟", "林**")])
def test_of_a_persons_name_the_first_character_is_shown(name: str, shown: str) -> None:
    assert mask_name(name, HolderCodeType.CITIZEN_ID) == shown


def test_a_missing_holder_code_stays_missing() -> None:
    assert mask_holder_code("", "111") == ""
    assert "公民身份号码" not in _facts(make_facts(holder_code="", holder_code_type="111"))


@pytest.mark.parametrize("number", [PERSON["holder_code"], "32010219880101123X", "320102880101123"])
def test_a_licence_number_that_is_a_citizen_number_is_masked(number: str) -> None:
    facts = _facts(make_facts(**PERSON, licence_number=number))
    assert number not in facts["证照编号"].value
    assert "****" in facts["证照编号"].value


def test_a_passport_number_as_licence_number_is_masked_like_the_code() -> None:
    person = {"holder_code": "E12345678", "holder_code_type": "414", "holder_name": "林一舟"}
    facts = _facts(make_facts(**person, licence_number="E12345678"))
    assert facts["证照编号"].value == "E1*****78"


def test_a_code_that_is_also_the_licence_number_is_shown_once() -> None:
    facts = _facts(make_facts(licence_number=HOLDER.code))
    assert facts["证照编号"].value == HOLDER.code
    assert "统一社会信用代码" not in facts


@pytest.mark.parametrize("present", [present_licence, present_document])
@pytest.mark.parametrize("state", ["in_force", "revoked"])
def test_no_page_holds_a_persons_data_in_the_clear(
    present: Callable[[Verdict], VerdictPage], state: str
) -> None:
    licence = make_facts(**PERSON, licence_number=PERSON["holder_code"], state=state)
    text = _all_text(present(make_verdict(licence=licence)))
    assert PERSON["holder_code"] not in text
    assert PERSON["holder_name"] not in text


def test_a_long_term_licence_has_no_last_day() -> None:
    assert _facts(make_facts(valid_until=""))["有效期"].value == "2026年11月24日 起，长期有效"
    assert _facts(make_facts(valid_from="", valid_until=""))["有效期"].value == "长期有效"
    assert "长期" in _facts(make_facts(valid_until="9999-12-31"))["有效期"].value


def test_the_state_of_an_ended_licence_gives_instant_reason_and_meaning() -> None:
    verdict = make_revoked()
    page = present_licence(verdict)
    state = next(fact for fact in page.facts if fact.zh == "当前状态")
    assert state.value == "已吊销（2026年11月25日 01:30）"
    assert state.hint == (
        "原因：擅自改变经营场所，经责令改正拒不改正。作为行政处罚，取消证照效力。"
    )


def test_findings_come_in_the_fixed_order_of_checks() -> None:
    verdict = make_tampered()
    backwards = replace(
        verdict,
        findings=verdict.findings[::-1],
        signatures=tuple(replace(s, findings=s.findings[::-1]) for s in verdict.signatures),
    )
    for group in present_document(backwards).groups:
        order = [CHECK_ORDER[NAMES[line.check_zh]] for line in group.lines]
        assert order == sorted(order)


def test_the_document_comes_before_its_seals() -> None:
    titles = [group.zh for group in present_document(make_verdict()).groups]
    assert titles == ["文件与证照", "签章 1 · OFD 电子签章"]


def test_a_failed_finding_says_why_who_and_what_to_do() -> None:
    lines = [line for group in present_document(make_tampered()).groups for line in group.lines]
    line = next(line for line in lines if line.check_zh == "原文摘要")
    assert (line.result, line.result_zh, line.zh) == (
        "failed",
        "未通过",
        "受保护的内容在盖章后被改动",
    )
    assert (line.who, line.who_en) == ("颁发机构", "the issuing body")
    assert line.advice.startswith("请向出具机构索取原件")
    assert line.clause == "GB/T 38540-2020, 7.3"


def test_english_words_that_repeat_the_check_are_said_once() -> None:
    page = present_document(make_verdict())
    line = next(each for each in page.groups[0].lines if each.check_zh == "内容与记录一致")
    assert line.en == "Content equals the record"


def test_the_public_page_names_no_path_and_no_signer() -> None:
    text = _all_text(present_licence(make_tampered()))
    assert "Content.xml" not in text
    assert "CN=" not in text
    assert "Content.xml" in _all_text(present_document(make_tampered()))


def test_the_library_record_is_not_shown_for_a_file_that_is_not_genuine() -> None:
    assert present_document(make_tampered()).facts == ()
    assert present_document(make_verdict()).facts != ()


def test_the_test_mark_is_shown_also_for_a_file_that_is_not_genuine() -> None:
    assert present_document(make_tampered()).is_test
    assert not present_document(make_verdict(licence=make_facts(test=False))).is_test
    assert not present_document(make_foreign()).is_test


def test_what_failed_and_what_is_open_is_counted() -> None:
    page = present_document(make_foreign())
    assert (page.failed, page.undecided, page.is_open) == (0, 3, True)
    page = present_licence(make_revoked())
    assert (page.failed, page.undecided, page.is_open) == (1, 0, False)


def test_an_unsigned_file_is_not_said_to_have_passed_everything() -> None:
    assert not present_document(make_unsigned()).is_all_passed
    assert present_document(make_verdict()).is_all_passed


def test_an_unreadable_file_still_has_its_digest() -> None:
    page = present_document(replace(make_unsigned(), document_kind="unknown"))
    assert page.document[0].value == "无法识别"
    assert page.document[1].zh == "文件摘要"


def test_where_the_signing_time_comes_from_is_said() -> None:
    claimed = make_signature((make_finding(),), time_source=TimeSource.CLAIMED)
    timeless = make_signature((make_finding(),), signed_at=None, time_source=TimeSource.NONE)
    page = present_document(make_verdict(signatures=(claimed, timeless)))
    first, second = (
        {fact.zh: fact for fact in group.facts} for group in page.groups if group.facts
    )
    assert first["盖章时间"].value == "2026年11月24日 12:00:03"
    assert first["盖章时间"].hint == "由签章方声明"
    assert "盖章时间" not in second


def test_a_signature_of_unknown_kind_without_seal_is_presented() -> None:
    odd = make_signature(
        (make_finding(Check.ALGORITHM, result=Result.UNKNOWN, reason="unsupported-signature"),),
        kind="unsupported",
        seal=None,
        signer="",
        signed_at=None,
    )
    group = present_document(make_verdict(signatures=(odd,))).groups[-1]
    assert group.zh == "签章 1 · 不支持的签名"
    assert group.facts == ()


def test_a_document_without_findings_of_its_own_shows_its_seals_only() -> None:
    page = present_document(make_verdict(findings=()))
    assert [group.en for group in page.groups] == ["Seal 1"]
