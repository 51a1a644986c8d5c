"""What the codes of a font mean and how wide they are, as far as a keyword search needs it.

ISO 32000-1, 9.6 to 9.10. In this order: the font's own ToUnicode map; the encodings that name
characters (WinAnsi and its like with Differences, GBK, UniGB). A code whose meaning the file does
not say gives U+FFFD, which no keyword contains. Nothing is drawn here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fontTools import agl

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.pdf.objects import ObjectTable
from seal_service.formats.pdf.syntax import Dictionary, Name, Stream, Value

UNKNOWN = "\ufffd"
MAX_CODES = 70_000
"""In one map: all two-byte codes and some."""
_SECTION = re.compile(rb"begin(bfchar|bfrange)(.*?)end\1", re.DOTALL)
_TOKEN = re.compile(rb"<([0-9A-Fa-f\s]*)>|(\[)|(\])")
_BASE_ENCODINGS = {"MacRomanEncoding": "mac_roman", "WinAnsiEncoding": "cp1252"}
_GBK_ENCODINGS = ("GBK", "GBpc", "GB-")
_UNICODE_ENCODINGS = ("UniGB", "UniCNS", "UniJIS", "UniKS")
_TYPICAL_WIDTH = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyph:
    """One code that is shown."""

    text: str
    width: float
    """In font sizes."""
    is_blank: bool
    """Whether word spacing applies: the single byte 32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PDFFont:
    """A font, ready to decode what is shown with it."""

    code_bytes: int
    """1, 2, or 0 where a lead byte decides (GBK)."""
    meanings: Mapping[int, str] = field(default_factory=dict)
    widths: Mapping[int, float] = field(default_factory=dict)
    usual_width: float = _TYPICAL_WIDTH
    charset: str = ""
    """Codec for codes that ``meanings`` does not know."""

    def glyphs(self, shown: bytes) -> Iterator[Glyph]:
        """Yield what a string shows, code by code."""
        at = 0
        while at < len(shown):
            length = self.code_bytes or (2 if shown[at] > 0x80 else 1)
            raw = shown[at : at + length]
            at += length
            code = int.from_bytes(raw, "big")
            yield Glyph(
                text=self.meanings.get(code) or self._decoded(raw),
                width=self.widths.get(code, self.usual_width),
                is_blank=raw == b" ",
            )

    def _decoded(self, raw: bytes) -> str:
        if not self.charset:
            return UNKNOWN
        return raw.decode(self.charset, "replace") or UNKNOWN


NO_FONT = PDFFont(code_bytes=1)


def read_font(table: ObjectTable, value: Value) -> PDFFont:
    """Read a font dictionary; what cannot be read of it is left unknown."""
    dictionary = table.dictionary(value)
    meanings = _to_unicode(table, dictionary.get("ToUnicode"))
    if dictionary.get("Subtype") == "Type0":
        return _composite(table, dictionary, meanings)
    return PDFFont(
        code_bytes=1,
        meanings={**_simple_meanings(table, dictionary), **meanings},
        widths=_simple_widths(table, dictionary),
        charset=_charset(table, dictionary),
    )


# --- simple fonts ------------------------------------------------------------------------------


def _charset(table: ObjectTable, dictionary: Dictionary) -> str:
    encoding = table.resolve(dictionary.get("Encoding"))
    base = encoding
    if isinstance(encoding, Dictionary):
        base = table.resolve(encoding.get("BaseEncoding"))
    return _BASE_ENCODINGS.get(str(base), "cp1252")


def _simple_meanings(table: ObjectTable, dictionary: Dictionary) -> dict[int, str]:
    encoding = table.resolve(dictionary.get("Encoding"))
    found: dict[int, str] = {}
    if not isinstance(encoding, Dictionary):
        return found
    code = 0
    for item in table.array(encoding.get("Differences")):
        item = table.resolve(item)
        if isinstance(item, Name):
            found[code] = agl.toUnicode(str(item)) or UNKNOWN
            code += 1
        elif isinstance(item, int):
            code = item
    return found


def _simple_widths(table: ObjectTable, dictionary: Dictionary) -> dict[int, float]:
    first = table.resolve(dictionary.get("FirstChar"))
    scale = 0.001
    if dictionary.get("Subtype") == "Type3":
        matrix = [table.resolve(item) for item in table.array(dictionary.get("FontMatrix"))]
        scale = _number(matrix[0]) if matrix else scale
    start = first if isinstance(first, int) else 0
    widths = table.array(dictionary.get("Widths"))[:256]
    return {
        start + index: _number(table.resolve(item)) * scale for index, item in enumerate(widths)
    }


# --- composite fonts ---------------------------------------------------------------------------


def _composite(table: ObjectTable, dictionary: Dictionary, meanings: dict[int, str]) -> PDFFont:
    descendants = table.array(dictionary.get("DescendantFonts"))
    below = table.dictionary(descendants[0]) if descendants else Dictionary()
    encoding = table.resolve(dictionary.get("Encoding"))
    name = str(encoding) if isinstance(encoding, Name) else ""
    usual = _number(table.resolve(below.get("DW", 1000))) / 1000
    if name.startswith(_UNICODE_ENCODINGS):
        charset = "utf-16-be"
    elif name.startswith(_GBK_ENCODINGS):
        charset = "gb18030"
    else:
        charset = ""
    return PDFFont(
        code_bytes=0 if charset == "gb18030" else 2,
        meanings=meanings,
        # Widths are by glyph; only the identity encodings make a code the glyph's number.
        widths={} if charset else _composite_widths(table, below.get("W")),
        usual_width=usual,
        charset=charset,
    )


def _composite_widths(table: ObjectTable, value: Value) -> dict[int, float]:
    """Read W (9.7.4.3): ``first [w w ...]`` or ``first last w``."""
    found: dict[int, float] = {}
    items = iter([table.resolve(item) for item in table.array(value)])
    for first in items:
        second = next(items, None)
        if not isinstance(first, int):
            break
        if isinstance(second, list):
            for index, width in enumerate(second):
                found[first + index] = _number(table.resolve(width)) / 1000
        elif isinstance(second, int):
            width = _number(next(items, None)) / 1000
            found.update(dict.fromkeys(range(first, min(second, first + MAX_CODES) + 1), width))
        if len(found) > MAX_CODES:
            raise LimitExceeded("too many widths", reason="limit", limit="pdf_codes")
    return found


# --- ToUnicode ---------------------------------------------------------------------------------


def _to_unicode(table: ObjectTable, value: Value) -> dict[int, str]:
    """Read a ToUnicode map (9.10.3)."""
    stream = table.resolve(value)
    if not isinstance(stream, Stream):
        return {}
    try:
        body = table.stream_bytes(stream)
    except LimitExceeded:
        raise
    except MalformedDocument:
        return {}
    found: dict[int, str] = {}
    for kind, section in _SECTION.findall(body):
        rows = _single_rows(section) if kind == b"bfchar" else _range_rows(section)
        for code, text in rows:
            found[code] = text
            if len(found) > MAX_CODES:
                raise LimitExceeded("too many codes", reason="limit", limit="pdf_codes")
    return found


def _single_rows(section: bytes) -> Iterator[tuple[int, str]]:
    words = [match[1] for match in _TOKEN.finditer(section) if match[1] is not None]
    for code, text in zip(words[::2], words[1::2], strict=False):
        yield _code(code), _text(text)


def _range_rows(section: bytes) -> Iterator[tuple[int, str]]:
    tokens = _TOKEN.finditer(section)
    for first, last, third in zip(tokens, tokens, tokens, strict=False):
        start, end = _code(first[1] or b""), _code(last[1] or b"")
        end = min(end, start + MAX_CODES)
        if third[2] is not None:
            yield from ((start + n, text) for n, text in enumerate(_listed(tokens)))
            continue
        text = _text(third[1] or b"")
        for code in range(start, end + 1):
            yield code, _moved(text, code - start)


def _listed(tokens: Iterator[re.Match[bytes]]) -> Iterator[str]:
    for token in tokens:
        if token[3] is not None:
            return
        yield _text(token[1] or b"")


def _moved(text: str, steps: int) -> str:
    """Return a text whose last character is so many code points further on."""
    last = ord(text[-1]) + steps if text else -1
    return text[:-1] + chr(last) if 0 <= last <= 0x10FFFF else UNKNOWN


def _code(digits: bytes) -> int:
    return int.from_bytes(_raw(digits)[:4], "big")


def _text(digits: bytes) -> str:
    return _raw(digits)[:64].decode("utf-16-be", "replace")


def _raw(digits: bytes) -> bytes:
    plain = b"".join(digits.split())
    return bytes.fromhex((plain + b"0" * (len(plain) % 2)).decode("ascii"))


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
