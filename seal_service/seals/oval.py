"""Draw the oval business seal: name around, code in the middle, purpose and number below.

Measures of the invoice seal: 国家税务总局公告2011年第7号 and its annex. 40 by 30 mm, rim 1 mm; the
name 4.2 mm high, 0.5 mm inside the rim, over an angle of 210 to 260 degrees; the code 3.7 mm high
and 26 mm long; the purpose 4.6 mm high, its heads 4.2 mm under the centre line; the number 2.2 mm
high, 10 mm under it. Other sizes keep these proportions.
"""

import math
from dataclasses import dataclass

from seal_service.seals.drawing import (
    SealOutline,
    TextLine,
    along_ellipse,
    ellipse_length,
    elliptic_rim,
    interpolate,
    set_line,
    turned,
)
from seal_service.seals.glyphs import ClosedPath, GlyphOutlines, Point, SealFont


@dataclass(frozen=True, slots=True, kw_only=True)
class OvalSeal:
    """What the seal shows; without a code the purpose stands in the middle."""

    name: str
    code: str = ""
    line_below: str = ""
    number: str = ""
    width_mm: float = 40.0
    height_mm: float = 30.0


_REGULAR_HEIGHT = 30.0
_RIM = 1.0
_GAP = 0.5
_SPAN_DEGREES = (
    (2, 70.0),
    (4, 120.0),
    (6, 160.0),
    (8, 200.0),
    (10, 214.0),
    (20, 248.0),
    (30, 260.0),
)
_NAME_HEIGHT = ((20, 4.2), (30, 3.7), (40, 3.3))
_CELL_FILL = 0.92
_MAX_ASPECT = 0.78
_CODE = TextLine(centre=(0, 0), height=3.7, width=1.3, pitch=1.45, room=26.0)
_PURPOSE = TextLine(centre=(0, 4.2 + 2.3), height=4.6, width=3.0, pitch=3.5, room=20.0)
_PURPOSE_ALONE = TextLine(centre=(0, 1.2), height=4.6, width=3.4, pitch=3.9, room=25.0)
_NUMBER = TextLine(centre=(0, 10 + 1.1), height=2.2, width=1.2, pitch=1.4, room=13.0)


def oval_outline(seal: OvalSeal, font: SealFont) -> SealOutline:
    """Draw the seal as filled contours; raises ``GlyphMissing``."""
    axes = (seal.width_mm / 2, seal.height_mm / 2)
    scale = seal.height_mm / _REGULAR_HEIGHT
    glyphs = GlyphOutlines(font)
    paths = list(elliptic_rim(axes, _RIM * scale))
    paths += _name_around(seal.name, axes, scale, glyphs)
    purpose = _PURPOSE if seal.code else _PURPOSE_ALONE
    for text, line in ((seal.code, _CODE), (seal.line_below, purpose), (seal.number, _NUMBER)):
        if text:
            paths += set_line(text, _placed(line, axes, scale), glyphs)
    return SealOutline(paths=tuple(paths), width_mm=seal.width_mm, height_mm=seal.height_mm)


def _placed(line: TextLine, centre: Point, scale: float) -> TextLine:
    return TextLine(
        centre=(centre[0] + line.centre[0] * scale, centre[1] + line.centre[1] * scale),
        height=line.height * scale,
        width=line.width * scale,
        pitch=line.pitch * scale,
        room=line.room * scale,
    )


def _name_around(name: str, axes: Point, scale: float, glyphs: GlyphOutlines) -> list[ClosedPath]:
    """Set the name with one even step along the ellipse through the characters' centres."""
    height = interpolate(_NAME_HEIGHT, len(name)) * scale
    inset = (_RIM + _GAP) * scale + height / 2
    middle = (axes[0] - inset, axes[1] - inset)
    half = math.radians(interpolate(_SPAN_DEGREES, len(name)) / 2)
    pitch = 2 * ellipse_length(middle, half) / len(name)
    # Feet come closest at the ends of the long axis, where the curve bends most.
    tightest = middle[1] ** 2 / middle[0]
    width = min(pitch * (1 - height / 2 / tightest) * _CELL_FILL, height * _MAX_ASPECT)
    curve = along_ellipse(middle, axes)
    paths: list[ClosedPath] = []
    for index, character in enumerate(name):
        point, turn = curve((index - (len(name) - 1) / 2) * pitch)
        paths += glyphs.draw(character, width, height, turned(point, turn))
    return paths
