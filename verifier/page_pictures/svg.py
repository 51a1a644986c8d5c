"""A drawing as SVG: outlines and embedded pictures, no script, no text, no reference outward.

Every number is printed by us and every name is ours; nothing of the document's own text reaches
the file (T-WEB-08, T-WEB-09). Outlines that occur often are written once and used by number.
"""

import base64
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from verifier.page_pictures.drawing import (
    Clipped,
    Colour,
    Drawing,
    Fill,
    Mark,
    Matrix,
    Outline,
    PlacedBitmap,
    Shape,
    Stroke,
    every_mark,
)

MEDIA_TYPE = "image/svg+xml"
_CAPS = ("butt", "round", "square")
_JOINS = ("miter", "round", "bevel")


def svg_of(drawing: Drawing) -> bytes:
    """Write a drawing; sizes are in millimetres."""
    writer = _Writer(drawing)
    body = "".join(writer.marks(drawing.marks))
    width, height = number(drawing.width_mm), number(drawing.height_mm)
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" '
        f'viewBox="0 0 {width} {height}"><defs>{"".join(writer.definitions)}</defs>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{body}</svg>'
    )
    return text.encode("ascii")


def number(value: float) -> str:
    """Print a number short: five decimals, no exponent, never -0."""
    text = f"{value:.5f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def path_data(outline: Outline) -> str:
    """Print an outline as path data."""
    return "".join(
        letter + " ".join(number(value) for value in numbers)
        for letter, numbers in outline.segments
    )


@dataclass(slots=True)
class _Writer:
    """Writes marks and remembers what it defined."""

    drawing: Drawing
    definitions: list[str] = field(default_factory=list)
    _names: dict[Outline, str] = field(default_factory=dict)
    _often: set[Outline] = field(default_factory=set)
    _bitmaps: dict[int, str] = field(default_factory=dict)
    _clips: int = 0

    def __post_init__(self) -> None:
        shapes = (mark for mark in every_mark(self.drawing.marks) if isinstance(mark, Shape))
        counted = Counter(shape.outline for shape in shapes)
        self._often = {outline for outline, times in counted.items() if times > 1}

    def marks(self, marks: Iterable[Mark]) -> Iterator[str]:
        """Yield the elements."""
        for mark in marks:
            if isinstance(mark, Shape):
                yield self._shape(mark)
            elif isinstance(mark, PlacedBitmap):
                yield self._bitmap(mark)
            else:
                yield from self._clipped(mark)

    def _shape(self, shape: Shape) -> str:
        paint = _transform(shape.matrix) + _fill(shape.fill) + _stroke(shape.stroke)
        if shape.outline not in self._often:
            return f'<path d="{path_data(shape.outline)}"{paint}/>'
        name = self._names.get(shape.outline)
        if name is None:
            name = self._names[shape.outline] = f"g{len(self._names)}"
            self.definitions.append(f'<path id="{name}" d="{path_data(shape.outline)}"/>')
        return f'<use href="#{name}"{paint}/>'

    def _bitmap(self, placed: PlacedBitmap) -> str:
        key = id(placed.bitmap)
        name = self._bitmaps.get(key)
        if name is None:
            name = self._bitmaps[key] = f"b{len(self._bitmaps)}"
            encoded = base64.b64encode(placed.bitmap.png).decode("ascii")
            self.definitions.append(
                f'<image id="{name}" width="1" height="1" preserveAspectRatio="none" '
                f'href="data:image/png;base64,{encoded}"/>'
            )
        alpha = "" if placed.alpha == 1 else f' opacity="{number(placed.alpha)}"'
        return f'<use href="#{name}"{_transform(placed.matrix)}{alpha}/>'

    def _clipped(self, group: Clipped) -> Iterator[str]:
        name = f"c{self._clips}"
        self._clips += 1
        rule = ' clip-rule="evenodd"' if group.is_even_odd else ""
        self.definitions.append(
            f'<clipPath id="{name}"><path d="{path_data(group.outline)}"'
            f"{_transform(group.matrix)}{rule}/></clipPath>"
        )
        yield f'<g clip-path="url(#{name})">'
        yield from self.marks(group.marks)
        yield "</g>"


def _transform(matrix: Matrix) -> str:
    if matrix == (1.0, 0.0, 0.0, 1.0, 0.0, 0.0):
        return ""
    return f' transform="matrix({" ".join(number(value) for value in matrix)})"'


def _colour(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _fill(fill: Fill | None) -> str:
    if fill is None:
        return ' fill="none"'
    text = "" if fill.colour == (0, 0, 0) else f' fill="{_colour(fill.colour)}"'
    if fill.alpha != 1:
        text += f' fill-opacity="{number(fill.alpha)}"'
    return text + (' fill-rule="evenodd"' if fill.is_even_odd else "")


def _stroke(stroke: Stroke | None) -> str:
    if stroke is None:
        return ""
    text = f' stroke="{_colour(stroke.colour)}" stroke-width="{number(stroke.width)}"'
    if stroke.alpha != 1:
        text += f' stroke-opacity="{number(stroke.alpha)}"'
    if stroke.cap:
        text += f' stroke-linecap="{_CAPS[stroke.cap]}"'
    if stroke.join:
        text += f' stroke-linejoin="{_JOINS[stroke.join]}"'
    else:
        text += f' stroke-miterlimit="{number(stroke.miter_limit)}"'
    if stroke.dash:
        dashes = " ".join(number(value) for value in stroke.dash)
        text += f' stroke-dasharray="{dashes}" stroke-dashoffset="{number(stroke.dash_offset)}"'
    return text
