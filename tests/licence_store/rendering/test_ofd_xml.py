"""OFD text forms: numbers, packed distances, escaping."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licence_store.rendering.ofd_xml import delta_x, number
from tests.licence_store.rendering.ofd_picture import expand


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0001, "0"), (1.5, "1.5"), (1e-7, "0"), (123456.0, "123456"), (-2.25, "-2.25")],
)
def test_numbers_have_no_exponent_no_trailing_zero_and_no_negative_zero(
    value: float, text: str
) -> None:
    assert number(value) == text


def test_equal_distances_are_packed() -> None:
    assert delta_x([4.0] * 5 + [2.5]) == "g 5 4 2.5"
    assert delta_x([4.0, 4.0]) == "4 4"
    assert delta_x([]) == ""


@given(st.lists(st.floats(min_value=0, max_value=50), max_size=60))
def test_packed_distances_are_true_to_a_tenth_of_a_micrometre(advances: list[float]) -> None:
    for read, true in zip(expand(delta_x(advances)), advances, strict=True):
        assert read == pytest.approx(true, abs=0.51e-4)
