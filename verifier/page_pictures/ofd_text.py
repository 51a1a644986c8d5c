"""Text objects of an OFD as outlines of glyphs (GB/T 33190-2016, 11).

Every glyph stands where the file says: DeltaX and DeltaY, no advance of our own. CGTransform
replaces the glyphs of some characters. A character without a glyph shows as an empty box.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, radians, sin

from lxml import etree

from seal_service.formats.ofd.text import number_or, spell_out
from seal_service.formats.ofd.xml import children, only, text_of
from verifier.page_pictures.drawing import (
    Fill,
    Mark,
    Matrix,
    Outline,
    Shape,
    Stroke,
    joined,
    rectangle,
)
from verifier.page_pictures.ofd_pen import Paint, Pen
from verifier.page_pictures.outlines import GlyphSource

EMPTY_BOX = rectangle((0.08, 0.0, 0.84, 0.8))
EMPTY_BOX_LINE = 0.03
MAX_TURNS = 100_000


@dataclass(frozen=True, slots=True)
class _Placed:
    """One glyph, or the place of a character that has none."""

    outline: Outline | None
    x: float
    y: float


def draw_text(element: etree._Element, pen: Pen) -> Iterator[Mark]:
    """Yield the glyphs of a text object."""
    paint = Paint(element, pen)
    fill, stroke = paint.fill(default=True), paint.stroke(default=False)
    size = number_or(element.get("Size"), 0.0)
    if size <= 0 or (fill is None and stroke is None):
        return
    inside = pen.inside(element)
    turn = _turned(element)
    for placed in _placed(element, pen):
        pen.budget.take_mark()
        shape = _shape(placed, joined(inside.matrix, _at(placed, size, turn)), fill, stroke, size)
        pen.budget.take_operators(len(shape.outline.segments))
        if shape.outline.segments:
            yield shape


def _shape(
    placed: _Placed, matrix: Matrix, fill: Fill | None, stroke: Stroke | None, size: float
) -> Shape:
    if placed.outline is None:
        grey = Stroke(colour=(160, 160, 160), width=EMPTY_BOX_LINE)
        return Shape(outline=EMPTY_BOX, matrix=matrix, stroke=grey)
    # The outline is in font sizes, and so must the line width be.
    line = (
        None
        if stroke is None
        else Stroke(colour=stroke.colour, alpha=stroke.alpha, width=stroke.width / size)
    )
    return Shape(outline=placed.outline, matrix=matrix, fill=fill, stroke=line)


def _turned(element: etree._Element) -> tuple[float, float, float, float]:
    """Return the turn and stretch of each character; outlines have y upwards, pages downwards."""
    angle = radians(number_or(element.get("CharDirection"), 0.0) % 360)
    stretch = number_or(element.get("HScale"), 1.0)
    return stretch * cos(angle), stretch * sin(angle), sin(angle), -cos(angle)


def _at(placed: _Placed, size: float, turn: tuple[float, float, float, float]) -> Matrix:
    a, b, c, d = (size * number for number in turn)
    return (a, b, c, d, placed.x, placed.y)


def _placed(element: etree._Element, pen: Pen) -> Iterator[_Placed]:
    font_id = element.get("Font", "")
    font = pen.resources.font(font_id, pen.budget)
    substitute = pen.resources.substitute(font_id)
    transforms = list(children(element, "CGTransform"))
    x = y = 0.0
    for code in children(element, "TextCode"):
        x, y = number_or(code.get("X"), x), number_or(code.get("Y"), y)
        text = "".join(str(piece) for piece in code.itertext())
        pen.budget.take_characters(len(text))
        glyphs = _replaced(transforms, len(text))
        steps = _steps(code, "DeltaX", len(text))
        drops = _steps(code, "DeltaY", len(text))
        at_x, at_y = x, y
        for index, character in enumerate(text):
            for outline in _outlines(character, glyphs.get(index), font, substitute, pen):
                yield _Placed(outline, at_x, at_y)
            at_x += steps[index]
            at_y += drops[index]


def _steps(code: etree._Element, name: str, count: int) -> list[float]:
    steps = spell_out(code.get(name, ""), count - 1)
    return (steps + [0.0] * count)[:count]


def _replaced(transforms: list[etree._Element], count: int) -> dict[int, list[int]]:
    """Return the glyphs that stand in for characters; the rest of a group has none."""
    found: dict[int, list[int]] = {}
    for element in transforms[:MAX_TURNS]:
        start = int(number_or(element.get("CodePosition"), 0.0))
        codes = min(count, int(number_or(element.get("CodeCount"), 1.0)))
        holder = only(element, "Glyphs")
        words = [] if holder is None else text_of(holder).split()
        glyphs = [int(word) for word in words if word.isascii() and word.isdigit()][:count]
        if codes == len(glyphs):
            found.update({start + place: [glyph] for place, glyph in enumerate(glyphs)})
        else:
            found.update({start + place: [] for place in range(codes)})
            found[start] = glyphs
    return found


def _outlines(
    character: str,
    glyphs: list[int] | None,
    font: GlyphSource | None,
    substitute: GlyphSource | None,
    pen: Pen,
) -> Iterator[Outline | None]:
    if glyphs is not None and font is not None:
        yield from map(font.outline, glyphs)
        return
    if character.isspace():
        return
    for source in (font, substitute):
        glyph = None if source is None else source.glyph_of(character)
        if source is not None and glyph is not None:
            if source is not font:
                pen.budget.remarks.add("font-replaced")
            yield source.outline(glyph)
            return
    pen.budget.remarks.add("glyph-missing")
    yield None
