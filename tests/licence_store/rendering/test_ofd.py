"""OFD from layouts that the shipped templates do not exercise: pictures, several pages, inks."""

import io
import shutil
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image

from licence_store.qr import qr_matrix
from licence_store.rendering.face import FaceRenderer, RenderedFace
from licence_store.rendering.ofd import qr_path_content
from tests.licence_store.rendering.ofd_picture import NS
from tests.licence_store.rendering.samples import BUSINESS, FONTS, QR_LINK, TEMPLATES, make_face


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    target = tmp_path / "templates"
    for name in ("common", "business_licence"):
        shutil.copytree(TEMPLATES / name, target / name)
    return target


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def render(templates: Path, times: int = 1) -> list[RenderedFace]:
    renderer = FaceRenderer(templates=templates, fonts=FONTS)
    template = renderer.templates[BUSINESS]
    return [renderer.render_face(template, make_face()) for _ in range(times)]


def put_emblem(templates: Path, name: str, picture: Image.Image) -> None:
    folder = templates / "business_licence"
    picture.save(folder / "assets" / name)
    change(folder / "manifest.toml", "assets/medallion.svg", f"assets/{name}")


@pytest.mark.parametrize(
    ("name", "mode", "form"), [("emblem.png", "RGBA", "PNG"), ("emblem.jpg", "RGB", "JPEG")]
)
def test_a_raster_emblem_goes_into_the_template_page(
    templates: Path, name: str, mode: str, form: str
) -> None:
    colour = (200, 30, 30, 128)[: len(mode)]
    put_emblem(templates, name, Image.new(mode, (40, 40), colour))
    first, second = render(templates, times=2)
    assert dict(first.ofd_entries) == dict(second.ofd_entries)
    resources = etree.fromstring(first.ofd_entries["Doc_0/DocumentRes.xml"])
    (media,) = resources.iter(NS + "MultiMedia")
    assert media.attrib["Format"] == form
    page = etree.fromstring(first.ofd_entries["Doc_0/Tpls/Tpl_0/Content.xml"])
    (image,) = page.iter(NS + "ImageObject")
    assert image.attrib["ResourceID"] == media.attrib["ID"]
    assert image.attrib["Boundary"] == "138.5 21.5 20 20"
    assert image.attrib["CTM"] == "20 0 0 20 0 0"
    data = first.ofd_entries[f"Doc_0/Res/{media.findtext(NS + 'MediaFile')}"]
    with Image.open(io.BytesIO(data)) as read:
        assert (read.format, read.mode, read.size) == (form, mode, (40, 40))


def test_a_second_page_is_written_too(templates: Path) -> None:
    layout = templates / "business_licence" / "face.typ"
    layout.write_text(layout.read_text("utf-8") + "\n#pagebreak()\n附页\n", "utf-8")
    (face,) = render(templates)
    document = etree.fromstring(face.ofd_entries["Doc_0/Document.xml"])
    assert len(list(document.iter(NS + "Page"))) == 2
    assert "附页".encode() in face.ofd_entries["Doc_0/Pages/Page_1/Content.xml"]


def test_inks_and_line_styles_are_kept(templates: Path) -> None:
    layout = templates / "business_licence" / "face.typ"
    drawing = (
        "\n#at(40, 100, rect(width: 10mm, height: 5mm, fill: rgb(0, 0, 255, 51), stroke: none))"
        '\n#at(40, 120, line(length: 10mm, stroke: (paint: green, thickness: 1mm, cap: "round",'
        ' join: "bevel", dash: (2mm, 1mm))))\n'
    )
    layout.write_text(layout.read_text("utf-8") + drawing, "utf-8")
    (face,) = render(templates)
    page = etree.fromstring(face.ofd_entries["Doc_0/Pages/Page_0/Content.xml"])
    fill, line = list(page.iter(NS + "PathObject"))[-2:]
    assert fill.attrib["Alpha"] == "51"
    assert fill.attrib["Stroke"] == "false"
    assert (line.attrib["Cap"], line.attrib["Join"]) == ("Round", "Bevel")
    assert line.attrib["DashPattern"] == "2 1"
    assert line.attrib["LineWidth"] == "1"


def test_the_path_of_the_code_is_found_in_the_page(templates: Path) -> None:
    """Otherwise the code would be drawn twice as slowly, as an ordinary path."""
    change(templates / "common" / "face.typ", '\\"><path d=', '\\"><path fill=\\"navy\\" d=')
    (face,) = render(templates)
    runs = qr_path_content(qr_matrix(QR_LINK)).count(b"h")
    page = etree.fromstring(face.ofd_entries["Doc_0/Pages/Page_0/Content.xml"])
    paths = {p.findtext(NS + "AbbreviatedData") or "": p for p in page.iter(NS + "PathObject")}
    (code,) = [path for data, path in paths.items() if data.count("C") == runs]
    assert code.attrib["Boundary"] == "222 25 27 27"
    ink = code.find(NS + "FillColor")
    assert ink is not None
    assert ink.attrib["Value"] == "0 0 128"
