"""Drawing OFD pages: what is seen, in which order, and bombs that are refused (T-OFD-71)."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from keys.errors import ServiceError
from seal_service.errors import LimitExceeded, MalformedDocument
from tests.support.ofd import document_part, make_ofd, make_png, part
from tests.support.sealed_ofd import seal_document, with_entries
from tests.support.tiny_font import make_font
from tests.verifier.page_pictures.pages import (
    PAGE,
    draw,
    package_with,
    page_with,
    path_object,
)
from verifier.page_pictures.drawing import (
    Clipped,
    Drawing,
    Mark,
    PlacedBitmap,
    Shape,
    every_mark,
)
from verifier.page_pictures.ofd_pages import draw_page, open_pages
from verifier.page_pictures.outlines import OwnFonts
from verifier.page_pictures.raster import raster_of

INTEROP = Path(__file__).parents[4] / "shared" / "interop" / "ofd"
TEXT = (
    '<ofd:TextObject ID="70" Boundary="20 20 100 10" Font="2" Size="5"{0}>{1}'
    '<ofd:TextCode X="0" Y="5" DeltaX="{2}">{3}</ofd:TextCode></ofd:TextObject>'
)
SQUARE = "M 0 0 L 50 0 L 50 50 L 0 50 C"


def _shapes(drawing: Drawing) -> list[Shape]:
    return [mark for mark in every_mark(drawing.marks) if isinstance(mark, Shape)]


def _kinds(drawing: Drawing, kind: type[Mark]) -> int:
    return sum(isinstance(mark, kind) for mark in every_mark(drawing.marks))


def _pixel(drawing: Drawing, x_mm: float, y_mm: float) -> object:
    raster = raster_of(drawing)
    scale = raster.picture.width / raster.width_mm
    return raster.picture.getpixel((round(x_mm * scale), round(y_mm * scale)))


# What is seen


def test_every_glyph_stands_where_the_file_says() -> None:
    drawing = draw(package_with(TEXT.format("", "", "g 2 7", "测试中")))
    places = [shape.matrix[4:] for shape in _shapes(drawing)]
    assert places == [(20.0, 25.0), (27.0, 25.0), (34.0, 25.0)]
    assert drawing.remarks == frozenset()


def test_without_deltas_all_glyphs_stand_on_one_place() -> None:
    drawing = draw(package_with(TEXT.format("", "", "", "测试")))
    assert {shape.matrix[4:] for shape in _shapes(drawing)} == {(20.0, 25.0)}


def test_a_glyph_transform_replaces_characters() -> None:
    transform = (
        '<ofd:CGTransform CodePosition="0" CodeCount="2" GlyphCount="1"><ofd:Glyphs>3</ofd:Glyphs>'
        "</ofd:CGTransform>"
    )
    drawing = draw(package_with(TEXT.format("", transform, "5 5", "测试中")))
    assert len(_shapes(drawing)) == 2


def test_a_character_without_a_glyph_is_an_empty_box_with_a_remark() -> None:
    drawing = draw(package_with(TEXT.format("", "", "5", "龘测")))
    assert "glyph-missing" in drawing.remarks
    assert [shape.fill is None for shape in _shapes(drawing)] == [True, False]


def test_a_font_that_is_none_is_replaced_with_a_remark() -> None:
    package = package_with(TEXT.format("", "", "5", "测试"), replace={"Doc_0/Res/font_2.ttf": b"x"})
    assert {"font-replaced", "glyph-missing"} <= draw(package).remarks


@pytest.mark.parametrize(
    ("inner", "colour"),
    [
        ('<ofd:FillColor Value="200 40 30"/>', (200, 40, 30)),
        ('<ofd:FillColor Value="#ee #20 #25"/>', (238, 32, 37)),
        ('<ofd:FillColor Value="0 255 255 0"/>', (255, 0, 0)),
        ('<ofd:FillColor Value="128"/>', (128, 128, 128)),
        ("", (0, 0, 0)),
    ],
)
def test_colours_of_all_kinds_are_read(inner: str, colour: tuple[int, int, int]) -> None:
    drawing = draw(package_with(path_object(SQUARE, 'Fill="true" Stroke="false"', inner)))
    assert _pixel(drawing, 30, 30) == colour


def test_a_gradient_shows_its_first_colour_with_a_remark() -> None:
    shade = (
        '<ofd:FillColor><ofd:AxialShd StartPoint="0 0" EndPoint="9 9"><ofd:Segment>'
        '<ofd:Color Value="9 8 7"/></ofd:Segment></ofd:AxialShd></ofd:FillColor>'
    )
    drawing = draw(package_with(path_object(SQUARE, 'Fill="true" Stroke="false"', shade)))
    assert "colour-flattened" in drawing.remarks
    assert _pixel(drawing, 30, 30) == (9, 8, 7)


def test_the_boundary_cuts_what_is_drawn() -> None:
    wide = path_object("M 0 0 L 90 0 L 90 90 L 0 90 C", 'Fill="true"', boundary="10 10 20 20")
    drawing = draw(package_with(wide))
    assert _pixel(drawing, 20, 20) == (0, 0, 0)
    assert _pixel(drawing, 60, 60) == (255, 255, 255)


def test_a_clip_without_matrix_cuts_and_nothing_else_is_lost() -> None:
    clip = (
        '<ofd:Clips><ofd:Clip><ofd:Area><ofd:Path ID="61" Boundary="0 0 100 100">'
        "<ofd:AbbreviatedData>M 0 0 L 10 0 L 10 10 L 0 10 C</ofd:AbbreviatedData>"
        "</ofd:Path></ofd:Area></ofd:Clip></ofd:Clips>"
    )
    objects = path_object(SQUARE, 'Fill="true" Stroke="false"', clip) + path_object(
        "M 80 80 L 90 80 L 90 90 L 80 90 C", 'Fill="true"'
    )
    drawing = draw(package_with(objects))
    assert _pixel(drawing, 15, 15) == (0, 0, 0)
    assert _pixel(drawing, 40, 40) == (255, 255, 255)
    assert _pixel(drawing, 95, 95) == (0, 0, 0)


def test_foreground_templates_are_painted_over_the_page() -> None:
    template = page_with(path_object(SQUARE, 'Fill="true"', '<ofd:FillColor Value="0 0 255"/>'))
    page = path_object(SQUARE, 'Fill="true"', '<ofd:FillColor Value="255 0 0"/>')
    for order, seen in (("Background", (255, 0, 0)), ("Foreground", (0, 0, 255))):
        drawing = draw(
            package_with(
                page,
                before=f'<ofd:Template TemplateID="10" ZOrder="{order}"/>',
                replace={"Doc_0/Tpls/Tpl_0/Content.xml": template},
            )
        )
        assert _pixel(drawing, 30, 30) == seen


def test_layers_are_painted_by_their_type() -> None:
    red = path_object(SQUARE, 'Fill="true"', '<ofd:FillColor Value="255 0 0"/>')
    blue = path_object(SQUARE, 'Fill="true"', '<ofd:FillColor Value="0 0 255"/>')
    page = part(
        "Page",
        f'<ofd:Content><ofd:Layer ID="50" Type="Foreground">{red}</ofd:Layer>'
        f'<ofd:Layer ID="51" Type="Background">{blue}</ofd:Layer></ofd:Content>',
    )
    assert _pixel(draw(package_with("", replace={PAGE: page})), 30, 30) == (255, 0, 0)


def test_drawing_parameters_lean_on_each_other_and_no_circle_turns_for_ever() -> None:
    resources = part(
        "Res",
        '<ofd:DrawParams><ofd:DrawParam ID="80" Relative="81" LineWidth="2"/>'
        '<ofd:DrawParam ID="81" Relative="80"><ofd:StrokeColor Value="0 255 0"/></ofd:DrawParam>'
        "</ofd:DrawParams>",
    )
    drawing = draw(
        package_with(
            path_object("M 0 5 L 50 5", 'DrawParam="80"'),
            replace={"Doc_0/DocumentRes.xml": resources},
        )
    )
    (shape,) = _shapes(drawing)
    assert shape.stroke is not None
    assert (shape.stroke.width, shape.stroke.colour) == (2.0, (0, 255, 0))


def test_a_picture_is_encoded_anew_and_a_missing_one_is_said() -> None:
    image = '<ofd:ImageObject ID="71" Boundary="20 20 30 30" ResourceID="{0}"/>'
    drawing = draw(package_with(image.format(4)))
    (placed,) = [m for m in every_mark(drawing.marks) if isinstance(m, PlacedBitmap)]
    assert placed.bitmap.png != make_png()
    assert _pixel(drawing, 35, 35) == (224, 16, 16)
    assert "image-missing" in draw(package_with(image.format(99))).remarks


def test_the_type_of_a_picture_is_told_by_its_bytes() -> None:
    image = '<ofd:ImageObject ID="71" Boundary="20 20 30 30" ResourceID="4"/>'
    for content in (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", b"", b"GIF89a"):
        package = package_with(image, replace={"Doc_0/Res/image_4.png": content})
        assert draw(package).remarks == {"image-missing"}


def test_invisible_objects_and_annotations_are_not_drawn() -> None:
    hidden = path_object(SQUARE, 'Fill="true" Visible="false"')
    shown = path_object(SQUARE, 'Fill="true"')
    note = part(
        "PageAnnot",
        '<ofd:Annot ID="90" Type="Stamp" Creator="x" LastModDate="2026-11-24" Visible="{0}">'
        f'<ofd:Appearance Boundary="100 100 60 60">{shown}'
        "</ofd:Appearance></ofd:Annot>",
    )
    for visible, seen in (("true", (0, 0, 0)), ("false", (255, 255, 255))):
        entry = note.replace(b"{0}", visible.encode())
        package = package_with(hidden, replace={"Doc_0/Annots/Page_0/Annotation.xml": entry})
        drawing = draw(package)
        assert _pixel(drawing, 30, 30) == (255, 255, 255)
        assert _pixel(drawing, 130, 130) == seen


def test_the_seal_is_drawn_from_the_signature() -> None:
    drawing = draw(seal_document())
    assert _kinds(drawing, PlacedBitmap) >= 1
    assert "seal-picture-missing" not in drawing.remarks


def test_a_seal_that_cannot_be_read_leaves_a_box_and_a_remark() -> None:
    value = "Doc_0/Signs/Sign_0/SignedValue.dat"
    drawing = draw(with_entries(seal_document(), {value: b"\x30\x00"}))
    assert "seal-picture-missing" in drawing.remarks


def test_our_own_font_stands_in_where_a_document_embeds_none(tmp_path: Path) -> None:
    (tmp_path / "EsealSong-Regular.ttf").write_bytes(make_font("测试"))
    package = package_with(TEXT.format("", "", "5", "测试"), drop=("Doc_0/Res/font_2.ttf",))
    drawing = draw_page(open_pages(package, OwnFonts(tmp_path)), 1)
    assert drawing.remarks == {"font-replaced"}
    assert all(shape.fill is not None for shape in _shapes(drawing))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("宋体", "EsealSong-Regular.ttf"),
        ("楷体_GB2312", "LXGWWenKai-Regular.ttf"),
        ("SimHei", "EsealSong-Bold.ttf"),
    ],
)
def test_the_font_that_stands_in_is_of_the_same_hand(tmp_path: Path, name: str, file: str) -> None:
    fonts = OwnFonts(tmp_path)
    assert fonts.like(name) is None
    # Another folder: what was not found in one is remembered.
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / file).write_bytes(make_font("测"))
    assert OwnFonts(tmp_path / "other").like(name) is not None
    assert OwnFonts(None).like(name) is None


# Bombs


def _nested(depth: int) -> str:
    inner = path_object(SQUARE)
    for number in range(depth):
        inner = f'<ofd:PageBlock ID="{100 + number}">{inner}</ofd:PageBlock>'
    return inner


def _claiming(width: int, height: int) -> bytes:
    """Return a PNG whose header claims a size that its data do not have."""
    honest = make_png()
    body = b"IHDR" + struct.pack(">II", width, height) + honest[24:29]
    return honest[:12] + body + struct.pack(">I", zlib.crc32(body)) + honest[33:]


CIRCLE = part(
    "Res",
    '<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="80"><ofd:Content>'
    + '<ofd:CompositeObject ID="81" Boundary="0 0 9 9" ResourceID="80"/>' * 2
    + "</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>",
)
BOMBS = {
    "a page of 10^9 mm": make_ofd(
        replace={
            "Doc_0/Document.xml": document_part([1000]).replace(
                b"0 0 210 297", b"0 0 1000000000 1000000000"
            )
        }
    ),
    "500 001 path operators": package_with(path_object("M 0 0 " + "L 1 1 " * 500_001)),
    "units in a circle": package_with(
        '<ofd:CompositeObject ID="79" Boundary="0 0 9 9" ResourceID="80"/>',
        replace={"Doc_0/DocumentRes.xml": CIRCLE},
    ),
    "blocks nested too deep": package_with(_nested(9)),
    "10^6 deltas": package_with(TEXT.format("", "", "g 1000000 1", "测试")),
    "a picture of 10^5 square": package_with(
        '<ofd:ImageObject ID="71" Boundary="20 20 30 30" ResourceID="4"/>',
        replace={"Doc_0/Res/image_4.png": _claiming(100_000, 100_000)},
    ),
    "two million characters": package_with(
        "".join(TEXT.format("", "", "0", "测" * 60_000) for _ in range(17))
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_by_a_limit(name: str) -> None:
    with pytest.raises(ServiceError) as refused:
        draw(BOMBS[name])
    assert refused.type is LimitExceeded


@pytest.mark.parametrize("number", ["1e300", "nan", "inf", "9" * 400, "-", ""])
def test_odd_numbers_are_read_over(number: str) -> None:
    odd = f'<ofd:PathObject ID="60" Boundary="0 0 {number} 9" LineWidth="{number}" CTM="{number}">'
    objects = f"{odd}<ofd:AbbreviatedData>M 0 0 L {number} 1</ofd:AbbreviatedData></ofd:PathObject>"
    assert isinstance(draw(package_with(objects)), Drawing)


def test_places_beyond_any_page_are_refused() -> None:
    far = path_object(SQUARE, 'CTM="999999 0 0 999999 0 0"', boundary="999999 999999 9 9")
    block = '<ofd:CompositeObject ID="79" Boundary="0 0 9 9" CTM="{0}" ResourceID="80"/>'
    unit = part(
        "Res",
        '<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="80"><ofd:Content>'
        f"{far}</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>",
    )
    package = package_with(
        block.format("999999 0 0 999999 0 0"), replace={"Doc_0/DocumentRes.xml": unit}
    )
    with pytest.raises(MalformedDocument):
        draw(package)


# Real files


@pytest.mark.skipif(not INTEROP.is_dir(), reason="the interop files are not here")
@pytest.mark.parametrize("path", sorted(INTEROP.glob("*.ofd")), ids=lambda path: path.stem)
def test_pages_of_real_files_are_drawn(path: Path) -> None:
    pages = open_pages(path.read_bytes(), OwnFonts())
    for number in range(1, pages.count + 1):
        drawing = draw_page(pages, number)
        colours = raster_of(drawing).picture.getcolors(1_000_000)
        assert colours is not None
        assert len(colours) > 1
        assert not {"image-missing", "seal-picture-missing"} & drawing.remarks


@pytest.mark.skipif(not INTEROP.is_dir(), reason="the interop files are not here")
def test_a_seal_that_is_a_package_itself_is_drawn() -> None:
    pages = open_pages((INTEROP / "v4-tax-test-valid.ofd").read_bytes(), OwnFonts())
    drawing = draw_page(pages, 1)
    # The oval of the invoice seal, in red, upon the title.
    pixels = raster_of(drawing).picture.crop((340, 25, 480, 115)).tobytes()
    colours = zip(pixels[0::3], pixels[1::3], pixels[2::3], strict=True)
    assert sum(red > 200 and max(green, blue) < 60 for red, green, blue in colours) > 300
    assert _kinds(drawing, Clipped) >= 2


def test_pictures_of_pages_are_pictures() -> None:
    out = io.BytesIO()
    raster_of(draw(package_with(path_object(SQUARE)))).picture.save(out, format="PNG")
    assert Image.open(out).size == (827, 1170)
