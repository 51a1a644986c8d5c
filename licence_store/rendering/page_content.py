"""Reads what our own PDF draws: page content, fonts with their text, pictures, opacities.

Made for the output of the pinned typst only. Whatever it does not know is a ``RenderingFault``:
a template that uses more than the writers can express fails when it is built, not in a reader.
"""

import hashlib
import io
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pikepdf

from licence_store.rendering.errors import RenderingFault
from licence_store.rendering.fonts import FontFile, FontFolder

KEPT_PICTURES = 64
Operand = float | bytes | str | list["float | bytes | str"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFont:
    """A font as one page uses it: codes of the content to characters and widths (1/1000 em)."""

    file: FontFile
    characters: Mapping[int, str]
    widths: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePicture:
    """A raster picture."""

    data: bytes
    format: str
    """``PNG`` or ``JPEG``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContent:
    """One page: size in points, drawing operators, and the resources they name."""

    width_pt: float
    height_pt: float
    content: bytes
    fonts: Mapping[str, PageFont]
    pictures: Mapping[str, PagePicture]
    opacities: Mapping[str, tuple[float, float]]
    """Name -> opacity of fill and of stroke."""


class PictureCache:
    """Keeps converted pictures: the emblem of a template is the same in every licence."""

    def __init__(self) -> None:
        self._known: dict[bytes, PagePicture] = {}
        self._lock = threading.Lock()

    def get(self, picture: pikepdf.Stream, mask: pikepdf.Stream | None) -> PagePicture:
        """Return a picture as a PNG or JPEG file."""
        parts = [picture.read_raw_bytes()]
        if mask is not None:
            parts.append(mask.read_raw_bytes())
        key = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = _convert_picture(picture, mask)
            with self._lock:
                if len(self._known) >= KEPT_PICTURES:
                    self._known.clear()
                self._known[key] = known
        return known


def read_pages(pdf: bytes, fonts: FontFolder, pictures: PictureCache) -> list[PageContent]:
    """Read all pages of a PDF that typst made."""
    try:
        with pikepdf.open(io.BytesIO(pdf)) as document:
            return [_read_page(page, fonts, pictures) for page in document.pages]
    except (pikepdf.PdfError, KeyError, ValueError, TypeError) as error:
        raise RenderingFault(f"the page content cannot be read: {error!r}") from error


def _read_page(page: pikepdf.Page, fonts: FontFolder, pictures: PictureCache) -> PageContent:
    _, _, width, height = (float(number) for number in page.mediabox.as_list())
    resources = page.obj.get("/Resources", pikepdf.Dictionary())
    states = resources.get("/ExtGState", pikepdf.Dictionary())
    return PageContent(
        width_pt=width,
        height_pt=height,
        content=page.obj.Contents.read_bytes(),
        fonts={
            name: _read_font(font, fonts)
            for name, font in resources.get("/Font", pikepdf.Dictionary()).items()
        },
        pictures={
            name: _read_picture(picture, pictures)
            for name, picture in resources.get("/XObject", pikepdf.Dictionary()).items()
        },
        opacities={
            name: (float(state.get("/ca", 1)), float(state.get("/CA", 1)))
            for name, state in states.items()
        },
    )


def _read_font(font: pikepdf.Object, fonts: FontFolder) -> PageFont:
    name = str(font.BaseFont).removeprefix("/").partition("+")[2]
    return PageFont(
        file=fonts.by_postscript_name(name),
        characters=parse_to_unicode(font.ToUnicode.read_bytes()),
        widths=_read_widths(font.DescendantFonts[0]),
    )


_SECTION = re.compile(rb"begin(bfchar|bfrange)(.*?)end(?:bfchar|bfrange)", re.DOTALL)
_HEX = re.compile(rb"<([0-9A-Fa-f]+)>")


def parse_to_unicode(cmap: bytes) -> dict[int, str]:
    """Read a ToUnicode table: code -> text."""
    found: dict[int, str] = {}
    for kind, body in _SECTION.findall(cmap):
        values = [value.decode("ascii") for value in _HEX.findall(body)]
        if kind == b"bfchar":
            for code, text in zip(values[::2], values[1::2], strict=True):
                found[int(code, 16)] = _utf16(text)
            continue
        if b"[" in body:
            raise RenderingFault("a ToUnicode range with a list is not expected")
        for first, last, text in zip(values[::3], values[1::3], values[2::3], strict=True):
            start = int(first, 16)
            head, tail = _utf16(text)[:-1], _utf16(text)[-1]
            for step in range(int(last, 16) - start + 1):
                found[start + step] = head + chr(ord(tail) + step)
    return found


def _utf16(digits: str) -> str:
    return bytes.fromhex(digits).decode("utf-16-be")


def _read_widths(descendant: pikepdf.Object) -> dict[int, float]:
    widths: dict[int, float] = {}
    items = iter(descendant.get("/W", pikepdf.Array()).as_list())
    for first in items:
        second = next(items)
        if isinstance(second, pikepdf.Array):
            for step, width in enumerate(second.as_list()):
                widths[int(first) + step] = float(width)
        else:
            shared = float(next(items))
            widths.update(dict.fromkeys(range(int(first), int(second) + 1), shared))
    return widths


def _read_picture(picture: pikepdf.Object, pictures: PictureCache) -> PagePicture:
    if not isinstance(picture, pikepdf.Stream) or str(picture.get("/Subtype")) != "/Image":
        raise RenderingFault("a form object on the page is not expected; use flat drawings")
    mask = picture.get("/SMask")
    return pictures.get(picture, mask if isinstance(mask, pikepdf.Stream) else None)


def _convert_picture(picture: pikepdf.Stream, mask: pikepdf.Stream | None) -> PagePicture:
    if mask is None and str(picture.get("/Filter")) == "/DCTDecode":
        return PagePicture(data=picture.read_raw_bytes(), format="JPEG")
    image = pikepdf.PdfImage(picture).as_pil_image().convert("RGB")
    if mask is not None:
        image.putalpha(pikepdf.PdfImage(mask).as_pil_image().convert("L"))
    target = io.BytesIO()
    image.save(target, "PNG")
    return PagePicture(data=target.getvalue(), format="PNG")


_TOKEN = re.compile(
    rb"""\s*(?:
    ([-+]?(?:\d+\.?\d*|\.\d+))
    |/([^\s/\[\]<>()]+)
    |([A-Za-z][A-Za-z0-9*]*)
    |<([0-9A-Fa-f\s]*)>
    |([\[\]])
    |\(((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*)\)
    |(\S))""",
    re.DOTALL | re.VERBOSE,
)
"""Brackets inside a string may be balanced, one in another; typst escapes them."""
_NUMBER, _NAME, _OPERATOR, _HEX_STRING, _BRACKET, _STRING, _UNKNOWN = range(1, 8)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.DOTALL)
_ESCAPED = {f"{code:03o}".encode("ascii"): bytes([code]) for code in range(256)} | {
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"b": b"\b",
    b"f": b"\f",
    b"\n": b"",
    b"\r": b"",
    b"\r\n": b"",
}
"""What stands after a backslash -> what it means."""


def operators(content: bytes) -> Iterator[tuple[str, list[Operand]]]:
    """Yield operator and operands; names come as text with a slash, strings as bytes."""
    operands: list[Operand] = []
    array: list[float | bytes | str] | None = None
    for match in _TOKEN.finditer(content):
        kind = match.lastindex
        if kind == _OPERATOR:
            yield match[_OPERATOR].decode("ascii"), operands
            operands = []
        elif kind != _BRACKET:
            value = float(match[_NUMBER]) if kind == _NUMBER else _text_operand(match)
            (operands if array is None else array).append(value)
        elif match[_BRACKET] == b"[":
            array = []
        elif array is not None:
            operands.append(array)
            array = None


def _text_operand(match: re.Match[bytes]) -> bytes | str:
    if match.lastindex == _STRING:
        return _ESCAPE.sub(_unescape, match[_STRING])
    if match.lastindex == _NAME:
        return "/" + match[_NAME].decode("ascii")
    if match.lastindex == _HEX_STRING:
        return bytes.fromhex(match[_HEX_STRING].decode("ascii"))
    raise RenderingFault(f"unexpected page content {match[0]!r} at byte {match.start()}")


def _unescape(match: re.Match[bytes]) -> bytes:
    text = match[1]
    known = _ESCAPED.get(text)
    if known is not None:
        return known
    return bytes([int(text, 8) & 0xFF]) if text[:1] in b"01234567" else text
