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
        values = [bytes.fromhex(value.decode("ascii")) for value in _HEX.findall(body)]
        if kind == b"bfchar":
            for code, text in zip(values[::2], values[1::2], strict=True):
                found[int.from_bytes(code, "big")] = text.decode("utf-16-be")
            continue
        if b"[" in body:
            raise RenderingFault("a ToUnicode range with a list is not expected")
        for first, last, text in zip(values[::3], values[1::3], values[2::3], strict=True):
            start = int.from_bytes(first, "big")
            head, tail = text.decode("utf-16-be")[:-1], text.decode("utf-16-be")[-1]
            for step in range(int.from_bytes(last, "big") - start + 1):
                found[start + step] = head + chr(ord(tail) + step)
    return found


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
    rb"\s*(?:([-+]?(?:\d+\.?\d*|\.\d+))|/([^\s/\[\]<>()]+)|([A-Za-z][A-Za-z0-9*]*)"
    rb"|<([0-9A-Fa-f\s]*)>|([\[\]])|(\())"
)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def operators(content: bytes) -> Iterator[tuple[str, list[Operand]]]:
    """Yield operator and operands; names come as text with a slash, strings as bytes."""
    operands: list[Operand] = []
    array: list[float | bytes | str] | None = None
    position, end = 0, len(content.rstrip())
    while position < end:
        match = _TOKEN.match(content, position)
        if match is None:
            raise RenderingFault(f"unexpected page content {content[position : position + 20]!r}")
        position = match.end()
        group = match.lastindex
        if group == 3:
            yield match[3].decode("ascii"), operands
            operands = []
            continue
        if group == 5:
            if match[5] == b"[":
                array = []
            elif array is not None:
                operands.append(array)
                array = None
            continue
        value, position = _operand(content, match, position)
        (operands if array is None else array).append(value)


def _operand(
    content: bytes, match: re.Match[bytes], position: int
) -> tuple[float | bytes | str, int]:
    if match.lastindex == 1:
        return float(match[1]), position
    if match.lastindex == 2:
        return "/" + match[2].decode("ascii"), position
    if match.lastindex == 4:
        return bytes.fromhex(match[4].decode("ascii")), position
    return _literal_string(content, position)


def _literal_string(content: bytes, start: int) -> tuple[bytes, int]:
    """Read a string after its opening bracket; inner brackets may be balanced."""
    depth, position = 1, start
    while depth:
        character = content[position]
        if character == 0x5C:
            position += 1
        elif character == 0x28:
            depth += 1
        elif character == 0x29:
            depth -= 1
        position += 1
    return _ESCAPE.sub(_unescape, content[start : position - 1]), position


def _unescape(match: re.Match[bytes]) -> bytes:
    text = match[1]
    if text[0:1].isdigit():
        return bytes([int(text, 8) & 0xFF])
    if text in (b"\n", b"\r", b"\r\n"):
        return b""
    return _ESCAPED.get(text, text)
