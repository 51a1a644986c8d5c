"""Cross-reference sections and revisions: how a PDF was written and updated.

ISO 32000-1, 7.5.4 to 7.5.8. The chain is followed from the last ``startxref`` through ``Prev``.
Nothing is repaired: a chain that does not hold is refused, for every reader mends it differently.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.pdf.objects import FREE, PACKED, PLAIN, Entry, ObjectTable, Source
from seal_service.formats.pdf.syntax import Dictionary, Parser, Stream

_SPACE = rb"[\x00\t\n\x0c\r ]"
_END = re.compile(
    rb"startxref" + _SPACE + rb"++([0-9]{1,10})" + _SPACE + rb"++(?P<mark>%%EOF)(?:\r\n|\n|\r)?"
)
_SUBSECTION = re.compile(_SPACE + rb"*+([0-9]{1,10}) ([0-9]{1,10}) ?(?:\r\n|\n|\r)")
_ENTRY = re.compile(rb"([0-9]{10}) ([0-9]{5}) ([nf])(?: \r| \n|\r\n)")
_ENTRY_SIZE = 20
_HEADER = re.compile(rb"%PDF-([12]\.[0-9])(?=[\x00\t\n\x0c\r ])")


@dataclass(frozen=True, slots=True)
class Section:
    """One cross-reference section with its trailer."""

    start: int
    entries: Mapping[int, Entry]
    trailer: Dictionary
    is_stream: bool
    mark_end: int
    """Offset behind the end-of-file mark that follows it."""
    end: int
    """The same with the end of line, if there is one."""
    named_start: int
    """What ``startxref`` behind this section says; 0 in the first part of a linearised file."""
    own_number: int | None
    """Object number of the cross-reference stream itself."""


def header_version(data: bytes) -> str | None:
    """Return the version in the first line, if the file begins with it."""
    found = _HEADER.match(data)
    return found[1].decode() if found else None


def read_sections(source: Source) -> tuple[Section, ...]:
    """Return the sections, newest first.

    Raises ``MalformedDocument`` with reason ``startxref``, ``xref``, ``xref-loop`` or
    ``hybrid-xref``, and ``LimitExceeded``.
    """
    data, limits = source.data, source.limits
    end = _last_end(data)
    found: list[Section] = []
    seen: set[int] = set()
    total = 0
    start: int | None = int(end[1])
    while start is not None:
        if start in seen:
            raise MalformedDocument("sections lead in a circle", reason="xref-loop")
        if len(found) >= limits.pdf_revisions:
            raise LimitExceeded("too many revisions", reason="limit", limit="pdf_revisions")
        seen.add(start)
        section = _read_section(source, start)
        found.append(section)
        total += len(section.entries)
        if total > 2 * limits.pdf_objects:
            raise LimitExceeded("too many entries", reason="limit", limit="pdf_objects")
        if not isinstance(section.trailer.get("Size"), int):
            raise MalformedDocument("no size", reason="xref")
        previous = section.trailer.get("Prev")
        if previous is not None and not isinstance(previous, int):
            raise MalformedDocument("no offset", reason="xref")
        start = previous
    return tuple(found)


def merged(sections: tuple[Section, ...]) -> dict[int, Entry]:
    """Return the entries that hold when ``sections``, newest first, are all there is."""
    entries: dict[int, Entry] = {}
    for section in reversed(sections):
        entries.update(section.entries)
    return entries


def table_of(source: Source, sections: tuple[Section, ...]) -> ObjectTable:
    """Return the state of the document after the newest of ``sections``."""
    return ObjectTable(source, merged(sections), sections[0].trailer)


def _last_end(data: bytes) -> re.Match[bytes]:
    place = data.rfind(b"startxref")
    end = _END.match(data, place) if place >= 0 else None
    if end is None:
        raise MalformedDocument("no end of file", reason="startxref")
    return end


def _read_section(source: Source, start: int) -> Section:
    data = source.data
    if not 0 <= start < len(data):
        raise MalformedDocument("a section outside the file", reason="xref")
    # Some writers point at the line end before the section; all readers accept that.
    parser = Parser(data, start)
    if parser.take(b"xref"):
        return _read_table(source, start, parser.at)
    return _read_stream(source, start, parser.at)


def _read_table(source: Source, start: int, at: int) -> Section:
    data = source.data
    entries: dict[int, Entry] = {}
    while subsection := _SUBSECTION.match(data, at):
        first, count = int(subsection[1]), int(subsection[2])
        if first + count > source.limits.pdf_objects or len(entries) > source.limits.pdf_objects:
            raise LimitExceeded("too many objects", reason="limit", limit="pdf_objects")
        at = subsection.end() + count * _ENTRY_SIZE
        rows = _ENTRY.findall(data, subsection.end(), at)
        if len(rows) != count:
            raise MalformedDocument("no table", reason="xref")
        for number, (place, generation, kind) in enumerate(rows, first):
            entries[number] = Entry(PLAIN if kind == b"n" else FREE, int(place), int(generation))
    parser = Parser(data, at)
    if not parser.take(b"trailer"):
        raise MalformedDocument("no trailer", reason="xref")
    trailer = parser.value()
    if not isinstance(trailer, Dictionary):
        raise MalformedDocument("no trailer", reason="xref")
    if "XRefStm" in trailer:
        raise MalformedDocument("two cross-references side by side", reason="hybrid-xref")
    parser.skip_spaces()
    return _section(data, start, entries, trailer, end_at=parser.at)


def _read_stream(source: Source, start: int, at: int) -> Section:
    found = source.object_at(at)
    stream = found.value
    if not isinstance(stream, Stream) or stream.dictionary.get("Type") != "XRef":
        raise MalformedDocument("no cross-reference here", reason="xref")
    length = stream.dictionary.get("Length")
    if not isinstance(length, int):
        raise MalformedDocument("no cross-reference here", reason="xref")
    entries = _unpack_entries(source, stream.dictionary, source.unpack(stream, length))
    parser = Parser(source.data, stream.start + length)
    if not (parser.take(b"endstream") and parser.take(b"endobj")):
        raise MalformedDocument("no end of stream", reason="stream-length")
    parser.skip_spaces()
    return _section(
        source.data, start, entries, stream.dictionary, end_at=parser.at, own_number=found.number
    )


def _section(
    data: bytes,
    start: int,
    entries: Mapping[int, Entry],
    trailer: Dictionary,
    *,
    end_at: int,
    own_number: int | None = None,
) -> Section:
    end = _END.match(data, end_at)
    if end is None:
        raise MalformedDocument("a revision without its end", reason="startxref")
    return Section(
        start=start,
        entries=entries,
        trailer=trailer,
        is_stream=own_number is not None,
        mark_end=end.end("mark"),
        end=end.end(),
        named_start=int(end[1]),
        own_number=own_number,
    )


def _unpack_entries(source: Source, dictionary: Dictionary, body: bytes) -> dict[int, Entry]:
    """Read the binary entries of a cross-reference stream (7.5.8.2)."""
    widths = dictionary.get("W")
    size = dictionary.get("Size")
    if not isinstance(widths, list) or not isinstance(size, int):
        raise MalformedDocument("no field widths", reason="xref")
    sizes = [width for width in widths if isinstance(width, int) and 0 <= width <= 8]
    if len(sizes) != 3 or len(widths) != 3 or sum(sizes) == 0:
        raise MalformedDocument("no field widths", reason="xref")
    index = dictionary.get("Index", [0, size])
    numbers = _numbered(index, source.limits.pdf_objects)
    width = sum(sizes)
    if len(body) < len(numbers) * width:
        raise MalformedDocument("entries are missing", reason="xref")
    entries: dict[int, Entry] = {}
    first, second = sizes[0], sizes[0] + sizes[1]
    for position, number in enumerate(numbers):
        row = body[position * width : (position + 1) * width]
        kind = int.from_bytes(row[:first], "big") if first else PLAIN
        if kind in (FREE, PLAIN, PACKED):
            entries[number] = Entry(
                kind, int.from_bytes(row[first:second], "big"), int.from_bytes(row[second:], "big")
            )
    return entries


def _numbered(index: object, most: int) -> list[int]:
    """Return the object numbers an Index names, in order."""
    if not isinstance(index, list) or len(index) % 2:
        raise MalformedDocument("no index", reason="xref")
    numbers: list[int] = []
    for first, count in zip(index[::2], index[1::2], strict=True):
        if not (isinstance(first, int) and isinstance(count, int) and first >= 0 and count >= 0):
            raise MalformedDocument("no index", reason="xref")
        if first + count > most or len(numbers) + count > most:
            raise LimitExceeded("too many objects", reason="limit", limit="pdf_objects")
        numbers += range(first, first + count)
    return numbers
