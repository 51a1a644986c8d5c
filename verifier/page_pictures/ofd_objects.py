"""Page objects of an OFD as marks (GB/T 33190-2016, 8.5, 9 to 13).

An object is seen only inside its Boundary. Composite units may nest as deep as templates; a circle
runs into that limit.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from lxml import etree

from seal_service.formats.ofd.text import number_or
from seal_service.formats.ofd.xml import children, local_name, only, text_of
from verifier.page_pictures.drawing import (
    Box,
    Clipped,
    Mark,
    Matrix,
    Outline,
    PlacedBitmap,
    Shape,
    Stroke,
    bounds_of,
    joined,
    rectangle,
)
from verifier.page_pictures.ofd_pen import Paint, Pen, boundary_of, is_true
from verifier.page_pictures.ofd_text import draw_text
from verifier.page_pictures.paths import parse_path

TOLERANCE = 1e-3


def marks_of(parent: etree._Element, pen: Pen) -> Iterator[Mark]:
    """Yield the marks of all objects below a layer, block or unit, in document order."""
    for element in parent:
        name = local_name(element)
        if name in ("PageBlock", "Layer"):
            own = element.get("DrawParam") or pen.parameter
            yield from marks_of(element, replace(pen.deeper(), parameter=own))
        elif name in _DRAWERS and is_true(element.get("Visible"), True):
            pen.budget.take_mark()
            yield from _clipped(element, pen, tuple(_DRAWERS[name](element, pen)))


# --- clipping ------------------------------------------------------------------------------------


def _clipped(element: etree._Element, pen: Pen, marks: tuple[Mark, ...]) -> Iterator[Mark]:
    """Cut what is drawn to the object's own clips and its boundary."""
    if not marks:
        return
    for area in _clip_areas(element, pen):
        marks = (replace(area, marks=marks),)
    x, y, width, height = boundary_of(element)
    if local_name(element) == "TextObject":
        # Many producers set the box of a line tighter than its glyphs; viewers show them whole.
        room = number_or(element.get("Size"), 0.0) * 0.5
        x, y, width, height = x - room, y - room, width + 2 * room, height + 2 * room
    box = (x, y, width, height)
    if all(_is_within(mark, box, pen.matrix) for mark in marks):
        yield from marks
    elif width > 0 and height > 0:
        yield Clipped(outline=rectangle(box), matrix=pen.matrix, marks=marks)


def _is_within(mark: Mark, box: Box, matrix: Matrix) -> bool:
    """Return whether a mark surely lies in a box; only upright shapes are told apart."""
    if not isinstance(mark, Shape) or matrix[:4] != (1.0, 0.0, 0.0, 1.0):
        return False
    if mark.matrix[1] or mark.matrix[2]:
        return False
    around = bounds_of(mark.outline)
    if around is None:
        return True
    xs = [mark.matrix[0] * x + mark.matrix[4] for x in (around[0], around[0] + around[2])]
    ys = [mark.matrix[3] * y + mark.matrix[5] for y in (around[1], around[1] + around[3])]
    pad = 0.0 if mark.stroke is None else mark.stroke.width / 2 * abs(mark.matrix[0])
    left, top = box[0] + matrix[4] - TOLERANCE, box[1] + matrix[5] - TOLERANCE
    right, bottom = left + box[2] + 2 * TOLERANCE, top + box[3] + 2 * TOLERANCE
    is_across = left <= min(xs) - pad and max(xs) + pad <= right
    return is_across and top <= min(ys) - pad and max(ys) + pad <= bottom


def _clip_areas(element: etree._Element, pen: Pen) -> Iterator[Clipped]:
    """Yield the clips of an object; several areas of one clip add up (8.4)."""
    clips = only(element, "Clips")
    if clips is None:
        return
    inside = pen.inside(element)
    for clip in children(clips, "Clip"):
        segments = []
        for area in children(clip, "Area"):
            for path in children(area, "Path"):
                outline = _outline_of(path, pen)
                x, y, _, _ = boundary_of(path)
                segments += [
                    (letter, tuple(n + (y if i % 2 else x) for i, n in enumerate(numbers)))
                    for letter, numbers in outline.segments
                ]
        if segments:
            yield Clipped(outline=Outline(tuple(segments)), matrix=inside.matrix, marks=())


# --- paths ---------------------------------------------------------------------------------------


def _outline_of(element: etree._Element, pen: Pen) -> Outline:
    data = only(element, "AbbreviatedData")
    outline = parse_path("" if data is None else text_of(data))
    pen.budget.take_path(len(outline.segments))
    return outline


def _path(element: etree._Element, pen: Pen) -> Iterator[Mark]:
    outline = _outline_of(element, pen)
    paint = Paint(element, pen)
    shape = Shape(
        outline=outline,
        matrix=pen.inside(element).matrix,
        fill=paint.fill(default=False),
        stroke=paint.stroke(default=True),
    )
    if outline.segments and (shape.fill or shape.stroke):
        yield shape


# --- pictures and units --------------------------------------------------------------------------


def _image(element: etree._Element, pen: Pen) -> Iterator[Mark]:
    bitmap = pen.resources.bitmap(element.get("ResourceID", ""), pen.budget)
    inside = pen.inside(element)
    x, y, width, height = boundary_of(element)
    matrix = inside.matrix
    if not element.get("CTM"):
        matrix = joined(pen.matrix, (width, 0.0, 0.0, height, x, y))
    if bitmap is not None:
        yield PlacedBitmap(bitmap=bitmap, matrix=matrix, alpha=inside.alpha)
    else:
        yield from missing_box((x, y, width, height), pen.matrix)


def missing_box(box: Box, matrix: Matrix) -> Iterator[Mark]:
    """Show that something is not shown: a crossed grey box."""
    x, y, width, height = box
    if width <= 0 or height <= 0:
        return
    cross = (
        *rectangle(box).segments,
        ("M", (x, y)),
        ("L", (x + width, y + height)),
        ("M", (x + width, y)),
        ("L", (x, y + height)),
    )
    yield Shape(
        outline=Outline(cross), matrix=matrix, stroke=Stroke(colour=(160, 160, 160), width=0.2)
    )


def _composite(element: etree._Element, pen: Pen) -> Iterator[Mark]:
    unit = pen.resources.unit(element.get("ResourceID", ""))
    content = None if unit is None else only(unit, "Content")
    if content is None:
        pen.budget.remarks.add("object-missing")
        return
    yield from marks_of(content, pen.inside(element).deeper())


_DRAWERS: Mapping[str, Callable[[etree._Element, Pen], Iterator[Mark]]] = {
    "TextObject": draw_text,
    "PathObject": _path,
    "ImageObject": _image,
    "CompositeObject": _composite,
}
