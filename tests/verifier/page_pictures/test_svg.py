"""The SVG is inert whatever the document says (T-WEB-08, T-WEB-09, T-WEB-14)."""

import re

import pytest
from lxml import etree

from tests.support.sealed_ofd import seal_document
from tests.verifier.page_pictures.pages import draw, package_with, path_object
from verifier.page_pictures.svg import number, svg_of

SQUARE = "M 0 0 L 50 0 L 50 50 L 0 50 C"
ELEMENTS = {"svg", "defs", "rect", "path", "use", "image", "clipPath", "g"}
ATTRIBUTES = {
    "width", "height", "viewBox", "fill", "d", "transform", "stroke", "id", "href", "opacity",
    "stroke-width", "stroke-opacity", "fill-opacity", "fill-rule", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset",
    "preserveAspectRatio", "clip-path", "clip-rule",
}  # fmt: skip
EVIL = "&lt;script&gt;alert(1)&lt;/script&gt;"
TEXT = (
    '<ofd:TextObject ID="70" Boundary="20 20 100 10" Font="2" Size="5">'
    f'<ofd:FillColor Value="1 2 3&quot; onload=&quot;x"/>'
    f'<ofd:TextCode X="0" Y="5" DeltaX="g 40 2">{EVIL}测试测</ofd:TextCode></ofd:TextObject>'
)
IMAGE = '<ofd:ImageObject ID="71" Boundary="20 20 30 30" ResourceID="4"/>'
DASHED = path_object(
    SQUARE, 'Stroke="true" Fill="true" Cap="Round" Join="Bevel" DashPattern="1 2" Alpha="99" '
    'Rule="Even-Odd" LineWidth="&quot;/&gt;"'
)  # fmt: skip


def _svg(objects: str) -> etree._Element:
    return etree.fromstring(svg_of(draw(package_with(objects))))


@pytest.mark.parametrize("objects", [TEXT, IMAGE, DASHED, TEXT + IMAGE + DASHED, ""])
def test_only_drawing_elements_and_attributes_occur(objects: str) -> None:
    for element in _svg(objects).iter():
        assert etree.QName(element).localname in ELEMENTS
        assert {str(name) for name in element.attrib} <= ATTRIBUTES
        assert not (element.text or "").strip()


def test_references_lead_to_the_drawing_itself_or_to_embedded_pictures() -> None:
    svg = etree.fromstring(svg_of(draw(seal_document())))
    links = [element.get("href", "") for element in svg.iter() if element.get("href")]
    assert links
    assert all(re.fullmatch(r"#[a-z]\d+|data:image/png;base64,[\w+/=]+", link) for link in links)
    clips = [element.get("clip-path", "") for element in svg.iter() if element.get("clip-path")]
    assert all(re.fullmatch(r"url\(#c\d+\)", clip) for clip in clips)


def test_a_glyph_that_occurs_often_is_written_once() -> None:
    svg = _svg(TEXT)
    used = [element.get("href") for element in svg.iter("{*}use")]
    assert len(used) > len(set(used))


def test_nothing_of_the_documents_text_is_in_the_file() -> None:
    written = svg_of(draw(package_with(TEXT)))
    assert b"script" not in written
    assert written.isascii()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (-0.000001, "0"), (1.5, "1.5"), (1e6, "1000000"), (1 / 3, "0.33333")],
)
def test_numbers_are_short_and_without_exponent(value: float, text: str) -> None:
    assert number(value) == text
