from dataclasses import replace

import pytest

from seal_service.errors import InvalidPlacement
from seal_service.formats.ofd.container import read_container
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.model import OFDPage
from seal_service.formats.ofd.placement import (
    StraddleOptions,
    place_from_edges,
    place_on_text,
    straddle_placements,
)
from seal_service.formats.ofd.sealing import check_integrity
from seal_service.formats.ofd.signatures import read_signatures
from seal_service.formats.ofd.text import find_text
from tests.support.ofd import make_ofd, seal_ofd

A4 = OFDPage(page_id="1", path="p", x_mm=0, y_mm=0, width_mm=210, height_mm=297)
ROUND = StraddleOptions(width_mm=40, height_mm=40)


def test_a_straddle_seal_over_five_pages_is_cut_as_in_real_files() -> None:
    placements = straddle_placements([A4] * 5, ROUND)
    assert [p.page_number for p in placements] == [1, 2, 3, 4, 5]
    assert [p.x_mm for p in placements] == [202, 194, 186, 178, 170]
    assert [p.y_mm for p in placements] == [128.5] * 5
    assert [p.clip for p in placements] == [(8 * n, 0, 8, 40) for n in range(5)]


def test_a_straddle_seal_on_the_left_shows_the_strips_at_the_left_edge() -> None:
    placements = straddle_placements([A4] * 4, replace(ROUND, edge="left", top_mm=10))
    for placement in placements:
        assert placement.clip is not None
        assert placement.x_mm + placement.clip[0] == 0
        assert placement.y_mm == 10
    assert sorted(p.clip[0] for p in placements if p.clip) == [0, 10, 20, 30]


@pytest.mark.parametrize(
    ("pages", "most", "groups"),
    [(20, 20, [20]), (21, 20, [11, 10]), (5, 2, [3, 2]), (3, 2, [3]), (4, 2, [2, 2])],
)
def test_long_documents_get_several_seals_of_two_pages_or_more(
    pages: int, most: int, groups: list[int]
) -> None:
    placements = straddle_placements([A4] * pages, replace(ROUND, pages_per_seal=most))
    assert [p.page_number for p in placements] == list(range(1, pages + 1))
    widths = [p.clip[2] for p in placements if p.clip]
    assert widths == [40 / count for count in groups for _ in range(count)]


@pytest.mark.parametrize(
    ("pages", "options", "reason"),
    [
        (1, ROUND, "too-few-pages"),
        (20, replace(ROUND, least_strip_mm=2.1), "strip-width"),
        (5, replace(ROUND, edge="top"), "edge"),
        (5, replace(ROUND, pages_per_seal=1), "edge"),
    ],
)
def test_impossible_straddles_are_refused(
    pages: int, options: StraddleOptions, reason: str
) -> None:
    with pytest.raises(InvalidPlacement) as caught:
        straddle_placements([A4] * pages, options)
    assert caught.value.params["reason"] == reason


def test_a_straddle_seal_can_be_put_on_a_document() -> None:
    package = make_ofd(pages=5)
    pages = read_document(read_container(package)).pages
    sealed = seal_ofd(package, placements=straddle_placements(pages, ROUND))
    check_integrity(sealed)
    container = read_container(sealed)
    (signature,) = read_signatures(container, read_document(container))
    assert [(s.page_number, s.problems) for s in signature.stamps] == [(n, ()) for n in range(1, 6)]


def test_a_seal_is_placed_from_any_edge() -> None:
    near = place_from_edges(A4, 3, size_mm=(42, 40), horizontal=("left", 10), vertical=("top", 20))
    assert (near.page_number, near.x_mm, near.y_mm) == (3, 10, 20)
    far = place_from_edges(
        A4, 3, size_mm=(42, 40), horizontal=("right", 10), vertical=("bottom", 20)
    )
    assert (far.x_mm, far.y_mm, far.width_mm, far.height_mm) == (158, 237, 42, 40)
    with pytest.raises(InvalidPlacement):
        place_from_edges(A4, 1, size_mm=(42, 42), horizontal=("top", 1), vertical=("top", 1))


def test_a_seal_is_centred_on_a_text() -> None:
    container = read_container(make_ofd())
    (spot,) = find_text(container, read_document(container), "有限公司")
    placement = place_on_text(spot, width_mm=42, height_mm=42, offset_mm=(1, 2))
    assert (placement.x_mm, round(placement.y_mm, 3)) == (45 + 10 - 21 + 1, 54.6 + 2.5 - 21 + 2)
