"""Draw the round official seal as vector outlines.

Physical rules: 国发〔1999〕25号, articles on shape, size and lettering. Rim of 1 to 1.2 mm,
five-pointed star in the centre, the name around it from left to right in 宋体 with the feet of
the characters towards the centre; a special seal carries its purpose on a straight line under
the star, the registered number runs along the lower rim.
"""

import math
from dataclasses import dataclass

from seal_service.errors import UnsafePicture
from seal_service.seals.design import Emblem
from seal_service.seals.drawing import (
    SealOutline,
    TextLine,
    elliptic_rim,
    interpolate,
    set_line,
    star,
    turned,
)
from seal_service.seals.glyphs import ClosedPath, GlyphOutlines, Place, SealFont

MAX_NAME_CHARACTERS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSeal:
    """What the seal shows. ``line_below`` is the purpose of a special seal (电子证照专用章)."""

    name: str
    line_below: str | None = None
    number: str | None = None
    diameter_mm: float = 42.0
    emblem: Emblem = Emblem.STAR


# Proportions, as parts of the radius: they hold for every size of seal.

_RIM = 1.2 / 21
_GAP = 0.85 / 21
"""Between rim and the heads of the characters."""
_STAR_RADIUS = 7.0 / 21
EMBLEM_RADIUS = 8.2 / 21
"""The circle the national emblem fills."""
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
    paths = list(elliptic_rim((radius, radius), radius * _RIM))
    if seal.emblem is Emblem.STAR:
        paths.append(star(radius * _STAR_RADIUS, (radius, radius)))
    paths += _name_around(seal.name, radius, glyphs)
    if seal.line_below:
        paths += _straight_line(seal.line_below, radius, glyphs)
    if seal.number:
        paths += _number_below(seal, radius, glyphs)
    side = seal.diameter_mm
    return SealOutline(paths=tuple(paths), width_mm=side, height_mm=side)


# Lettering


def _name_around(name: str, radius: float, glyphs: GlyphOutlines) -> list[ClosedPath]:
    """Set the name on the upper arc with one even step between characters."""
    scale = radius / 21
    height = interpolate(_HEIGHT, len(name)) * scale
    span = math.radians(min(interpolate(_SPAN_DEGREES, len(name)), _MAX_SPAN_DEGREES))
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
    width = height * _LINE_CHARACTER
    line = TextLine(
        centre=(radius, radius * (1 + _LINE_CENTRE)),
        height=height,
        width=width,
        pitch=width * 1.12,
        room=2 * math.sqrt((radius * 0.68) ** 2 - feet**2),
    )
    return set_line(text, line, glyphs)


def _number_below(seal: RoundSeal, radius: float, glyphs: GlyphOutlines) -> list[ClosedPath]:
    """Set the registered number along the lower rim, read from left to right."""
    number = seal.number or ""
    height = radius * _NUMBER_HEIGHT
    middle = radius * (1 - _RIM - 0.7 / 21) - height / 2
    free = math.radians(360 - interpolate(_SPAN_DEGREES, len(seal.name))) * 0.82
    pitch = min(radius * _NUMBER_PITCH / middle, free / len(number))
    paths: list[ClosedPath] = []
    for index, character in enumerate(number):
        angle = (index - (len(number) - 1) / 2) * pitch
        place = _on_arc(radius, -middle, -angle)
        paths += glyphs.draw(character, pitch * middle * 0.9, height, place)
    return paths


def _on_arc(radius: float, distance: float, angle: float) -> Place:
    """Turn by ``angle`` (clockwise from the top) at ``distance`` over the centre."""
    x, y = distance * math.sin(angle), -distance * math.cos(angle)
    return turned((radius + x, radius + y), angle)
