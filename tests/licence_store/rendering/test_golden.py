"""The layout of the sample faces does not move unnoticed."""

import pytest

from tests.golden.make_golden import FACES, FOLDER, make_page


@pytest.mark.parametrize("name", FACES)
def test_the_page_is_the_golden_one(name: str) -> None:
    golden = (FOLDER / f"{name}.page.xml").read_bytes()
    assert make_page(FACES[name]) == golden, "if this is meant: make golden, and look at the page"
