"""What differs between two files in words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.comparing import (
    DATA_ATTACHMENT,
    LONGEST_VALUE,
    MAX_DIFFERENCES,
    Contents,
    Place,
    changed_lines,
    compare_contents,
    read_licence_data,
)

NAME = (Place.INDEX, "CertificateHolderName")
CAPITAL = (Place.FACE, "registered_capital")


def _contents(fields: dict[tuple[Place, str], str], *lines: str) -> Contents:
    return Contents(fields=fields, pages=(lines,))


def test_equal_files_differ_in_nothing() -> None:
    one = _contents({NAME: "a"}, "b")
    words = compare_contents(one, one, {})
    assert (words.fields, words.lines) == ((), ())


def test_a_changed_value_is_named_as_people_name_it() -> None:
    words = compare_contents(
        _contents({NAME: "甲公司", CAPITAL: "壹佰万元"}),
        _contents({NAME: "乙公司", CAPITAL: "玖佰万元"}),
        {"registered_capital": "注册资本"},
    )
    assert [(one.label, one.ours, one.theirs) for one in words.fields] == [
        ("持证主体", "甲公司", "乙公司"),
        ("注册资本", "壹佰万元", "玖佰万元"),
    ]


def test_absent_values_are_none_on_their_side() -> None:
    words = compare_contents(_contents({NAME: "甲"}), _contents({CAPITAL: "玖"}), {})
    assert [(one.ours, one.theirs) for one in words.fields] == [("甲", None), (None, "玖")]


def test_changed_lines_stand_side_by_side() -> None:
    ours = ("营业执照", "名称 甲", "住所 乙")
    theirs = ("营业执照", "名称 丙", "住所 乙", "备注")
    assert list(changed_lines(ours, theirs)) == [("名称 甲", "名称 丙"), (None, "备注")]


def test_lines_of_a_page_that_only_one_file_has_are_listed() -> None:
    one = Contents(fields={}, pages=(("a",),))
    two = Contents(fields={}, pages=(("a",), ("b",)))
    (line,) = compare_contents(one, two, {}).lines
    assert (line.page, line.ours, line.theirs) == (2, None, "b")


def test_long_values_and_long_lists_are_cut() -> None:
    many = {(Place.INDEX, f"n{place}"): "x" * 9999 for place in range(MAX_DIFFERENCES + 50)}
    words = compare_contents(_contents({}), _contents(many), {})
    assert len(words.fields) == MAX_DIFFERENCES
    assert len(words.fields[0].theirs or "") == LONGEST_VALUE + 1


def test_licence_data_is_read_by_place() -> None:
    data = json.dumps({"metadata": {"a": "1"}, "face_data": {"b": "2"}, "version": 1}).encode()
    assert read_licence_data(data) == {(Place.DATA, "a"): "1", (Place.FACE, "b"): "2"}
    assert DATA_ATTACHMENT == "licence.json"


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b"\xff", b'"x"', b"[" * 100_000, b'{"metadata": 7}', b" " * 300_000 + b"{}"],
)
def test_other_data_is_no_licence_data(data: bytes) -> None:
    assert read_licence_data(data) == {}


@given(st.lists(st.text(max_size=3), max_size=20), st.lists(st.text(max_size=3), max_size=20))
def test_lines_that_differ_are_all_lines_that_are_not_common(
    one: list[str], two: list[str]
) -> None:
    pairs = list(changed_lines(one, two))
    assert bool(pairs) == (one != two)
    assert all(ours in [None, *one] and theirs in [None, *two] for ours, theirs in pairs)
