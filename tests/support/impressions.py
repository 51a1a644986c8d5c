"""Scans of impressions, made for tests: red ink on paper, as a scanner would see it."""

import io
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from seal_service.seals.drawing import outline_coverage
from seal_service.seals.faces import face_outline
from tests.golden.seal_faces import FONTS, SEALS

Colour = tuple[int, int, int]
PAPER: Colour = (243, 239, 230)
INK: Colour = (205, 45, 60)


@cache
def scan(
    *,
    face: str = "round_12",
    dpi: int = 400,
    paper: Colour = PAPER,
    ink: Colour = INK,
    has_writing: bool = True,
    kind: str = "JPEG",
) -> bytes:
    """Return a scan of one of the golden seals with some paper around it."""
    seal = outline_coverage(face_outline(SEALS[face], FONTS), dpi=dpi)
    margin = dpi // 5
    pressed = Image.new("L", (seal.width + 2 * margin, seal.height + 2 * margin))
    pressed.paste(seal, (margin, margin))
    pressed = pressed.filter(ImageFilter.GaussianBlur(0.8))
    sheet = Image.new("RGB", pressed.size, paper)
    if has_writing:
        middle = sheet.height // 2
        ImageDraw.Draw(sheet).line((0, middle, sheet.width, middle), fill=(40, 40, 45), width=4)
    inked = ImageChops.multiply(sheet, Image.new("RGB", sheet.size, ink))
    buffer = io.BytesIO()
    Image.composite(inked, sheet, pressed).save(buffer, kind, quality=88)
    return buffer.getvalue()
