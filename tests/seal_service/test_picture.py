import io
import math
import re
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from seal_service.errors import GlyphMissing, UnsafePicture
from seal_service.formats.ses_model import SealPicture
from seal_service.seals.design import Emblem
from seal_service.seals.drawing import (
    RED,
    SealOutline,
    outline_png,
    outline_svg,
    sized_picture,
)
from seal_service.seals.glyphs import ClosedPath, SealFont
from seal_service.seals.making import check_png_picture
from seal_service.seals.picture import RoundSeal, seal_outline

FONT = SealFont(path=Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc"), face=2)
NAME = "示例省示例市示例县市场监督管理局"
NUMBER = "1101010000012"

pytestmark = pytest.mark.skipif(not FONT.path.exists(), reason="Noto Serif CJK is not installed")


def draw_round_seal(seal: RoundSeal, font: SealFont) -> str:
    return outline_svg(seal_outline(seal, font))


def seal_png(seal: RoundSeal, font: SealFont) -> bytes:
    return outline_png(seal_outline(seal, font))


def seal_picture(seal: RoundSeal, font: SealFont) -> SealPicture:
    return sized_picture(seal_png(seal, font), seal.diameter_mm, seal.diameter_mm)


def name_contours(outline: SealOutline, *, has_star: bool = True) -> list[ClosedPath]:
    return list(outline.paths[3 if has_star else 2 :])


def polar(path: ClosedPath, radius: float) -> list[tuple[float, float]]:
    """Return distance from the centre and angle clockwise from the top, in degrees."""
    points = [point for segment in path for point in segment.points]
    return [
        (
            math.hypot(x - radius, y - radius),
            math.degrees(math.atan2(x - radius, radius - y)),
        )
        for x, y in points
    ]


def character_spans(count: int) -> list[tuple[float, float]]:
    """Return the angles each character of a name of 国 fills."""
    outline = seal_outline(RoundSeal(name="国" * count), FONT)
    contours = name_contours(outline)
    per_character = len(contours) // count
    spans = []
    for index in range(count):
        own = contours[index * per_character : (index + 1) * per_character]
        angles = [angle for path in own for _, angle in polar(path, 21)]
        spans.append((min(angles), max(angles)))
    return spans


@pytest.mark.parametrize("count", [1, 2, 4, 6, 10, 14, 18, 22, 26, 30, 35, 40])
def test_characters_stand_apart_evenly_and_symmetrically(count: int) -> None:
    spans = character_spans(count)
    gaps = [right[0] - left[1] for left, right in pairwise(spans)]
    assert all(gap > 0.2 for gap in gaps)
    assert max(gaps, default=0) - min(gaps, default=0) < 0.01
    assert spans[0][0] + spans[-1][1] == pytest.approx(0, abs=1.5)
    assert spans[-1][1] - spans[0][0] < 305


@pytest.mark.parametrize("count", [6, 14, 22, 30])
def test_the_name_stays_between_star_and_rim(count: int) -> None:
    outline = seal_outline(RoundSeal(name="国" * count), FONT)
    distances = [d for path in name_contours(outline) for d, _ in polar(path, 21)]
    assert min(distances) > 8
    assert max(distances) < 21 - 1.2 - 0.4


def test_the_name_reads_from_left_to_right_with_its_feet_inward() -> None:
    contours = name_contours(seal_outline(RoundSeal(name="一国国国国上"), FONT))
    assert all(angle < 0 for _, angle in polar(contours[0], 21))
    points = [
        point
        for path in name_contours(seal_outline(RoundSeal(name="上"), FONT))
        for segment in path
        for point in segment.points
    ]
    middle = (min(y for _, y in points) + max(y for _, y in points)) / 2
    assert width([x for x, y in points if y > middle]) > width([x for x, y in points if y < middle])


def width(values: list[float]) -> float:
    return max(values) - min(values)


def test_the_rim_is_1_2_millimetres_and_empty_inside() -> None:
    outer, inner = seal_outline(RoundSeal(name=NAME), FONT).paths[:2]
    assert outer[0].points[0][0] - inner[0].points[0][0] == pytest.approx(1.2)
    assert signed_area(outer) * signed_area(inner) < 0


def signed_area(path: ClosedPath) -> float:
    ends = [segment.points[-1] for segment in path]
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*ends, ends[0]]))


def test_the_star_stands_upright_in_the_centre() -> None:
    star = seal_outline(RoundSeal(name=NAME), FONT).paths[2]
    points = [segment.points[0] for segment in star]
    assert len(points) == 10
    assert points[0] == pytest.approx((21, 14))
    assert sum(x for x, _ in points) / 10 == pytest.approx(21)
    plain = seal_outline(RoundSeal(name=NAME, emblem=Emblem.NONE), FONT)
    assert len(plain.paths[2]) != 10


@pytest.mark.parametrize("diameter", [40.0, 45.0, 58.0])
def test_everything_scales_with_the_diameter(diameter: float) -> None:
    small = seal_outline(RoundSeal(name=NAME), FONT)
    large = seal_outline(RoundSeal(name=NAME, diameter_mm=diameter), FONT)
    for ours, theirs in zip(small.paths, large.paths, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            for (ax, ay), (bx, by) in zip(a.points, b.points, strict=True):
                assert (ax * diameter / 42, ay * diameter / 42) == pytest.approx((bx, by))


def test_purpose_line_and_number_do_not_touch_name_or_star() -> None:
    seal = RoundSeal(name="国" * 30, line_below="电子证照专用章", number=NUMBER)
    extra = seal_outline(seal, FONT).paths[
        len(seal_outline(RoundSeal(name="国" * 30), FONT).paths) :
    ]
    name = [
        p
        for path in name_contours(seal_outline(RoundSeal(name="国" * 30), FONT))
        for p in polar(path, 21)
    ]
    feet = min(d for d, _ in name)
    last = max(abs(angle) for _, angle in name)
    for path in extra:
        for distance, angle in polar(path, 21):
            assert distance < feet or abs(angle) > last + 1
            assert distance < 19.8
            assert distance > 7.0 or abs(angle) > 150


def test_the_svg_is_one_path_and_nothing_active() -> None:
    """T-SES-36."""
    svg = draw_round_seal(RoundSeal(name=NAME, number=NUMBER), FONT)
    assert re.findall(r"<(\w+)", svg) == ["svg", "path"]
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg" width="42mm" height="42mm"')
    assert f'fill="{RED}"' in svg


def test_drawings_are_the_same_every_time() -> None:
    seal = RoundSeal(name=NAME, line_below="电子证照专用章", number=NUMBER)
    assert draw_round_seal(seal, FONT) == draw_round_seal(seal, FONT)
    assert seal_png(seal, FONT) == seal_png(seal, FONT)


@pytest.mark.parametrize("count", [6, 14, 22, 30])
def test_the_png_is_small_red_and_transparent(count: int) -> None:
    name = (NAME * 2)[:count]
    seal = RoundSeal(name=name, line_below="电子证照专用章", number=NUMBER)
    png = seal_png(seal, FONT)
    assert len(png) <= 30_000
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "P"
        assert image.info["dpi"] == pytest.approx((400, 400), abs=0.1)
        assert image.width == image.height == pytest.approx(42 / 25.4 * 400, abs=1)
        rgba = image.convert("RGBA")
    middle = rgba.width // 2
    assert rgba.getpixel((middle, middle)) == (0xE6, 0, 0x12, 255)
    for corner in ((0, 0), (rgba.width - 1, 0), (0, rgba.height - 1)):
        pixel = rgba.getpixel(corner)
        assert isinstance(pixel, tuple)
        assert pixel[3] == 0
    assert rgba.getpixel((middle, 8)) == (0xE6, 0, 0x12, 255)


def test_the_picture_of_a_seal_has_its_physical_size_and_is_safe() -> None:
    picture = seal_picture(RoundSeal(name=NAME), FONT)
    assert (picture.format, picture.width_mm, picture.height_mm) == ("PNG", 42, 42)
    check_png_picture(picture)


def test_a_character_without_a_glyph_is_named() -> None:
    with pytest.raises(GlyphMissing) as caught:
        seal_outline(RoundSeal(name="示例\U0010fffd局"), FONT)
    assert caught.value.params["character"] == "\U0010fffd"


@pytest.mark.parametrize("name", ["", "长" * 41])
def test_names_that_no_seal_can_show_are_refused(name: str) -> None:
    with pytest.raises(UnsafePicture):
        seal_outline(RoundSeal(name=name), FONT)


def test_a_font_that_is_absent_is_reported() -> None:
    with pytest.raises(UnsafePicture):
        seal_outline(RoundSeal(name=NAME), SealFont(path=Path("/nonexistent.ttf")))


def test_latin_letters_and_brackets_have_their_places() -> None:
    outline = seal_outline(RoundSeal(name="示例（A区）1号局"), FONT)
    assert len(outline.paths) > 10
