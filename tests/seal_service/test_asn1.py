import contextlib
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import ServiceError
from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats import asn1
from seal_service.formats.asn1 import Tag, read_der

OID = "1.2.156.10197.1.501"


@given(st.integers(min_value=-(2**500), max_value=2**500))
def test_integers_read_back_as_written(value: int) -> None:
    assert asn1.read_integer(read_der(asn1.integer(value))) == value


@given(
    st.tuples(
        st.integers(0, 1), st.integers(0, 39), st.lists(st.integers(0, 2**64 - 1), max_size=5)
    )
)
def test_object_identifiers_read_back_as_written(arcs: tuple[int, int, list[int]]) -> None:
    dotted = ".".join(map(str, (arcs[0], arcs[1], *arcs[2])))
    assert asn1.read_oid(read_der(asn1.oid(dotted))) == dotted


def test_the_second_arc_under_joint_iso_itu_may_be_large() -> None:
    assert asn1.oid("2.999.3").hex() == "0603883703"
    assert asn1.read_oid(read_der(asn1.oid("2.999.3"))) == "2.999.3"


@given(st.binary(max_size=70_000))
def test_octets_read_back_as_written(value: bytes) -> None:
    node = read_der(asn1.octet_string(value))
    assert asn1.read_octets(node) == value
    assert node.raw == asn1.octet_string(value)


@given(st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2049, 12, 31)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_times_read_back_as_written_in_whole_seconds(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC, microsecond=0)
    for encoded in (asn1.utc_time(at), asn1.generalized_time(at)):
        node = read_der(encoded)
        assert asn1.read_time(node, canonical_tag=node.tag) == (at, node.content.decode(), True)


def test_instants_in_beijing_time_are_written_in_utc() -> None:
    beijing = timezone(timedelta(hours=8))
    at = datetime(2026, 11, 24, 12, 0, 0, tzinfo=beijing)
    assert asn1.generalized_time(at)[2:] == b"20261124040000Z"


def test_an_instant_without_a_zone_is_not_written() -> None:
    with pytest.raises(MalformedDocument):
        asn1.generalized_time(datetime(2026, 11, 24))  # noqa: DTZ001 - the flaw


@pytest.mark.parametrize(
    ("flaw", "encoded"),
    [
        ("nothing", ""),
        ("tag only", "30"),
        ("truncated", "3003020101"[:-2]),
        ("trailing byte", "02010100"),
        ("two structures", "020101020101"),
        ("indefinite length", "30800201010000"),
        ("padded length", "30810302010130"),
        ("length with leading zero", "3082008002"),
        ("length over the input", "0484ffffffff00"),
        ("length of 2^63", "04887fffffffffffffff00"),
        ("length octet ff", "04ff00"),
        ("end of contents", "0000"),
        ("high tag number", "1f810100"),
        ("constructed octet string", "2404020101ff"),
        ("primitive sequence", "1003020101"),
    ],
)
def test_what_der_forbids_is_refused(flaw: str, encoded: str) -> None:
    """T-SES-02, T-SES-03, T-SES-04, T-SES-05."""
    with pytest.raises(MalformedDocument):
        read_der(bytes.fromhex(encoded))


@pytest.mark.parametrize("encoded", ["0200", "02020001", "0202ff80", "0242" + "01" * 0x42])
def test_integers_have_one_short_form(encoded: str) -> None:
    """T-SES-04, T-SES-40."""
    with pytest.raises(MalformedDocument):
        asn1.read_integer(read_der(bytes.fromhex(encoded)))


def test_a_version_of_4096_bytes_is_refused() -> None:
    """T-SES-40."""
    with pytest.raises(MalformedDocument):
        asn1.read_small_integer(read_der(asn1.element(Tag.INTEGER, b"\x01" * 4096)))


def test_a_negative_version_is_refused() -> None:
    with pytest.raises(MalformedDocument):
        asn1.read_small_integer(read_der(asn1.integer(-1)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x01",
        b"\x2a\x80\x01",
        b"\x2a\x81",
        b"\x2a" + b"\x01" * 10_000,
        b"\xff" * 12 + b"\x01",
    ],
)
def test_odd_object_identifiers_are_refused(content: bytes) -> None:
    """T-SES-40: padded, unfinished, too many arcs, an arc over 2^64."""
    with pytest.raises(MalformedDocument):
        asn1.read_oid(read_der(asn1.element(Tag.OID, content)))


@pytest.mark.parametrize("encoded", ["010101", "010100ff", "01020000", "0100"])
def test_booleans_are_00_or_ff(encoded: str) -> None:
    """T-SES-04."""
    with pytest.raises(MalformedDocument):
        asn1.read_boolean(read_der(bytes.fromhex(encoded)))


@pytest.mark.parametrize("encoded", ["0300", "030101", "03020780"])
def test_bit_strings_hold_whole_octets(encoded: str) -> None:
    """T-SES-07."""
    with pytest.raises(MalformedDocument):
        asn1.read_bits(read_der(bytes.fromhex(encoded)))


@pytest.mark.parametrize(
    "text",
    [
        "20260431000000Z",
        "20260430240000Z",
        "20260430236000Z",
        "00000101000000Z",
        "2026043000000Z",
        "20260430000000ZZ",
        "20260430000000+99",
        "20260430000000+9900",
        "20260430000000.Z",
        "20260430000000z",
        "2026043000000٠Z",
        "",
    ],
)
def test_times_that_do_not_exist_are_refused(text: str) -> None:
    """T-SES-30."""
    node = read_der(asn1.element(Tag.GENERALIZED_TIME, text.encode()))
    with pytest.raises(MalformedDocument):
        asn1.read_time(node, canonical_tag=Tag.GENERALIZED_TIME)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("20261124040000+0800", datetime(2026, 11, 23, 20, 0, tzinfo=UTC)),
        ("20261124040000.5Z", datetime(2026, 11, 24, 4, 0, 0, 500_000, tzinfo=UTC)),
        ("20261124040000", None),
    ],
)
def test_odd_times_are_never_taken_for_local_time(text: str, at: datetime | None) -> None:
    """T-SES-30."""
    node = read_der(asn1.element(Tag.GENERALIZED_TIME, text.encode()))
    assert asn1.read_time(node, canonical_tag=Tag.GENERALIZED_TIME) == (at, text, False)


def test_utc_time_in_the_place_of_generalized_time_is_remarked() -> None:
    node = read_der(asn1.utc_time(datetime(2026, 11, 24, tzinfo=UTC)))
    assert not asn1.read_time(node, canonical_tag=Tag.GENERALIZED_TIME).is_canonical


def test_deep_nesting_is_refused_quickly() -> None:
    """T-SES-05."""
    encoded = b""
    for _ in range(10_000):
        encoded = asn1.sequence(encoded)
    started = time.process_time()
    node = read_der(encoded)
    with pytest.raises(LimitExceeded):
        walk(node)
    assert time.process_time() - started < 1


def test_many_elements_are_refused() -> None:
    with pytest.raises(LimitExceeded):
        read_der(asn1.sequence(asn1.null() * (asn1.MAX_CHILDREN + 1))).children()


def test_long_values_are_refused_before_they_are_read() -> None:
    with pytest.raises(LimitExceeded):
        read_der(asn1.octet_string(bytes(100)), max_bytes=100)


def test_zero_padding_is_taken_off_and_nothing_else() -> None:
    value = asn1.octet_string(b"value")
    assert asn1.strip_zero_padding(value + bytes(500)) == value
    with pytest.raises(MalformedDocument):
        asn1.strip_zero_padding(value + bytes(500) + b"\x01")


def test_a_set_is_written_in_order() -> None:
    parts = [asn1.integer(300), asn1.integer(2), asn1.integer(1)]
    children = asn1.read_set(read_der(asn1.set_of(parts)))
    assert asn1.is_sorted_set(children)
    assert not asn1.is_sorted_set(children[::-1])


@given(st.binary(max_size=200))
def test_random_bytes_raise_only_service_errors(data: bytes) -> None:
    with contextlib.suppress(ServiceError):
        walk(read_der(data))


def walk(node: asn1.Node) -> int:
    if not node.tag & 0x20:
        return 1
    children = node.children()
    header = node.body - node.start
    assert sum(len(child.raw) for child in children) + header == len(node.raw)
    return sum(walk(child) for child in children)
