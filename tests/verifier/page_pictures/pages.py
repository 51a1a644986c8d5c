"""Packages for drawing: one page of which the tests write the content."""

from collections.abc import Collection, Mapping

from tests.support.ofd import make_ofd, part
from tests.support.tiny_font import make_font
from verifier.page_pictures.drawing import Drawing
from verifier.page_pictures.ofd_pages import draw_page, open_pages
from verifier.page_pictures.outlines import OwnFonts

PAGE = "Doc_0/Pages/Page_0/Content.xml"
FONT_FILE = "Doc_0/Res/font_2.ttf"
LETTERS = "中华人民共和国营业执照统一社会信用代码名称测试有限公司：0123456789GMYO "


def page_with(objects: str, *, before: str = "", layer: str = "") -> bytes:
    """Return a page with these objects in one layer."""
    return part(
        "Page",
        f'{before}<ofd:Content><ofd:Layer ID="50"{layer}>{objects}</ofd:Layer></ofd:Content>',
    )


def package_with(
    objects: str,
    *,
    before: str = "",
    layer: str = "",
    replace: Mapping[str, bytes] | None = None,
    drop: Collection[str] = (),
) -> bytes:
    """Return a package whose page has these objects, and a font that can be drawn."""
    entries = {
        FONT_FILE: make_font(LETTERS),
        PAGE: page_with(objects, before=before, layer=layer),
        **(replace or {}),
    }
    return make_ofd(replace=entries, drop=drop)


def draw(package: bytes, number: int = 1) -> Drawing:
    """Draw one page, without fonts of our own."""
    return draw_page(open_pages(package, OwnFonts()), number)


def path_object(data: str, attributes: str = "", inner: str = "", boundary: str = "") -> str:
    """Return a path object."""
    return (
        f'<ofd:PathObject ID="60" Boundary="{boundary or "10 10 100 100"}" {attributes}>{inner}'
        f"<ofd:AbbreviatedData>{data}</ofd:AbbreviatedData></ofd:PathObject>"
    )


def heavy_path() -> str:
    """Return a path within every count, of which dashes and joins make thousands of shapes."""
    lines = " ".join(f"L {place * 7919 % 99} {place * 104729 % 98}" for place in range(200_000))
    return path_object(
        f"M 0 0 {lines}", 'Stroke="true" Fill="true" Join="Round" DashPattern="0.1 0.1"'
    )
