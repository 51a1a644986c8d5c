"""Outlines of glyphs, from fonts inside a document or from our own where it embeds none.

Fonts are read by HarfBuzz alone, in a bounded process: no layout, no hinting program, no other
table than those of outlines and characters (T-OFD-47 is why a font is data like any other).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import uharfbuzz as hb

from verifier.page_pictures.drawing import Outline, Segment
from verifier.page_pictures.paths import raised

MAX_GLYPH_SEGMENTS = 20_000
KEPT_FONTS = 4
_OUTLINE_TABLES = frozenset({"glyf", "CFF ", "CFF2"})

FONT_FILES: Mapping[str, str] = {
    "song": "EsealSong-Regular.ttf",
    "song-bold": "EsealSong-Bold.ttf",
    "kai": "LXGWWenKai-Regular.ttf",
}
"""Our own fonts by hand, as ``scripts/setup-fonts`` lays them down."""
_KAI_NAMES = ("楷", "kai", "仿宋", "fangsong")
_BOLD_NAMES = ("黑", "hei", "bold", "标宋", "粗")


@dataclass(slots=True)
class _Pen:
    """Takes a glyph from HarfBuzz; quadratic curves become cubic ones."""

    segments: list[Segment] = field(default_factory=list)
    here: tuple[float, float] = (0.0, 0.0)

    def moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - the pen protocol
        self.segments.append(("M", point))
        self.here = point

    def lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self.segments.append(("L", point))
        self.here = point

    def qCurveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802
        one, end = points
        self.segments.append(("C", raised(self.here, (*one, *end))))
        self.here = end

    def curveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802
        one, two, end = points
        self.segments.append(("C", (*one, *two, *end)))
        self.here = end

    def closePath(self) -> None:  # noqa: N802
        self.segments.append(("Z", ()))


class GlyphSource:
    """One font: characters to glyphs, glyphs to outlines in units of the font size, y upwards."""

    def __init__(self, blob: "hb.Blob") -> None:
        face = hb.Face(blob)
        self._font = hb.Font(face)
        self._units = float(face.upem) or 1000.0
        self._count = face.glyph_count
        self._outlines: dict[int, Outline] = {}
        self.is_usable = bool(_OUTLINE_TABLES.intersection(face.table_tags)) and self._count > 0

    def glyph_of(self, character: str) -> int | None:
        """Return the glyph of a character, or None."""
        glyph = self._font.get_nominal_glyph(ord(character))
        return glyph if isinstance(glyph, int) and glyph else None

    def advance(self, glyph: int) -> float:
        """Return the width of a glyph, in font sizes."""
        return float(self._font.get_glyph_h_advance(glyph)) / self._units

    def outline(self, glyph: int) -> Outline | None:
        """Return the outline of a glyph; None if there is no such glyph or it is a bomb."""
        if not 0 <= glyph < self._count:
            return None
        if glyph not in self._outlines:
            pen = _Pen()
            self._font.draw_glyph_with_pen(glyph, pen)
            segments = tuple(
                (letter, tuple(round(number / self._units, 5) for number in numbers))
                for letter, numbers in pen.segments[: MAX_GLYPH_SEGMENTS + 1]
            )
            self._outlines[glyph] = Outline(segments)
        found = self._outlines[glyph]
        return None if len(found.segments) > MAX_GLYPH_SEGMENTS else found


def embedded_font(data: bytes) -> GlyphSource | None:
    """Read a font of a document; None where HarfBuzz finds no outlines in it."""
    source = GlyphSource(hb.Blob(data))
    return source if source.is_usable else None


@dataclass(frozen=True, slots=True)
class OwnFonts:
    """Our own fonts, which stand in where a document embeds none."""

    folder: Path | None = None

    def like(self, name: str, *, is_bold: bool = False) -> GlyphSource | None:
        """Return the font nearest to a name; None where there is no folder."""
        if self.folder is None:
            return None
        wanted = name.lower()
        role = "song"
        if any(part in wanted for part in _KAI_NAMES):
            role = "kai"
        elif is_bold or any(part in wanted for part in _BOLD_NAMES):
            role = "song-bold"
        return _own_font(self.folder / FONT_FILES[role])


@lru_cache(maxsize=KEPT_FONTS)
def _own_font(path: Path) -> GlyphSource | None:
    if not path.is_file():
        return None
    return GlyphSource(hb.Blob.from_file_path(str(path)))
