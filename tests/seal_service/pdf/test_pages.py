"""Pages, and millimetres on what is seen of them."""

import pytest

from seal_service.errors import InvalidPlacement, LimitExceeded, MalformedDocument
from seal_service.formats.limits import Limits
from seal_service.formats.pdf.objects import Source
from seal_service.formats.pdf.pages import (
    Box,
    PDFPage,
    PDFPlacement,
    find_page,
    read_pages,
    to_page_units,
    to_seen_mm,
)
from seal_service.formats.pdf.xref import read_sections, table_of
from tests.support.pdf import FIRST_PAGE, PAGES, PDFSpec, make_pdf

A4 = (209.903, 297.039)


def pages_of(spec: PDFSpec, limits: Limits | None = None) -> tuple[PDFPage, ...]:
    source = Source(make_pdf(spec), limits or Limits())
    return read_pages(table_of(source, read_sections(source)))


def place(**changes: float) -> PDFPlacement:
    values: dict[str, float] = {"x_mm": 10, "y_mm": 20, "width_mm": 40, "height_mm": 30, **changes}
    return PDFPlacement(
        page_number=int(values.pop("page_number", 1)),
        x_mm=values["x_mm"],
        y_mm=values["y_mm"],
        width_mm=values["width_mm"],
        height_mm=values["height_mm"],
    )


@pytest.mark.parametrize(
    ("entries", "size"),
    [
        ("", A4),
        ("/Rotate 90", A4[::-1]),
        ("/Rotate -90", A4[::-1]),
        ("/Rotate 540", A4),
        ("/UserUnit 2", (2 * A4[0], 2 * A4[1])),
        ("/CropBox[0 0 283.465 283.465]", (100, 100)),
        ("/CropBox[-50 -50 900 900]", A4),
        ("/CropBox[700 700 900 900]", A4),
        ("/CropBox[0 0 0 0]", A4),
        ("/CropBox[0 0 1]", A4),
    ],
)
def test_the_size_is_that_of_what_is_seen(entries: str, size: tuple[float, float]) -> None:
    page = pages_of(PDFSpec(page_entries=entries))[0]
    assert page.size_mm == pytest.approx(size, abs=0.01)


@pytest.mark.parametrize(
    ("rotation", "left", "bottom"),
    [
        (0, 28.346, 842 - 56.693 - 85.04),
        (90, 56.693, 28.346),
        (180, 595 - 28.346 - 113.386, 56.693),
        (270, 595 - 56.693 - 85.04, 842 - 28.346 - 113.386),
    ],
)
def test_places_count_from_the_top_left_as_seen(rotation: int, left: float, bottom: float) -> None:
    page = pages_of(PDFSpec(page_entries=f"/Rotate {rotation}"))[0]
    box = to_page_units(page, (10, 20, 40, 30))
    assert box[:2] == pytest.approx((left, bottom), abs=0.01)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_seen_and_page_units_convert_both_ways(rotation: int) -> None:
    spec = PDFSpec(
        media_box="-20 30 575 872", page_entries=f"/Rotate {rotation}/CropBox[0 50 500 800]"
    )
    page = pages_of(spec)[0]
    seen: Box = (10, 20, 40, 30)
    assert to_seen_mm(page, to_page_units(page, seen)) == pytest.approx(seen)


def test_a_place_must_be_on_its_page() -> None:
    pages = pages_of(PDFSpec(pages=2))
    assert find_page(pages, place(page_number=2)) is pages[1]
    assert find_page(pages, place(x_mm=0, y_mm=0, width_mm=A4[0], height_mm=A4[1])) is pages[0]
    for wrong, reason in (
        (place(page_number=3), "page-unknown"),
        (place(page_number=0), "page-unknown"),
        (place(x_mm=-1), "off-page"),
        (place(y_mm=-1), "off-page"),
        (place(x_mm=180), "off-page"),
        (place(y_mm=280), "off-page"),
        (place(width_mm=0), "no-size"),
        (place(height_mm=-4), "no-size"),
        (place(width_mm=float("nan")), "no-size"),
        (place(x_mm=float("nan")), "off-page"),
        (place(x_mm=float("inf")), "off-page"),
    ):
        with pytest.raises(InvalidPlacement) as refusal:
            find_page(pages, wrong)
        assert refusal.value.params["reason"] == reason


def test_only_the_clipped_part_must_be_on_the_page() -> None:
    pages = pages_of(PDFSpec())
    strip = PDFPlacement(
        page_number=1, x_mm=-32, y_mm=20, width_mm=42, height_mm=42, clip=(32, 0, 10, 42)
    )
    assert find_page(pages, strip) is pages[0]


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({PAGES: b"<</Type/Pages/Kids[2 0 R]>>"}, "page-tree"),
        ({PAGES: b"<</Type/Pages/Kids[5 0 R 5 0 R]>>"}, "page-tree"),
        ({PAGES: b"<</Type/Pages/Kids[]>>"}, "page-tree"),
        ({PAGES: b"<</Type/Pages/Kids[<</Type/Page>>]>>"}, "page-tree"),
        ({PAGES: b"<</Type/Pages/Kids[9 0 R]>>"}, "page-tree"),
        ({FIRST_PAGE: b"<</Type/Other>>"}, "page-tree"),
        ({FIRST_PAGE: b"<</Type/Page>>"}, "page-box"),
        ({FIRST_PAGE: b"<</Type/Page/MediaBox[0 0 9 9]/Rotate 45>>"}, "page-rotation"),
        ({FIRST_PAGE: b"<</Type/Page/MediaBox[0 0 9 9]/UserUnit -1>>"}, "page-unit"),
        ({1: b"<</Type/Catalog>>"}, "page-tree"),
    ],
)
def test_what_is_no_tree_of_pages_is_refused(extra: dict[int, bytes], reason: str) -> None:
    """T-PDF-16."""
    with pytest.raises(MalformedDocument) as refusal:
        pages_of(PDFSpec(extra_objects=extra))
    assert refusal.value.params["reason"] == reason


def test_what_parents_say_holds_for_their_pages() -> None:
    tree = b"<</Type/Pages/Kids[5 0 R]/Rotate 90/MediaBox[0 0 200 100]>>"
    page = pages_of(PDFSpec(extra_objects={PAGES: tree, FIRST_PAGE: b"<</Type/Page>>"}))[0]
    assert page.rotation == 90
    assert page.visible == (0, 0, 200, 100)


def test_a_deep_tree_of_pages_is_refused() -> None:
    """T-PDF-16."""
    chain = {number: b"<</Kids[%d 0 R]>>" % (number + 1) for number in range(20, 90)}
    with pytest.raises(MalformedDocument):
        pages_of(PDFSpec(extra_objects={PAGES: b"<</Kids[20 0 R]>>", **chain}))


def test_pages_are_limited() -> None:
    """T-PDF-16."""
    assert len(pages_of(PDFSpec(pages=5), Limits(pdf_pages=5))) == 5
    with pytest.raises(LimitExceeded):
        pages_of(PDFSpec(pages=5), Limits(pdf_pages=4))
    nodes = dict.fromkeys(range(20, 120), b"<</Kids[]>>")
    kids = b" ".join(b"%d 0 R" % number for number in nodes)
    with pytest.raises(LimitExceeded):
        pages_of(
            PDFSpec(extra_objects={PAGES: b"<</Kids[%b]>>" % kids, **nodes}), Limits(pdf_pages=4)
        )
