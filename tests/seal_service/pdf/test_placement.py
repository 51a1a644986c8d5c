"""Places from any edge and strips across pages; drawn where a reader would look for them."""

import pypdfium2
import pytest

from seal_service.errors import InvalidPlacement
from seal_service.formats.pdf.integrity import check_integrity
from seal_service.formats.pdf.placement import (
    StraddleOptions,
    place_from_edges,
    straddle_placements,
)
from seal_service.formats.pdf.reading import read_pdf
from tests.support.pdf import PDFSpec, make_pdf, seal

A4 = (210.0, 297.0)
SEAL = StraddleOptions(width_mm=42, height_mm=42)


@pytest.mark.parametrize(
    ("horizontal", "vertical", "place"),
    [
        (("left", 10), ("top", 20), (10, 20)),
        (("right", 10), ("top", 20), (158, 20)),
        (("left", 10), ("bottom", 20), (10, 235)),
        (("right", 0), ("bottom", 0), (168, 255)),
    ],
)
def test_places_count_from_any_edge(
    horizontal: tuple[str, float], vertical: tuple[str, float], place: tuple[float, float]
) -> None:
    found = place_from_edges(A4, 3, size_mm=(42, 42), horizontal=horizontal, vertical=vertical)
    assert (found.page_number, found.x_mm, found.y_mm) == (3, *place)


def test_other_edges_are_refused() -> None:
    for horizontal, vertical in ((("top", 1), ("top", 1)), (("left", 1), ("left", 1))):
        with pytest.raises(InvalidPlacement):
            place_from_edges(A4, 1, size_mm=(9, 9), horizontal=horizontal, vertical=vertical)


@pytest.mark.parametrize("edge", ["right", "left"])
def test_strips_side_by_side_are_the_whole_seal(edge: str) -> None:
    options = StraddleOptions(width_mm=42, height_mm=42, edge=edge, top_mm=30)
    strips = straddle_placements([A4] * 3, options)
    clips = [strip.clip for strip in strips if strip.clip is not None]
    if edge == "left":
        clips.reverse()
    assert [clip[0] for clip in clips] == pytest.approx([0, 14, 28])
    assert [clip[2] for clip in clips] == pytest.approx([14, 14, 14])
    for strip in strips:
        x, y, width, _ = strip.seen_mm
        assert y == 30
        assert (x + width if edge == "right" else A4[0] + x) == pytest.approx(A4[0])


def test_long_documents_get_several_seals() -> None:
    assert len(straddle_placements([A4] * 41, SEAL)) == 41
    widths = [strip.clip[2] for strip in straddle_placements([A4] * 41, SEAL) if strip.clip]
    assert widths[0] == pytest.approx(3.0)
    assert widths[-1] == pytest.approx(42 / 13)


@pytest.mark.parametrize(
    ("pages", "options", "reason"),
    [
        (1, SEAL, "too-few-pages"),
        (3, StraddleOptions(width_mm=42, height_mm=42, edge="top"), "edge"),
        (3, StraddleOptions(width_mm=42, height_mm=42, pages_per_seal=1), "edge"),
        (3, StraddleOptions(width_mm=2, height_mm=42), "strip-width"),
    ],
)
def test_straddles_without_sense_are_refused(
    pages: int, options: StraddleOptions, reason: str
) -> None:
    with pytest.raises(InvalidPlacement) as refusal:
        straddle_placements([A4] * pages, options)
    assert refusal.value.params["reason"] == reason


def test_a_straddle_seal_is_drawn_on_every_page_and_covered_by_one_signature() -> None:
    base = make_pdf(PDFSpec(pages=3))
    first, *others = straddle_placements(read_pdf(base).page_sizes_mm, SEAL)
    sealed = seal(base, placement=first, further_stamps=tuple(others))
    assert check_integrity(sealed).covers_file
    for page in range(3):
        images = []
        for pdf in (base, sealed):
            with pypdfium2.PdfDocument(pdf) as document:
                document.init_forms()
                images.append(document[page].render(scale=1).to_pil().convert("RGB"))
        changed = [
            x
            for x in range(images[0].width)
            if images[0].getpixel((x, 421)) != images[1].getpixel((x, 421))
        ]
        assert min(changed) == pytest.approx(595 - 14 * 72 / 25.4, abs=1.5)
        assert max(changed) == 594
