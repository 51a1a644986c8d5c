"""A page as a list of marks in millimetres, apart from any file format.

The origin is the top-left corner, x to the right, y downwards. Both writers (``svg``, ``raster``)
know only what is here: filled and stroked outlines, pictures, and clipped groups of these. Text has
become outlines, so that a drawing refers to nothing and looks the same everywhere.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import isfinite

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import DEFAULT_LIMITS

Matrix = tuple[float, float, float, float, float, float]
"""a b c d e f as in SVG and PDF: x' = a x + c y + e, y' = b x + d y + f."""
Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]
"""x, y, width, height."""
Segment = tuple[str, tuple[float, ...]]
"""``M`` x y, ``L`` x y, ``C`` x1 y1 x2 y2 x y, ``Z``."""

IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
BLACK: Colour = (0, 0, 0)
LARGEST_NUMBER = 1e6
"""Millimetres; nothing beyond this is on any page."""
MAX_MARKS = 200_000
MAX_DRAWN_OPERATORS = DEFAULT_LIMITS.path_operators * 2
"""Outlines of glyphs included."""
MAX_DRAWN_PIXELS = 32_000_000


@dataclass(frozen=True, slots=True)
class Outline:
    """A path; equal outlines of one drawing are one object where possible."""

    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """How an outline is stroked; lengths in the units of the outline."""

    colour: Colour = BLACK
    alpha: float = 1.0
    width: float = 0.353
    cap: int = 0
    """0 butt, 1 round, 2 square."""
    join: int = 0
    """0 mitre, 1 round, 2 bevel."""
    miter_limit: float = 4.234
    dash: tuple[float, ...] = ()
    dash_offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """How an outline is filled."""

    colour: Colour = BLACK
    alpha: float = 1.0
    is_even_odd: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An outline with paint."""

    outline: Outline
    matrix: Matrix
    """From the outline to the page."""
    fill: Fill | None = None
    stroke: Stroke | None = None


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A picture that was decoded and encoded anew by us."""

    png: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedBitmap:
    """A picture on the page; it fills the unit square, its top at y = 0."""

    bitmap: Bitmap
    matrix: Matrix
    alpha: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clipped:
    """Marks that are seen only inside an outline."""

    outline: Outline
    matrix: Matrix
    marks: tuple["Mark", ...]
    is_even_odd: bool = False


Mark = Shape | PlacedBitmap | Clipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One page."""

    width_mm: float
    height_mm: float
    marks: tuple[Mark, ...]
    remarks: frozenset[str] = frozenset()
    """What the picture lacks: ``font-replaced``, ``glyph-missing``, ``image-missing``,
    ``seal-picture-missing``, ``colour-flattened``, ``text-clipped`` ..."""


@dataclass(slots=True)
class Budget:
    """What may still be drawn; the limits hold per page (T-OFD-71)."""

    marks: int = MAX_MARKS
    operators: int = MAX_DRAWN_OPERATORS
    path_operators: int = DEFAULT_LIMITS.path_operators
    pixels: int = MAX_DRAWN_PIXELS
    characters: int = DEFAULT_LIMITS.text_characters
    remarks: set[str] = field(default_factory=set)

    def take_mark(self) -> None:
        """Count a mark."""
        self.marks -= 1
        _check(self.marks, "drawn_marks")

    def take_operators(self, count: int) -> None:
        """Count the operators that are drawn, glyphs included."""
        self.operators -= count
        _check(self.operators, "drawn_operators")

    def take_path(self, count: int) -> None:
        """Count the operators of paths that the page states."""
        self.path_operators -= count
        _check(self.path_operators, "path_operators")
        self.take_operators(count)

    def take_pixels(self, count: int) -> None:
        """Count the pixels of pictures before they are decoded."""
        self.pixels -= count
        _check(self.pixels, "picture_pixels")

    def take_characters(self, count: int) -> None:
        """Count the characters of the text."""
        self.characters -= count
        _check(self.characters, "text_characters")


def _check(left: int, limit: str) -> None:
    if left < 0:
        raise LimitExceeded("too much on one page", reason="limit", limit=limit)


# --- matrices and outlines -----------------------------------------------------------------------


def joined(outer: Matrix, inner: Matrix) -> Matrix:
    """Return the matrix that applies ``inner`` first; refuse numbers that are on no page."""
    a, b, c, d, e, f = outer
    p, q, r, s, t, u = inner
    made = (
        a * p + c * q,
        b * p + d * q,
        a * r + c * s,
        b * r + d * s,
        a * t + c * u + e,
        b * t + d * u + f,
    )
    if not all(isfinite(number) and abs(number) <= LARGEST_NUMBER for number in made):
        raise MalformedDocument("a place on no page", reason="page-content")
    return made


def moved(x: float, y: float) -> Matrix:
    """Return a translation."""
    return (1.0, 0.0, 0.0, 1.0, x, y)


def scaled(x: float, y: float) -> Matrix:
    """Return a scaling."""
    return (x, 0.0, 0.0, y, 0.0, 0.0)


def rectangle(box: Box) -> Outline:
    """Return the outline of a box."""
    x, y, width, height = box
    return Outline(
        (
            ("M", (x, y)),
            ("L", (x + width, y)),
            ("L", (x + width, y + height)),
            ("L", (x, y + height)),
            ("Z", ()),
        )
    )


def bounds_of(outline: Outline) -> Box | None:
    """Return a box around all points of an outline, control points included."""
    numbers = [number for _, values in outline.segments for number in values]
    xs, ys = numbers[0::2], numbers[1::2]
    if not xs:
        return None
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def every_mark(marks: Iterable[Mark]) -> Iterator[Mark]:
    """Yield all marks, those inside groups too."""
    for mark in marks:
        yield mark
        if isinstance(mark, Clipped):
            yield from every_mark(mark.marks)
