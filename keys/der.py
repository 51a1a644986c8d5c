"""Strict DER for certificates, revocation data and time stamps: a reader of slices, small builders.

ITU-T X.690, clauses 8, 10 and 11. The reader refuses what is BER only; one byte string has one
reading, and what is hashed or verified is the slice that was parsed. Formats of seals have their
own reader with their own limits and errors (``seal_service.formats.asn1``).
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from keys.errors import MalformedCertificate

MAX_DEPTH = 24
MAX_CHILDREN = 1_000
"""Elements directly in one SEQUENCE or SET; entries of a CRL are walked and not counted."""
MAX_INTEGER_BYTES = 1_025
"""Room for RSA numbers of 8192 bits."""
MAX_OID_BYTES = 64

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
ENUMERATED = 0x0A
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
IA5_STRING = 0x16
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

_CONSTRUCTED_BIT = 0x20
_UNIVERSAL_CONSTRUCTED = frozenset({SEQUENCE & 0x1F, SET & 0x1F})
_TIME_DIGITS = {UTC_TIME: 12, GENERALIZED_TIME: 14}


class Element(NamedTuple):
    """One DER element inside ``data``: tag byte at ``start``, content at ``body`` up to ``end``."""

    data: bytes
    tag: int
    start: int
    body: int
    end: int
    depth: int

    @property
    def raw(self) -> bytes:
        """The whole element as it stands in the input."""
        return self.data[self.start : self.end]

    @property
    def content(self) -> bytes:
        """The content octets as they stand in the input."""
        return self.data[self.body : self.end]

    def walk(self) -> Iterator["Element"]:
        """Yield the elements directly inside, however many; refuse a primitive element."""
        if not self.tag & _CONSTRUCTED_BIT or self.depth >= MAX_DEPTH:
            raise malformed("not constructed, or too deep", "structure")
        at = self.body
        while at < self.end:
            found = _element(self.data, at, self.end, self.depth + 1)
            yield found
            at = found.end

    def children(self) -> list["Element"]:
        """Read the elements directly inside."""
        found: list[Element] = []
        for element in self.walk():
            found.append(element)
            if len(found) > MAX_CHILDREN:
                raise malformed("too many elements", "limit")
        return found


def malformed(detail: str, reason: str = "malformed") -> MalformedCertificate:
    """Make the error every reader of this package raises; ``reason`` is a stable word."""
    return MalformedCertificate(detail, reason=reason)


def read(data: bytes, *, max_bytes: int = 1 << 20) -> Element:
    """Read exactly one element that fills ``data``; raise ``MalformedCertificate`` otherwise."""
    if len(data) > max_bytes:
        raise malformed("longer than allowed", "limit")
    found = _element(data, 0, len(data), 0)
    if found.end != len(data):
        raise malformed("bytes after the value", "trailing")
    return found


def _element(data: bytes, at: int, limit: int, depth: int) -> Element:
    """Read the header at ``at``; the element must end at or before ``limit``."""
    if at + 2 > limit:
        raise malformed("truncated", "truncated")
    tag, length, body = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F or tag == 0:
        raise malformed("tag", "tag")
    is_constructed = bool(tag & _CONSTRUCTED_BIT)
    if tag < 0x40 and is_constructed != (tag & 0x1F in _UNIVERSAL_CONSTRUCTED):
        raise malformed("constructed where primitive is due, or the reverse", "constructed")
    if length >= 0x80:
        size = length & 0x7F
        body += size
        if not 1 <= size <= 4 or body > limit:
            raise malformed("length", "length")
        length = int.from_bytes(data[at + 2 : body], "big")
        if length < 0x80 or data[at + 2] == 0:
            raise malformed("length not in its shortest form", "length")
    if body + length > limit:
        raise malformed("truncated", "truncated")
    return Element(data, tag, at, body, body + length, depth)


def expect(found: Element, *tags: int) -> Element:
    """Return ``found`` if its tag is one of ``tags``; raise ``MalformedCertificate`` otherwise."""
    if found.tag not in tags:
        raise malformed(f"tag {found.tag:#04x} is out of place", "tag")
    return found


def read_sequence(found: Element, at_least: int = 0, at_most: int = MAX_CHILDREN) -> list[Element]:
    """Return the elements of a SEQUENCE whose number must lie within the bounds given."""
    children = expect(found, SEQUENCE).children()
    if not at_least <= len(children) <= at_most:
        raise malformed("number of elements", "structure")
    return children


def read_explicit(found: Element) -> Element:
    """Return the one element inside an explicit tag."""
    children = found.children()
    if len(children) != 1:
        raise malformed("one element is due", "structure")
    return children[0]


def read_integer(found: Element) -> int:
    """Read an INTEGER or ENUMERATED in its shortest form; it may be negative."""
    content = expect(found, INTEGER, ENUMERATED).content
    if not content or len(content) > MAX_INTEGER_BYTES:
        raise malformed("integer", "integer")
    if len(content) > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1)):
        raise malformed("integer not in its shortest form", "integer")
    return int.from_bytes(content, "big", signed=True)


def read_boolean(found: Element) -> bool:
    """Read a BOOLEAN; DER knows only 00 and FF."""
    content = expect(found, BOOLEAN).content
    if content not in (b"\x00", b"\xff"):
        raise malformed("boolean", "boolean")
    return content == b"\xff"


def read_octets(found: Element) -> bytes:
    """Return the content of an OCTET STRING."""
    return expect(found, OCTET_STRING).content


def read_bits(found: Element) -> bytes:
    """Return a BIT STRING of whole octets: unused bits must be 0."""
    content = expect(found, BIT_STRING).content
    if not content or content[0] != 0:
        raise malformed("bit string", "bit-string")
    return content[1:]


def read_oid(found: Element) -> str:
    """Return an OBJECT IDENTIFIER in dotted form."""
    dotted = _dotted(expect(found, OBJECT_IDENTIFIER).content)
    if dotted is None:
        raise malformed("object identifier", "oid")
    return dotted


@lru_cache(maxsize=512)
def _dotted(content: bytes) -> str | None:
    if not content or len(content) > MAX_OID_BYTES or content[-1] & 0x80:
        return None
    arcs: list[int] = []
    arc, is_first = 0, True
    for octet in content:
        if is_first and octet == 0x80:
            return None
        arc = arc << 7 | octet & 0x7F
        is_first = not octet & 0x80
        if is_first:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read_time(found: Element) -> datetime:
    """Read UTCTime or GeneralizedTime in whole seconds ending in Z (RFC 5280, 4.1.2.5).

    Two-digit years from 50 on are of the twentieth century.
    """
    digits = _TIME_DIGITS[expect(found, UTC_TIME, GENERALIZED_TIME).tag]
    text = found.content
    if len(text) != digits + 1 or text[-1:] != b"Z" or not text[:-1].isdigit():
        raise malformed("time", "time")
    digits_text = text[:-1].decode()
    if found.tag == UTC_TIME:
        digits_text = ("19" if digits_text >= "50" else "20") + digits_text
    try:
        return datetime.strptime(digits_text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise malformed("no such date", "time") from None


def is_sorted_set(children: Iterable[Element]) -> bool:
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


def set_of(*parts: bytes) -> bytes:
    """Encode a SET OF, sorted as DER demands (X.690, 11.6)."""
    return element(SET, *sorted(parts))


def explicit(number: int, *parts: bytes) -> bytes:
    """Wrap encoded parts in a constructed context tag."""
    return element(0xA0 | number, *parts)


def implicit(number: int, content: bytes) -> bytes:
    """Put primitive content under a context tag."""
    return element(0x80 | number, content)


def integer(value: int) -> bytes:
    """Encode an INTEGER in its shortest form."""
    size = (value + (value < 0)).bit_length() // 8 + 1
    return element(INTEGER, value.to_bytes(size, "big", signed=True))


def enumerated(value: int) -> bytes:
    """Encode an ENUMERATED from 0 to 127."""
    return element(ENUMERATED, bytes((value,)))


def boolean(value: bool) -> bytes:
    """Encode a BOOLEAN."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


NULL_DER = b"\x05\x00"


def octet_string(value: bytes) -> bytes:
    """Encode an OCTET STRING."""
    return element(OCTET_STRING, value)


def bit_string(value: bytes) -> bytes:
    """Encode a BIT STRING of whole octets."""
    return element(BIT_STRING, b"\x00", value)


def named_bits(positions: Iterable[int]) -> bytes:
    """Encode a BIT STRING with named bits: trailing zero bits are left out (X.690, 11.2.2)."""
    bits = frozenset(positions)
    if not bits:
        return element(BIT_STRING, b"\x00")
    size = max(bits) // 8 + 1
    value = bytearray(size)
    for position in bits:
        value[position // 8] |= 0x80 >> position % 8
    return element(BIT_STRING, bytes((8 * size - 1 - max(bits),)), bytes(value))


@lru_cache(maxsize=512)
def oid(dotted: str) -> bytes:
    """Encode an OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return element(OBJECT_IDENTIFIER, bytes(content))


def utf8(text: str) -> bytes:
    """Encode a UTF8String."""
    return element(UTF8_STRING, text.encode())


def printable(text: str) -> bytes:
    """Encode a PrintableString; the caller keeps to its small character set."""
    return element(PRINTABLE_STRING, text.encode("ascii"))


def generalized_time(at: datetime) -> bytes:
    """Encode an aware instant as GeneralizedTime in UTC, whole seconds."""
    return element(GENERALIZED_TIME, _digits(at, 4))


def utc_time(at: datetime) -> bytes:
    """Encode an aware instant between 1950 and 2049 as UTCTime, whole seconds."""
    return element(UTC_TIME, _digits(at, 2))


def time(at: datetime) -> bytes:
    """Encode UTCTime up to 2049 and GeneralizedTime after it (RFC 5280, 4.1.2.5)."""
    return utc_time(at) if at.astimezone(UTC).year < 2050 else generalized_time(at)


def _digits(at: datetime, year_digits: int) -> bytes:
    """Spell the instant; ``strftime`` would not pad years before 1000."""
    if at.tzinfo is None:
        raise malformed("an instant needs a zone", "time")
    utc = at.astimezone(UTC)
    return f"{utc.year:04d}"[-year_digits:].encode() + utc.strftime("%m%d%H%M%SZ").encode()
