"""A drawing as a one-page PDF, so that one engine makes all rasters.

ISO 32000-1, 8: outlines, pictures with a soft mask, constant alpha, clips. Nothing else.
"""

import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from PIL import Image

from verifier.page_pictures.drawing import (
    Clipped,
    Drawing,
    Fill,
    Mark,
    Matrix,
    Outline,
    PlacedBitmap,
    Shape,
    Stroke,
)
from verifier.page_pictures.svg import number

POINTS_PER_MM = 72 / 25.4
_LETTERS = {"M": "m", "L": "l", "C": "c", "Z": "h"}


def pdf_of(drawing: Drawing) -> bytes:
    """Write a drawing as PDF; made for our own rasteriser, not for keeping."""
    content = _Content()
    body = " ".join(content.marks(drawing.marks))
    width, height = drawing.width_mm * POINTS_PER_MM, drawing.height_mm * POINTS_PER_MM
    scale = number(POINTS_PER_MM)
    # Millimetres from the top-left corner, y downwards.
    stream = f"{scale} 0 0 -{scale} 0 {number(height)} cm {body}".encode("ascii")
    file = _File()
    resources = file.resources(content)
    contents = file.stream("", stream)
    page = file.add(
        f"<</Type/Page/Parent {file.next_number + 1} 0 R/MediaBox[0 0 {number(width)} "
        f"{number(height)}]/Contents {contents} 0 R/Resources {resources}>>".encode("ascii")
    )
    pages = file.add(f"<</Type/Pages/Kids[{page} 0 R]/Count 1>>".encode("ascii"))
    return file.finish(file.add(f"<</Type/Catalog/Pages {pages} 0 R>>".encode("ascii")))


@dataclass(slots=True)
class _Content:
    """The operators of the page, and what they refer to."""

    bitmaps: dict[int, PlacedBitmap] = field(default_factory=dict)
    alphas: dict[float, str] = field(default_factory=dict)

    def marks(self, marks: Iterable[Mark]) -> Iterator[str]:
        """Yield the operators."""
        for mark in marks:
            yield "q"
            if isinstance(mark, Shape):
                yield from self._shape(mark)
            elif isinstance(mark, PlacedBitmap):
                yield from self._bitmap(mark)
            else:
                yield from self._clip(mark)
            yield "Q"

    def _shape(self, shape: Shape) -> Iterator[str]:
        yield _matrix(shape.matrix)
        if shape.fill is not None:
            yield from self._alpha(shape.fill.alpha)
            yield _colour(shape.fill.colour, "rg")
        if shape.stroke is not None:
            yield from self._alpha(shape.stroke.alpha)
            yield from _stroke(shape.stroke)
        yield _outline(shape.outline)
        yield _painting(shape.fill, shape.stroke)

    def _bitmap(self, placed: PlacedBitmap) -> Iterator[str]:
        self.bitmaps.setdefault(id(placed.bitmap), placed)
        yield from self._alpha(placed.alpha)
        yield _matrix(placed.matrix)
        # A picture's own space has y upwards.
        yield f"1 0 0 -1 0 1 cm /I{list(self.bitmaps).index(id(placed.bitmap))} Do"

    def _clip(self, group: Clipped) -> Iterator[str]:
        outline = Outline(
            tuple(
                (letter, _mapped(numbers, group.matrix))
                for letter, numbers in group.outline.segments
            )
        )
        yield _outline(outline)
        yield "W* n" if group.is_even_odd else "W n"
        yield from self.marks(group.marks)

    def _alpha(self, alpha: float) -> Iterator[str]:
        if alpha < 1:
            yield f"/{self.alphas.setdefault(alpha, f'A{len(self.alphas)}')} gs"


def _mapped(numbers: tuple[float, ...], matrix: Matrix) -> tuple[float, ...]:
    a, b, c, d, e, f = matrix
    found: list[float] = []
    for x, y in zip(numbers[0::2], numbers[1::2], strict=True):
        found += [a * x + c * y + e, b * x + d * y + f]
    return tuple(found)


def _matrix(matrix: Matrix) -> str:
    return " ".join(number(value) for value in matrix) + " cm"


def _colour(colour: tuple[int, int, int], operator: str) -> str:
    return " ".join(number(part / 255) for part in colour) + f" {operator}"


def _outline(outline: Outline) -> str:
    return " ".join(
        " ".join([*(number(value) for value in numbers), _LETTERS[letter]])
        for letter, numbers in outline.segments
    )


def _stroke(stroke: Stroke) -> Iterator[str]:
    yield _colour(stroke.colour, "RG")
    yield f"{number(stroke.width)} w {stroke.cap} J {stroke.join} j {number(stroke.miter_limit)} M"
    if stroke.dash:
        dashes = " ".join(number(value) for value in stroke.dash)
        yield f"[{dashes}] {number(stroke.dash_offset)} d"


def _painting(fill: Fill | None, stroke: Stroke | None) -> str:
    rule = "*" if fill is not None and fill.is_even_odd else ""
    if fill is None:
        return "n" if stroke is None else "S"
    return f"f{rule}" if stroke is None else f"B{rule}"


@dataclass(slots=True)
class _File:
    """Objects of the file, numbered as they come."""

    objects: list[bytes] = field(default_factory=list)

    @property
    def next_number(self) -> int:
        return len(self.objects) + 1

    def add(self, body: bytes) -> int:
        self.objects.append(body)
        return len(self.objects)

    def stream(self, entries: str, data: bytes) -> int:
        packed = zlib.compress(data, 1)
        head = f"<<{entries}/Filter/FlateDecode/Length {len(packed)}>>stream\n"
        return self.add(head.encode("ascii") + packed + b"\nendstream")

    def resources(self, content: _Content) -> str:
        pictures = [self._picture(placed) for placed in content.bitmaps.values()]
        names = "".join(f"/I{place} {number} 0 R" for place, number in enumerate(pictures))
        states = "".join(
            f"/{name}<</ca {number(alpha)}/CA {number(alpha)}>>"
            for alpha, name in content.alphas.items()
        )
        return f"<</XObject<<{names}>>/ExtGState<<{states}>>>>"

    def _picture(self, placed: PlacedBitmap) -> int:
        with Image.open(io.BytesIO(placed.bitmap.png), formats=("PNG",)) as opened:
            size = f"/Width {opened.width}/Height {opened.height}"
            head = f"/Type/XObject/Subtype/Image{size}/BitsPerComponent 8"
            mask = ""
            if opened.mode == "RGBA":
                alpha = opened.getchannel("A").tobytes()
                mask = f"/SMask {self.stream(head + '/ColorSpace/DeviceGray', alpha)} 0 R"
            pixels = opened.convert("RGB").tobytes()
        return self.stream(f"{head}/ColorSpace/DeviceRGB{mask}", pixels)

    def finish(self, catalog: int) -> bytes:
        out = bytearray(b"%PDF-1.7\n")
        places = []
        for place, body in enumerate(self.objects, 1):
            places.append(len(out))
            out += f"{place} 0 obj\n".encode("ascii") + body + b"\nendobj\n"
        start = len(out)
        count = len(self.objects) + 1
        out += f"xref\n0 {count}\n0000000000 65535 f \n".encode("ascii")
        out += b"".join(f"{place:010} 00000 n \n".encode("ascii") for place in places)
        out += f"trailer<</Size {count}/Root {catalog} 0 R>>\n".encode("ascii")
        return bytes(out + f"startxref\n{start}\n%%EOF\n".encode("ascii"))
