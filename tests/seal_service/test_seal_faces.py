"""Faces of seals: golden drawings, spacing, and what each shape may carry."""

import io
import math
from dataclasses import replace
from itertools import pairwise

import pytest
from PIL import Image

from seal_service.errors import GlyphMissing, InvalidSealOrder
from seal_service.seals.blocks import NameSeal, name_outline
from seal_service.seals.design import PLAIN, Emblem, Lettering, SealDesign, SealShape, read_design
from seal_service.seals.drawing import along_ellipse, ellipse_length, outline_png
from seal_service.seals.faces import check_face, face_outline
from seal_service.seals.glyphs import ClosedPath, Point
from seal_service.seals.model import SealFace, SealKind
from seal_service.seals.oval import OvalSeal, oval_outline
from tests.golden.seal_faces import FOLDER, FONTS, SEALS, draw
from tests.support.register import make_application

pytestmark = pytest.mark.skipif(
    not FONTS.text.path.exists(), reason="no fonts: run scripts/setup-fonts"
)


def points(path: ClosedPath) -> list[Point]:
    return [point for segment in path for point in segment.points]


def shape(kind: SealShape, **parts: object) -> SealFace:
    design = SealDesign(shape=kind, **parts)  # type: ignore[arg-type]
    return SealFace(name="王建国" if kind is SealShape.NAME else "云栖区数据局", design=design)


@pytest.mark.parametrize("name", SEALS)
def test_the_seal_is_the_golden_one(name: str) -> None:
    golden = (FOLDER / f"{name}.svg").read_bytes()
    assert draw(name) == golden, "if this is meant: make golden, and look at the seals"


def test_every_golden_seal_has_its_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(SEALS)


@pytest.mark.parametrize("name", SEALS)
def test_nothing_is_drawn_outside_the_physical_size(name: str) -> None:
    outline = face_outline(SEALS[name], FONTS)
    for x, y in (point for path in outline.paths for point in points(path)):
        assert -0.01 <= x <= outline.width_mm + 0.01
        assert -0.01 <= y <= outline.height_mm + 0.01


# Ovals


@pytest.mark.parametrize("count", [1, 2, 6, 12, 20, 30, 40])
def test_characters_on_an_oval_stand_apart_and_symmetrically(count: int) -> None:
    outline = oval_outline(OvalSeal(name="国" * count), FONTS.text)
    each = len(outline.paths[2:]) // count
    characters = [
        [p for path in outline.paths[2 + index * each :][:each] for p in points(path)]
        for index in range(count)
    ]
    gaps = [
        min(math.dist(a, b) for a in left for b in right) for left, right in pairwise(characters)
    ]
    assert all(gap > 0.15 for gap in gaps)
    assert gaps == pytest.approx(list(reversed(gaps)), abs=0.15)
    assert min(x for x, _ in characters[0]) == pytest.approx(
        40 - max(x for x, _ in characters[-1]), abs=0.2
    )


def test_steps_along_an_ellipse_are_even() -> None:
    axes = (17.4, 12.4)
    walk = along_ellipse(axes, (20, 15))
    ends = [walk(step * 0.5)[0] for step in range(-60, 61)]
    steps = [math.dist(a, b) for a, b in pairwise(ends)]
    assert max(steps) - min(steps) < 0.002
    quarter, _ = walk(ellipse_length(axes, math.pi / 2))
    assert quarter == pytest.approx((20 + 17.4, 15), abs=0.001)


def test_code_purpose_and_number_of_an_invoice_seal_are_where_the_rule_says() -> None:
    """国家税务总局公告2011年第7号, annex: 26 mm of code, purpose from 4.2 mm under the centre."""
    bare = len(oval_outline(OvalSeal(name="云栖区数据局"), FONTS.text).paths)
    seal = OvalSeal(name="云栖区数据局", code="91320102MA1K00017X")
    code = [p for path in oval_outline(seal, FONTS.text).paths[bare:] for p in points(path)]
    assert max(x for x, _ in code) - min(x for x, _ in code) == pytest.approx(26, abs=0.6)
    assert max(y for _, y in code) - min(y for _, y in code) == pytest.approx(3.7, abs=0.2)
    with_code = len(oval_outline(seal, FONTS.text).paths)
    full = oval_outline(replace(seal, line_below="发票专用章"), FONTS.text)
    purpose = [p for path in full.paths[with_code:] for p in points(path)]
    assert min(y for _, y in purpose) == pytest.approx(15 + 4.2, abs=0.3)


# Name seals


def test_a_name_seal_is_read_from_the_right() -> None:
    outline = name_outline(NameSeal(name="一国"), FONTS.name)
    first = [x for path in outline.paths[2:3] for x, _ in points(path)]
    assert min(first) > 10


def test_intaglio_is_the_relief_turned_inside_out() -> None:
    def ink(lettering: Lettering) -> int:
        outline = name_outline(NameSeal(name="王建国印", lettering=lettering), FONTS.name)
        with Image.open(io.BytesIO(outline_png(outline))) as image:
            alpha = image.convert("RGBA").getchannel("A")
        middle = alpha.crop((60, 60, alpha.width - 60, alpha.height - 60))
        return sum(n for value, n in enumerate(middle.histogram()) if value > 127)

    relief, intaglio = ink(Lettering.RELIEF), ink(Lettering.INTAGLIO)
    side = round(20 / 25.4 * 400) - 120
    assert relief + intaglio == pytest.approx(side * side, rel=0.03)


def test_a_name_of_three_has_the_surname_alone_on_the_right() -> None:
    outline = name_outline(NameSeal(name="国国国"), FONTS.name)
    each = len(outline.paths[2:]) // 3
    heights = []
    for index in range(3):
        own = [p for path in outline.paths[2 + index * each :][:each] for p in points(path)]
        heights.append(max(y for _, y in own) - min(y for _, y in own))
    assert heights[0] > 1.8 * heights[1]
    assert heights[1] == pytest.approx(heights[2])


def test_a_character_without_a_glyph_is_named_in_every_shape() -> None:
    for kind in (SealShape.OVAL, SealShape.BLOCK, SealShape.NAME):
        face = replace(shape(kind, height_mm=20.0), name="王\U0010fffd", diameter_mm=30.0)
        with pytest.raises(GlyphMissing):
            face_outline(face, FONTS)


# What a shape may carry


@pytest.mark.parametrize(
    ("kind", "face", "field"),
    [
        (SealKind.OFFICIAL, shape(SealShape.BLOCK), "shape"),
        (SealKind.LICENCE, shape(SealShape.OVAL, height_mm=30.0), "shape"),
        (SealKind.PERSONAL, shape(SealShape.ROUND), "shape"),
        (SealKind.BUSINESS, shape(SealShape.NAME), "shape"),
        (SealKind.OFFICIAL, replace(SealFace(name="云栖区"), diameter_mm=19.0), "diameter_mm"),
        (SealKind.OFFICIAL, replace(SealFace(name="云栖区"), diameter_mm=61.0), "diameter_mm"),
        (SealKind.OFFICIAL, shape(SealShape.ROUND, height_mm=30.0), "height_mm"),
        (SealKind.BUSINESS, shape(SealShape.OVAL, height_mm=42.0), "height_mm"),
        (SealKind.BUSINESS, shape(SealShape.OVAL, height_mm=30.5), "height_mm"),
        (SealKind.BUSINESS, shape(SealShape.BLOCK, height_mm=5.0), "height_mm"),
        (SealKind.BUSINESS, shape(SealShape.ROUND, code="9132"), "code"),
        (SealKind.BUSINESS, shape(SealShape.SCAN), "picture_sha256"),
        (SealKind.BUSINESS, shape(SealShape.ROUND, picture_sha256="0" * 64), "picture_sha256"),
        (SealKind.BUSINESS, shape(SealShape.BLOCK, centre=Emblem.NONE), "centre"),
        (SealKind.OFFICIAL, shape(SealShape.ROUND, centre=Emblem.NATIONAL), "centre"),
        (SealKind.OFFICIAL, shape(SealShape.ROUND, emblem_sha256="0" * 64), "centre"),
        (SealKind.PERSONAL, replace(shape(SealShape.NAME), diameter_mm=20.0, name="王"), "name"),
        (
            SealKind.PERSONAL,
            replace(shape(SealShape.NAME), diameter_mm=20.0, line_below="印"),
            "line_below",
        ),
    ],
)
def test_faces_that_no_seal_may_have_are_refused(
    kind: SealKind, face: SealFace, field: str
) -> None:
    with pytest.raises(InvalidSealOrder) as caught:
        check_face(kind, face)
    assert caught.value.params["field"] == field


@pytest.mark.parametrize("name", SEALS)
def test_the_golden_faces_may_be_applied_for(name: str) -> None:
    face = SEALS[name]
    kind = SealKind.PERSONAL if face.design.shape is SealShape.NAME else SealKind.BUSINESS
    check_face(kind, face)


# What an approval binds


@pytest.mark.parametrize(
    "design",
    [
        SealDesign(shape=SealShape.OVAL),
        SealDesign(height_mm=30.0),
        SealDesign(centre=Emblem.NATIONAL),
        SealDesign(emblem_sha256="0" * 64),
        SealDesign(code="9132"),
        SealDesign(lettering=Lettering.INTAGLIO),
        SealDesign(picture_sha256="0" * 64),
    ],
)
def test_an_approval_binds_every_part_of_the_design(design: SealDesign) -> None:
    """T-API-10."""
    plain = make_application()
    other = replace(plain, face=replace(plain.face, design=design))
    assert plain.digest != other.digest
    assert read_design(design.to_text()) == design


def test_the_plain_round_seal_keeps_the_digest_it_had_before_there_were_designs() -> None:
    assert PLAIN.parts() == ()
    assert read_design(PLAIN.to_text()) == PLAIN
