"""Strict DER: a reader that keeps the original bytes, and small builders.

ITU-T X.690, clauses 8, 10 and 11. The reader refuses what is BER only (indefinite or padded
lengths, constructed strings, odd booleans): one byte string has one reading. Whoever reads decides
what is fatal: the reader raises ``MalformedCertificate`` and certificates catch it where one odd
extension must not hide the rest. Seals and signed messages read with the same rules and errors of
their own (``seal_service.formats.asn1``).
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import NamedTuple, Self, TypeVar

from keys.errors import MalformedCertificate, ServiceError

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OID = 0x06
ENUMERATED = 0x0A
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
IA5_STRING = 0x16
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
BMP_STRING = 0x1E
SEQUENCE = 0x30
SET = 0x31

MAX_DEPTH = 32
MAX_CHILDREN = 1_000
"""Elements directly in one value; the entries of a revocation list are walked instead."""
MAX_OID_BYTES = 64
MAX_OID_ARC = 2**64 - 1
_CONSTRUCTED = 0x20


class Node(NamedTuple):
    """One element inside ``data``: tag octet at ``start``, content at ``body`` up to ``end``.

    What is found inside has the same class. A format with errors of its own derives from this one
    and says what ``fault``, ``too_deep`` and ``too_many`` are.
    """

    data: bytes
    tag: int
    start: int
    body: int
    end: int
    depth: int

    @staticmethod
    def fault(reason: str, offset: int) -> ServiceError:
        """Make the error for bytes that break a rule at ``offset``."""
        return malformed(reason, offset)

    @staticmethod
    def too_deep(offset: int) -> ServiceError:
        """Make the error for elements that nest deeper than ``MAX_DEPTH``."""
        return malformed("depth", offset)

    @staticmethod
    def too_many(offset: int) -> ServiceError:
        """Make the error for more than ``MAX_CHILDREN`` elements in one."""
        return malformed("limit", offset)

    @property
    def raw(self) -> bytes:
        """The whole element as it stands in the input, tag and length included."""
        return self.data[self.start : self.end]

    @property
    def content(self) -> bytes:
        """The content octets as they stand in the input."""
        return self.data[self.body : self.end]

    def children(self) -> list[Self]:
        """Return the elements directly inside a constructed element."""
        found = list(islice(self.walk(), MAX_CHILDREN + 1))
        if len(found) > MAX_CHILDREN:
            raise self.too_many(self.start)
        return found

    def walk(self) -> Iterator[Self]:
        """Yield the elements directly inside, one at a time, however many."""
        if not self.tag & _CONSTRUCTED:
            raise self.fault("not-constructed", self.start)
        if self.depth >= MAX_DEPTH:
            raise self.too_deep(self.start)
        data, end, depth, read, at = self.data, self.end, self.depth + 1, self.read, self.body
        while at < end:
            node = read(data, at, end, depth)
            yield node
            at = node.end

    @classmethod
    def read(cls, data: bytes, at: int, limit: int, depth: int) -> Self:
        """Read the header at ``at``; the element must end at or before ``limit``."""
        if at + 2 > limit:
            raise cls.fault("truncated", at)
        tag, length, body = data[at], data[at + 1], at + 2
        if tag & 0x1F == 0x1F or tag == 0:
            raise cls.fault("tag", at)
        # X.690, 10.2: universal types are constructed exactly when they are SEQUENCE or SET.
        if tag < 0x40 and bool(tag & _CONSTRUCTED) != (tag & 0x1F in (0x10, 0x11)):
            raise cls.fault("constructed", at)
        if length >= 0x80:
            body += length & 0x7F
            size, length = length & 0x7F, int.from_bytes(data[at + 2 : body], "big")
            # X.690, 8.1.3.5 and 10.1: the shortest form that fits.
            if not 1 <= size <= 4 or body > limit or length < 0x80 or data[at + 2] == 0:
                raise cls.fault("length", at)
        if body + length > limit:
            raise cls.fault("truncated", at)
        # cls(...) does the same through two more calls, once for every element of every document.
        return tuple.__new__(cls, (data, tag, at, body, body + length, depth))

    @classmethod
    def read_whole(cls, data: bytes) -> Self:
        """Read exactly one element that fills ``data``."""
        node = cls.read(data, 0, len(data), 0)
        if node.end != len(data):
            raise cls.fault("trailing", node.end)
        return node


_Node = TypeVar("_Node", bound=Node)


def malformed(reason: str, offset: int = 0) -> MalformedCertificate:
    """Make the error for bytes that break a rule at ``offset``."""
    return MalformedCertificate(f"not DER: {reason} at {offset}", reason=reason, offset=offset)


def read_der(data: bytes) -> Node:
    """Read exactly one element that fills ``data``; raise ``MalformedCertificate`` otherwise."""
    return Node.read_whole(data)


def expect(node: _Node, *tags: int) -> _Node:
    """Return ``node`` if its tag is one of ``tags``."""
    if node.tag not in tags:
        raise node.fault("unexpected-element", node.start)
    return node


def read_sequence(node: _Node, *, at_least: int = 0, at_most: int = MAX_CHILDREN) -> list[_Node]:
    """Return the elements of a SEQUENCE, whose number must lie within the bounds."""
    children = expect(node, SEQUENCE).children()
    if not at_least <= len(children) <= at_most:
        raise node.fault("element-count", node.start)
    return children


def read_explicit(node: _Node) -> _Node:
    """Return the one element inside an explicit tag."""
    children = node.children()
    if len(children) != 1:
        raise node.fault("element-count", node.start)
    return children[0]


def read_integer(node: Node, *, max_bytes: int = 21) -> int:
    """Read an INTEGER in its shortest form (X.690, 8.3.2); it may be negative."""
    content = expect(node, INTEGER, ENUMERATED).content
    if not content or len(content) > max_bytes:
        raise node.fault("integer", node.start)
    if len(content) > 1 and (
        (content[0] == 0 and content[1] < 0x80) or (content[0] == 0xFF and content[1] >= 0x80)
    ):
        raise node.fault("integer", node.start)
    return int.from_bytes(content, "big", signed=True)


def read_boolean(node: Node) -> bool:
    """Read a BOOLEAN; DER knows only 00 and FF (X.690, 11.1)."""
    content = expect(node, BOOLEAN).content
    if content not in (b"\x00", b"\xff"):
        raise node.fault("boolean", node.start)
    return content == b"\xff"


def read_octets(node: Node) -> bytes:
    """Return the content of an OCTET STRING."""
    return expect(node, OCTET_STRING).content


def read_bits(node: Node) -> bytes:
    """Return the content of a BIT STRING of whole octets: unused bits must be 0."""
    content = expect(node, BIT_STRING).content
    if not content or content[0] != 0:
        raise node.fault("bit-string", node.start)
    return content[1:]


def read_bit_flags(node: Node) -> frozenset[int]:
    """Return the numbers of the bits set in a named BIT STRING, bit 0 being the first."""
    content = expect(node, BIT_STRING).content
    if not content or content[0] > 7 or (len(content) == 1 and content[0]):
        raise node.fault("bit-string", node.start)
    count = 8 * (len(content) - 1) - content[0]
    return frozenset(i for i in range(count) if content[1 + i // 8] & (0x80 >> i % 8))


def read_oid(node: Node) -> str:
    """Return an OBJECT IDENTIFIER in dotted form."""
    dotted = _dotted(expect(node, OID).content)
    if dotted is None:
        raise node.fault("oid", node.start)
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


def read_time(node: Node) -> tuple[datetime, bool]:
    """Return an instant and whether it is written as DER wants (X.690, 11.7 and 11.8).

    An offset is applied and remarked; a time without a zone is malformed, never local time.
    """
    tag = expect(node, UTC_TIME, GENERALIZED_TIME).tag
    content = node.content
    if not content.isascii():
        raise node.fault("time", node.start)
    text = content.decode("ascii")
    digits, zone = (text[:12], text[12:]) if tag == UTC_TIME else (text[:14], text[14:])
    if tag == UTC_TIME:
        # RFC 5280, 4.1.2.5.1: 50 to 99 belong to the last century.
        digits = ("19" if text[:2] >= "50" else "20") + digits
    if len(digits) != 14 or not digits.isdigit():
        raise node.fault("time", node.start)
    fields = [int(digits[i : i + 2]) for i in range(4, 14, 2)]
    try:
        month, day, hour, minute, second = fields
        at = datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)
        return at - _offset(zone, node), zone == "Z"
    except (ValueError, OverflowError):
        raise node.fault("time", node.start) from None


def _offset(zone: str, node: Node) -> timedelta:
    if zone == "Z":
        return timedelta(0)
    if len(zone) != 5 or zone[0] not in "+-" or not zone[1:].isdigit():
        raise node.fault("time", node.start)
    hours, minutes = int(zone[1:3]), int(zone[3:])
    if hours > 14 or minutes > 59:
        raise node.fault("time", node.start)
    size = timedelta(hours=hours, minutes=minutes)
    return size if zone[0] == "+" else -size


def is_sorted_set(children: Iterable[Node]) -> bool:
    """Tell whether the elements stand in the order DER demands (X.690, 11.6)."""
    raws = [child.raw for child in children]
    return raws == sorted(raws)


# Builders


def element(tag: int, *contents: bytes) -> bytes:
    """Put a tag and a minimal length before the concatenated ``contents``."""
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def sequence(*parts: bytes) -> bytes:
    """Encode a SEQUENCE of already encoded parts."""
    return element(SEQUENCE, *parts)


def set_of(parts: Iterable[bytes]) -> bytes:
    """Encode a SET OF, sorted as DER demands (X.690, 11.6)."""
    return element(SET, *sorted(parts))


def explicit(number: int, part: bytes) -> bytes:
    """Wrap an encoded part in a constructed context tag."""
    return element(0xA0 | number, part)


def implicit(number: int, content: bytes) -> bytes:
    """Put primitive content under a context tag."""
    return element(0x80 | number, content)


def integer(value: int) -> bytes:
    """Encode an INTEGER in its shortest form."""
    size = (value + (value < 0)).bit_length() // 8 + 1
    return element(INTEGER, value.to_bytes(size, "big", signed=True))


def boolean(value: bool) -> bytes:
    """Encode a BOOLEAN."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


def enumerated(value: int) -> bytes:
    """Encode an ENUMERATED from 0 to 127."""
    return element(ENUMERATED, bytes((value,)))


def null() -> bytes:
    """Encode NULL."""
    return b"\x05\x00"


def octet_string(value: bytes) -> bytes:
    """Encode an OCTET STRING."""
    return element(OCTET_STRING, value)


def bit_string(value: bytes) -> bytes:
    """Encode a BIT STRING of whole octets."""
    return element(BIT_STRING, b"\x00", value)


def bit_flags(numbers: Iterable[int]) -> bytes:
    """Encode a named BIT STRING, trailing zero bits left out (X.690, 11.2.2)."""
    value = sum(1 << number for number in set(numbers))
    count = value.bit_length()
    unused = -count % 8
    reversed_bits = int(f"{value:b}"[::-1], 2) << unused if value else 0
    return element(BIT_STRING, bytes((unused,)), reversed_bits.to_bytes((count + 7) // 8, "big"))


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
    return element(OID, bytes(content))


def utf8(text: str) -> bytes:
    """Encode a UTF8String."""
    return element(UTF8_STRING, text.encode())


def printable(text: str) -> bytes:
    """Encode a PrintableString; the caller keeps to its small character set."""
    return element(PRINTABLE_STRING, text.encode("ascii"))


def ia5(text: str) -> bytes:
    """Encode an IA5String of ASCII text."""
    return element(IA5_STRING, text.encode("ascii"))


def time(at: datetime) -> bytes:
    """Encode an aware instant as UTCTime until 2049, else GeneralizedTime (RFC 5280, 4.1.2.5)."""
    at = at.astimezone(UTC)
    if 1950 <= at.year < 2050:
        return element(UTC_TIME, at.strftime("%y%m%d%H%M%SZ").encode())
    return generalized_time(at)


def generalized_time(at: datetime) -> bytes:
    """Encode an aware instant as GeneralizedTime in UTC, whole seconds."""
    return element(GENERALIZED_TIME, at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())
