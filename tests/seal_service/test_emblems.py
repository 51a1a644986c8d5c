"""The emblem in the centre is the deployer's file, bound by its digest; here a plain stand-in."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from seal_service.errors import InvalidSealOrder, UnsafePicture
from seal_service.plumbing.database import Database
from seal_service.seals.design import Emblem, SealDesign
from seal_service.seals.emblems import EmblemAsset, load_emblem
from seal_service.seals.model import SealFace, SealKind
from seal_service.seals.preview import SealPainter
from tests.architecture.tree import source
from tests.golden.seal_faces import FONTS
from tests.support.register import TENANT

STAND_IN = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">\
<path fill="#c00" fill-rule="evenodd" d="M50 5L95 50L50 95L5 50ZM50 30L70 50L50 70L30 50Z"/></svg>
"""
FACE = SealFace(
    name="金陵市云栖区人民政府", diameter_mm=45.0, design=SealDesign(centre=Emblem.NATIONAL)
)

has_fonts = pytest.mark.skipif(
    not FONTS.text.path.exists(), reason="no fonts: run scripts/setup-fonts"
)


def png(mode: str, colour: tuple[int, ...], side: int = 600) -> bytes:
    image = Image.new(mode, (side, side))
    image.paste(colour, (side // 10, side // 10, side * 9 // 10, side * 9 // 10))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def asset(tmp_path: Path, data: bytes = STAND_IN) -> EmblemAsset:
    path = tmp_path / "emblem"
    path.write_bytes(data)
    return load_emblem(path)


@has_fonts
@pytest.mark.parametrize("data", [STAND_IN, png("RGBA", (10, 10, 10, 255))])
def test_the_emblem_fills_the_centre_in_the_red_of_the_seal(
    tmp_path: Path, database: Database, data: bytes
) -> None:
    emblem = asset(tmp_path, data)
    painter = SealPainter(database, FONTS, emblem)
    face = painter.complete(TENANT, FACE)
    assert face.design.emblem_sha256 == emblem.sha256
    picture = painter.preview(TENANT, SealKind.OFFICIAL, FACE)
    assert (picture.width_mm, picture.height_mm) == (45, 45)
    with Image.open(io.BytesIO(picture.data)) as opened:
        image = opened.convert("RGBA")
    assert image.getpixel((image.width // 2, round(image.height * 0.37))) == (0xE6, 0, 0x12, 255)
    open_centre = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(open_centre, tuple)
    assert (open_centre[3] == 0) == (data == STAND_IN)


@has_fonts
def test_another_file_than_was_approved_is_not_drawn(tmp_path: Path, database: Database) -> None:
    """T-API-10."""
    approved = SealPainter(database, FONTS, asset(tmp_path)).complete(TENANT, FACE)
    exchanged = asset(tmp_path, png("RGBA", (10, 10, 10, 255)))
    with pytest.raises(UnsafePicture):
        SealPainter(database, FONTS, exchanged).paint(TENANT, approved)
    with pytest.raises(UnsafePicture):
        SealPainter(database, FONTS).paint(TENANT, approved)


def test_without_a_file_no_seal_with_an_emblem_can_be_applied_for(database: Database) -> None:
    with pytest.raises(InvalidSealOrder) as caught:
        SealPainter(database, FONTS).complete(TENANT, FACE)
    assert caught.value.params["field"] == "centre"


@has_fonts
def test_a_seal_with_an_emblem_has_no_svg_of_ours(tmp_path: Path, database: Database) -> None:
    painter = SealPainter(database, FONTS, asset(tmp_path))
    with pytest.raises(InvalidSealOrder):
        painter.svg(SealKind.OFFICIAL, painter.complete(TENANT, FACE))
    plain = replace(FACE, design=SealDesign())
    assert painter.svg(SealKind.OFFICIAL, plain).startswith("<svg")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a drawing",
        STAND_IN.replace(b"<path", b"<script/><path"),
        png("RGB", (10, 10, 10)),
        png("RGBA", (0, 0, 0, 0)),
        png("RGBA", (10, 10, 10, 255), side=90),
    ],
)
def test_files_that_are_no_emblem_are_refused_at_the_start(tmp_path: Path, data: bytes) -> None:
    """T-SES-36."""
    with pytest.raises(UnsafePicture):
        asset(tmp_path, data)


def test_a_file_that_is_absent_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UnsafePicture):
        load_emblem(tmp_path / "none.svg")


def test_no_drawing_of_the_emblem_is_ours() -> None:
    root = Path(source()[0].path).parents[1]
    assert not [path for path in root.glob("seal_service/**/*") if path.suffix in {".svg", ".png"}]
