"""Page content: read as written, and anything unknown refused loudly."""

import pytest

from licence_store.rendering.errors import RenderingFault
from licence_store.rendering.fonts import FontFolder
from licence_store.rendering.ofd_objects import PathShape
from licence_store.rendering.ofd_walker import Walker
from licence_store.rendering.page_content import (
    PageContent,
    PictureCache,
    operators,
    parse_to_unicode,
    read_pages,
)
from tests.licence_store.rendering.samples import FONTS


def page(content: bytes = b"") -> PageContent:
    return PageContent(
        width_pt=72.0, height_pt=72.0, content=content, fonts={}, pictures={}, opacities={}
    )


def walk(content: bytes) -> list[object]:
    return list(Walker(page=page()).walk(content))


def test_strings_are_read_in_both_spellings() -> None:
    content = rb"[(\000\001\\\(a\)(b)\n)-60.5<00FF>]TJ"
    assert list(operators(content)) == [("TJ", [[b"\0\1\\(a)(b)\n", -60.5, b"\0\xff"]])]


def test_operators_may_stand_right_after_a_name_or_a_bracket() -> None:
    content = b"q 1 0 0 -1 0 .5 cm/c0 cs 0 scn[] 0 d\nQ"
    assert [operator for operator, _ in operators(content)] == ["q", "cm", "cs", "scn", "d", "Q"]


def test_a_to_unicode_table_is_read_with_ranges_and_surrogates() -> None:
    cmap = b"beginbfchar <0001> <8425> <0002> <D842DFB7> endbfchar "
    cmap += b"beginbfrange <0003> <0005> <0041> endbfrange"
    assert parse_to_unicode(cmap) == {1: "营", 2: "𠮷", 3: "A", 4: "B", 5: "C"}


def test_a_path_comes_out_in_millimetres_from_the_upper_left() -> None:
    (shape,) = walk(b"0 72 m 72 72 l 72 0 l h f")
    assert isinstance(shape, PathShape)
    points = [value for _, numbers in shape.segments for value in numbers]
    assert points == pytest.approx([0, 0, 25.4, 0, 25.4, 25.4])
    assert shape.fill == (0, 0, 0)
    assert shape.stroke is None


@pytest.mark.parametrize(
    "content",
    [
        b"/sh0 sh",
        b"0 0 m 9 9 l 3 3 9 9 8 8 c h W n",
        b"0 0 m 9 0 l 9 9 l 0 9 l h W n 0 0 m 50 0 l 50 50 l h f",
        b"1 0 0 0 k",
        b"0.1 0.2 0.3 0.4 scn",
        b"BT 1 Tr ET",
        b"<</A 1>> BDC",
        b"{",
    ],
)
def test_what_ofd_cannot_express_is_a_fault(content: bytes) -> None:
    with pytest.raises(RenderingFault):
        walk(content)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"not a PDF"])
def test_what_is_no_pdf_is_a_fault(data: bytes) -> None:
    with pytest.raises(RenderingFault):
        read_pages(data, FontFolder(FONTS), PictureCache())
