"""Turn a comparison into what the public page shows (pure): masked words, boxed pictures.

Of a library file only items are shown that the page behind a QR code shows too, masked as there,
and no picture: whoever holds a changed file sees where it was changed, not what somebody else's
licence looks like. A PDF beside its own sealed state is shown on both sides; both came with it.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from verifier.comparing import (
    Comparison,
    FieldDifference,
    LineDifference,
    PageDifference,
    Place,
    Side,
)
from verifier.presenting import mask_holder_code, mask_name, mask_number
from verifier.verdict import LicenceFacts

MAX_INLINE_BYTES = 3 * 1024 * 1024
"""Of all pictures of one page, before they are encoded for the address."""
MAX_ROWS = 40

_Mask = Callable[[str, LicenceFacts], str]


def _plain(text: str, licence: LicenceFacts) -> str:
    del licence
    return text


PUBLIC_ITEMS: Mapping[str, _Mask] = {
    "CertificateIdentifier": _plain,
    "CertificateName": _plain,
    "CertificateNumber": mask_number,
    "CertificateHolderName": lambda text, one: mask_name(text, one.holder_code_type),
    "CertificateHolderCode": lambda text, one: mask_holder_code(text, one.holder_code_type),
    "CertificateIssuingAuthorityName": _plain,
    "CertificateIssuedDate": _plain,
    "CertificateEffectiveDate": _plain,
    "CertificateExpiringDate": _plain,
    "CertificateLongTerm": _plain,
}
"""What a QR page shows of a licence, and how it is masked there."""
_WORDS = {"true": "是", "false": "否"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow:
    """One line of the table; an absent value is empty."""

    label: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """One page with its pictures as addresses; an empty address means no picture."""

    number: int
    ours: str
    theirs: str
    areas: int
    note_zh: str
    note_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonView:
    """Everything the page shows of a comparison."""

    is_library: bool
    ours_zh: str
    ours_en: str
    theirs_zh: str
    theirs_en: str
    rows: tuple[DifferenceRow, ...]
    pages: tuple[PageRow, ...]
    is_complete: bool
    is_nothing_seen: bool
    """Whether nothing that is shown here differs, although the file does."""


_NOTES = {
    "page-added": ("原件没有这一页", "The original has no such page"),
    "page-removed": ("收到的文件缺少这一页", "This page is missing from the file received"),
    "no-picture": ("本页无法显示图像", "No picture of this page can be made"),
    "": ("", ""),
}


def present_comparison(
    comparison: Comparison | None, licence: LicenceFacts | None
) -> ComparisonView | None:
    """Return what the public page may show; None where that is nothing."""
    if comparison is None:
        return None
    is_library = comparison.side is Side.LIBRARY
    if is_library and licence is None:
        return None
    rows = tuple(_rows(comparison, licence))[:MAX_ROWS]
    pages = tuple(_pages(comparison.pages, is_library=is_library))
    return ComparisonView(
        is_library=is_library,
        ours_zh="证照库留存" if is_library else "签章时",
        ours_en="In the register" if is_library else "When sealed",
        theirs_zh="收到的文件" if is_library else "现在",
        theirs_en="In the file received" if is_library else "Now",
        rows=rows,
        pages=pages,
        is_complete=comparison.is_complete,
        is_nothing_seen=not rows and not pages,
    )


def _rows(comparison: Comparison, licence: LicenceFacts | None) -> Iterator[DifferenceRow]:
    if comparison.words is None:
        return
    if comparison.side is Side.SEALED_REVISION:
        yield from (_own_row(line) for line in comparison.words.lines)
        return
    if licence is None:
        return
    seen: set[tuple[str, str | None, str | None]] = set()
    for field in comparison.words.fields:
        key = (field.item, field.ours, field.theirs)
        if field.place is not Place.FACE and field.item in PUBLIC_ITEMS and key not in seen:
            seen.add(key)
            yield _masked_row(field, licence)


def _own_row(line: LineDifference) -> DifferenceRow:
    return DifferenceRow(label=f"第 {line.page} 页", ours=line.ours or "", theirs=line.theirs or "")


def _masked_row(field: FieldDifference, licence: LicenceFacts) -> DifferenceRow:
    ours = "" if field.ours is None else PUBLIC_ITEMS[field.item](field.ours, licence)
    theirs = field.theirs or ""
    return DifferenceRow(
        label=field.label, ours=_WORDS.get(ours, ours), theirs=_WORDS.get(theirs, theirs)
    )


def _pages(pages: tuple[PageDifference, ...], *, is_library: bool) -> Iterator[PageRow]:
    left = MAX_INLINE_BYTES
    for page in pages:
        ours = None if is_library else page.ours
        size = len(ours or b"") + len(page.theirs or b"")
        is_shown = size <= left
        left -= size if is_shown else 0
        zh, en = _NOTES.get(page.note, ("", ""))
        if not is_shown:
            zh, en = _NOTES["no-picture"]
        yield PageRow(
            number=page.number,
            ours=_address(ours) if is_shown else "",
            theirs=_address(page.theirs) if is_shown else "",
            areas=len(page.boxes_mm),
            note_zh=zh,
            note_en=en,
        )


def _address(png: bytes | None) -> str:
    return "" if not png else "data:image/png;base64," + base64.b64encode(png).decode("ascii")
