"""What every seal picture is made of: outlines, shapes, lettering on arcs and in cells, SVG, PNG.

Outlines need no font where they are shown. Coordinates are millimetres from the top left corner of
the seal's rectangle, y downwards; contours are filled together by the non-zero winding rule.
"""

import bisect
import io
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import typst
from PIL import Image

from seal_service.errors import SelfCheckFailed
from seal_service.formats.ses_model import SealPicture
from seal_service.seals.glyphs import ClosedPath, GlyphOutlines, Place, Point, Segment

RED = "#e60012"
"""The shade is not prescribed; this one prints as a clear red."""
DPI = 400
MM_PER_INCH = 25.4
_ALPHA_STEPS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SealOutline:
    """Contours to be filled together by the non-zero winding rule."""

    paths: tuple[ClosedPath, ...]
    width_mm: float
    height_mm: float


def outline_svg(outline: SealOutline, *, colour: str = RED) -> str:
    """Write an outline as SVG: one path, no text elements, no style sheet."""
    width, height = f"{outline.width_mm:g}", f"{outline.height_mm:g}"
    data = "".join(_path_data(path) for path in outline.paths)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" '
        f'viewBox="0 0 {width} {height}"><path fill="{colour}" d="{data}"/></svg>'
    )


def _path_data(path: ClosedPath) -> str:
    steps = (
        segment.command + " ".join(f"{x:.3f} {y:.3f}" for x, y in segment.points)
        for segment in path
    )
    return "".join(steps) + "Z"


# Raster


def outline_coverage(outline: SealOutline, *, dpi: int = DPI) -> Image.Image:
    """Return how much of each pixel the seal covers (mode L); raises ``SelfCheckFailed``."""
    svg = outline_svg(outline, colour="#000000")
    return rasterise(svg, (outline.width_mm, outline.height_mm), dpi=dpi)


def rasterise(svg: str, size_mm: tuple[float, float], *, dpi: int) -> Image.Image:
    """Draw an SVG of our own making and return its coverage (mode L)."""
    source = (
        f"#set page(width: {size_mm[0]}mm, height: {size_mm[1]}mm, margin: 0pt, fill: none)\n"
        '#image(bytes(sys.inputs.svg), format: "svg", width: 100%, height: 100%, fit: "contain")'
    )
    try:
        png = typst.compile(source.encode(), format="png", ppi=float(dpi), sys_inputs={"svg": svg})
    except typst.TypstError as error:
        raise SelfCheckFailed("the seal picture was not drawn") from error
    if not isinstance(png, bytes):
        raise SelfCheckFailed("the seal picture has more than one page")
    with Image.open(io.BytesIO(png)) as image:
        return image.convert("RGBA").getchannel("A")


def palette_png(coverage: Image.Image, *, colour: str = RED, dpi: int = DPI) -> bytes:
    """Encode coverage as one colour in sixteen strengths: a quarter of the size of RGBA."""
    top = _ALPHA_STEPS - 1
    indexed = coverage.point([round(value * top / 255) for value in range(256)])
    image = Image.frombytes("P", indexed.size, indexed.tobytes())
    rgb = tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
    image.putpalette(rgb * _ALPHA_STEPS)
    strengths = bytes(round(step * 255 / top) for step in range(_ALPHA_STEPS))
    buffer = io.BytesIO()
    image.save(
        buffer, "PNG", optimize=True, bits=4, transparency=strengths, dpi=(float(dpi), float(dpi))
    )
    return buffer.getvalue()


def outline_png(outline: SealOutline, *, dpi: int = DPI, colour: str = RED) -> bytes:
    """Draw an outline as a PNG: red on a transparent ground, small palette, ``dpi`` recorded."""
    return palette_png(outline_coverage(outline, dpi=dpi), colour=colour, dpi=dpi)


def sized_picture(png: bytes, width_mm: float, height_mm: float) -> SealPicture:
    """Put a PNG and its physical size together, as an e-seal carries them (whole millimetres)."""
    return SealPicture(format="PNG", data=png, width_mm=round(width_mm), height_mm=round(height_mm))


# Shapes


def ellipse(axes: Point, centre: Point, *, clockwise: bool = True) -> ClosedPath:
    """Draw an ellipse with half axes ``axes`` as four cubic curves."""
    k = 4 / 3 * math.tan(math.pi / 8)
    turn = 1 if clockwise else -1
    quarters = range(4) if clockwise else range(4, 0, -1)

    def at(x: float, y: float) -> Point:
        return centre[0] + axes[0] * x, centre[1] + axes[1] * y

    segments = [Segment("M", (at(1, 0),))]
    for quarter in quarters:
        a = quarter * math.pi / 2
        b = a + turn * math.pi / 2
        ax, ay, bx, by = math.cos(a), math.sin(a), math.cos(b), math.sin(b)
        curve = (
            at(ax - turn * k * ay, ay + turn * k * ax),
            at(bx + turn * k * by, by - turn * k * bx),
            at(bx, by),
        )
        segments.append(Segment("C", curve))
    return tuple(segments)


def elliptic_rim(axes: Point, rim: float) -> tuple[ClosedPath, ClosedPath]:
    """Draw a rim: outer and inner edge run opposite ways, so the inside stays empty."""
    inner = (axes[0] - rim, axes[1] - rim)
    return ellipse(axes, axes), ellipse(inner, axes, clockwise=False)


def rectangle(size: Point, inset: float, *, corner: float, clockwise: bool = True) -> ClosedPath:
    """Draw a rectangle ``inset`` from the edges of ``size``, its corners rounded by ``corner``."""
    left, top, right, bottom = inset, inset, size[0] - inset, size[1] - inset
    k = corner * (1 - 4 / 3 * math.tan(math.pi / 8))
    c = corner
    steps = [
        Segment("M", ((left + c, top),)),
        Segment("L", ((right - c, top),)),
        Segment("C", ((right - k, top), (right, top + k), (right, top + c))),
        Segment("L", ((right, bottom - c),)),
        Segment("C", ((right, bottom - k), (right - k, bottom), (right - c, bottom))),
        Segment("L", ((left + c, bottom),)),
        Segment("C", ((left + k, bottom), (left, bottom - k), (left, bottom - c))),
        Segment("L", ((left, top + c),)),
        Segment("C", ((left, top + k), (left + k, top), (left + c, top))),
    ]
    path = tuple(steps)
    return path if clockwise else backwards(path)


def backwards(path: ClosedPath) -> ClosedPath:
    """Return the same contour run the other way round."""
    ends = [segment.points[-1] for segment in path]
    turned = [Segment("M", (ends[-1],))]
    for index in range(len(path) - 1, 0, -1):
        controls = path[index].points[:-1]
        turned.append(Segment(path[index].command, (*reversed(controls), ends[index - 1])))
    return tuple(turned)


def star(reach: float, centre: Point) -> ClosedPath:
    """Draw the five-pointed star with straight edges, as on the national flag."""
    inner = reach * math.sin(math.radians(18)) / math.sin(math.radians(126))
    corners = []
    for step in range(10):
        length = reach if step % 2 == 0 else inner
        angle = math.radians(36 * step)
        corners.append((centre[0] + length * math.sin(angle), centre[1] - length * math.cos(angle)))
    return (
        Segment("M", (corners[0],)),
        *(Segment("L", (corner,)) for corner in corners[1:]),
    )


# Lettering


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A straight line of characters: centre, and what one character may fill."""

    centre: Point
    height: float
    width: float
    """Of one character, at most."""
    pitch: float
    """From character to character, at most."""
    room: float
    """Length of the whole line, at most."""


def interpolate(table: Sequence[tuple[int, float]], count: int) -> float:
    """Return the value at ``count`` on a line through the table's points."""
    if count <= table[0][0]:
        return table[0][1]
    for (left, low), (right, high) in itertools.pairwise(table):
        if count <= right:
            return low + (high - low) * (count - left) / (right - left)
    return table[-1][1]


def set_line(text: str, line: TextLine, glyphs: GlyphOutlines) -> list[ClosedPath]:
    """Set text on a straight line; it narrows where it would leave its room."""
    narrow = min(1.0, line.room / (line.pitch * (len(text) - 1) + line.width))
    pitch, width = line.pitch * narrow, line.width * narrow
    paths: list[ClosedPath] = []
    for index, character in enumerate(text):
        x = line.centre[0] + (index - (len(text) - 1) / 2) * pitch
        paths += glyphs.draw(character, width, line.height, upright((x, line.centre[1])))
    return paths


def upright(centre: Point) -> Place:
    """Place a character upright about ``centre``."""
    return lambda x, y: (centre[0] + x, centre[1] - y)


def turned(centre: Point, angle: float) -> Place:
    """Place a character about ``centre``, turned clockwise by ``angle``."""
    cosine, sine = math.cos(angle), math.sin(angle)
    return lambda x, y: (centre[0] + x * cosine + y * sine, centre[1] + x * sine - y * cosine)


Curve = Callable[[float], tuple[Point, float]]
"""Maps a length along a curve from its top, clockwise, to a point and the turn there."""

_STEPS = 2_000


def _ellipse_walk(axes: Point, upto: float) -> list[float]:
    """Return the length walked from the top after each of equal steps of the parameter."""
    angles = (upto * index / _STEPS for index in range(_STEPS + 1))
    points = [(axes[0] * math.sin(a), axes[1] * math.cos(a)) for a in angles]
    return [0.0, *itertools.accumulate(math.dist(a, b) for a, b in itertools.pairwise(points))]


def ellipse_length(axes: Point, angle: float) -> float:
    """Return the length along an ellipse from its top to ``angle`` as seen from the centre."""
    parameter = math.atan2(axes[1] * math.sin(angle), axes[0] * math.cos(angle))
    return _ellipse_walk(axes, parameter)[-1]


def along_ellipse(axes: Point, centre: Point) -> Curve:
    """Walk an ellipse by its length: even steps stay even where the curve bends more."""
    lengths = _ellipse_walk(axes, math.pi)

    def at(length: float) -> tuple[Point, float]:
        side = math.copysign(1.0, length)
        rest = min(abs(length), lengths[-1])
        index = max(1, bisect.bisect_left(lengths, rest))
        before, after = lengths[index - 1], lengths[index]
        angle = math.pi / _STEPS * (index - 1 + (rest - before) / (after - before))
        sine, cosine = math.sin(angle), math.cos(angle)
        point = (centre[0] + side * axes[0] * sine, centre[1] - axes[1] * cosine)
        return point, side * math.atan2(sine / axes[0], cosine / axes[1])

    return at
