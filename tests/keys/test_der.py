"""The DER reader and builders of keys."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from keys import der
from keys.errors import MalformedCertificate, ServiceError


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x01",
        b"\x30\x00\x00",
        b"\x00\x00",
        b"\x1f\x01\x00",
        b"\x30\x80\x00\x00",
        b"\x30\x81\x01\x00",
        b"\x30\x82\x00\x80" + bytes(128),
        b"\x30\x85\x00\x00\x00\x00\x01\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x88\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x10\x00",
        b"\x24\x00",
        b"\x22\x03\x02\x01\x01",
    ],
)
def test_what_is_not_der_is_refused(data: bytes) -> None:
    """T-SES-02, T-SES-04, T-SES-05: trailing, BER, lengths."""
    with pytest.raises(MalformedCertificate):
        der.read_der(data)


def nested(depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = der.sequence(data)
    return data


def walk(node: der.Node) -> None:
    for child in node.children():
        walk(child)


def test_the_depth_is_limited() -> None:
    """T-SES-05."""
    walk(der.read_der(nested(der.MAX_DEPTH)))
    with pytest.raises(MalformedCertificate):
        walk(der.read_der(nested(der.MAX_DEPTH + 2)))


def test_elements_keep_their_original_bytes() -> None:
    data = der.sequence(der.integer(5), der.sequence(der.null()))
    first, second = der.read_der(data).children()
    assert (first.raw, first.content) == (b"\x02\x01\x05", b"\x05")
    assert second.raw in data
    with pytest.raises(MalformedCertificate):
        first.children()


@given(st.integers(-(2**150), 2**150))
def test_integers_survive(value: int) -> None:
    encoded = der.integer(value)
    assert der.read_integer(der.read_der(encoded)) == value
    assert core.Integer.load(encoded).native == value


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"\xff\x80", bytes(1) + b"\xff" * 21])
def test_integers_are_short(content: bytes) -> None:
    with pytest.raises(MalformedCertificate):
        der.read_integer(der.read_der(der.element(der.INTEGER, content)))


@given(
    st.tuples(st.integers(0, 2), st.integers(0, 39)),
    st.lists(st.integers(0, 2**64 - 1), max_size=6),
)
def test_object_identifiers_survive(first: tuple[int, int], rest: list[int]) -> None:
    dotted = ".".join(map(str, (*first, *rest)))
    encoded = der.oid(dotted)
    if len(encoded) > der.MAX_OID_BYTES:
        return
    assert der.read_oid(der.read_der(encoded)) == dotted
    assert core.ObjectIdentifier.load(encoded).dotted == dotted


@pytest.mark.parametrize(
    "content",
    [b"", b"\x2a\x80", b"\x80\x01", b"\x2a\x80\x01", b"\xff" * 10 + b"\x7f", b"\x2a" * 65],
)
def test_odd_object_identifiers_are_refused(content: bytes) -> None:
    """T-SES-40."""
    with pytest.raises(MalformedCertificate):
        der.read_oid(der.read_der(der.element(der.OID, content)))


@given(st.sets(st.integers(0, 20)))
def test_bit_flags_survive(numbers: set[int]) -> None:
    encoded = der.bit_flags(numbers)
    assert der.read_bit_flags(der.read_der(encoded)) == numbers
    assert len(encoded) == 3 + (max(numbers, default=-8) + 8) // 8


@pytest.mark.parametrize("content", [b"", b"\x08\x80", b"\x01"])
def test_odd_bit_strings_are_refused(content: bytes) -> None:
    with pytest.raises(MalformedCertificate):
        der.read_bit_flags(der.read_der(der.element(der.BIT_STRING, content)))


@pytest.mark.parametrize("content", [b"", b"\x01\x80"])
def test_whole_octets_have_no_unused_bits(content: bytes) -> None:
    with pytest.raises(MalformedCertificate):
        der.read_bits(der.read_der(der.element(der.BIT_STRING, content)))


@pytest.mark.parametrize("value", [True, False])
def test_booleans_survive(value: bool) -> None:
    assert der.read_boolean(der.read_der(der.boolean(value))) is value
    with pytest.raises(MalformedCertificate):
        der.read_boolean(der.read_der(b"\x01\x01\x01"))


@given(st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 30)))  # noqa: DTZ001 - the zone follows
def test_times_survive(naive: datetime) -> None:
    at = naive.replace(microsecond=0, tzinfo=UTC)
    encoded = der.time(at)
    assert der.read_time(der.read_der(encoded)) == (at, True)
    assert encoded[0] == (der.UTC_TIME if at.year < 2050 else der.GENERALIZED_TIME)
    beijing = at.astimezone(timezone(timedelta(hours=8)))
    assert der.time(beijing) == encoded
    assert der.read_time(der.read_der(der.generalized_time(at))) == (at, True)


def test_sets_are_sorted() -> None:
    assert der.set_of([b"\x02\x01\x02", b"\x02\x01\x01"]) == b"\x31\x06\x02\x01\x01\x02\x01\x02"


def test_texts_and_strings_are_encoded() -> None:
    assert der.utf8("印") == b"\x0c\x03\xe5\x8d\xb0"
    assert der.printable("CN") == b"\x13\x02CN"
    assert der.ia5("a") == b"\x16\x01a"
    assert der.octet_string(b"x" * 200)[:3] == b"\x04\x81\xc8"
    assert der.octet_string(b"x" * 300)[:4] == b"\x04\x82\x01\x2c"


def test_counts_and_tags_are_checked() -> None:
    node = der.read_der(der.sequence(der.null(), der.null()))
    for bounds in ({"at_least": 3}, {"at_most": 1}):
        with pytest.raises(MalformedCertificate):
            der.read_sequence(node, **bounds)
    with pytest.raises(MalformedCertificate):
        der.read_explicit(node)
    with pytest.raises(MalformedCertificate):
        der.read_octets(node)


@given(st.binary(max_size=200))
def test_random_bytes_raise_only_service_errors(data: bytes) -> None:
    try:
        walk(der.read_der(data))
    except ServiceError:
        return
