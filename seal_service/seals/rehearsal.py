"""Everything sealing will do with hostile bytes, done once for nothing (threat list 9).

To be run in a bounded process before the document is sealed: whatever takes too long or too much
memory ends there, and the process that holds the keys reads only what was read before. No seal, no
key and no caller is needed for it.
"""

from seal_service.errors import UnsupportedFormat
from seal_service.formats.pdf.content import page_content, saved_states
from seal_service.seals.ofd_form import OFDSheets
from seal_service.seals.pdf_form import PDFSheets
from seal_service.seals.placing import AtPoint, DocumentLayout, OnText, Sheets, Straddling

PDF_START, ZIP_START = b"%PDF-", b"PK"
PRELOAD = ("seal_service.seals.rehearsal",)
"""What a process imports before its first call."""


def rehearse(document: bytes, layout: DocumentLayout) -> None:
    """Open a document, check what it holds, search it; raises what sealing would raise."""
    sheets: Sheets
    if document.startswith(PDF_START):
        sheets = PDFSheets.of(document)
        if _shows_again(layout):
            _read_pages(sheets)
    elif document.startswith(ZIP_START):
        sheets = OFDSheets.of(document)
    else:
        raise UnsupportedFormat
    for wish in layout.wishes:
        if isinstance(wish, OnText):
            sheets.find_text(wish.keyword)


def _shows_again(layout: DocumentLayout) -> bool:
    """Tell whether the seal may come to more places than its own, so that pages are drawn on."""
    if len(layout.wishes) != 1:
        return True
    wish = layout.wishes[0]
    if isinstance(wish, AtPoint):
        return not (wish.pages.isdigit() or wish.pages == "last")
    if isinstance(wish, OnText):
        return wish.hit is None
    return isinstance(wish, Straddling)


def _read_pages(sheets: PDFSheets) -> None:
    for page in sheets.base.pages:
        saved_states(page_content(sheets.base.table, page))
