"""Outlines of characters from a font file, scaled and placed, as closed paths."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uharfbuzz

from seal_service.errors import GlyphMissing, UnsafePicture

_INK = 0.94
"""Part of the em square that a full-width character inks."""
_INK_CENTRE = 0.38
"""Height of the ink's centre over the baseline, in em."""

Point = tuple[float, float]
Place = Callable[[float, float], Point]
"""Maps a point relative to a character's centre, y upwards, onto the drawing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFont:
    """A font file with 宋体 shapes; ``face`` picks the member of a collection."""

    path: Path
    face: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of a path: ``M`` or ``L`` with one point, ``C`` with three."""

    command: str
    points: tuple[Point, ...]


ClosedPath = tuple[Segment, ...]
"""One contour; it closes to its first point."""


class GlyphOutlines:
    """Outlines of one font, open for the time of one drawing."""

    def __init__(self, font: SealFont) -> None:
        try:
            blob = uharfbuzz.Blob.from_file_path(str(font.path))
        except (OSError, uharfbuzz.HarfBuzzError) as error:
            raise UnsafePicture("the seal font cannot be read", reason="font") from error
        self._face = uharfbuzz.Face(blob, font.face)
        self._font = uharfbuzz.Font(self._face)

    def draw(self, character: str, width: float, height: float, place: Place) -> list[ClosedPath]:
        """Draw one character with its ink in ``width`` by ``height``; blanks draw nothing.

        Raises ``GlyphMissing``.
        """
        if character.isspace():
            return []
        glyph = self._font.get_nominal_glyph(ord(character))
        if not glyph:
            raise GlyphMissing("no such character in the seal font", character=character)
        pen = _Pen()
        self._font.draw_glyph_with_pen(glyph, pen)
        advance = self._font.get_glyph_h_advance(glyph)
        middle, tall = self._vertical(glyph, advance)
        x_scale, y_scale = width / (advance * _INK), height / tall

        def onto(point: Point) -> Point:
            return place((point[0] - advance / 2) * x_scale, (point[1] - middle) * y_scale)

        return [
            tuple(Segment(step.command, tuple(map(onto, step.points))) for step in contour)
            for contour in pen.contours
        ]

    def _vertical(self, glyph: int, advance: int) -> tuple[float, float]:
        """Return centre and height of the ink in font units.

        Full-width characters share one box, so that 一 stays thin; a digit fills its own.
        """
        em = self._face.upem
        if advance == em:
            return em * _INK_CENTRE, em * _INK
        extents = self._font.get_glyph_extents(glyph)
        middle = extents.y_bearing + extents.height / 2
        return middle, max(2 * middle, em * 0.1)


class _Pen:
    """Collects contours; method names are those of the font library's pen protocol."""

    def __init__(self) -> None:
        self.contours: list[list[Segment]] = []
        self._at: Point = (0.0, 0.0)

    def _add(self, command: str, *points: Point) -> None:
        self.contours[-1].append(Segment(command, points))
        self._at = points[-1]

    def moveTo(self, point: Point) -> None:  # noqa: N802
        self.contours.append([])
        self._add("M", point)

    def lineTo(self, point: Point) -> None:  # noqa: N802
        self._add("L", point)

    def curveTo(self, first: Point, second: Point, end: Point) -> None:  # noqa: N802
        self._add("C", first, second, end)

    def qCurveTo(self, control: Point, end: Point) -> None:  # noqa: N802
        """Raise the degree: PDF and OFD share cubic curves only."""
        start = self._at
        first = _between(start, control)
        self._add("C", first, _between(end, control), end)

    def closePath(self) -> None:  # noqa: N802
        """Contours close by definition."""

    def endPath(self) -> None:  # noqa: N802
        """Contours close by definition."""


def _between(near: Point, control: Point) -> Point:
    """Return the point two thirds of the way from ``near`` to ``control``."""
    return near[0] + 2 / 3 * (control[0] - near[0]), near[1] + 2 / 3 * (control[1] - near[1])
