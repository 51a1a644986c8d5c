"""Graphic objects of a page, in millimetres from the upper left corner, and their geometry."""

from collections.abc import Sequence
from dataclasses import dataclass

from licence_store.rendering.fonts import FontFile
from licence_store.rendering.page_content import PageContent, PagePicture

MM_PER_PT = 25.4 / 72

Matrix = tuple[float, float, float, float, float, float]
Colour = tuple[int, int, int]
Segment = tuple[str, tuple[float, ...]]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """One line: origin of its first glyph on the baseline, and an advance per character."""

    x: float
    y: float
    size: float
    font: FontFile
    colour: Colour
    opacity: float
    text: str
    advances: tuple[float, ...]

    @property
    def width(self) -> float:
        """Return the distance from the first origin to the end of the last glyph."""
        return sum(self.advances)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathShape:
    """One path; segments in page coordinates."""

    segments: tuple[Segment, ...]
    fill: Colour | None
    stroke: Colour | None
    opacity: float
    line_width: float
    cap: int
    join: int
    dash: tuple[float, ...]
    even_odd: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureObject:
    """A raster picture in its box."""

    x: float
    y: float
    width: float
    height: float
    picture: PagePicture


@dataclass(frozen=True, slots=True, kw_only=True)
class QRObject:
    """The place of the QR code, quiet zone included, and its ink."""

    x: float
    y: float
    module: float
    colour: Colour


GraphicObject = TextLine | PathShape | PictureObject | QRObject


def page_matrix(page: PageContent) -> Matrix:
    """Return the matrix from PDF points to millimetres from the upper left corner."""
    return (MM_PER_PT, 0, 0, -MM_PER_PT, 0, page.height_pt * MM_PER_PT)


def multiply(a: Matrix, b: Matrix) -> Matrix:
    """Return the matrix that applies ``a`` first, then ``b``."""
    return (
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    )


def apply(matrix: Matrix, numbers: Sequence[float]) -> tuple[float, ...]:
    """Map points given as x y x y ..."""
    a, b, c, d, e, f = matrix
    result: list[float] = []
    for x, y in zip(numbers[::2], numbers[1::2], strict=True):
        result += (a * x + c * y + e, b * x + d * y + f)
    return tuple(result)


def box_of(segments: Sequence[Segment]) -> Box:
    """Return left, top, right, bottom of the control points."""
    xs = [value for _, numbers in segments for value in numbers[::2]]
    ys = [value for _, numbers in segments for value in numbers[1::2]]
    return min(xs), min(ys), max(xs), max(ys)
