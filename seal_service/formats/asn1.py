"""Strict DER of seals and signed messages: the rules of ``keys.der``, errors and limits of formats.

The element reader, the length rules and most readers and builders are those of ``keys.der``; a
node of this module makes them raise ``MalformedDocument`` and ``LimitExceeded``. What is hashed is
the slice that was parsed. A value that DER would leave out (an explicit default) is not a matter
of encoding; readers of formats remark it.
"""

from datetime import UTC, datetime
from enum import IntEnum

from keys import der
from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.asn1_time import TimeValue, parse_compact_time
from seal_service.formats.limits import DEFAULT_LIMITS

MAX_CHILDREN = der.MAX_CHILDREN
"""Elements directly in one SEQUENCE or SET."""
MAX_TEXT_BYTES = 4_096
MAX_INTEGER_BYTES = 64
"""Enough for every serial number and version; RSA numbers are read elsewhere."""


class Tag(IntEnum):
    """Identifier octets in use, class and constructed bit included."""

    BOOLEAN = der.BOOLEAN
    INTEGER = der.INTEGER
    BIT_STRING = der.BIT_STRING
    OCTET_STRING = der.OCTET_STRING
    NULL = der.NULL
    OID = der.OID
    UTF8_STRING = der.UTF8_STRING
    PRINTABLE_STRING = der.PRINTABLE_STRING
    IA5_STRING = der.IA5_STRING
    UTC_TIME = der.UTC_TIME
    GENERALIZED_TIME = der.GENERALIZED_TIME
    SEQUENCE = der.SEQUENCE
    SET = der.SET
    EXPLICIT_0 = 0xA0
    EXPLICIT_1 = 0xA1


class Node(der.Node):
    """One DER element inside ``data``: tag byte at ``start``, content at ``body`` up to ``end``."""

    __slots__ = ()

    @staticmethod
    def fault(reason: str, offset: int) -> MalformedDocument:
        """Make the error for bytes that break a rule at ``offset``."""
        return MalformedDocument(f"not DER: {reason} at {offset}", reason=reason, offset=offset)

    @staticmethod
    def too_deep(offset: int) -> LimitExceeded:
        """Make the error for elements that nest deeper than ``Limits.asn1_depth``."""
        return LimitExceeded("elements nest too deep", reason="limit", limit="asn1_depth")

    @staticmethod
    def too_many(offset: int) -> LimitExceeded:
        """Make the error for more than ``MAX_CHILDREN`` elements in one."""
        return LimitExceeded("too many elements", reason="limit", limit="asn1_children")


def read_der(data: bytes, *, max_bytes: int = DEFAULT_LIMITS.ses_bytes) -> Node:
    """Read exactly one element that fills ``data``.

    Raises ``MalformedDocument`` for anything that is not DER or is followed by other bytes, and
    ``LimitExceeded`` over ``max_bytes``.
    """
    if len(data) > max_bytes:
        raise LimitExceeded("value too long", reason="limit", limit="ses_bytes")
    return Node.read_whole(data)


def strip_zero_padding(data: bytes) -> bytes:
    """Return the first element of ``data``; what follows must be zero octets only.

    PDF reserves room for a signature and fills what is left with zeros (ISO 32000-1, 12.8.1).
    """
    node = Node.read(data, 0, len(data), 0)
    if data.count(0, node.end) != len(data) - node.end:
        raise Node.fault("trailing", node.end)
    return data[: node.end]


expect = der.expect
read_sequence = der.read_sequence
read_explicit = der.read_explicit
read_boolean = der.read_boolean
read_octets = der.read_octets
read_bits = der.read_bits
read_oid = der.read_oid
is_sorted_set = der.is_sorted_set


def read_set(node: Node) -> list[Node]:
    """Return the elements of a SET OF; order is judged by ``is_sorted_set``."""
    return expect(node, Tag.SET).children()


def read_integer(node: Node, *, max_bytes: int = MAX_INTEGER_BYTES) -> int:
    """Read an INTEGER in its shortest form (X.690, 8.3.2); it may be negative."""
    return der.read_integer(expect(node, Tag.INTEGER), max_bytes=max_bytes)


def read_small_integer(node: Node) -> int:
    """Read an INTEGER from 0 to 2^31-1: versions, types, sizes."""
    value = read_integer(node, max_bytes=4)
    if value < 0:
        raise Node.fault("integer", node.start)
    return value


def read_time(node: Node, *, canonical_tag: int) -> TimeValue:
    """Read UTCTime or GeneralizedTime; never take local time for an instant.

    Canonical is ``YYMMDDHHMMSSZ`` or ``YYYYMMDDHHMMSSZ`` (X.690, 11.7 and 11.8). An offset or a
    fraction is read and remarked by ``is_canonical``; a date that does not exist is malformed.
    """
    text = _ascii(expect(node, Tag.UTC_TIME, Tag.GENERALIZED_TIME))
    year_digits = 2 if node.tag == Tag.UTC_TIME else 4
    value = parse_compact_time(text, year_digits)
    if value is None:
        raise Node.fault("time", node.start)
    return value._replace(is_canonical=value.is_canonical and node.tag == canonical_tag)


def _ascii(node: Node) -> str:
    try:
        return node.content.decode("ascii")
    except UnicodeDecodeError:
        raise Node.fault("text", node.start) from None


# Builders

element = der.element
sequence = der.sequence
set_of = der.set_of
explicit = der.explicit
integer = der.integer
boolean = der.boolean
null = der.null
octet_string = der.octet_string
bit_string = der.bit_string
oid = der.oid
utf8 = der.utf8


def ia5(text: str) -> bytes:
    """Encode an IA5String; raise ``MalformedDocument`` where the text is not ASCII."""
    return element(Tag.IA5_STRING, _to_ascii(text))


def printable(text: str) -> bytes:
    """Encode a PrintableString; the caller keeps to its small character set."""
    return element(Tag.PRINTABLE_STRING, _to_ascii(text))


def _to_ascii(text: str) -> bytes:
    try:
        return text.encode("ascii")
    except UnicodeEncodeError:
        raise MalformedDocument("text must be ASCII", reason="text") from None


def generalized_time(at: datetime) -> bytes:
    """Encode an aware instant as GeneralizedTime in UTC, whole seconds."""
    return der.generalized_time(_utc(at))


def utc_time(at: datetime) -> bytes:
    """Encode an aware instant between 1950 and 2049 as UTCTime, whole seconds."""
    return element(Tag.UTC_TIME, _utc(at).strftime("%y%m%d%H%M%SZ").encode())


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise MalformedDocument("an instant needs a zone", reason="time")
    return at.astimezone(UTC)
