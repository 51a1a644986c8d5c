"""AbbreviatedData becomes lines and cubic curves; what goes wrong ends the path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.page_pictures.drawing import Outline, bounds_of
from verifier.page_pictures.paths import parse_path


def _letters(outline: Outline) -> str:
    return "".join(letter for letter, _ in outline.segments)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("M 0 0 L 10 0 L 10 10 C", "MLLZ"),
        ("S 0 0 L 10 0", "ML"),
        ("M 0 0 Q 1 1 2 0", "MC"),
        ("M 0 0 B 1 1 2 1 3 0", "MC"),
        ("M 0 0 L 1 1 2 2 3 3", "MLLL"),
        ("m 0 0 l 10 0 c", "MLZ"),
        ("M0 0L10-5C", "MLZ"),
        ("M 0 0 L 1 0 C L 2 2", "MLZML"),
    ],
)
def test_operators_are_read_as_real_files_write_them(text: str, letters: str) -> None:
    assert _letters(parse_path(text)) == letters


@pytest.mark.parametrize(
    "text", ["", "L 1 1", "X 1 1", "M 0", "M 1e9 0", "M 0 0 L 1", "1 2 3", "M nan inf"]
)
def test_a_path_that_goes_wrong_ends_there(text: str) -> None:
    assert _letters(parse_path(text)) in ("", "M")


def test_an_arc_is_a_part_of_its_circle() -> None:
    half = parse_path("M 0 0 A 5 5 0 0 1 10 0")
    assert _letters(half) == "MCC"
    assert half.segments[-1][1][-2:] == (10.0, 0.0)
    around = bounds_of(half)
    assert around is not None
    assert around[1] == pytest.approx(-5)
    assert around[3] == pytest.approx(5)


def test_an_arc_without_radius_is_a_line() -> None:
    for radii in ("0 5", "5 0", "1e-300 5", "1e-300 1e-300"):
        assert _letters(parse_path(f"M 0 0 A {radii} 0 0 1 10 0")) == "ML"


def test_an_arc_that_is_too_small_grows() -> None:
    around = bounds_of(parse_path("M 0 0 A 1 1 0 1 0 10 0"))
    assert around is not None
    assert around[3] == pytest.approx(5)


@given(st.text(alphabet="SMLQBACmz0123456789.-+e \n", max_size=80))
def test_any_text_is_read_without_an_error(text: str) -> None:
    outline = parse_path(text)
    assert all(letter in "MLCZ" for letter, _ in outline.segments)
