"""Strict DER: a reader that keeps the original bytes, and small builders.

Rules of ITU-T X.690, clauses 8, 10 and 11, as far as seals and signed messages need them. The
reader refuses what is BER only (indefinite or padded lengths, constructed strings, odd booleans):
one byte string has one reading, and what is hashed is the slice that was parsed. A value that DER
would leave out (an explicit default) is not a matter of encoding; readers of formats remark it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.asn1_time import TimeValue, parse_compact_time
from seal_service.formats.limits import DEFAULT_LIMITS

MAX_CHILDREN = 1_000
"""Elements directly in one SEQUENCE or SET."""
MAX_TEXT_BYTES = 4_096
MAX_INTEGER_BYTES = 64
"""Enough for every serial number and version; RSA numbers are read elsewhere."""
MAX_OID_BYTES = 64
MAX_OID_ARC = 2**64 - 1


class Tag(IntEnum):
    """Identifier octets in use, class and constructed bit included."""

    BOOLEAN = 0x01
    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    NULL = 0x05
    OID = 0x06
    UTF8_STRING = 0x0C
    PRINTABLE_STRING = 0x13
    IA5_STRING = 0x16
    UTC_TIME = 0x17
    GENERALIZED_TIME = 0x18
    SEQUENCE = 0x30
    SET = 0x31
    EXPLICIT_0 = 0xA0
    EXPLICIT_1 = 0xA1
    EXPLICIT_2 = 0xA2
    EXPLICIT_3 = 0xA3


_CONSTRUCTED_BIT = 0x20
_UNIVERSAL_CONSTRUCTED = frozenset({Tag.SEQUENCE & 0x1F, Tag.SET & 0x1F})


class Node(NamedTuple):
    """One DER element inside ``data``: tag byte at ``start``, content at ``body`` up to ``end``."""

    data: bytes
    tag: int
    start: int
    body: int
    end: int
    depth: int

    @property
    def raw(self) -> bytes:
        """The whole element as it stands in the input, tag and length included."""
        return self.data[self.start : self.end]

    @property
    def content(self) -> bytes:
        """The content octets as they stand in the input."""
        return self.data[self.body : self.end]

    def children(self) -> tuple["Node", ...]:
        """Read the elements directly inside; refuse a primitive element."""
        if not self.tag & _CONSTRUCTED_BIT:
            raise _malformed("not-constructed", self.start)
        depth = self.depth + 1
        if depth > DEFAULT_LIMITS.asn1_depth:
            raise LimitExceeded("elements nest too deep", reason="limit", limit="asn1_depth")
        found: list[Node] = []
        at = self.body
        while at < self.end:
            node = _element(self.data, at, self.end, depth)
            found.append(node)
            at = node.end
            if len(found) > MAX_CHILDREN:
                raise LimitExceeded("too many elements", reason="limit", limit="asn1_children")
        return tuple(found)


def read_der(data: bytes, *, max_bytes: int = DEFAULT_LIMITS.ses_bytes) -> Node:
    """Read exactly one element that fills ``data``.

    Raises ``MalformedDocument`` for anything that is not DER or is followed by other bytes, and
    ``LimitExceeded`` over ``max_bytes``.
    """
    if len(data) > max_bytes:
        raise LimitExceeded("value too long", reason="limit", limit="ses_bytes")
    node = _element(data, 0, len(data), 0)
    if node.end != len(data):
        raise _malformed("trailing", node.end)
    return node


def strip_zero_padding(data: bytes) -> bytes:
    """Return the first element of ``data``; what follows must be zero octets only.

    PDF reserves room for a signature and fills what is left with zeros (ISO 32000-1, 12.8.1).
    """
    node = _element(data, 0, len(data), 0)
    if data.count(0, node.end) != len(data) - node.end:
        raise _malformed("trailing", node.end)
    return data[: node.end]


def _malformed(reason: str, offset: int) -> MalformedDocument:
    return MalformedDocument(f"not DER: {reason} at {offset}", reason=reason, offset=offset)


def _element(data: bytes, at: int, limit: int, depth: int) -> Node:
    """Read the header at ``at``; the element must end at or before ``limit``."""
    if at + 2 > limit:
        raise _malformed("truncated", at)
    tag = data[at]
    if tag & 0x1F == 0x1F or tag == 0:
        raise _malformed("tag", at)
    _check_form(tag, at)
    length = data[at + 1]
    body = at + 2
    if length >= 0x80:
        length, body = _long_length(data, at, limit)
    end = body + length
    if end > limit:
        raise _malformed("truncated", at)
    return Node(data, tag, at, body, end, depth)


def _check_form(tag: int, at: int) -> None:
    """Universal types are constructed exactly when they are SEQUENCE or SET (X.690, 10.2)."""
    if tag < 0x40 and (bool(tag & _CONSTRUCTED_BIT) != (tag & 0x1F in _UNIVERSAL_CONSTRUCTED)):
        raise _malformed("constructed", at)


def _long_length(data: bytes, at: int, limit: int) -> tuple[int, int]:
    """Return length and offset of the content for the long form (X.690, 8.1.3.5 and 10.1)."""
    size = data[at + 1] & 0x7F
    body = at + 2 + size
    if not 1 <= size <= 4 or body > limit:
        raise _malformed("length", at)
    length = int.from_bytes(data[at + 2 : body], "big")
    if length < 0x80 or data[at + 2] == 0:
        raise _malformed("length", at)
    return length, body


def expect(node: Node, *tags: int) -> Node:
    """Return ``node`` if its tag is one of ``tags``; raise ``MalformedDocument`` otherwise."""
    if node.tag not in tags:
        raise _malformed("unexpected-element", node.start)
    return node


def read_sequence(
    node: Node, *, at_least: int = 0, at_most: int = MAX_CHILDREN
) -> tuple[Node, ...]:
    """Return the elements of a SEQUENCE whose number must lie within the bounds given."""
    children = expect(node, Tag.SEQUENCE).children()
    if not at_least <= len(children) <= at_most:
        raise _malformed("element-count", node.start)
    return children


def read_set(node: Node) -> tuple[Node, ...]:
    """Return the elements of a SET OF; order is judged by ``is_sorted_set``."""
    return expect(node, Tag.SET).children()


def is_sorted_set(children: Iterable[Node]) -> bool:
    """Tell whether the elements stand in the order DER demands (X.690, 11.6)."""
    raws = [child.raw for child in children]
    return raws == sorted(raws)


def read_explicit(node: Node) -> Node:
    """Return the one element inside an explicit tag."""
    children = node.children()
    if len(children) != 1:
        raise _malformed("element-count", node.start)
    return children[0]


def read_integer(node: Node, *, max_bytes: int = MAX_INTEGER_BYTES) -> int:
    """Read an INTEGER in its shortest form (X.690, 8.3.2); it may be negative."""
    content = expect(node, Tag.INTEGER).content
    if not content or len(content) > max_bytes:
        raise _malformed("integer", node.start)
    if len(content) > 1 and (
        (content[0] == 0 and content[1] < 0x80) or (content[0] == 0xFF and content[1] >= 0x80)
    ):
        raise _malformed("integer", node.start)
    return int.from_bytes(content, "big", signed=True)


def read_small_integer(node: Node) -> int:
    """Read an INTEGER from 0 to 2^31-1: versions, types, sizes."""
    value = read_integer(node, max_bytes=4)
    if value < 0:
        raise _malformed("integer", node.start)
    return value


def read_boolean(node: Node) -> bool:
    """Read a BOOLEAN; DER knows only 00 and FF (X.690, 11.1)."""
    content = expect(node, Tag.BOOLEAN).content
    if content not in (b"\x00", b"\xff"):
        raise _malformed("boolean", node.start)
    return content == b"\xff"


def read_octets(node: Node) -> bytes:
    """Return the content of an OCTET STRING."""
    return expect(node, Tag.OCTET_STRING).content


def read_bits(node: Node) -> bytes:
    """Return the content of a BIT STRING of whole octets: unused bits must be 0."""
    content = expect(node, Tag.BIT_STRING).content
    if not content or content[0] != 0:
        raise _malformed("bit-string", node.start)
    return content[1:]


def read_oid(node: Node) -> str:
    """Return an OBJECT IDENTIFIER in dotted form."""
    dotted = _dotted(expect(node, Tag.OID).content)
    if dotted is None:
        raise _malformed("oid", node.start)
    return dotted


@lru_cache(maxsize=256)
def _dotted(content: bytes) -> str | None:
    if not content or len(content) > MAX_OID_BYTES or content[-1] & 0x80:
        return None
    arcs: list[int] = []
    arc = 0
    for octet in content:
        if arc == 0 and octet == 0x80:
            return None
        arc = arc << 7 | octet & 0x7F
        if arc > MAX_OID_ARC:
            return None
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read_time(node: Node, *, canonical_tag: int) -> TimeValue:
    """Read UTCTime or GeneralizedTime; never take local time for an instant.

    Canonical is ``YYMMDDHHMMSSZ`` or ``YYYYMMDDHHMMSSZ`` (X.690, 11.7 and 11.8). An offset or a
    fraction is read and remarked by ``is_canonical``; a date that does not exist is malformed.
    """
    text = _ascii(expect(node, Tag.UTC_TIME, Tag.GENERALIZED_TIME))
    year_digits = 2 if node.tag == Tag.UTC_TIME else 4
    value = parse_compact_time(text, year_digits)
    if value is None:
        raise _malformed("time", node.start)
    return value._replace(is_canonical=value.is_canonical and node.tag == canonical_tag)


def _ascii(node: Node) -> str:
    try:
        return node.content.decode("ascii")
    except UnicodeDecodeError:
        raise _malformed("text", node.start) from None


# Builders


def element(tag: int, *contents: bytes) -> bytes:
    """Put a tag and a minimal length before the concatenated ``contents``."""
    body = contents[0] if len(contents) == 1 else b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def sequence(*parts: bytes) -> bytes:
    """Encode a SEQUENCE of already encoded parts."""
    return element(Tag.SEQUENCE, b"".join(parts))


def set_of(parts: Iterable[bytes]) -> bytes:
    """Encode a SET OF, sorted as DER demands (X.690, 11.6)."""
    return element(Tag.SET, b"".join(sorted(parts)))


def explicit(number: int, part: bytes) -> bytes:
    """Wrap an encoded part in a constructed context tag."""
    return element(0xA0 | number, part)


def integer(value: int) -> bytes:
    """Encode an INTEGER in its shortest form."""
    return element(
        Tag.INTEGER, value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True)
    )


def boolean(value: bool) -> bytes:
    """Encode a BOOLEAN."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


def null() -> bytes:
    """Encode NULL."""
    return b"\x05\x00"


def octet_string(value: bytes) -> bytes:
    """Encode an OCTET STRING."""
    return element(Tag.OCTET_STRING, value)


def bit_string(value: bytes) -> bytes:
    """Encode a BIT STRING of whole octets."""
    return element(Tag.BIT_STRING, b"\x00", value)


@lru_cache(maxsize=256)
def oid(dotted: str) -> bytes:
    """Encode an OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return element(Tag.OID, bytes(content))


def utf8(text: str) -> bytes:
    """Encode a UTF8String."""
    return element(Tag.UTF8_STRING, text.encode())


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
    return element(Tag.GENERALIZED_TIME, _utc(at).strftime("%Y%m%d%H%M%SZ").encode())


def utc_time(at: datetime) -> bytes:
    """Encode an aware instant between 1950 and 2049 as UTCTime, whole seconds."""
    return element(Tag.UTC_TIME, _utc(at).strftime("%y%m%d%H%M%SZ").encode())


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise MalformedDocument("an instant needs a zone", reason="time")
    return at.astimezone(UTC)
