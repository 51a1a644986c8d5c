"""Draw a seal picture into the content of pages, in the revision that the signature then covers.

A signature field has one widget on one page (ISO 32000-1, 12.7.4.5), so what a seal shows elsewhere
(the strips of a 骑缝章, the same seal on every page) is page content: every viewer shows and prints
it, nobody can hide or move it, and any later change to it is a change of what was signed. The old
content is wrapped in as many ``q`` and ``Q`` as it needs, so that what it leaves moves nothing.
"""

from collections.abc import Sequence

from seal_service.errors import MalformedDocument
from seal_service.formats.pdf.appearance import stream_object
from seal_service.formats.pdf.content import page_content, saved_states
from seal_service.formats.pdf.pages import PDFPage, PDFPlacement, find_page, to_page_units
from seal_service.formats.pdf.syntax import Dictionary, Ref, Stream, Value, spell
from seal_service.formats.pdf.updating import Update

IMAGE_NAME = "SealImage"


def draw_pictures(update: Update, picture: bytes, placements: Sequence[PDFPlacement]) -> None:
    """Draw a PNG at every placement. Raises ``InvalidPlacement`` or ``UnsafePicture``."""
    pages: dict[Ref, tuple[PDFPage, list[PDFPlacement]]] = {}
    for placement in placements:
        page = find_page(update.base.pages, placement)
        pages.setdefault(page.reference, (page, []))[1].append(placement)
    for page, wanted in pages.values():
        _draw(update, page, picture, wanted)


def _draw(
    update: Update, page: PDFPage, picture: bytes, placements: Sequence[PDFPlacement]
) -> None:
    table = update.base.table
    resources = table.dictionary(page.inherited.get("Resources"))
    images = table.dictionary(resources.get("XObject"))
    name = _free_name(images)
    images = Dictionary({**images, name: update.image(picture)})
    drawn = b"".join(_spell(page, placement, name) for placement in placements)
    before = _present(update, page)
    if before:
        missing, left_open = saved_states(page_content(table, page))
        opening = update.add(stream_object(Dictionary(), b"q\n" * (1 + missing)))
        drawn = b"\n" + b"Q\n" * (1 + left_open) + drawn
        before = [opening, *before]
    content = [*before, update.add(stream_object(Dictionary(), drawn))]
    update.edit_page(
        page,
        Contents=content,
        Resources=Dictionary({**resources, "XObject": images}),
    )


def _present(update: Update, page: PDFPage) -> list[Value]:
    """Return the content streams that the page has."""
    value = page.dictionary.get("Contents")
    resolved = update.base.table.resolve(value)
    if isinstance(resolved, Stream):
        return [value]
    if resolved is None:
        return []
    if isinstance(resolved, list):
        return list(resolved)
    raise MalformedDocument("a page without readable content", reason="page-content")


def _free_name(images: Dictionary) -> str:
    names = (IMAGE_NAME, *(f"{IMAGE_NAME}{number}" for number in range(len(images) + 1)))
    return next(name for name in names if name not in images)


def _spell(page: PDFPage, placement: PDFPlacement, name: str) -> bytes:
    """Return the operators: clip to what is to be seen, then the picture, upright as seen."""
    whole = (placement.x_mm, placement.y_mm, placement.width_mm, placement.height_mm)
    left, bottom, right, top = to_page_units(page, whole)
    across, up = right - left, top - bottom
    matrix = {
        0: (across, 0.0, 0.0, up, left, bottom),
        90: (0.0, up, -across, 0.0, right, bottom),
        180: (-across, 0.0, 0.0, -up, right, top),
        270: (0.0, -up, across, 0.0, left, top),
    }[page.rotation]
    x, y, end_x, end_y = to_page_units(page, placement.seen_mm)
    clip = _numbers((x, y, end_x - x, end_y - y))
    return b"/Artifact BMC q %b re W n %b cm /%b Do Q EMC\n" % (
        clip,
        _numbers(matrix),
        name.encode(),
    )


def _numbers(values: Sequence[float]) -> bytes:
    return b" ".join(spell(round(value, 4)) for value in values)
