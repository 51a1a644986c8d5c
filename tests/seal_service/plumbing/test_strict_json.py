"""Bodies that JSON readers disagree about, and models that convert nothing (T-API-14..17)."""

import json
from time import perf_counter
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seal_service.plumbing.errors import MalformedRequest
from seal_service.plumbing.strict_json import JSONValue, StrictModel, read_json


class Order(StrictModel):
    name: str
    number: int
    is_urgent: bool
    weight: float
    kind: Literal["a", "b"]


GOOD: dict[str, object] = {
    "name": "甲",
    "number": 1,
    "is_urgent": True,
    "weight": 1.5,
    "kind": "a",
}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "syntax"),
        (b"{", "syntax"),
        (b"{'a': 1}", "syntax"),
        (b"[1,]", "syntax"),
        (b"[1] [2]", "syntax"),
        (b"// note\n1", "syntax"),
        (b"01", "syntax"),
        (b'"a\nb"', "syntax"),
        (b'{"a": 1, "a": 1}', "duplicate-key"),
        (b'{"a": {"b": 1, "\\u0062": 2}}', "duplicate-key"),
        (b"NaN", "not-a-number"),
        (b'{"a": [Infinity]}', "not-a-number"),
        (b"-Infinity", "not-a-number"),
        (b"1e400", "number-range"),
        (b"-1e400", "number-range"),
        (b"-0", "number-range"),
        (b"-0.0", "number-range"),
        (b"9223372036854775808", "number-range"),
        (b"-9223372036854775808", "number-range"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udc00": 1}', "surrogate"),
        (b'"\\udc00\\ud800"', "surrogate"),
        (b'"a\\u0000b"', "nul"),
        (b'{"a\\u0000": 1}', "nul"),
        (b"\xef\xbb\xbf{}", "byte-order-mark"),
        ("{}".encode("utf-16"), "encoding"),
        ('{"a": "甲"}'.encode("gb18030"), "encoding"),
        (b'"\xed\xa0\x80"', "encoding"),
        (b'"\xc0\x80"', "encoding"),
        (b"[" * 33 + b"]" * 33, "too-deep"),
    ],
)
def test_a_body_that_can_be_read_in_two_ways_is_refused(body: bytes, reason: str) -> None:
    """T-API-14, T-API-15."""
    with pytest.raises(MalformedRequest) as caught:
        read_json(body)
    assert caught.value.params["reason"] == reason


def test_utf_16_without_a_mark_is_refused() -> None:
    """T-API-15: every second byte is NUL, so it is UTF-8 but no JSON."""
    with pytest.raises(MalformedRequest):
        read_json('{"a": 1}'.encode("utf-16-le"))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" + b"1," * 500_000 + b"1]",
        b"{" + b",".join(b'"%d":1' % number for number in range(100_000)) + b"}",
        b"9" * 1_000_000,
        b"-" + b"9" * 1_000_000,
    ],
)
def test_costly_bodies_are_refused_quickly(body: bytes) -> None:
    """T-API-17."""
    started = perf_counter()
    with pytest.raises(MalformedRequest):
        read_json(body)
    assert perf_counter() - started < 1


def test_a_good_body_is_read_as_it_stands() -> None:
    text = '{"名称": "\\ud842\\udfb7𠮷", "n": [9223372036854775807, -1, 0, 1.5, true, null]}'
    assert read_json(text.encode()) == {
        "名称": "𠮷𠮷",
        "n": [9223372036854775807, -1, 0, 1.5, True, None],
    }


def test_containers_may_be_as_deep_as_said() -> None:
    assert read_json(b"[" * 32 + b"]" * 32)


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("ab甲", max_size=3), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(_values)
def test_what_was_written_is_read_back(value: JSONValue) -> None:
    assert read_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_random_bytes_raise_nothing_else(body: bytes) -> None:
    try:
        read_json(body)
    except MalformedRequest as error:
        assert "reason" in error.params  # noqa: PT017 - either outcome is right


def test_a_model_takes_the_right_types() -> None:
    assert Order.model_validate(GOOD).number == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"number": True},
        {"number": "12"},
        {"number": 1.0},
        {"is_urgent": 1},
        {"is_urgent": "true"},
        {"name": 1},
        {"name": b"x"},
        {"name": None},
        {"weight": "1.5"},
        {"kind": "c"},
        {"extra": 1},
    ],
)
def test_a_model_converts_nothing_and_knows_no_other_field(changes: dict[str, object]) -> None:
    """T-API-16."""
    with pytest.raises(ValidationError):
        Order.model_validate({**GOOD, **changes})
