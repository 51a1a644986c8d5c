"""Draw the round official seal: vector outlines, SVG, and a transparent red PNG.

Physical rules: 国发〔1999〕25号, articles on shape, size and lettering. Rim of 1 to 1.2 mm,
five-pointed star in the centre, the name around it from left to right in 宋体 with the feet of
the characters towards the centre; a special seal carries its purpose on a straight line under
the star, the registered number runs along the lower rim. Outlines need no font where shown.

Coordinates are millimetres from the top left corner of the seal's square, y downwards.
"""

import io
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import typst
from PIL import Image

from seal_service.errors import SelfCheckFailed, UnsafePicture
from seal_service.formats.ses_model import SealPicture
from seal_service.seals.glyphs import ClosedPath, GlyphOutlines, Place, Point, SealFont, Segment

RED = "#e60012"
"""The shade is not prescribed; this one prints as a clear red."""
DPI = 400
MAX_NAME_CHARACTERS = 40
_ALPHA_STEPS = 16


class Emblem(StrEnum):
    """What stands in the centre."""

    STAR = "star"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSeal:
    """What the seal shows. ``line_below`` is the purpose of a special seal (电子证照专用章)."""

    name: str
    line_below: str | None = None
    number: str | None = None
    diameter_mm: float = 42.0
    emblem: Emblem = Emblem.STAR


@dataclass(frozen=True, slots=True, kw_only=True)
class SealOutline:
    """Contours to be filled together by the non-zero winding rule."""

    paths: tuple[ClosedPath, ...]
    diameter_mm: float


# Proportions, as parts of the radius: they hold for every size of seal.

_RIM = 1.2 / 21
_GAP = 0.85 / 21
"""Between rim and the heads of the characters."""
_STAR_RADIUS = 7.0 / 21
_LINE_CENTRE = 9.9 / 21
_LINE_HEIGHT = 3.9 / 21
_LINE_CHARACTER = 0.70
_NUMBER_HEIGHT = 1.55 / 21
_NUMBER_PITCH = 1.28 / 21
_SPAN_DEGREES = (
    (2, 60.0),
    (4, 110.0),
    (6, 150.0),
    (10, 208.0),
    (14, 242.0),
    (22, 280.0),
    (30, 298.0),
)
_HEIGHT = ((2, 7.0), (6, 6.6), (10, 6.0), (14, 5.5), (22, 4.75), (30, 4.25), (40, 3.8))
"""Character height in millimetres on a seal of 42 mm, by number of characters."""
_MAX_SPAN_DEGREES = 302.0
_CELL_FILL = 0.90
"""Part of its cell a character fills at the feet, where cells are narrowest."""
_MAX_ASPECT = 0.78
"""Width to height: seal characters are never wider than this."""


def seal_outline(seal: RoundSeal, font: SealFont) -> SealOutline:
    """Draw the seal as filled contours.

    Raises ``GlyphMissing`` for a character the font does not have, ``UnsafePicture`` for a name
    that is empty or too long to be legible.
    """
    if not 1 <= len(seal.name) <= MAX_NAME_CHARACTERS:
        raise UnsafePicture("a name has 1 to 40 characters", reason="name-length")
    radius = seal.diameter_mm / 2
    glyphs = GlyphOutlines(font)
    paths = list(_ring(radius))
    if seal.emblem is Emblem.STAR:
        paths.append(_star(radius))
    paths += _name_around(seal.name, radius, glyphs)
    if seal.line_below:
        paths += _straight_line(seal.line_below, radius, glyphs)
    if seal.number:
        paths += _number_below(seal, radius, glyphs)
    return SealOutline(paths=tuple(paths), diameter_mm=seal.diameter_mm)


def draw_round_seal(seal: RoundSeal, font: SealFont, *, colour: str = RED) -> str:
    """Draw the seal as SVG text: one path, no text elements, no style sheet."""
    return outline_svg(seal_outline(seal, font), colour=colour)


def outline_svg(outline: SealOutline, *, colour: str = RED) -> str:
    """Write an outline as SVG."""
    size = f"{outline.diameter_mm:g}"
    data = "".join(_path_data(path) for path in outline.paths)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}mm" height="{size}mm" '
        f'viewBox="0 0 {size} {size}"><path fill="{colour}" d="{data}"/></svg>'
    )


def seal_png(seal: RoundSeal, font: SealFont, *, dpi: int = DPI, colour: str = RED) -> bytes:
    """Draw the seal as a PNG: red on a transparent ground, small palette, ``dpi`` recorded."""
    outline = seal_outline(seal, font)
    coverage = _rasterise(outline_svg(outline, colour="#000000"), outline.diameter_mm, dpi)
    return _palette_png(coverage, colour, dpi)


def seal_picture(seal: RoundSeal, font: SealFont) -> SealPicture:
    """Draw the seal as the picture that goes into an e-seal, in its physical size."""
    side = round(seal.diameter_mm)
    return SealPicture(format="PNG", data=seal_png(seal, font), width_mm=side, height_mm=side)


def _path_data(path: ClosedPath) -> str:
    steps = (
        segment.command + " ".join(f"{x:.3f} {y:.3f}" for x, y in segment.points)
        for segment in path
    )
    return "".join(steps) + "Z"


# Raster


def _rasterise(svg: str, side_mm: float, dpi: int) -> Image.Image:
    """Return how much of each pixel the seal covers (mode L)."""
    source = (
        f"#set page(width: {side_mm}mm, height: {side_mm}mm, margin: 0pt, fill: none)\n"
        '#image(bytes(sys.inputs.svg), format: "svg", width: 100%, height: 100%)'
    )
    try:
        png = typst.compile(source.encode(), format="png", ppi=float(dpi), sys_inputs={"svg": svg})
    except typst.TypstError as error:
        raise SelfCheckFailed("the seal picture was not drawn") from error
    if not isinstance(png, bytes):
        raise SelfCheckFailed("the seal picture has more than one page")
    with Image.open(io.BytesIO(png)) as image:
        return image.convert("RGBA").getchannel("A")


def _palette_png(coverage: Image.Image, colour: str, dpi: int) -> bytes:
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


# Shapes


def _circle(radius: float, centre: float, *, clockwise: bool) -> ClosedPath:
    """Draw a circle as four cubic curves."""
    k = radius * 4 / 3 * math.tan(math.pi / 8)
    quarters = range(4) if clockwise else range(4, 0, -1)
    turn = 1 if clockwise else -1
    start = (centre + radius, centre)
    segments = [Segment("M", (start,))]
    for quarter in quarters:
        a = quarter * math.pi / 2
        b = a + turn * math.pi / 2
        ax, ay, bx, by = math.cos(a), math.sin(a), math.cos(b), math.sin(b)
        curve = (
            (centre + radius * ax - turn * k * ay, centre + radius * ay + turn * k * ax),
            (centre + radius * bx + turn * k * by, centre + radius * by - turn * k * bx),
            (centre + radius * bx, centre + radius * by),
        )
        segments.append(Segment("C", curve))
    return tuple(segments)


def _ring(radius: float) -> tuple[ClosedPath, ClosedPath]:
    """Draw the rim: outer and inner edge run opposite ways, so the inside stays empty."""
    inner = radius * (1 - _RIM)
    return (
        _circle(radius, radius, clockwise=True),
        _circle(inner, radius, clockwise=False),
    )


def _star(radius: float) -> ClosedPath:
    """Draw the five-pointed star with straight edges, as on the national flag."""
    outer = radius * _STAR_RADIUS
    inner = outer * math.sin(math.radians(18)) / math.sin(math.radians(126))
    corners = []
    for step in range(10):
        reach = outer if step % 2 == 0 else inner
        angle = math.radians(36 * step)
        corners.append((radius + reach * math.sin(angle), radius - reach * math.cos(angle)))
    return (
        Segment("M", (corners[0],)),
        *(Segment("L", (corner,)) for corner in corners[1:]),
    )


# Lettering


def _interpolate(table: Sequence[tuple[int, float]], count: int) -> float:
    """Return the value at ``count`` on a line through the table's points."""
    if count <= table[0][0]:
        return table[0][1]
    for (left, low), (right, high) in itertools.pairwise(table):
        if count <= right:
            return low + (high - low) * (count - left) / (right - left)
    return table[-1][1]


def _name_around(name: str, radius: float, glyphs: GlyphOutlines) -> list[ClosedPath]:
    """Set the name on the upper arc with one even step between characters."""
    scale = radius / 21
    height = _interpolate(_HEIGHT, len(name)) * scale
    span = math.radians(min(_interpolate(_SPAN_DEGREES, len(name)), _MAX_SPAN_DEGREES))
    pitch = span / len(name)
    heads = radius * (1 - _RIM - _GAP)
    feet = heads - height
    width = min(2 * feet * math.tan(pitch / 2) * _CELL_FILL, height * _MAX_ASPECT)
    paths: list[ClosedPath] = []
    for index, character in enumerate(name):
        angle = (index - (len(name) - 1) / 2) * pitch
        place = _on_arc(radius, (heads + feet) / 2, angle)
        paths += glyphs.draw(character, width, height, place)
    return paths


def _straight_line(text: str, radius: float, glyphs: GlyphOutlines) -> list[ClosedPath]:
    """Set the purpose of a special seal on a straight line under the star."""
    height = radius * _LINE_HEIGHT
    feet = radius * _LINE_CENTRE + height / 2
    room = 2 * math.sqrt((radius * 0.68) ** 2 - feet**2)
    pitch = min(height * _LINE_CHARACTER * 1.12, room / len(text))
    width = pitch / 1.12
    paths: list[ClosedPath] = []
    for index, character in enumerate(text):
        x = radius + (index - (len(text) - 1) / 2) * pitch
        paths += glyphs.draw(character, width, height, _upright(x, radius * (1 + _LINE_CENTRE)))
    return paths


def _number_below(seal: RoundSeal, radius: float, glyphs: GlyphOutlines) -> list[ClosedPath]:
    """Set the registered number along the lower rim, read from left to right."""
    number = seal.number or ""
    height = radius * _NUMBER_HEIGHT
    middle = radius * (1 - _RIM - 0.7 / 21) - height / 2
    free = math.radians(360 - _interpolate(_SPAN_DEGREES, len(seal.name))) * 0.82
    pitch = min(radius * _NUMBER_PITCH / middle, free / len(number))
    paths: list[ClosedPath] = []
    for index, character in enumerate(number):
        angle = (index - (len(number) - 1) / 2) * pitch
        place = _on_arc(radius, -middle, -angle)
        paths += glyphs.draw(character, pitch * middle * 0.9, height, place)
    return paths


def _on_arc(radius: float, distance: float, angle: float) -> Place:
    """Turn by ``angle`` (clockwise from the top) at ``distance`` over the centre."""
    cosine, sine = math.cos(angle), math.sin(angle)

    def place(x: float, y: float) -> Point:
        up = distance + y
        return radius + x * cosine + up * sine, radius + x * sine - up * cosine

    return place


def _upright(centre_x: float, centre_y: float) -> Place:
    return lambda x, y: (centre_x + x, centre_y - y)
