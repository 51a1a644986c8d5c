"""Identifiers (GB/T 36904): the published values, the wrong one, and our own vectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licence_store.errors import InvalidCode, InvalidIdentifier
from licence_store.identifiers import (
    ALPHABET,
    assign_food_permit_number,
    assign_identifier,
    check_character,
    check_food_permit_number,
    make_serial,
    next_version,
    parse_identifier,
)

PUBLISHED = (
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
)
PUBLISHED_DEVIATING = (
    (
        "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
        ("issuer_length",),
    ),
    (
        "1.2.156.3005.2.062301.1101101102.0624_001.001.U",
        ("type_length", "issuer_length", "serial_charset"),
    ),
)
PUBLISHED_WRONG = (
    "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"
)
OWN = (
    "1.2.156.3005.2.11100000000019713D008.11320100MB9K00013M.202600000001.001.T",
    "1.2.156.3005.2.11100000MB03271699001.11320102MB9K00021D.2026NJ00000001.001.E",
    "1.2.156.3005.2.11100000MB0143028R001.11320100MB9K00013M.A0B1C2D3E4F5061728394A5B6C7D8E9F.001.8",
    "1.2.156.3005.2.11100000000013338W009.11320102MB9K00021D.320102202611230101.001.9",
    "1.2.156.3005.2.11100000000013338W009.11320102MB9K00021D.320102202611230101.002.7",
)


@pytest.mark.parametrize("text", PUBLISHED + OWN)
def test_conforming_identifiers_are_read_without_notice_and_written_alike(text: str) -> None:
    parsed = parse_identifier(text)
    assert parsed.notices == ()
    written = assign_identifier(
        licence_type_code=parsed.licence_type_code,
        authority_code=parsed.authority_code,
        serial=parsed.serial,
        version=parsed.version,
    )
    assert written == text == parsed.text


@pytest.mark.parametrize(("text", "notices"), PUBLISHED_DEVIATING)
def test_deviating_identifiers_are_read_with_notices(text: str, notices: tuple[str, ...]) -> None:
    assert parse_identifier(text).notices == notices


def test_the_published_identifier_with_a_wrong_check_character_is_refused() -> None:
    with pytest.raises(InvalidIdentifier, match="check character"):
        parse_identifier(PUBLISHED_WRONG)
    assert parse_identifier(PUBLISHED_WRONG[:-1] + "D").check == "D"


def test_lower_case_is_read() -> None:
    assert parse_identifier(PUBLISHED[0].lower()).text == PUBLISHED[0]


def test_every_single_substitution_and_neighbour_swap_changes_the_check_character() -> None:
    body = "".join(PUBLISHED[1].removeprefix("1.2.156.3005.2.").split(".")[:4])
    right = check_character(body)
    for position, old in enumerate(body):
        for new in ALPHABET:
            if new != old:
                assert check_character(body[:position] + new + body[position + 1 :]) != right
        swapped = body[:position] + body[position : position + 2][::-1] + body[position + 2 :]
        if swapped != body:
            assert check_character(swapped) != right


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.2.156.3005.2",
        "1.2.156.3005.3.11100000000013338W032.11220000013544541J.2430599.001.F",
        "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001",
        "1.2.156.3005.2.11100000000013338W032.11220000013544541J..001.F",
        "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F.",
        "1.2.156.3005.2.11100000000013338W032.11220000013544541J.243 599.001.F",
        "1.2.156.3005.2.11100000000013338W032.11220000013544541J.２430599.001.F",
        "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.FF",
        "1.2.156.3005.2." + "1" * 200 + ".1.1.001.1",
    ],
)
def test_malformed_identifiers_are_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_identifier(text)


@pytest.mark.parametrize(
    "flaw",
    [
        {"licence_type_code": "11100000000013338W03"},
        {"authority_code": "340100"},
        {"serial": ""},
        {"serial": "a1"},
        {"serial": "A" * 33},
        {"version": "1"},
        {"version": "000"},
    ],
)
def test_writing_is_strict(flaw: dict[str, str]) -> None:
    parts = {
        "licence_type_code": "11100000000013338W032",
        "authority_code": "11220000013544541J",
        "serial": "2430599",
    }
    with pytest.raises(InvalidIdentifier):
        assign_identifier(**{**parts, **flaw})


def test_the_next_version_keeps_the_serial() -> None:
    assert next_version(OWN[3]) == OWN[4]


def test_there_is_no_version_after_999() -> None:
    last = assign_identifier(
        licence_type_code="11100000000013338W032",
        authority_code="11220000013544541J",
        serial="1",
        version="999",
    )
    with pytest.raises(InvalidIdentifier):
        next_version(last)


def test_a_version_of_another_form_has_no_next_one() -> None:
    body = "11100000000013338W032" + "11220000013544541J" + "1" + "1A"
    text = f"1.2.156.3005.2.{body[:21]}.{body[21:39]}.1.1A.{check_character(body)}"
    with pytest.raises(InvalidIdentifier, match="three digits"):
        next_version(text)


@given(st.binary(min_size=16, max_size=32))
def test_serials_are_twenty_digits_and_capitals(randomness: bytes) -> None:
    serial = make_serial(randomness)
    assert len(serial) == 20
    assert set(serial) <= set(ALPHABET)


@given(st.text(max_size=150))
def test_reading_any_text_raises_nothing_but_our_error(text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_identifier(text)


@pytest.mark.parametrize("number", ["JY11108071215650", "JY11105050876919", "JY23201020001233"])
def test_published_food_permit_numbers_are_accepted(number: str) -> None:
    check_food_permit_number(number)


@pytest.mark.parametrize("number", ["JY11108071215651", "JY1110807121565", "jy11108071215650", ""])
def test_wrong_food_permit_numbers_are_refused(number: str) -> None:
    with pytest.raises(InvalidCode):
        check_food_permit_number(number)


def test_food_permit_numbers_are_written_with_their_check_digit() -> None:
    number = assign_food_permit_number(business_form=2, area_code="320102", sequence=123)
    assert number == "JY23201020001233"


@pytest.mark.parametrize(
    ("business_form", "area_code", "sequence"),
    [(0, "320102", 1), (4, "320102", 1), (1, "32010", 1), (1, "320102", 1_000_000)],
)
def test_food_permit_number_parts_are_checked(
    business_form: int, area_code: str, sequence: int
) -> None:
    with pytest.raises(InvalidCode):
        assign_food_permit_number(
            business_form=business_form, area_code=area_code, sequence=sequence
        )
