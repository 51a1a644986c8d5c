"""Limits of one page, at the limit and one beyond (threat list 9, T-OFD-71)."""

from collections.abc import Callable

import pytest

from seal_service.errors import LimitExceeded, MalformedDocument
from verifier.page_pictures.drawing import (
    IDENTITY,
    MAX_DRAWN_OPERATORS,
    MAX_DRAWN_PIXELS,
    MAX_MARKS,
    Budget,
    bounds_of,
    joined,
    moved,
    rectangle,
    scaled,
)

COUNTS: dict[str, tuple[int, Callable[[Budget, int], None]]] = {
    "path_operators": (500_000, Budget.take_path),
    "drawn_operators": (MAX_DRAWN_OPERATORS, Budget.take_operators),
    "picture_pixels": (MAX_DRAWN_PIXELS, Budget.take_pixels),
    "text_characters": (1_000_000, Budget.take_characters),
}


@pytest.mark.parametrize("limit", COUNTS)
def test_a_count_may_reach_its_limit_and_not_pass_it(limit: str) -> None:
    most, take = COUNTS[limit]
    take(Budget(), most - 1)
    budget = Budget()
    take(budget, most)
    with pytest.raises(LimitExceeded) as refused:
        take(budget, 1)
    assert refused.value.params["limit"] == limit


def test_marks_are_counted() -> None:
    budget = Budget(marks=1)
    budget.take_mark()
    with pytest.raises(LimitExceeded):
        budget.take_mark()
    assert MAX_MARKS == 200_000


def test_matrices_are_joined_inner_first() -> None:
    assert joined(moved(1, 2), scaled(3, 4)) == (3, 0, 0, 4, 1, 2)
    assert joined(scaled(3, 4), moved(1, 2)) == (3, 0, 0, 4, 3, 8)
    assert joined(IDENTITY, IDENTITY) == IDENTITY


@pytest.mark.parametrize("number", [1e7, -1e7, float("inf"), float("nan")])
def test_places_on_no_page_are_refused(number: float) -> None:
    with pytest.raises(MalformedDocument):
        joined(moved(number, 0), IDENTITY)


def test_bounds_lie_around_an_outline() -> None:
    assert bounds_of(rectangle((1, 2, 3, 4))) == (1, 2, 3, 4)
