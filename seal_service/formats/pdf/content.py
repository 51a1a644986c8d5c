"""The content of pages as bytes and as instructions (ISO 32000-1, 7.8.2).

Read tolerantly, for a keyword or for where to draw: what cannot be read is passed over. Limits are
errors all the same.
"""

import base64
import re
import zlib
from collections.abc import Iterator

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.pdf.objects import ObjectTable
from seal_service.formats.pdf.pages import PDFPage
from seal_service.formats.pdf.syntax import Parser, Stream, Value

MAX_OPERATORS = 1_000_000
"""On one page."""
_OPERATOR = re.compile(rb"[A-Za-z'\"][A-Za-z0-9*'\"]*")
_VALUES = frozenset({b"true", b"false", b"null"})
_INLINE_END = re.compile(rb"[\x00\t\n\x0c\r ]EI(?=[\x00\t\n\x0c\r ]|$)")


def page_content(table: ObjectTable, page: PDFPage) -> bytes:
    """Return the content of a page; a stream that cannot be unpacked counts as empty."""
    value = page.dictionary.get("Contents")
    resolved = table.resolve(value)
    items = resolved if isinstance(resolved, list) else [value]
    return b"\n".join(stream_content(table, item) for item in items)


def stream_content(table: ObjectTable, value: Value) -> bytes:
    """Return a content stream, unpacked; nothing where that cannot be done."""
    stream = table.resolve(value)
    if not isinstance(stream, Stream):
        return b""
    try:
        filters = [table.resolve(item) for item in table.array(stream.dictionary.get("Filter"))]
        if filters[:1] == ["ASCII85Decode"]:
            return _from_text_form(table, stream, filters[1:])
        return table.stream_bytes(stream)
    except LimitExceeded:
        raise
    except (MalformedDocument, ValueError, zlib.error):
        return b""


def _from_text_form(table: ObjectTable, stream: Stream, filters: list[Value]) -> bytes:
    """Undo ASCII85, and Flate below it."""
    source = table.source
    raw = source.data[stream.start : stream.start + table.stream_length(stream)]
    body = base64.a85decode(raw.strip().removesuffix(b"~>"))
    if filters == ["FlateDecode"]:
        limit = source.limits.ratio_threshold_bytes
        decoder = zlib.decompressobj()
        body = decoder.decompress(body, limit)
        if decoder.unconsumed_tail:
            raise LimitExceeded("too much to unpack", reason="limit", limit="unpacked_bytes")
    elif filters:
        raise MalformedDocument("an unexpected filter", reason="filter")
    source.spend(len(body) // 64)
    return body


def instructions(content: bytes) -> Iterator[tuple[str, list[Value]]]:
    """Yield operators with their operands; bytes that are neither are passed over.

    Raises ``LimitExceeded`` for more than any page that is read by people has.
    """
    parser, operands, left = Parser(content), list[Value](), MAX_OPERATORS
    while parser.skip_spaces() < len(content):
        word = _OPERATOR.match(content, parser.at)
        if word is None or word[0] in _VALUES:
            at = parser.at
            try:
                operands.append(parser.value())
            except LimitExceeded:
                raise
            except MalformedDocument:
                operands.clear()
                parser.at = at + 1
            continue
        parser.at = word.end()
        left -= 1
        if left < 0:
            raise LimitExceeded("too much content", reason="limit", limit="pdf_operators")
        if word[0] == b"ID":
            end = _INLINE_END.search(content, parser.at)
            parser.at = end.end() if end else len(content)
        yield word[0].decode("ascii"), operands
        operands = []


def saved_states(content: bytes) -> tuple[int, int]:
    """Return how many ``Q`` have no ``q`` before them, and how many ``q`` no ``Q`` behind them."""
    missing = depth = 0
    for operator, _ in instructions(content):
        if operator == "q":
            depth += 1
        elif operator == "Q" and depth:
            depth -= 1
        elif operator == "Q":
            missing += 1
    return missing, depth
