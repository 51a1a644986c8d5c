"""Draw square and rectangular seals: business seals, and the name seal of a person.

A square seal is read as of old: columns from the right, each from the top; the characters of a
column share its height. A flat one is read in lines from the left. The name seal comes in 朱文
(red characters in a frame) and 白文 (the characters left open in a red plate). No rule of state
prescribes these measures; 20 mm is the usual side of a name seal.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from seal_service.seals.design import Lettering
from seal_service.seals.drawing import (
    SealOutline,
    TextLine,
    backwards,
    rectangle,
    set_line,
    upright,
)
from seal_service.seals.glyphs import ClosedPath, GlyphOutlines, SealFont


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSeal:
    """A square or rectangular business seal."""

    name: str
    line_below: str = ""
    number: str = ""
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NameSeal:
    """The name seal of a person: two to six characters, 印 or 之印 among them where wanted."""

    name: str
    lettering: Lettering = Lettering.RELIEF
    width_mm: float = 20.0
    height_mm: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    left: float
    top: float
    width: float
    height: float


_FLAT = 1.25
"""From this ratio of width to height on, a seal is read in lines."""
_RIM = 0.045
"""Of the shorter side."""
_ROOM = 0.035
"""Between rim and characters, of the shorter side."""
_BETWEEN = 0.9
"""Part of its cell a character fills."""
_NUMBER_PART = 0.12
_MAX_COLUMNS = 6


def block_outline(seal: BlockSeal, font: SealFont) -> SealOutline:
    """Draw the seal as filled contours; raises ``GlyphMissing``."""
    glyphs = GlyphOutlines(font)
    size = (seal.width_mm, seal.height_mm)
    side = min(size)
    rim = min(1.2, max(0.6, side * _RIM))
    paths = _frame(size, rim)
    box = _inside(size, rim + side * _ROOM)
    if seal.number:
        box, line = _number_line(box)
        paths += set_line(seal.number, line, glyphs)
    texts = [text for text in (seal.name, seal.line_below) if text]
    if seal.width_mm >= seal.height_mm * _FLAT:
        paths += _in_lines(texts, box, glyphs)
    else:
        paths += _in_columns(_columns_of(texts, box), box, glyphs)
    return SealOutline(paths=tuple(paths), width_mm=seal.width_mm, height_mm=seal.height_mm)


def name_outline(seal: NameSeal, font: SealFont) -> SealOutline:
    """Draw the seal as filled contours; raises ``GlyphMissing``."""
    glyphs = GlyphOutlines(font)
    size = (seal.width_mm, seal.height_mm)
    side = min(size)
    rim = side * 0.05
    box = _inside(size, rim + side * 0.04)
    if seal.width_mm >= seal.height_mm * _FLAT:
        characters = _in_lines([seal.name], box, glyphs)
    else:
        characters = _in_columns(_name_columns(seal.name), box, glyphs)
    if seal.lettering is Lettering.RELIEF:
        paths = [*_frame(size, rim), *characters]
    else:
        paths = [_plate_around(size, characters), *characters]
    return SealOutline(paths=tuple(paths), width_mm=seal.width_mm, height_mm=seal.height_mm)


# Frames


def _frame(size: tuple[float, float], rim: float) -> list[ClosedPath]:
    return [
        rectangle(size, 0.0, corner=rim),
        rectangle(size, rim, corner=rim * 0.4, clockwise=False),
    ]


def _plate_around(size: tuple[float, float], characters: Sequence[ClosedPath]) -> ClosedPath:
    """Draw the plate against the turn of the characters, so that they come out open."""
    plate = rectangle(size, 0.0, corner=min(size) * 0.05)
    turn = sum(_area(path) for path in characters)
    return plate if _area(plate) * turn < 0 else backwards(plate)


def _area(path: ClosedPath) -> float:
    """Return twice the signed area of the corners of a contour."""
    ends = [segment.points[-1] for segment in path]
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise([*ends, ends[0]]))


def _inside(size: tuple[float, float], inset: float) -> _Box:
    return _Box(left=inset, top=inset, width=size[0] - 2 * inset, height=size[1] - 2 * inset)


def _number_line(box: _Box) -> tuple[_Box, TextLine]:
    """Take a line for the number off the foot of a box."""
    part = box.height * _NUMBER_PART
    rest = _Box(left=box.left, top=box.top, width=box.width, height=box.height - part * 1.3)
    height = part * 0.85
    line = TextLine(
        centre=(box.left + box.width / 2, box.top + box.height - part / 2),
        height=height,
        width=height * 0.62,
        pitch=height * 0.78,
        room=box.width * 0.94,
    )
    return rest, line


# Columns, from the right


def _columns_of(texts: Sequence[str], box: _Box) -> list[str]:
    """Share the texts out over columns so that characters come out as square as can be."""

    def cost(counts: tuple[int, ...]) -> float:
        width = box.width / sum(counts)
        heights = [
            box.height / math.ceil(len(text) / count)
            for text, count in zip(texts, counts, strict=True)
        ]
        return sum(abs(math.log(width / height)) for height in heights)

    choices = itertools.product(*(range(1, min(len(text), _MAX_COLUMNS) + 1) for text in texts))
    counts = min(choices, key=cost)
    return [
        part for text, count in zip(texts, counts, strict=True) for part in _shared(text, count)
    ]


def _shared(text: str, count: int) -> list[str]:
    """Cut a text into ``count`` parts of nearly one length, the longer first."""
    least, more = divmod(len(text), count)
    sizes = [least + 1] * more + [least] * (count - more)
    ends = list(itertools.accumulate(sizes))
    return [text[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def _name_columns(name: str) -> list[str]:
    """Set a name in two columns: of three characters the surname has the right one alone."""
    right = len(name) // 2
    return [name[:right], name[right:]]


def _in_columns(columns: Sequence[str], box: _Box, glyphs: GlyphOutlines) -> list[ClosedPath]:
    paths: list[ClosedPath] = []
    # A fuller column has flatter characters: it is narrowed, so that they stay near the others'.
    shares = [1 / math.sqrt(len(column)) for column in columns]
    right = box.left + box.width
    for column, share in zip(columns, shares, strict=True):
        width = box.width * share / sum(shares)
        x = right - width / 2
        right -= width
        height = box.height / len(column)
        for row, character in enumerate(column):
            place = upright((x, box.top + (row + 0.5) * height))
            paths += glyphs.draw(character, width * _BETWEEN, height * _BETWEEN, place)
    return paths


# Lines, from the left


def _in_lines(texts: Sequence[str], box: _Box, glyphs: GlyphOutlines) -> list[ClosedPath]:
    lines = _lines_of(texts, box)
    height = box.height / len(lines)
    paths: list[ClosedPath] = []
    for index, line in enumerate(lines):
        tall = height * (0.86 if len(lines) > 1 else _BETWEEN)
        pitch = min(box.width / len(line), tall * 1.45)
        width = min(pitch * _BETWEEN, tall * 1.06)
        centre = (box.left + box.width / 2, box.top + (index + 0.5) * height)
        paths += set_line(
            line,
            TextLine(centre=centre, height=tall, width=width, pitch=pitch, room=box.width),
            glyphs,
        )
    return paths


def _lines_of(texts: Sequence[str], box: _Box) -> list[str]:
    """Break the name where its characters would become narrower than lines allow."""

    def cost(count: int) -> float:
        height = box.height / (count + len(texts) - 1)
        width = box.width / math.ceil(len(texts[0]) / count)
        return abs(math.log(width / (height * 0.9)))

    count = min(range(1, min(4, len(texts[0])) + 1), key=cost)
    return [*_shared(texts[0], count), *texts[1:]]
