"""The syntax of PDF objects: strict where readers differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.pdf.fields import decode_text
from seal_service.formats.pdf.syntax import (
    MAX_DEPTH,
    Dictionary,
    Name,
    Parser,
    Ref,
    Stream,
    Value,
    spell,
    text_string,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"1", 1),
        (b"-17", -17),
        (b"+4", 4),
        (b"0.5", 0.5),
        (b"-.5", -0.5),
        (b"4.", 4.0),
        (b"true", True),
        (b"false", False),
        (b"null", None),
        (b"/Name", Name("Name")),
        (b"/", Name("")),
        (b"/A#42#zz", Name("AB#zz")),
        (b"12 0 R", Ref(12, 0)),
        (b"[1 2 0 R 3]", [1, Ref(2, 0), 3]),
        (b"[1 0 Rx]", None),
        (b"[ ]", []),
        (b"(a(b)c)", b"a(b)c"),
        (b"(a\\)\\(\\\\)", b"a)(\\"),
        (b"(\\n\\r\\t\\b\\f\\x)", b"\n\r\t\x08\x0cx"),
        (b"(\\101\\7\\0012)", b"A\x07\x012"),
        (b"(a\\\nb\\\r\nc\\\rd)", b"abcd"),
        (b"<48 65\n6c>", b"Hel"),
        (b"<7>", b"p"),
        (b"<>", b""),
        (b"% note\n 7", 7),
        (b"<</A 1/B<</C[(x)]>>>>", {"A": 1, "B": {"C": [b"x"]}}),
    ],
)
def test_values_are_read(text: bytes, value: Value) -> None:
    if value is None and text != b"null":
        with pytest.raises(MalformedDocument):
            Parser(text).value()
        return
    assert Parser(text).value() == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"% only a note",
        b"1.2.3",
        b"--1",
        b"1e5",
        b"9" * 19,
        b"yes",
        b"{",
        b"]",
        b">>",
        b"(",
        b"(a\\",
        b"(a\\)",
        b"<4",
        b"<4x>",
        b"<\xff>",
        b"[1",
        b"<</A",
        b"<</A 1",
        b"<<1 2>>",
        b"<<(a) 2>>",
        b"<</A>>",
        b"<</A 1 2>>",
    ],
)
def test_what_is_no_value_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedDocument):
        Parser(text).value()


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(MalformedDocument) as refusal:
        Parser(b"<</ByteRange[0]/#42yteRange[1]>>").value()
    assert refusal.value.params["reason"] == "duplicate-key"


def test_depth_is_limited() -> None:
    assert Parser(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)).value() is not None
    for opening in (b"[", b"<</A"):
        with pytest.raises(LimitExceeded):
            Parser(opening * (MAX_DEPTH + 2)).value()


def test_a_dictionary_knows_where_its_values_stand() -> None:
    text = b"<< /A % note\n <0a0B> /B[1] >>"
    value = Parser(text).value()
    assert isinstance(value, Dictionary)
    spans = {key: text[start:end] for key, (start, end) in value.spans.items()}
    assert spans == {"A": b"<0a0B>", "B": b"[1]"}


def test_the_start_of_a_stream_is_found() -> None:
    assert Parser(b" stream\r\nx").stream_start() == 9
    assert Parser(b"stream\nx").stream_start() == 7
    assert Parser(b"stream x").stream_start() is None


values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**16), 10**16),
        st.binary(max_size=20),
        st.text(st.characters(max_codepoint=255), max_size=8).map(Name),
        st.builds(Ref, st.integers(0, 10**9), st.integers(0, 65535)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.text(st.characters(max_codepoint=255), max_size=5), inner, max_size=4
        ).map(Dictionary),
    ),
    max_leaves=12,
)


@given(values)
def test_what_is_spelt_is_read_again(value: Value) -> None:
    assert Parser(spell(value)).value() == value


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, b"0.5"), (841.8898, b"841.8898"), (1.0, b"1"), (1e-9, b"0")]
)
def test_numbers_are_spelt_without_exponents(value: float, text: bytes) -> None:
    assert spell(value) == text


def test_a_stream_is_no_value_to_spell() -> None:
    with pytest.raises(MalformedDocument):
        spell([Stream(Dictionary(), 0)])


@pytest.mark.parametrize("text", ["plain", "示例市行政审批局", "𠮷"])
def test_texts_for_people_keep_their_characters(text: str) -> None:
    assert decode_text(text_string(text)) == text


def test_other_encodings_of_texts_are_read() -> None:
    assert decode_text(b"\xef\xbb\xbf" + "印".encode()) == "印"
    assert decode_text(b"\xff\xfe" + "印".encode("utf-16-le")) == "印"
    assert decode_text(b"\xe9") == "é"
