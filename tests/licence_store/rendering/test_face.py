"""Whole faces: both forms say exactly what was put in, look alike, and are the same every time."""

import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import ofdkit
import pypdfium2
import pytest
import zxingcpp
from fontTools.ttLib import TTFont
from lxml import etree

from licence_store.rendering.errors import FieldOverflow
from licence_store.rendering.face import FaceRenderer, RenderedFace
from seal_service.errors import GlyphMissing
from seal_service.formats.ofd.container import read_container, write_container
from seal_service.formats.ofd.document import read_document
from tests.licence_store.rendering.ofd_picture import NS, expand
from tests.licence_store.rendering.samples import (
    BUSINESS,
    EXTREMES,
    FONTS,
    FOOD,
    METADATA,
    QR_LINK,
    RARE,
    TEMPLATES,
    make_face,
    renderer,
    template,
)

CASES = {
    "business": (BUSINESS, {}),
    "business-extreme": (BUSINESS, EXTREMES),
    "business-rare": (BUSINESS, RARE),
    "food": (FOOD, {}),
    "food-rare": (FOOD, {"operator_name": RARE["name"], "domicile": EXTREMES["domicile"]}),
    "business-rarest": (BUSINESS, {"legal_representative": "王\U0002006f"}),
}
case = pytest.mark.parametrize("name", CASES)


@cache
def rendered(name: str) -> RenderedFace:
    code, changes = CASES[name]
    return renderer().render_face(template(code), make_face(code, changes=changes))


def ofd_bytes(face: RenderedFace) -> bytes:
    return write_container(face.ofd.stored_entries())


def bare(text: str) -> str:
    """Drop white space: readers of PDF guess blanks from distances."""
    return re.sub(r"\s", "", text)


def pdf_text(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        page = document[0]
        text_page = page.get_textpage()
        text: str = text_page.get_text_bounded(errors="strict")
        text_page.close()
        page.close()
    finally:
        document.close()
    return text


def ofd_runs(face: RenderedFace) -> list[str]:
    with ofdkit.open(ofd_bytes(face)) as document:
        return [run.text for run in document.pages[0].runs]


def elements(face: RenderedFace, name: str) -> list[etree._Element]:
    page = etree.fromstring(face.ofd_entries["Doc_0/Pages/Page_0/Content.xml"])
    return list(page.iter(NS + name))


@case
def test_a_second_reader_extracts_every_field_from_the_ofd(name: str) -> None:
    code, changes = CASES[name]
    text = bare("".join(ofd_runs(rendered(name))))
    face_data = make_face(code, changes=changes).face_data
    for field in template(code).fields:
        value = face_data.get(field.name, "")
        if value and field.type.value != "date":
            assert bare(value) in text, field.name
    assert METADATA["CertificateIssuingAuthorityName"] in text
    assert "2026年11月24日" in text


@case
def test_pdf_and_ofd_hold_the_same_text(name: str) -> None:
    face = rendered(name)
    assert sorted(bare(pdf_text(face.pdf))) == sorted(bare("".join(ofd_runs(face))))


@case
def test_every_character_has_a_glyph_and_a_place_in_the_ofd(name: str) -> None:
    face = rendered(name)
    fonts = {}
    for font in etree.fromstring(face.ofd_entries["Doc_0/PublicRes.xml"]).iter(NS + "Font"):
        data = face.ofd_entries[f"Doc_0/Res/{font.findtext(NS + 'FontFile')}"]
        fonts[font.attrib["ID"]] = set(TTFont(io.BytesIO(data)).getBestCmap())
    for line in elements(face, "TextObject"):
        code = line.find(NS + "TextCode")
        assert code is not None
        assert code.text
        assert {ord(character) for character in code.text} <= fonts[line.attrib["Font"]]
        assert len(expand(str(code.attrib.get("DeltaX", "")))) == len(code.text) - 1


@case
def test_ids_are_unique_and_rise_in_paint_order(name: str) -> None:
    face = rendered(name)
    entries = face.ofd_entries
    objects: list[int] = []
    for path in ("Doc_0/Tpls/Tpl_0/Content.xml", "Doc_0/Pages/Page_0/Content.xml"):
        for layer in etree.fromstring(entries[path]).iter(NS + "Layer"):
            objects += [int(layer.attrib["ID"]), *(int(item.attrib["ID"]) for item in layer)]
    assert objects == sorted(set(objects))
    everything = [
        int(value)
        for path, content in entries.items()
        if path.endswith(".xml") and "Attach" not in path
        for value in etree.fromstring(content).xpath("//@ID")
    ]
    assert len(everything) == len(set(everything))
    highest = etree.fromstring(entries["Doc_0/Document.xml"]).findtext(f".//{NS}MaxUnitID")
    assert max(everything) == int(highest or "0")


@case
def test_no_drawing_needs_what_readers_do_not_know(name: str) -> None:
    entries = rendered(name).ofd_entries
    drawn = b"".join(content for path, content in entries.items() if path.endswith("Content.xml"))
    for construct in (b"Clips", b"Shd", b"CGTransform", b"Pattern ", b"DrawParam"):
        assert construct not in drawn
    for path in etree.fromstring(entries["Doc_0/Tpls/Tpl_0/Content.xml"]).iter(NS + "PathObject"):
        assert path.attrib["Stroke"] == "true" or path.attrib["LineWidth"] == "0"


@case
def test_every_entry_is_reachable_and_our_reader_agrees(name: str) -> None:
    container = read_container(ofd_bytes(rendered(name)))
    document = read_document(container)
    assert set(container.entries) == set(document.reachable)
    assert not container.notices
    assert dict(document.custom_datas).items() >= METADATA.items()


@case
@pytest.mark.parametrize("dpi", [150, 300])
def test_the_qr_code_is_read_from_the_rendered_page(name: str, dpi: int) -> None:
    document = pypdfium2.PdfDocument(rendered(name).pdf)
    page = document[0]
    picture = page.render(scale=dpi / 72).to_pil()
    page.close()
    document.close()
    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [QR_LINK]


def test_the_qr_code_is_one_path_in_the_ofd() -> None:
    (code,) = [path for path in elements(rendered("business"), "PathObject") if _is_code(path)]
    x, y, width, height = (float(number) for number in code.attrib["Boundary"].split())
    box = template().qr
    assert (x, y) == pytest.approx((box.x_mm, box.y_mm), abs=0.01)
    assert (width, height) == pytest.approx((box.size_mm, box.size_mm), abs=0.01)


def _is_code(path: etree._Element) -> bool:
    return len(path.findtext(NS + "AbbreviatedData") or "") > 5000


def test_the_host_stands_in_clear_beside_the_code() -> None:
    assert "zhengzhao.example.gov.cn" in ofd_runs(rendered("business"))


def test_the_same_input_gives_the_same_bytes_in_another_renderer() -> None:
    other = FaceRenderer(templates=TEMPLATES, fonts=FONTS)
    again = other.render_face(other.templates[FOOD], make_face(FOOD))
    assert again.pdf == rendered("food").pdf
    assert ofd_bytes(again) == ofd_bytes(rendered("food"))


def test_threads_share_one_renderer() -> None:
    names = [f"金陵云栖茶点{number}号店" for number in range(8)]

    def make(name: str) -> str:
        face = make_face(changes={"name": name})
        return "".join(ofd_runs(renderer().render_face(template(), face)))

    with ThreadPoolExecutor(4) as pool:
        for name, text in zip(names, pool.map(make, names), strict=True):
            assert name in text


def test_the_machine_readable_data_are_attached() -> None:
    face = make_face()
    data = json.loads(rendered("business").ofd_entries["Doc_0/Attachs/licence.json"])
    assert data["face_data"] == dict(face.face_data)
    assert data["metadata"] == dict(face.metadata)


def test_both_forms_carry_the_digest_of_the_licence_data() -> None:
    face = rendered("business")
    assert METADATA["LicenceDataDigest"].encode() in face.ofd_entries["OFD.xml"]
    assert f"LicenceDataDigest={METADATA['LicenceDataDigest']}".encode() in face.pdf


def test_only_a_test_licence_wears_the_mark() -> None:
    plain = renderer().render_face(template(), make_face(is_test=False))
    assert "测试" in "".join(ofd_runs(rendered("business")))
    assert "测试" not in "".join(ofd_runs(plain))
    assert "测试" not in pdf_text(plain.pdf)


def test_the_pdf_claims_pdf_a_2b() -> None:
    pdf = rendered("business").pdf
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in pdf


@pytest.mark.parametrize("character", ["\U00031350", "\U0002ebf0", "\ue863"])
def test_a_character_without_a_glyph_stops_the_licence(character: str) -> None:
    with pytest.raises(GlyphMissing, match=f"U\\+{ord(character):04X}"):
        renderer().render_face(template(), make_face(changes={"name": f"{character}记面馆"}))


def test_a_radical_comes_back_as_itself() -> None:
    face = renderer().render_face(template(), make_face(changes={"legal_representative": "⼈人"}))
    assert "⼈人" in "".join(ofd_runs(face))


def test_a_text_that_does_not_fit_is_refused_and_named() -> None:
    with pytest.raises(FieldOverflow) as refusal:
        renderer().render_face(template(), make_face(changes={"business_scope": "经营" * 1500}))
    assert refusal.value.params == {"field": "business_scope"}


def test_markup_in_a_value_stays_text() -> None:
    name = '甲 <b>&amp; #panic("x") $a$ *b*'
    face = renderer().render_face(template(), make_face(changes={"name": name}))
    assert name in ofd_runs(face)
    assert bare(name) in bare(pdf_text(face.pdf))


def test_a_long_text_keeps_its_paragraphs() -> None:
    scope = "第一项：餐饮服务。\n第二项：食品销售。"
    face = renderer().render_face(template(), make_face(changes={"business_scope": scope}))
    assert set(scope.split("\n")) <= set(ofd_runs(face))
