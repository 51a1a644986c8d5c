"""Indirect objects: find them through cross-reference entries, unpack object streams.

ISO 32000-1, 7.3.10 and 7.5.7. A document that was updated has several states; each
``ObjectTable`` is one of them, all share the ``Source`` and what was parsed from it. Work is
counted in bytes unpacked, so hostile files end in ``LimitExceeded`` and not in waiting.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import DEFAULT_LIMITS, MIB, Limits
from seal_service.formats.pdf.syntax import Dictionary, Name, Parser, Ref, Stream, Value

MAX_REFERENCE_HOPS = 16
MAX_SYNTAX_BYTES = 6 * MIB
"""Of objects without their streams, over all revisions; more than that no page needs."""
MAX_WORK = 400_000
"""Objects looked at, over all states that are compared: what a verification may cost."""
_HEADER = re.compile(rb"([0-9]{1,10})[\x00\t\n\x0c\r ]+([0-9]{1,5})[\x00\t\n\x0c\r ]+obj")


class Entry(NamedTuple):
    """Where an object is: at ``place`` in the file, or as number ``detail`` of a stream."""

    kind: int
    """0 free, 1 in the file, 2 in an object stream (7.5.8.3)."""
    place: int
    """Offset, or the number of the object stream."""
    detail: int
    """Generation, or the index within the object stream."""


FREE, PLAIN, PACKED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class IndirectObject:
    """An object as it stands in the file, from its number to the end of its value."""

    number: int
    generation: int
    value: Value
    start: int
    end: int


class Source:
    """The bytes of a file and everything that was read from them so far."""

    def __init__(self, data: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
        self.data = data
        self.limits = limits
        self._plain: dict[int, IndirectObject] = {}
        self._packed: dict[int, tuple[bytes, dict[int, int]]] = {}
        self._packed_values: dict[tuple[int, int], Value] = {}
        self._broken: dict[int, MalformedDocument] = {}
        self._unpacked_bytes = 0
        self._syntax_bytes = 0
        self._work = 0

    def object_at(self, offset: int) -> IndirectObject:
        """Read the indirect object whose number stands at ``offset``."""
        known = self._plain.get(offset)
        if known is not None:
            return known
        if offset in self._broken:
            raise self._broken[offset]
        if len(self._plain) >= self.limits.pdf_objects:
            raise LimitExceeded("too many objects", reason="limit", limit="pdf_objects")
        try:
            found = self._read_object(offset)
        except LimitExceeded:
            raise
        except MalformedDocument as error:
            self._broken[offset] = error
            raise
        self._plain[offset] = found
        return found

    def has_header(self, offset: int, reference: Ref) -> bool:
        """Return whether the object of that number and generation begins at ``offset``."""
        header = _HEADER.match(self.data, offset)
        return header is not None and (int(header[1]), int(header[2])) == reference

    def spend(self, steps: int) -> None:
        """Count work that has no other limit. Raises ``LimitExceeded``."""
        self._work += steps
        if self._work > MAX_WORK:
            raise LimitExceeded("too much to compare", reason="limit", limit="pdf_work")

    def packed_value(self, offset: int, length: int, number: int) -> Value:
        """Read an object out of the object stream at ``offset``."""
        if (offset, number) not in self._packed_values:
            body, places = self.packed(offset, length)
            if number not in places:
                raise MalformedDocument("an entry leads elsewhere", reason="xref-mismatch")
            value = self._read_value(Parser(body, places[number]))
            self._packed_values[offset, number] = value
        return self._packed_values[offset, number]

    def _read_object(self, offset: int) -> IndirectObject:
        header = _HEADER.match(self.data, offset)
        if header is None:
            raise MalformedDocument(f"no object at {offset}", reason="xref-mismatch")
        parser = Parser(self.data, header.end())
        value = self._read_value(parser)
        if isinstance(value, Dictionary):
            start = parser.stream_start()
            if start is not None:
                value = Stream(value, start)
        return IndirectObject(int(header[1]), int(header[2]), value, offset, parser.at)

    def _read_value(self, parser: Parser) -> Value:
        """Read a value; what was read counts even if it comes to nothing."""
        start = parser.at
        try:
            return parser.value()
        finally:
            self._syntax_bytes += parser.at - start
            if self._syntax_bytes > MAX_SYNTAX_BYTES:
                raise LimitExceeded("too much syntax", reason="limit", limit="pdf_syntax")

    def unpack(self, stream: Stream, length: int) -> bytes:
        """Return the bytes of a stream that is plain or Flate, with a PNG predictor or none."""
        end = stream.start + length
        if length < 0 or end > len(self.data):
            raise MalformedDocument("a stream leaves the file", reason="stream-length")
        raw = self.data[stream.start : end]
        filters = stream.dictionary.get("Filter")
        if isinstance(filters, list) and len(filters) == 1:
            filters = filters[0]
        if filters is None or filters == []:
            return self._count(raw)
        if filters != Name("FlateDecode"):
            raise MalformedDocument("an unexpected filter", reason="filter")
        parameters = stream.dictionary.get("DecodeParms")
        if isinstance(parameters, list) and len(parameters) == 1:
            parameters = parameters[0]
        body = self._count(self._inflate(raw))
        return _without_predictor(body, parameters) if isinstance(parameters, dict) else body

    def packed(self, offset: int, length: int) -> tuple[bytes, dict[int, int]]:
        """Return an object stream's objects and where each begins, by number."""
        known = self._packed.get(offset)
        if known is None:
            stream = self.object_at(offset).value
            if not isinstance(stream, Stream) or stream.dictionary.get("Type") != "ObjStm":
                raise MalformedDocument("no object stream", reason="object-stream")
            known = self._read_packed(stream, self.unpack(stream, length))
            self._packed[offset] = known
        return known

    def _read_packed(self, stream: Stream, body: bytes) -> tuple[bytes, dict[int, int]]:
        count, first = stream.dictionary.get("N"), stream.dictionary.get("First")
        if not (isinstance(count, int) and isinstance(first, int) and 0 <= first <= len(body)):
            raise MalformedDocument("no object stream", reason="object-stream")
        if not 0 <= count <= self.limits.pdf_objects:
            raise LimitExceeded("too many objects", reason="limit", limit="pdf_objects")
        try:
            numbers = [int(word) for word in body[:first].split()[: 2 * count]]
        except ValueError:
            raise MalformedDocument("no object stream", reason="object-stream") from None
        places = dict(zip(numbers[::2], numbers[1::2], strict=True))
        if len(numbers) != 2 * count or len(places) != count or min(numbers, default=0) < 0:
            # The same number twice: readers would differ in which object they take.
            raise MalformedDocument("no object stream", reason="object-stream")
        return body, {number: first + place for number, place in places.items()}

    def _inflate(self, raw: bytes) -> bytes:
        limits = self.limits
        decoder = zlib.decompressobj()
        try:
            body = decoder.decompress(raw, limits.member_bytes + 1)
        except zlib.error:
            raise MalformedDocument("a stream cannot be unpacked", reason="stream") from None
        is_bomb = len(body) > max(limits.ratio_threshold_bytes, len(raw) * limits.compression_ratio)
        if len(body) > limits.member_bytes or is_bomb:
            raise LimitExceeded(
                "a stream unpacks to too much", reason="limit", limit="member_bytes"
            )
        if not decoder.eof:
            raise MalformedDocument("a stream is cut short", reason="stream")
        return body

    def _count(self, body: bytes) -> bytes:
        self._unpacked_bytes += len(body)
        if self._unpacked_bytes > self.limits.unpacked_bytes:
            raise LimitExceeded("too much to unpack", reason="limit", limit="unpacked_bytes")
        return body


def _without_predictor(body: bytes, parameters: Dictionary) -> bytes:
    """Undo the PNG predictors of one byte per component (7.4.4.4); others are refused."""
    predictor = parameters.get("Predictor", 1)
    if predictor == 1:
        return body
    columns = parameters.get("Columns", 1)
    plain = parameters.get("Colors", 1) == 1 and parameters.get("BitsPerComponent", 8) == 8
    if not (isinstance(predictor, int) and predictor >= 10 and plain):
        raise MalformedDocument("an unexpected predictor", reason="filter")
    if not isinstance(columns, int) or not 1 <= columns <= len(body):
        raise MalformedDocument("an unexpected predictor", reason="filter")
    above, rows = bytes(columns), bytearray()
    for at in range(0, len(body), columns + 1):
        row = body[at + 1 : at + 1 + columns]
        if len(row) != columns:
            raise MalformedDocument("a row is cut short", reason="stream")
        above = _unfiltered(body[at], row, above)
        rows += above
    return bytes(rows)


def _unfiltered(kind: int, row: bytes, above: bytes) -> bytes:
    if kind == 0:
        return row
    if kind == 2:
        return bytes((a + b) & 0xFF for a, b in zip(row, above, strict=True))
    found = bytearray()
    left = corner = 0
    for byte, up in zip(row, above, strict=True):
        left = (byte + _predicted(kind, left, up, corner)) & 0xFF
        corner = up
        found.append(left)
    return bytes(found)


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 1:
        return left
    if kind == 3:
        return (left + up) // 2
    if kind != 4:
        raise MalformedDocument("no such predictor", reason="filter")
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))


class ObjectTable:
    """All objects of one state of a document."""

    def __init__(self, source: Source, entries: Mapping[int, Entry], trailer: Dictionary) -> None:
        self.source = source
        self.entries = entries
        self.trailer = trailer

    def get(self, reference: Ref) -> Value:
        """Return an object; one that does not exist is null (7.3.10).

        Raises ``MalformedDocument`` when the entry leads to another object than it says.
        """
        entry = self.entries.get(reference.number)
        if entry is None or entry.kind == FREE:
            return None
        if entry.kind == PACKED:
            return self._packed(reference, entry) if reference.generation == 0 else None
        if entry.detail != reference.generation:
            return None
        found = self.source.object_at(entry.place)
        if (found.number, found.generation) != reference:
            raise MalformedDocument("an entry leads elsewhere", reason="xref-mismatch")
        return found.value

    def resolve(self, value: Value) -> Value:
        """Follow references to the value itself."""
        for _ in range(MAX_REFERENCE_HOPS):
            if not isinstance(value, Ref):
                return value
            value = self.get(value)
        raise MalformedDocument("references lead in a circle", reason="reference-loop")

    def dictionary(self, value: Value) -> Dictionary:
        """Return a dictionary (that of a stream, too); an empty one for anything else."""
        found = self.resolve(value)
        if isinstance(found, Stream):
            return found.dictionary
        return found if isinstance(found, Dictionary) else Dictionary()

    def array(self, value: Value) -> list[Value]:
        """Return an array; an empty one for anything else."""
        found = self.resolve(value)
        return found if isinstance(found, list) else []

    def reference(self, number: int) -> Ref:
        """Return the reference by which an object of this state is known."""
        entry = self.entries[number]
        return Ref(number, entry.detail if entry.kind == PLAIN else 0)

    def stream_length(self, stream: Stream) -> int:
        """Return the number of bytes a stream says it has."""
        length = self.resolve(stream.dictionary.get("Length"))
        if not isinstance(length, int):
            raise MalformedDocument("a stream without length", reason="stream-length")
        return length

    def stream_bytes(self, stream: Stream) -> bytes:
        """Return the unpacked bytes of a stream."""
        return self.source.unpack(stream, self.stream_length(stream))

    def _packed(self, reference: Ref, entry: Entry) -> Value:
        container = self.entries.get(entry.place)
        if container is None or container.kind != PLAIN:
            raise MalformedDocument("no object stream", reason="object-stream")
        stream = self.source.object_at(container.place).value
        length = self.stream_length(stream) if isinstance(stream, Stream) else 0
        return self.source.packed_value(container.place, length, reference.number)
