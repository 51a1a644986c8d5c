"""AbbreviatedData of an OFD path (GB/T 33190-2016, 9.1, table 36) as an outline.

``S`` and ``M`` begin, ``L`` lines, ``Q`` and ``B`` curves, ``A`` arcs, ``C`` closes. Curves of
second degree and arcs become curves of third degree, so that one kind of curve is left. Glued
tokens and small letters, which occur in real files, are read; anything else ends the path there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import acos, atan2, ceil, cos, hypot, pi, radians, sin, sqrt, tan

from verifier.page_pictures.drawing import LARGEST_NUMBER, Outline, Segment

_TOKEN = re.compile(r"[A-Za-z]|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_COUNTS = {"S": 2, "M": 2, "L": 2, "Q": 4, "B": 6, "A": 7, "C": 0}
SMALLEST_RADIUS = 1e-6
Point = tuple[float, float]


def parse_path(text: str) -> Outline:
    """Return the outline; a path that goes wrong somewhere ends there."""
    segments: list[Segment] = []
    here: Point = (0.0, 0.0)
    start = here
    for letter, numbers in _operators(text):
        if letter in "SM":
            here = start = (numbers[0], numbers[1])
            segments.append(("M", here))
            continue
        if not segments:
            break
        if letter == "C":
            segments.append(("Z", ()))
            here = start
            continue
        if segments[-1][0] == "Z":
            segments.append(("M", here))
        segments += _drawn(letter, numbers, here)
        here = (numbers[-2], numbers[-1])
    return Outline(tuple(segments))


def _operators(text: str) -> Iterator[tuple[str, tuple[float, ...]]]:
    letter = ""
    waiting: list[float] = []
    for token in _TOKEN.findall(text):
        if token.isalpha():
            letter = token.upper()
            if letter not in _COUNTS or waiting:
                return
            if letter == "C":
                yield letter, ()
            continue
        number = float(token)
        if letter in ("", "C") or not abs(number) <= LARGEST_NUMBER:
            return
        waiting.append(number)
        if len(waiting) == _COUNTS[letter]:
            yield letter, tuple(waiting)
            waiting = []


def _drawn(letter: str, numbers: tuple[float, ...], here: Point) -> list[Segment]:
    if letter == "L":
        return [("L", numbers)]
    if letter == "B":
        return [("C", numbers)]
    if letter == "Q":
        return [("C", raised(here, numbers))]
    return list(_arc(here, numbers))


def raised(here: Point, numbers: tuple[float, ...]) -> tuple[float, ...]:
    """Return a curve of second degree as one of third degree."""
    (x0, y0), (x1, y1, x2, y2) = here, numbers
    return (
        x0 + 2 / 3 * (x1 - x0),
        y0 + 2 / 3 * (y1 - y0),
        x2 + 2 / 3 * (x1 - x2),
        y2 + 2 / 3 * (y1 - y2),
        x2,
        y2,
    )


@dataclass(frozen=True, slots=True)
class _Ellipse:
    """An ellipse on the page, and the part of it that is drawn."""

    middle: Point
    radii: Point
    turn: float
    first: float
    spread: float

    def place(self, x: float, y: float) -> Point:
        """Return the point of the unit circle on the page."""
        sideways, upright = self.radii[0] * x, self.radii[1] * y
        return (
            cos(self.turn) * sideways - sin(self.turn) * upright + self.middle[0],
            sin(self.turn) * sideways + cos(self.turn) * upright + self.middle[1],
        )


def _arc(here: Point, numbers: tuple[float, ...]) -> Iterator[Segment]:
    """Yield an elliptical arc as curves over a quarter turn at most."""
    end = (numbers[5], numbers[6])
    if min(abs(numbers[0]), abs(numbers[1])) < SMALLEST_RADIUS or here == end:
        yield "L", end
        return
    ellipse = _ellipse(here, numbers)
    pieces = max(1, ceil(abs(ellipse.spread) / (pi / 2) - 1e-9))
    step = ellipse.spread / pieces
    reach = 4 / 3 * tan(step / 4)
    for piece in range(pieces):
        a, b = ellipse.first + piece * step, ellipse.first + (piece + 1) * step
        one = ellipse.place(cos(a) - reach * sin(a), sin(a) + reach * cos(a))
        two = ellipse.place(cos(b) + reach * sin(b), sin(b) - reach * cos(b))
        yield "C", (*one, *two, *(end if piece == pieces - 1 else ellipse.place(cos(b), sin(b))))


def _ellipse(here: Point, numbers: tuple[float, ...]) -> _Ellipse:
    """Find centre and angles from the two ends (SVG 1.1, F.6.5 has the formulae)."""
    rx, ry, angle, large, sweep, x2, y2 = numbers
    rx, ry = abs(rx), abs(ry)
    turn = radians(angle % 360)
    half_x, half_y = (here[0] - x2) / 2, (here[1] - y2) / 2
    px = cos(turn) * half_x + sin(turn) * half_y
    py = -sin(turn) * half_x + cos(turn) * half_y
    # Radii too small to reach from end to end grow until they do.
    grow = sqrt(max(1.0, (px / rx) ** 2 + (py / ry) ** 2))
    rx, ry = rx * grow, ry * grow
    below = (rx * py) ** 2 + (ry * px) ** 2
    factor = sqrt(max(0.0, (rx * ry) ** 2 - below) / below)
    if bool(large) == bool(sweep):
        factor = -factor
    cx, cy = factor * rx * py / ry, -factor * ry * px / rx
    spread = _between(((px - cx) / rx, (py - cy) / ry), ((-px - cx) / rx, (-py - cy) / ry))
    if sweep and spread < 0:
        spread += 2 * pi
    elif not sweep and spread > 0:
        spread -= 2 * pi
    return _Ellipse(
        middle=(
            cos(turn) * cx - sin(turn) * cy + (here[0] + x2) / 2,
            sin(turn) * cx + cos(turn) * cy + (here[1] + y2) / 2,
        ),
        radii=(rx, ry),
        turn=turn,
        first=atan2((py - cy) / ry, (px - cx) / rx),
        spread=spread,
    )


def _between(one: Point, two: Point) -> float:
    """Return the signed angle from one direction to another."""
    lengths = hypot(*one) * hypot(*two) or 1.0
    cosine = max(-1.0, min(1.0, (one[0] * two[0] + one[1] * two[1]) / lengths))
    angle = acos(cosine)
    return angle if one[0] * two[1] - one[1] * two[0] >= 0 else -angle
