"""Validators of codes and names: published values, the written rule for text (T-API-26..28)."""

import time
import unicodedata
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licence_store.codes import (
    _PLAIN,
    HolderCodeType,
    TextRule,
    _refusal,
    check_area_code,
    check_citizen_id,
    check_holder_code,
    check_licence_type_code,
    check_text,
    check_uscc,
    mask_code,
    organisation_check,
    read_date,
    uscc_check,
)
from licence_store.errors import InvalidCode

# The standard's own examples; real people's numbers never appear here.
CITIZEN_IDS = ("11010519491231002X", "440524188001010014")


@pytest.mark.parametrize(
    "code",
    [
        "91110000600037341L",
        "91350100M000100Y43",
        "11100000000013338W",
        "11100000MB0143028R",
        "11100000000019713D",
        "11430000006122244L",
        "11220000013544541J",
        "11420503087246977F",
        "113700000045030270",
        "11330105002500287C",
    ],
)
def test_published_credit_codes_are_accepted(code: str) -> None:
    check_uscc(code)


@pytest.mark.parametrize(
    "code",
    [
        "91110000600037341M",
        "91110000600037342L",
        "91110000600037341",
        "91110000600037341l",
        "9111000060003734IL",
        "",
        "９1110000600037341L",
    ],
)
def test_wrong_credit_codes_are_refused(code: str) -> None:
    with pytest.raises(InvalidCode):
        check_uscc(code)


def test_a_credit_code_with_a_wrong_inner_organisation_code_is_refused() -> None:
    body = "9111000060003734" + "2"
    with pytest.raises(InvalidCode, match="组织机构代码"):
        check_uscc(body + uscc_check(body))


@pytest.mark.parametrize(
    ("body", "check"), [("60003734", "1"), ("M000100Y", "4"), ("00001333", "8")]
)
def test_organisation_code_checks_match_published_values(body: str, check: str) -> None:
    assert organisation_check(body) == check


@pytest.mark.parametrize("code", CITIZEN_IDS)
def test_the_standards_citizen_numbers_are_accepted(code: str) -> None:
    check_citizen_id(code)


@pytest.mark.parametrize(
    "code",
    [
        "110105194912310021",
        "11010519491231002x",
        "11010519490230002X",
        "99010519491231002X",
        "1101051949123100",
        "",
    ],
)
def test_wrong_citizen_numbers_are_refused_without_repeating_them(code: str) -> None:
    with pytest.raises(InvalidCode) as caught:
        check_citizen_id(code)
    assert not code or code not in caught.value.detail


@pytest.mark.parametrize(
    "code", ["320000", "320100", "320102", "320600", "321000", "100000", "540100"]
)
def test_area_codes_are_accepted(code: str) -> None:
    check_area_code(code)


@pytest.mark.parametrize(
    "code", ["", "3201", "990100", "320002", "32010a", "３20102", "320102001001"]
)
def test_wrong_area_codes_are_refused(code: str) -> None:
    with pytest.raises(InvalidCode):
        check_area_code(code)


@pytest.mark.parametrize("code", ["11100000MB0143028R001", "11100000000019713D008"])
def test_national_licence_type_codes_are_accepted(code: str) -> None:
    check_licence_type_code(code)


@pytest.mark.parametrize(
    "code", ["11100000MB0143028R", "11100000MB0143028X001", "x", "../etc/passwd"]
)
def test_wrong_licence_type_codes_are_refused(code: str) -> None:
    with pytest.raises(InvalidCode):
        check_licence_type_code(code)


def test_dates_are_read() -> None:
    assert read_date("2024-02-29") == date(2024, 2, 29)


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-2-3", "20260203", "0000-01-01", "2026-13-01", "２026-01-01", ""]
)
def test_wrong_dates_are_refused(text: str) -> None:
    """T-API-26."""
    with pytest.raises(InvalidCode):
        read_date(text)


@pytest.mark.parametrize(
    "name",
    [
        "南京市玄武区秦淮面馆",
        "西安𰻞𰻞面馆",
        "𠮷野家（南京）餐饮有限公司",
        "买买提·吐尔逊",
        "葛󠄀城茶社",
        "ABC 咖啡 Café",
        "ཨ་མདོ་ཟ་ཁང་",
        "ᠮᠣᠩᠭᠣᠯ",
        "𲎰家小馆",
    ],
)
def test_rare_characters_and_minority_scripts_are_accepted(name: str) -> None:
    """T-API-27."""
    check_text(name)


@pytest.mark.parametrize(
    "name",
    [
        "甲\u202e乙",
        "甲\u2066乙",
        "甲\u200b乙",
        "甲\u200d乙",
        "甲\ufeff乙",
        "甲\u00ad乙",
        "甲\ue000乙",
        "甲\U000f0000乙",
        "甲\U00100000乙",
        "甲\u0378乙",
        "甲\uffff乙",
        "甲\x00乙",
        "甲\n乙",
        "甲\x1b[31m乙",
        "甲\ud800乙",
        "甲\u3164乙",
        "甲\u00a0乙",
        "甲\u2028乙",
        "Cafe\u0301",
        "甲\uf9dc",
        "A\U000e0100",
        "甲\U000e0100\U000e0101",
        "\U000e0100甲",
        " 甲",
        "甲\u3000",
        "",
        "\u3000",
        "甲" * 201,
    ],
)
def test_text_that_hides_or_reorders_is_refused(name: str) -> None:
    """T-API-28."""
    with pytest.raises(InvalidCode):
        check_text(name)


def test_the_refused_character_is_named() -> None:
    with pytest.raises(InvalidCode, match=r"第 2 个字符 U\+202E"):
        check_text("甲\u202e乙")


def test_line_feeds_are_allowed_only_where_the_rule_says_so() -> None:
    check_text("甲\n乙", TextRule(longest=10, multiline=True))


@pytest.mark.parametrize(
    ("code", "code_type"),
    [
        ("91110000600037341L", HolderCodeType.USCC),
        (CITIZEN_IDS[0], HolderCodeType.CITIZEN_ID),
        ("E12345678", HolderCodeType.PASSPORT),
    ],
)
def test_holder_codes_are_checked_by_their_type(code: str, code_type: HolderCodeType) -> None:
    check_holder_code(code, code_type)


@pytest.mark.parametrize(
    ("code", "code_type"),
    [
        ("91110000600037341L", HolderCodeType.CITIZEN_ID),
        (CITIZEN_IDS[0], HolderCodeType.USCC),
        ("E 12345678", HolderCodeType.PASSPORT),
        ("", HolderCodeType.OTHER_PERSON),
    ],
)
def test_holder_codes_of_another_type_are_refused(code: str, code_type: HolderCodeType) -> None:
    with pytest.raises(InvalidCode):
        check_holder_code(code, code_type)


def test_codes_of_people_are_masked_and_codes_of_organisations_are_not() -> None:
    assert mask_code(CITIZEN_IDS[0], HolderCodeType.CITIZEN_ID) == "1101051949****002X"
    assert mask_code("91110000600037341L", HolderCodeType.USCC) == "91110000600037341L"
    assert mask_code("E12345678", HolderCodeType.PASSPORT) == "E1*****78"


@given(st.text(max_size=60))
def test_any_text_raises_nothing_but_our_error(text: str) -> None:
    checks: tuple[Callable[[str], object], ...] = (
        check_text,
        check_uscc,
        check_citizen_id,
        check_area_code,
        check_licence_type_code,
        read_date,
    )
    for check in checks:
        try:
            check(text)
        except InvalidCode:
            continue


def test_validators_take_linear_time() -> None:
    """T-API-25."""
    long = "1" * 200_000
    began = time.process_time()
    for check in (check_uscc, check_citizen_id, check_area_code, read_date, check_text):
        with pytest.raises(InvalidCode):
            check(long)
    assert time.process_time() - began < 1


def test_every_plain_character_is_one_the_rule_allows() -> None:
    """The short cut for ordinary text must not let anything past the written rule."""
    plain = [chr(point) for point in range(0x110000) if _PLAIN.fullmatch(chr(point))]
    assert len(plain) > 20_900
    for character in plain:
        assert _refusal(character, 0, False) is None
        assert unicodedata.is_normalized("NFC", f"一{character}一")
