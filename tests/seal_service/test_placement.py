"""Places for seals: from any corner, on a text, cut across the edges of pages."""

from dataclasses import replace

import pytest

from seal_service.errors import InvalidPlacement
from seal_service.formats.placement import (
    Corner,
    Placement,
    StraddleOptions,
    TextPosition,
    choose_pages,
    place_at,
    place_on_text,
    straddle_placements,
)

A4 = (210.0, 297.0)
ROUND = StraddleOptions(width_mm=40, height_mm=40)


def shown(placements: tuple[Placement, ...]) -> list[tuple[float, float]]:
    """Return where the visible part begins on its page, and how wide it is."""
    return [(p.x_mm + p.clip[0], p.clip[2]) for p in placements if p.clip is not None]


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("all", (1, 2, 3, 4, 5)),
        ("last", (5,)),
        ("1,3-5", (1, 3, 4, 5)),
        ("4-last, 1", (1, 4, 5)),
        ("2,2,1-2", (1, 2)),
    ],
)
def test_pages_are_chosen_by_number_range_and_last(text: str, pages: tuple[int, ...]) -> None:
    assert choose_pages(text, 5) == pages


@pytest.mark.parametrize("text", ["", "0", "6", "3-9", "5-3", "-1", "1;2", "first", "1,,2", "٣"])
def test_pages_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InvalidPlacement):
        choose_pages(text, 5)


@pytest.mark.parametrize(
    ("corner", "place"),
    [
        (Corner.TOP_LEFT, (9, 20)),
        (Corner.TOP_RIGHT, (159, 20)),
        (Corner.BOTTOM_LEFT, (9, 237)),
        (Corner.BOTTOM_RIGHT, (159, 237)),
    ],
)
def test_places_count_from_any_corner_to_the_centre(
    corner: Corner, place: tuple[float, float]
) -> None:
    found = place_at(A4, 3, size_mm=(42, 40), centre_mm=(30, 40), corner=corner)
    assert (found.page_number, found.x_mm, found.y_mm) == (3, *place)
    assert (found.width_mm, found.height_mm, found.clip) == (42, 40, None)


def test_a_seal_is_centred_on_a_text_and_stays_on_the_page() -> None:
    spot = TextPosition(page_number=2, x_mm=45, y_mm=54, width_mm=20, height_mm=5)
    found = place_on_text(spot, A4, size_mm=(42, 42), offset_mm=(1, 2))
    assert (found.page_number, found.x_mm, found.y_mm) == (2, 35, 37.5)
    at_the_edge = replace(spot, x_mm=195, y_mm=290)
    found = place_on_text(at_the_edge, A4, size_mm=(42, 42))
    assert (found.x_mm, found.y_mm) == (168, 255)
    found = place_on_text(replace(spot, x_mm=0, y_mm=1), A4, size_mm=(42, 42))
    assert (found.x_mm, found.y_mm) == (0, 0)


def test_a_straddle_seal_over_five_pages_is_cut_as_in_real_files() -> None:
    placements = straddle_placements([A4] * 5, ROUND)
    assert [p.page_number for p in placements] == [1, 2, 3, 4, 5]
    assert [p.x_mm for p in placements] == [202, 194, 186, 178, 170]
    assert [p.y_mm for p in placements] == [128.5] * 5
    assert [p.clip for p in placements] == [(8 * n, 0, 8, 40) for n in range(5)]


def test_a_straddle_seal_on_the_left_shows_the_strips_at_the_left_edge() -> None:
    placements = straddle_placements([A4] * 4, replace(ROUND, edge="left", top_mm=10))
    assert shown(placements) == [(0, 10)] * 4
    assert {p.y_mm for p in placements} == {10}
    assert [p.clip[0] for p in placements if p.clip] == [30, 20, 10, 0]


def test_strips_lie_at_the_edge_of_pages_of_any_size() -> None:
    placements = straddle_placements([A4, (297.0, 210.0)], ROUND)
    assert shown(placements) == [(190, 20), (277, 20)]
    assert [p.y_mm for p in placements] == [128.5, 85]


def test_only_the_pages_named_take_part() -> None:
    placements = straddle_placements([A4] * 9, ROUND, [2, 5, 9])
    assert [p.page_number for p in placements] == [2, 5, 9]


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
    assert widths == pytest.approx([40 / count for count in groups for _ in range(count)])


def test_first_and_last_page_can_have_a_wider_strip_and_the_whole_stays_the_seal() -> None:
    placements = straddle_placements([A4] * 10, replace(ROUND, least_end_mm=8))
    widths = [p.clip[2] for p in placements if p.clip]
    assert widths == [8, *[3] * 8, 8]
    starts = [p.clip[0] for p in placements if p.clip]
    assert starts == [0, *range(8, 32, 3), 32]
    even = straddle_placements([A4] * 4, replace(ROUND, least_end_mm=8))
    assert [p.clip[2] for p in even if p.clip] == [10] * 4


@pytest.mark.parametrize(
    ("pages", "options", "reason"),
    [
        (1, ROUND, "too-few-pages"),
        (20, replace(ROUND, least_strip_mm=2.1), "strip-width"),
        (20, replace(ROUND, least_end_mm=12), "strip-width"),
        (2, replace(ROUND, least_end_mm=21), "strip-width"),
        (3, replace(ROUND, least_strip_mm=float("nan")), "strip-width"),
        (3, replace(ROUND, least_end_mm=float("nan")), "strip-width"),
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
