"""Rasters of pages and the text of PDF pages, by PDFium, in a bounded process.

PDFium gets the bytes and nothing else: no script engine is in the build, no form is filled, no
address is followed. A page that is very large gets a coarser raster, never more pixels.
"""

from dataclasses import dataclass

import pypdfium2 as pdfium
from PIL import Image

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import DEFAULT_LIMITS
from verifier.page_pictures.drawing import Drawing
from verifier.page_pictures.pdf_form import pdf_of

DPI = 100
MAX_PIXELS = DEFAULT_LIMITS.picture_pixels
MAX_CHARACTERS = 50_000
"""Per page, when text is read for comparison."""
POINTS_PER_INCH = 72
MM_PER_POINT = 25.4 / 72


@dataclass(frozen=True, slots=True)
class Raster:
    """One page in pixels, RGB."""

    picture: Image.Image
    width_mm: float
    height_mm: float


def raster_of(drawing: Drawing, dpi: int = DPI) -> Raster:
    """Return the raster of a drawing."""
    return rasters_of_pdf(pdf_of(drawing), (1,), dpi)[0]


def page_count(data: bytes) -> int:
    """Return how many pages PDFium sees."""
    document = open_pdf(data)
    try:
        return len(document)
    finally:
        document.close()


def rasters_of_pdf(data: bytes, numbers: tuple[int, ...], dpi: int = DPI) -> tuple[Raster, ...]:
    """Return rasters of pages (from 1); raises ``MalformedDocument`` if PDFium cannot read it."""
    document = open_pdf(data)
    try:
        if len(document) > DEFAULT_LIMITS.pdf_pages:
            raise LimitExceeded("too many pages", reason="limit", limit="pdf_pages")
        document.init_forms()
        return tuple(_render(document, number, dpi) for number in numbers)
    except (pdfium.PdfiumError, IndexError):
        raise MalformedDocument("PDFium does not draw it", reason="page-content") from None
    finally:
        document.close()


def lines_of_pdf(data: bytes) -> tuple[tuple[str, ...], ...]:
    """Return the visible lines of every page; raises ``MalformedDocument`` like the others."""
    document = open_pdf(data)
    try:
        return tuple(_lines(page) for page in document)
    except pdfium.PdfiumError:
        raise MalformedDocument("PDFium does not read it", reason="page-content") from None
    finally:
        document.close()


def _lines(page: "pdfium.PdfPage") -> tuple[str, ...]:
    text = page.get_textpage()
    try:
        lines = text.get_text_range(0, min(text.count_chars(), MAX_CHARACTERS))
    finally:
        text.close()
        page.close()
    return tuple(line for line in lines.splitlines() if line.strip())


def open_pdf(data: bytes) -> "pdfium.PdfDocument":
    """Open a PDF; raises ``MalformedDocument`` if PDFium cannot."""
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError:
        raise MalformedDocument("PDFium does not read it", reason="page-content") from None


def _render(document: "pdfium.PdfDocument", number: int, dpi: int) -> Raster:
    page = document[number - 1]
    width, height = page.get_size()
    if not 0 < max(width, height) * MM_PER_POINT <= DEFAULT_LIMITS.page_side_mm:
        raise LimitExceeded("page too large", reason="limit", limit="page_side_mm")
    scale = dpi / POINTS_PER_INCH
    scale = min(scale, (MAX_PIXELS / max(1.0, width * height)) ** 0.5)
    bitmap = page.render(scale=scale, draw_annots=True, may_draw_forms=True)
    try:
        picture = bitmap.to_pil().convert("RGB")
    finally:
        bitmap.close()
        page.close()
    return Raster(picture, width * MM_PER_POINT, height * MM_PER_POINT)
