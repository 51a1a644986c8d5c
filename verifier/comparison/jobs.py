"""What bounded processes do for pictures and comparisons (pure): bytes in, values out.

Called through ``seal_service.plumbing.bounded`` only. One call draws one page of a file, or of two,
so that the limits of a call bound every page (T-OFD-71).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seal_service.errors import MalformedDocument
from seal_service.formats.ofd.text import text_of_pages
from seal_service.formats.pdf.reading import read_pdf
from verifier.comparing import (
    DATA_ATTACHMENT,
    Contents,
    PageDifference,
    Place,
    WordDifferences,
    compare_contents,
    read_licence_data,
)
from verifier.page_pictures.differences import alone, compare_rasters
from verifier.page_pictures.images import encode
from verifier.page_pictures.ofd_pages import OFDPages, draw_page, open_pages
from verifier.page_pictures.outlines import OwnFonts
from verifier.page_pictures.raster import (
    DPI,
    Raster,
    lines_of_pdf,
    page_count,
    raster_of,
    rasters_of_pdf,
)
from verifier.page_pictures.svg import MEDIA_TYPE, svg_of

PNG = "image/png"
ZIP_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePicture:
    """One page as a picture that is inert: SVG without script or reference, or PNG."""

    number: int
    pages: int
    media_type: str
    data: bytes
    width_mm: float
    height_mm: float
    remarks: tuple[str, ...] = ()
    """What the picture lacks or replaced."""


def is_ofd(data: bytes) -> bool:
    """Tell the two kinds apart as the judge does."""
    return data.startswith(ZIP_MAGIC)


def picture_page(data: bytes, number: int, fonts: Path | None) -> PagePicture:
    """Draw one page, from 1: an OFD as SVG, a PDF as PNG."""
    if not is_ofd(data):
        pages = page_count(data)
        _check_number(number, pages)
        raster = rasters_of_pdf(data, (number,))[0]
        bitmap = encode(raster.picture)
        return _picture(number, pages, PNG, bitmap.png, raster)
    opened = open_pages(data, OwnFonts(fonts))
    _check_number(number, opened.count)
    drawing = draw_page(opened, number)
    return PagePicture(
        number=number,
        pages=opened.count,
        media_type=MEDIA_TYPE,
        data=svg_of(drawing),
        width_mm=drawing.width_mm,
        height_mm=drawing.height_mm,
        remarks=tuple(sorted(drawing.remarks)),
    )


def _picture(number: int, pages: int, media_type: str, data: bytes, raster: Raster) -> PagePicture:
    return PagePicture(
        number=number,
        pages=pages,
        media_type=media_type,
        data=data,
        width_mm=raster.width_mm,
        height_mm=raster.height_mm,
    )


def _check_number(number: int, pages: int) -> None:
    if not 1 <= number <= pages:
        raise MalformedDocument("no such page", reason="page-content", subject=str(number))


# --- comparing -----------------------------------------------------------------------------------


def compare_words(ours: bytes, theirs: bytes, labels: Mapping[str, str]) -> WordDifferences:
    """Compare two files of one kind in words."""
    return compare_contents(contents_of(ours), contents_of(theirs), labels)


def contents_of(data: bytes) -> Contents:
    """Read what a file says in words."""
    if is_ofd(data):
        return _ofd_contents(open_pages(data, OwnFonts()))
    return Contents(
        fields={(Place.INDEX, name): value for name, value in read_pdf(data).claims.items()},
        pages=lines_of_pdf(data),
    )


def _ofd_contents(opened: OFDPages) -> Contents:
    document = opened.document
    fields = {(Place.INDEX, name): value for name, value in document.custom_datas}
    for attachment in document.body.attachments:
        if attachment.present and attachment.name == DATA_ATTACHMENT:
            fields.update(read_licence_data(opened.container.entries[attachment.path]))
    return Contents(fields=fields, pages=text_of_pages(opened.container, document))


def compare_page(
    ours: bytes, theirs: bytes, number: int, fonts: Path | None
) -> PageDifference | None:
    """Compare one page of two files of one kind; None where nothing visible differs."""
    here, there = (_raster(data, number, fonts) for data in (ours, theirs))
    if here is None or there is None:
        only = here or there
        note = "page-added" if here is None else "page-removed"
        picture = None if only is None else alone(only)
        return PageDifference(
            number=number,
            ours=picture if here is not None else None,
            theirs=picture if there is not None else None,
            note=note,
        )
    pair = compare_rasters(here, there)
    if pair is None:
        return None
    return PageDifference(number=number, boxes_mm=pair.boxes_mm, ours=pair.ours, theirs=pair.theirs)


def _raster(data: bytes, number: int, fonts: Path | None) -> Raster | None:
    if not is_ofd(data):
        if number > page_count(data):
            return None
        return rasters_of_pdf(data, (number,), DPI)[0]
    opened = open_pages(data, OwnFonts(fonts))
    return raster_of(draw_page(opened, number)) if number <= opened.count else None


# --- the sealed revision of a PDF ----------------------------------------------------------------


def sealed_length(data: bytes) -> int | None:
    """Return where the revision ends after which something was changed that no seal allows.

    None where no signature has such a change behind it. Of several signatures the first one with a
    change counts: everything since then is shown.
    """
    document = read_pdf(data)
    for signature in document.signatures:
        if signature.revision is not None and document.forbidden_changes(signature):
            end = document.revisions[signature.revision - 1].end
            return end if end < len(data) else None
    return None


def seal_values(data: bytes) -> frozenset[bytes]:
    """Return the signature values a file carries, whatever they are worth."""
    if is_ofd(data):
        values = (signature.signed_value for signature in open_pages(data, OwnFonts()).signatures)
    else:
        values = (signature.contents for signature in read_pdf(data).signatures)
    return frozenset(value for value in values if value)


def share_a_seal(ours: bytes, theirs: bytes) -> bool:
    """Return whether one signature value stands in both files."""
    return bool(seal_values(ours) & seal_values(theirs))


def claims_of(data: bytes) -> dict[str, str]:
    """Return the named values a file carries; claims, not facts."""
    if is_ofd(data):
        return dict(open_pages(data, OwnFonts()).document.custom_datas)
    return dict(read_pdf(data).claims)
