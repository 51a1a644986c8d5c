"""Where two rasters of one page differ, as boxes, and the rasters with the boxes drawn in.

1. Lay both on one white sheet of the larger size; take the difference of every pixel.
2. Count a cell of the sheet as changed when a pixel in it differs visibly.
3. Put neighbouring cells together; boxes that touch become one; at most ``MAX_BOXES`` stay apart.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw

from verifier.page_pictures.drawing import Box
from verifier.page_pictures.raster import Raster

CELL = 8
"""Pixels: 2 mm at 100 dots per inch."""
VISIBLE = 40
"""Difference of one channel, of 255, from which on it counts."""
REACH = 2
"""Cells that may lie between two changes of one box: the gap between characters."""
MAX_BOXES = 24
MARGIN = 8
LINE = 5
COLOUR = (208, 0, 24)
_COLOURS_KEPT = 96

PixelBox = tuple[int, int, int, int]
"""Left, top, right, bottom; right and bottom excluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxedPair:
    """Two pictures of one page with the changed areas boxed."""

    ours: bytes
    theirs: bytes
    boxes_mm: tuple[Box, ...]


def compare_rasters(ours: Raster, theirs: Raster) -> BoxedPair | None:
    """Box what differs, alike on both pictures; None where nothing visible differs."""
    size = (
        max(ours.picture.width, theirs.picture.width),
        max(ours.picture.height, theirs.picture.height),
    )
    sheets = [_on_sheet(raster.picture, size) for raster in (ours, theirs)]
    boxes = changed_boxes(*sheets)
    if not boxes:
        return None
    scale = ours.width_mm / ours.picture.width
    return BoxedPair(
        ours=boxed_png(sheets[0], boxes),
        theirs=boxed_png(sheets[1], boxes),
        boxes_mm=tuple(_in_mm(box, scale) for box in boxes),
    )


def alone(raster: Raster) -> bytes:
    """Return a page that has no counterpart, boxed as a whole."""
    return boxed_png(raster.picture, ((0, 0, raster.picture.width, raster.picture.height),))


def boxed_png(picture: Image.Image, boxes: tuple[PixelBox, ...]) -> bytes:
    """Return the picture with boxes drawn in, as a PNG of few colours."""
    sheet = picture.copy()
    draw = ImageDraw.Draw(sheet)
    for left, top, right, bottom in boxes:
        frame = (
            max(0, left - MARGIN),
            max(0, top - MARGIN),
            min(sheet.width, right + MARGIN) - 1,
            min(sheet.height, bottom + MARGIN) - 1,
        )
        draw.rectangle(frame, outline=COLOUR, width=LINE)
    out = io.BytesIO()
    few = sheet.quantize(_COLOURS_KEPT, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(out, format="PNG", compress_level=6)
    return out.getvalue()


def changed_boxes(ours: Image.Image, theirs: Image.Image) -> tuple[PixelBox, ...]:
    """Return boxes around what differs in two pictures of one size, from the top down."""
    difference = ImageChops.difference(ours, theirs)
    channels = [channel.point(_mask) for channel in difference.split()]
    mask = channels[0]
    for channel in channels[1:]:
        mask = ImageChops.lighter(mask, channel)
    if mask.getbbox() is None:
        return ()
    cells = mask.reduce(CELL)
    grown = _put_together(_changed_cells(cells), mask)
    return tuple(sorted(_merged(grown), key=lambda box: (box[1], box[0])))


def _mask(value: int) -> int:
    return 255 if value >= VISIBLE else 0


def _on_sheet(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if picture.size == size:
        return picture
    sheet = Image.new("RGB", size, "white")
    sheet.paste(picture, (0, 0))
    return sheet


def _changed_cells(cells: Image.Image) -> set[tuple[int, int]]:
    width = cells.width
    return {(place % width, place // width) for place, value in enumerate(cells.tobytes()) if value}


def _put_together(cells: set[tuple[int, int]], mask: Image.Image) -> Iterator[PixelBox]:
    """Yield a box for every group of cells that are near each other, cut to what changed."""
    left = set(cells)
    while left:
        group = {left.pop()}
        waiting = list(group)
        while waiting:
            x, y = waiting.pop()
            near = {
                (x + dx, y + dy)
                for dx in range(-REACH, REACH + 1)
                for dy in range(-1, 2)
                if (x + dx, y + dy) in left
            }
            left -= near
            group |= near
            waiting += near
        xs, ys = [x for x, _ in group], [y for _, y in group]
        frame = (
            min(xs) * CELL,
            min(ys) * CELL,
            min(mask.width, (max(xs) + 1) * CELL),
            min(mask.height, (max(ys) + 1) * CELL),
        )
        inner = mask.crop(frame).getbbox() or (0, 0, frame[2] - frame[0], frame[3] - frame[1])
        yield (
            frame[0] + inner[0],
            frame[1] + inner[1],
            frame[0] + inner[2],
            frame[1] + inner[3],
        )


def _merged(boxes: Iterator[PixelBox]) -> list[PixelBox]:
    """Merge boxes that overlap; if too many are left, all become one."""
    done: list[PixelBox] = []
    for box in boxes:
        merged = box
        hit = [other for other in done if _touch(merged, other)]
        while hit:
            for other in hit:
                done.remove(other)
                merged = _around(merged, other)
            hit = [other for other in done if _touch(merged, other)]
        done.append(merged)
    if len(done) > MAX_BOXES:
        whole = done[0]
        for box in done[1:]:
            whole = _around(whole, box)
        return [whole]
    return done


def _touch(one: PixelBox, two: PixelBox) -> bool:
    across = one[0] <= two[2] + MARGIN and two[0] <= one[2] + MARGIN
    return across and one[1] <= two[3] + MARGIN and two[1] <= one[3] + MARGIN


def _around(one: PixelBox, two: PixelBox) -> PixelBox:
    return min(one[0], two[0]), min(one[1], two[1]), max(one[2], two[2]), max(one[3], two[3])


def _in_mm(box: PixelBox, scale: float) -> Box:
    left, top, right, bottom = box
    numbers = (left, top, right - left, bottom - top)
    x, y, width, height = (round(number * scale, 1) for number in numbers)
    return x, y, width, height
