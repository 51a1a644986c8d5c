"""The PDF compiler: data stay data, every warning is an error."""

from pathlib import Path

import pikepdf
import pytest

from licence_store.rendering.errors import FieldOverflow, RenderingFault
from licence_store.rendering.fonts import FontFolder
from licence_store.rendering.pdf import PDFCompiler
from seal_service.errors import GlyphMissing
from tests.licence_store.rendering.samples import FONTS, RENDERED_AT


def compile_source(folder: Path, source: str, data: dict[str, object] | None = None) -> bytes:
    layout = folder / "face.typ"
    layout.write_text(source, "utf-8")
    return PDFCompiler(folder, FontFolder(FONTS)).compile(layout, data or {}, at=RENDERED_AT)


def test_a_layout_becomes_a_pdf_with_the_given_time(tmp_path: Path) -> None:
    path = tmp_path / "made.pdf"
    path.write_bytes(compile_source(tmp_path, '#set text(font: "Eseal Song")\n营业执照'))
    with pikepdf.open(path) as pdf:
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:20261124040000")


@pytest.mark.parametrize(
    "source",
    [
        '#set text(font: "Absent Family")\n营业执照',
        "#image(",
        '#read("/../outside.txt")',
    ],
)
def test_a_fault_of_a_layout_is_told(tmp_path: Path, source: str) -> None:
    with pytest.raises(RenderingFault):
        compile_source(tmp_path, source)


def test_a_missing_glyph_never_becomes_an_empty_box(tmp_path: Path) -> None:
    with pytest.raises(GlyphMissing):
        compile_source(tmp_path, '#set text(font: "Eseal Song")\n王\U00031350')


def test_a_text_that_does_not_fit_names_its_field(tmp_path: Path) -> None:
    with pytest.raises(FieldOverflow) as refusal:
        compile_source(tmp_path, '#panic("field-overflow:name")')
    assert refusal.value.params == {"field": "name"}
