"""Clean the scan of an impression: red ink on a transparent ground, cropped, 300 dpi or better.

1. Check the bytes before anything decodes them; turn the picture as its camera says.
2. Measure how red each pixel is beyond its ground: paper and black ink are not red.
3. Refuse what is no red impression on a light ground.
4. Between ground and full ink the measure is the coverage, so that soft edges stay soft.
5. Crop to the ink without specks; refuse another shape than said, or too few pixels.
6. Scale to whole dots of its physical size, and encode in the one red of seals.
"""

import io
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter, ImageOps, UnidentifiedImageError

from seal_service.errors import ScanRefused, UnsafePicture
from seal_service.formats.pictures import check_picture
from seal_service.formats.ses_model import SealPicture
from seal_service.seals.drawing import DPI, MM_PER_INCH, palette_png

LEAST_DPI = 300
_LEAST_REDNESS = 70
"""Of full ink over the ground, of 255."""
_LEAST_GROUND = 150
"""Brightness of the paper, of 255."""
_INK_SHARE = (0.02, 0.92)
"""Part of the cropped picture that ink covers: less is no seal, more is a red sheet."""
_FOOT, _HEAD = 0.14, 0.70
"""Parts of full ink below which a pixel is ground, and from which it is full."""
_SHAPE_TOLERANCE = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanedScan:
    """A picture ready to be applied for."""

    png: bytes
    width_mm: float
    height_mm: float
    dpi: int


def clean_scan(data: bytes, *, width_mm: float, height_mm: float) -> CleanedScan:
    """Clean a PNG or JPEG of an impression whose physical size is known.

    Raises ``UnsafePicture`` as ``formats.pictures`` does, and ``ScanRefused`` with the reason
    ``scan-not-red``, ``scan-ground``, ``scan-ink``, ``scan-shape`` or ``scan-resolution``.
    """
    image = _decode(data)  # 1
    redness = _redness(image)  # 2
    full = _full_ink(redness)
    _check_ground(image, redness, full)  # 3
    coverage = _coverage(redness, full)  # 4
    coverage = coverage.crop(_ink_box(coverage))  # 5
    dpi = _resolution(coverage, width_mm, height_mm)
    size = tuple(round(side / MM_PER_INCH * dpi) for side in (width_mm, height_mm))  # 6
    coverage = coverage.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    return CleanedScan(
        png=palette_png(coverage, dpi=dpi), width_mm=width_mm, height_mm=height_mm, dpi=dpi
    )


def _decode(data: bytes) -> Image.Image:
    """Return the picture in three colours over white."""
    kind = "PNG" if data.startswith(b"\x89PNG") else "JPEG"
    check_picture(SealPicture(format=kind, data=data, width_mm=1, height_mm=1))
    try:
        with Image.open(io.BytesIO(data), formats=[kind]) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise UnsafePicture("the picture does not decode", reason="picture-type") from error
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    return ground.convert("RGB")


def _redness(image: Image.Image) -> Image.Image:
    """Return by how much red exceeds the other colours, less what the paper has of it (mode L)."""
    red, green, blue = image.split()
    excess = ImageChops.subtract(red, ImageChops.lighter(green, blue))
    paper = _quantile(excess.histogram(), 0.30)
    return excess.point([max(0, value - paper) for value in range(256)])


def _quantile(histogram: list[int], part: float) -> int:
    wanted, seen = sum(histogram) * part, 0
    for value, count in enumerate(histogram):
        seen += count
        if seen >= wanted:
            return value
    return len(histogram) - 1


def _full_ink(redness: Image.Image) -> int:
    """Return the redness of full ink; raises ``ScanRefused`` where nothing is red."""
    histogram = redness.histogram()
    red = [0] * _LEAST_REDNESS + histogram[_LEAST_REDNESS:]
    if sum(red) < sum(histogram) * _INK_SHARE[0] / 4:
        raise ScanRefused("未发现红色印迹", reason="scan-not-red")
    return _quantile(red, 0.60)


def _check_ground(image: Image.Image, redness: Image.Image, full: int) -> None:
    """Raise ``ScanRefused`` unless most of what is not ink is light."""
    without_ink = redness.point([255 if value < full * _FOOT else 0 for value in range(256)])
    histogram = image.convert("L").histogram(without_ink)
    if not sum(histogram) or _quantile(histogram, 0.5) < _LEAST_GROUND:
        raise ScanRefused("底色过深", reason="scan-ground")


def _coverage(redness: Image.Image, full: int) -> Image.Image:
    foot, head = full * _FOOT, full * _HEAD
    steps = [(value - foot) / (head - foot) * 255 for value in range(256)]
    return redness.point([round(min(255, max(0, step))) for step in steps])


def _ink_box(coverage: Image.Image) -> tuple[int, int, int, int]:
    """Return where the ink is; single specks do not count. Raises ``ScanRefused``."""
    solid = coverage.point([0] * 128 + [255] * 128).filter(ImageFilter.MedianFilter(5))
    box = solid.getbbox()
    if box is None:
        raise ScanRefused("印迹过少或过满", reason="scan-ink")
    share = solid.crop(box).histogram()[255] / ((box[2] - box[0]) * (box[3] - box[1]))
    if not _INK_SHARE[0] <= share <= _INK_SHARE[1]:
        raise ScanRefused("印迹过少或过满", reason="scan-ink")
    return box


def _resolution(coverage: Image.Image, width_mm: float, height_mm: float) -> int:
    """Return the resolution to encode in; raises ``ScanRefused`` for another shape or too few."""
    across = coverage.width / width_mm * MM_PER_INCH
    down = coverage.height / height_mm * MM_PER_INCH
    if abs(across / down - 1) > _SHAPE_TOLERANCE:
        raise ScanRefused("印迹的宽高比与所填尺寸不符", reason="scan-shape")
    dpi = min(DPI, int(min(across, down) + 0.5))
    if dpi < LEAST_DPI:
        raise ScanRefused("分辨率低于 300 dpi", reason="scan-resolution")
    return dpi
