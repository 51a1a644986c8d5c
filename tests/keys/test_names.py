"""Names for people, and the organisation code in them."""

import pytest

from keys import der
from keys.errors import MalformedCertificate
from keys.names import MAX_VALUE_CHARACTERS, parse_name
from tests.support.chains import COMMON_NAME, ORGANISATION, UNIT, name

CODE = "11320102MB9K00021D"
IDENTIFIER = "2.5.4.97"
SERIAL = "2.5.4.5"


def test_a_name_is_shown_in_the_order_written() -> None:
    parsed = parse_name(name((ORGANISATION, "甲"), ("1.2.3", "x"), (COMMON_NAME, "乙")))
    assert parsed.display == "O=甲, 1.2.3=x, CN=乙"
    assert (parsed.organisation, parsed.common_name) == ("甲", "乙")


def test_an_empty_name_is_a_name() -> None:
    parsed = parse_name(der.sequence())
    assert (parsed.display, parsed.common_name, parsed.organisation) == ("", "", "")
    assert parsed.organisation_code is None


def test_the_most_specific_of_several_values_counts() -> None:
    assert parse_name(name((COMMON_NAME, "上级"), (COMMON_NAME, "本级"))).common_name == "本级"


def test_several_values_in_one_set_are_read() -> None:
    pair = [
        der.sequence(der.oid(oid), der.utf8(text))
        for oid, text in ((COMMON_NAME, "甲"), (UNIT, "乙"))
    ]
    assert parse_name(der.sequence(der.set_of(pair))).display == "CN=甲, OU=乙"


@pytest.mark.parametrize(
    ("element", "text", "is_odd"),
    [
        (der.printable("CN"), "CN", False),
        (der.element(der.BMP_STRING, "审批".encode("utf-16-be")), "审批", False),
        (der.element(der.BMP_STRING, b"\x00a\x00"), "a�", True),
        (der.element(0x14, "é".encode("latin-1")), "é", True),
        (der.element(der.PRINTABLE_STRING, "审".encode()), "审", True),
        (der.element(der.UTF8_STRING, b"\xff\xfe"), "ÿþ", True),
    ],
)
def test_every_string_type_is_read(element: bytes, text: str, is_odd: bool) -> None:
    parsed = parse_name(name((COMMON_NAME, element)))
    assert (parsed.common_name, parsed.is_odd) == (text, is_odd)


@pytest.mark.parametrize(
    "letter", ["\x00", "\n", "\x7f", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\ue000"]
)
def test_misleading_characters_are_spelt_out(letter: str) -> None:
    """T-PKI-11."""
    parsed = parse_name(name((COMMON_NAME, f"甲{letter}乙")))
    assert parsed.common_name == f"甲\\u{ord(letter):04x}乙"
    assert letter not in parsed.display


def test_very_long_values_are_cut() -> None:
    """T-PKI-11."""
    parsed = parse_name(name((COMMON_NAME, "长" * 5_000)))
    assert parsed.common_name == "长" * MAX_VALUE_CHARACTERS + "…"


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([(IDENTIFIER, CODE)], CODE),
        ([(IDENTIFIER, f"NTRCN-{CODE}")], CODE),
        ([(IDENTIFIER, f"VATCN-{CODE}")], CODE),
        ([(IDENTIFIER, f" {CODE} ")], CODE),
        ([(UNIT, CODE)], CODE),
        ([(SERIAL, CODE)], CODE),
        ([(UNIT, "审批处"), (SERIAL, CODE)], CODE),
        ([(UNIT, CODE), (SERIAL, CODE)], CODE),
        ([(IDENTIFIER, CODE), (UNIT, "91320102MA9K00028Q")], CODE),
        ([(UNIT, "审批处")], None),
        ([(COMMON_NAME, CODE)], None),
        ([(UNIT, CODE.lower())], None),
        ([(UNIT, CODE[:-1])], None),
        ([(UNIT, CODE + "X")], None),
        ([(UNIT, CODE.replace("B", "I"))], None),
        ([(UNIT, CODE + "\u202e")], None),
        ([(UNIT, CODE), (SERIAL, "91320102MA9K00028Q")], None),
        ([(IDENTIFIER, CODE), (IDENTIFIER, "91320102MA9K00028Q")], None),
        ([(IDENTIFIER, "VATDE-123456789"), (UNIT, CODE)], None),
    ],
)
def test_the_organisation_code_is_found_or_nobody_chooses(
    pairs: list[tuple[str, str | bytes]], code: str | None
) -> None:
    """T-PKI-11: two different codes, or an identifier of another form, are none."""
    assert parse_name(name(*pairs)).organisation_code == code


@pytest.mark.parametrize(
    "data",
    [
        b"",
        der.null(),
        der.sequence(der.sequence()),
        der.sequence(der.set_of([der.sequence(der.oid("1.2.3"))])),
        der.sequence(der.set_of([der.sequence(der.utf8("x"), der.utf8("y"))])),
    ],
)
def test_what_is_no_name_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedCertificate):
        parse_name(data)
