"""Where two pages differ: few boxes, around what changed, on both pictures."""

import io

import pytest
from PIL import Image, ImageDraw

from verifier.page_pictures.differences import (
    COLOUR,
    MAX_BOXES,
    alone,
    changed_boxes,
    compare_rasters,
)
from verifier.page_pictures.raster import Raster


def _sheet(*spots: tuple[int, int, int, int], size: tuple[int, int] = (800, 600)) -> Image.Image:
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for left, top, right, bottom in spots:
        draw.rectangle((left, top, right - 1, bottom - 1), fill="black")
    return picture


def _raster(picture: Image.Image) -> Raster:
    return Raster(picture, picture.width / 4, picture.height / 4)


def test_equal_pages_have_no_boxes() -> None:
    sheet = _sheet((10, 10, 50, 50))
    assert changed_boxes(sheet, sheet.copy()) == ()
    assert compare_rasters(_raster(sheet), _raster(sheet.copy())) is None


def test_a_box_lies_close_around_a_change() -> None:
    assert changed_boxes(_sheet(), _sheet((101, 203, 121, 215))) == ((101, 203, 121, 215),)


def test_a_single_pixel_is_found() -> None:
    assert changed_boxes(_sheet(), _sheet((799, 599, 800, 600))) == ((799, 599, 800, 600),)


def test_characters_of_one_word_are_one_box_and_far_changes_are_two() -> None:
    word = [(100 + 14 * place, 50, 110 + 14 * place, 60) for place in range(4)]
    assert changed_boxes(_sheet(), _sheet(*word)) == ((100, 50, 152, 60),)
    assert len(changed_boxes(_sheet(), _sheet((0, 0, 9, 9), (400, 400, 409, 409)))) == 2


def test_too_many_boxes_become_one() -> None:
    spots = [(60 * x, 60 * y, 60 * x + 5, 60 * y + 5) for x in range(10) for y in range(5)]
    assert len(spots) > MAX_BOXES
    assert changed_boxes(_sheet(), _sheet(*spots)) == ((0, 0, 545, 245),)


def test_faint_noise_is_not_a_change() -> None:
    noisy = Image.new("RGB", (800, 600), (250, 250, 250))
    assert changed_boxes(_sheet(), noisy) == ()


def test_pages_of_two_sizes_are_laid_on_one_sheet() -> None:
    pair = compare_rasters(_raster(_sheet()), _raster(_sheet((850, 10, 870, 30), size=(900, 600))))
    assert pair is not None
    assert pair.boxes_mm == ((212.5, 2.5, 5.0, 5.0),)


def test_both_pictures_show_the_boxes() -> None:
    pair = compare_rasters(_raster(_sheet()), _raster(_sheet((300, 300, 340, 320))))
    assert pair is not None
    for png in (pair.ours, pair.theirs):
        shown = Image.open(io.BytesIO(png)).convert("RGB")
        found = shown.getpixel((293, 310))
        assert isinstance(found, tuple)
        assert found == pytest.approx(COLOUR, abs=12)


def test_a_page_without_counterpart_is_boxed_as_a_whole() -> None:
    shown = Image.open(io.BytesIO(alone(_raster(_sheet())))).convert("RGB")
    assert shown.getpixel((2, 2)) == pytest.approx(COLOUR, abs=12)
