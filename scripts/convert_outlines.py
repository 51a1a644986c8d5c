"""Turn a CFF face (Noto Serif CJK) into a TrueType one, once, at set-up.

OFD readers know TrueType outlines only (ofd-document notes, 6), and the PDF shall show the same
outlines as the OFD, so both are set from the font made here. HarfBuzz draws the source, cu2qu turns
cubic curves into quadratic ones within ``TOLERANCE`` units of 1000, glyphs are written by struct.
Layout features are dropped: no licence uses them. Same source and same code, same bytes.
"""

import struct
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import uharfbuzz as hb
from fontTools.cu2qu import curve_to_quadratic
from fontTools.ttLib import TTCollection, TTFont, newTable
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable
from fontTools.ttLib.tables.DefaultTable import DefaultTable
from fontTools.ttLib.tables.O_S_2f_2 import Panose

TOLERANCE = 0.8
ON, X_SHORT, Y_SHORT, REPEAT, X_SAME, Y_SAME = 1, 2, 4, 8, 16, 32
CHUNK = 1024
COMPOSITE_AND_HINTING_LIMITS = (
    "maxCompositePoints",
    "maxCompositeContours",
    "maxTwilightPoints",
    "maxStorage",
    "maxFunctionDefs",
    "maxInstructionDefs",
    "maxStackElements",
    "maxSizeOfInstructions",
    "maxComponentElements",
    "maxComponentDepth",
)
HANGUL = ((0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xAC00, 0xD7FF))

Point = tuple[float, float]
Contour = list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What to convert, and what to call it."""

    source: Path
    source_family: str
    target: Path
    family: str
    is_bold: bool


@dataclass(slots=True)
class Outline:
    """Collects one glyph's contours from HarfBuzz as quadratic points."""

    contours: list[Contour]
    at: Point = (0.0, 0.0)

    def move(self, x: float, y: float) -> None:
        """Begin a contour."""
        self.contours.append([(round(x), round(y), ON)])
        self.at = (x, y)

    def line(self, x: float, y: float) -> None:
        """Add a straight line."""
        self.contours[-1].append((round(x), round(y), ON))
        self.at = (x, y)

    def cubic(self, curve: tuple[Point, Point, Point]) -> None:
        """Add a cubic curve as quadratic ones; points between two controls stay implied."""
        points = curve_to_quadratic((self.at, *curve), TOLERANCE)
        contour = self.contours[-1]
        contour += [(round(x), round(y), 0) for x, y in points[1:-1]]
        x, y = points[-1]
        contour.append((round(x), round(y), ON))
        self.at = curve[2]


def _draw_funcs() -> "hb.DrawFuncs":
    funcs = hb.DrawFuncs()
    funcs.set_move_to_func(lambda x, y, outline: outline.move(x, y))
    funcs.set_line_to_func(lambda x, y, outline: outline.line(x, y))
    funcs.set_cubic_to_func(
        lambda x1, y1, x2, y2, x, y, outline: outline.cubic(((x1, y1), (x2, y2), (x, y)))
    )
    funcs.set_close_path_func(lambda outline: None)
    return funcs


def _coordinates(deltas: list[int], short: int, same: int) -> tuple[list[int], bytes]:
    """Return the flag bits and bytes of one axis."""
    flags: list[int] = []
    data = bytearray()
    for delta in deltas:
        if delta == 0:
            flags.append(same)
        elif -256 < delta < 256:
            flags.append(short | (same if delta > 0 else 0))
            data.append(abs(delta))
        else:
            flags.append(0)
            data += struct.pack(">h", delta)
    return flags, bytes(data)


def _tidy(contour: Contour) -> Contour:
    """Drop a closing point that repeats the first one, and turn the TrueType way round."""
    if len(contour) > 1 and contour[0] == contour[-1]:
        contour = contour[:-1]
    return [contour[0], *contour[:0:-1]]


def encode_glyph(contours: list[Contour]) -> bytes:
    """Write a simple glyph; an empty one has no bytes."""
    contours = [_tidy(contour) for contour in contours if len(contour) > 2]
    points = [point for contour in contours for point in contour]
    if not points:
        return b""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    x_flags, x_data = _coordinates(
        [b - a for a, b in zip([0, *xs], xs, strict=False)], X_SHORT, X_SAME
    )
    y_flags, y_data = _coordinates(
        [b - a for a, b in zip([0, *ys], ys, strict=False)], Y_SHORT, Y_SAME
    )
    flags = bytearray()
    previous, repeats = -1, 0
    for point, x_flag, y_flag in zip(points, x_flags, y_flags, strict=True):
        flag = point[2] | x_flag | y_flag
        if flag == previous and repeats < 255:
            repeats += 1
            if repeats == 1:
                flags[-1] |= REPEAT
                flags.append(1)
            else:
                flags[-1] = repeats
        else:
            flags.append(flag)
            previous, repeats = flag, 0
    ends, last = [], -1
    for contour in contours:
        last += len(contour)
        ends.append(last)
    head = struct.pack(">hhhhh", len(contours), min(xs), min(ys), max(xs), max(ys))
    body = struct.pack(f">{len(ends)}HH", *ends, 0) + bytes(flags) + x_data + y_data
    return head + body + b"\0" * (-(len(head) + len(body)) % 4)


def _encode_chunk(source: Path, index: int, glyphs: list[int]) -> list[tuple[bytes, int]]:
    """Return bytes and advance width of some glyphs; runs in a worker process."""
    font = hb.Font(hb.Face(hb.Blob.from_file_path(str(source)), index))
    funcs = _draw_funcs()
    result = []
    for glyph in glyphs:
        outline = Outline(contours=[])
        font.draw_glyph(glyph, funcs, outline)
        result.append((encode_glyph(outline.contours), font.get_glyph_h_advance(glyph)))
    return result


def _open_face(conversion: Conversion) -> tuple[TTFont, int]:
    collection = TTCollection(conversion.source, lazy=True)
    for index, face in enumerate(collection.fonts):
        if face["name"].getDebugName(1).startswith(conversion.source_family):
            return face, index
    raise SystemExit(f"{conversion.source} has no face {conversion.source_family}")


def _wanted(face: TTFont) -> dict[int, int]:
    """Return code point -> source glyph id for everything but Hangul."""
    kept = {
        point: name
        for point, name in face.getBestCmap().items()
        if not any(first <= point <= last for first, last in HANGUL)
    }
    return {point: face.getGlyphID(kept[point]) for point in sorted(kept)}


def convert(conversion: Conversion, *, workers: int) -> None:
    """Write the TrueType font; the caller moves it into place."""
    face, index = _open_face(conversion)
    points = _wanted(face)
    # One glyph per code point, even where the source shares one: the text of a page is read back
    # from glyphs, and a radical must not come out as the character it looks like.
    order = [0, *points.values()]
    chunks = [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]
    with ProcessPoolExecutor(workers) as pool:
        jobs = [pool.submit(_encode_chunk, conversion.source, index, chunk) for chunk in chunks]
        glyphs = [glyph for job in jobs for glyph in job.result()]
    names = [".notdef", *(f"g{number:05d}" for number in range(1, len(order)))]
    font = TTFont(sfntVersion="\0\1\0\0", recalcBBoxes=False, recalcTimestamp=False)
    font.setGlyphOrder(names)
    _set_outlines(font, glyphs)
    _set_cmap(font, dict(zip(points, names[1:], strict=True)))
    _set_headers(font, face, glyphs)
    _set_names(font, conversion)
    font.save(conversion.target, reorderTables=True)


def _raw(font: TTFont, tag: str, data: bytes) -> None:
    table = DefaultTable(tag)
    table.data = data
    font[tag] = table


def _set_outlines(font: TTFont, glyphs: list[tuple[bytes, int]]) -> None:
    offsets, total, metrics = [0], 0, bytearray()
    for data, advance in glyphs:
        total += len(data)
        offsets.append(total)
        left = struct.unpack_from(">h", data, 2)[0] if data else 0
        metrics += struct.pack(">Hh", advance, left)
    _raw(font, "glyf", b"".join(data for data, _ in glyphs))
    _raw(font, "loca", struct.pack(f">{len(offsets)}I", *offsets))
    _raw(font, "hmtx", bytes(metrics))


def _set_cmap(font: TTFont, mapping: dict[int, str]) -> None:
    table = newTable("cmap")
    table.tableVersion = 0
    table.tables = []
    short = {point: name for point, name in mapping.items() if point < 0x10000}
    for form, encoding, part in ((4, 1, short), (12, 10, mapping)):
        subtable = CmapSubtable.newSubtable(form)
        subtable.platformID, subtable.platEncID, subtable.language = 3, encoding, 0
        subtable.cmap = part
        table.tables.append(subtable)
    font["cmap"] = table


def _set_headers(font: TTFont, face: TTFont, glyphs: list[tuple[bytes, int]]) -> None:
    for tag in ("head", "hhea", "OS/2", "post"):
        font[tag] = face[tag]
    boxes = [struct.unpack_from(">hhhh", data, 2) for data, _ in glyphs if data]
    head = font["head"]
    head.xMin, head.yMin = min(b[0] for b in boxes), min(b[1] for b in boxes)
    head.xMax, head.yMax = max(b[2] for b in boxes), max(b[3] for b in boxes)
    head.indexToLocFormat, head.glyphDataFormat = 1, 0
    head.flags = 0b11  # baseline at y = 0, left side bearing at x = 0
    hhea = font["hhea"]
    hhea.numberOfHMetrics = len(glyphs)
    hhea.advanceWidthMax = max(advance for _, advance in glyphs)
    post = font["post"]
    post.formatType = 3.0
    maxp = newTable("maxp")
    maxp.tableVersion, maxp.numGlyphs = 0x00010000, len(glyphs)
    counts = [_counts(data) for data, _ in glyphs if data]
    maxp.maxPoints = max(points for points, _ in counts)
    maxp.maxContours = max(contours for _, contours in counts)
    for name in COMPOSITE_AND_HINTING_LIMITS:
        setattr(maxp, name, 0)
    maxp.maxZones = 1
    font["maxp"] = maxp
    if not isinstance(font["OS/2"].panose, Panose):
        raise SystemExit("the source face has no PANOSE")


def _counts(data: bytes) -> tuple[int, int]:
    contours = struct.unpack_from(">h", data)[0]
    return struct.unpack_from(">H", data, 10 + 2 * (contours - 1))[0] + 1, contours


def _set_names(font: TTFont, conversion: Conversion) -> None:
    style = "Bold" if conversion.is_bold else "Regular"
    compact = conversion.family.replace(" ", "")
    table = newTable("name")
    table.names = []
    for number, text in (
        (0, "Outlines: Noto Serif CJK SC, (c) 2017-2022 Adobe; converted to TrueType"),
        (1, conversion.family),
        (2, style),
        (3, f"{compact}-{style};eseal"),
        (4, f"{conversion.family} {style}"),
        (5, "Version 1.000"),
        (6, f"{compact}-{style}"),
        (13, "SIL Open Font License, Version 1.1"),
        (14, "https://openfontlicense.org"),
    ):
        table.setName(text, number, 3, 1, 0x409)
    font["name"] = table
