"""Keywords are found where a reader sees them, in what common programs write."""

import io
import zlib

import pypdfium2
import pytest
import typst
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from seal_service.errors import LimitExceeded
from seal_service.formats.pdf import text as text_module
from seal_service.formats.pdf.text import find_text, text_lines
from seal_service.formats.pdf.updating import open_base
from seal_service.formats.placement import TextPosition
from seal_service.formats.text_lines import TextLine
from tests.support.pdf import FIRST_PAGE, PDFSpec, first_content, make_pdf, packed, stream

FONT = 50
MAP = 51
WIDE = 52
MM = 25.4 / 72


def lines(pdf: bytes) -> tuple[TextLine, ...]:
    base = open_base(pdf)
    return text_lines(base.table, base.pages)


def find(pdf: bytes, keyword: str) -> tuple[TextPosition, ...]:
    base = open_base(pdf)
    return find_text(base.table, base.pages, keyword)


def shown(content: str, *, font: str = "", objects: dict[int, bytes] | None = None) -> bytes:
    """Make a page that shows something with one font."""
    spelt = font or "<</Type/Font/Subtype/Type1/BaseFont/X/FirstChar 32/Widths[500]>>"
    page = (
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {first_content()} 0 R"
        f"/Resources<</Font<</F {FONT} 0 R>>/XObject<</X {WIDE} 0 R>>>>>>"
    )
    made = {
        FIRST_PAGE: page.encode(),
        first_content(): stream(content.encode("latin-1")),
        FONT: spelt.encode(),
        **(objects or {}),
    }
    return make_pdf(PDFSpec(extra_objects=made))


def texts(content: str, *, font: str = "", objects: dict[int, bytes] | None = None) -> list[str]:
    return [line.text for line in lines(shown(content, font=font, objects=objects))]


def by_reportlab() -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(595, 842))
    canvas.setFont("STSong-Light", 20)
    canvas.drawString(100, 700, "审批机关（盖章）")
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def by_typst() -> bytes:
    source = '#set text(font: "Noto Serif CJK SC", size: 14pt)\n审批机关（盖章）：某某局'
    made = typst.compile(source.encode())
    assert isinstance(made, bytes)
    return made


@pytest.mark.parametrize("make", [by_reportlab, by_typst])
def test_a_keyword_is_found_where_another_reader_sees_it(make: object) -> None:
    assert callable(make)
    pdf = make()
    (spot,) = find(pdf, "盖章")
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        found = page.get_textpage().search("盖章").get_next()
        boxes = [page.get_textpage().get_charbox(found[0] + n) for n in range(2)]
        left, top = boxes[0][0] * MM, (page.get_height() - boxes[0][3]) * MM
        right, bottom = boxes[1][2] * MM, (page.get_height() - boxes[1][1]) * MM
    assert spot.x_mm <= left + 0.1
    assert spot.x_mm + spot.width_mm >= right - 0.1
    assert spot.width_mm == pytest.approx(right - left, abs=1.5)
    assert spot.y_mm <= top
    assert spot.y_mm + spot.height_mm >= bottom


def test_text_moves_as_its_operators_say() -> None:
    content = "BT /F 10 Tf 20 TL 100 700 Td (A) Tj 0 -30 TD (B) Tj T* (C) Tj (D) ' ET"
    found = lines(shown(content))
    places = [(line.text, round(842 - line.baseline_mm / MM)) for line in found]
    assert places == [("A", 700), ("B", 670), ("C", 640), ("D", 610)]
    assert {round(line.xs_mm[0] / MM) for line in found} == {100}
    spaced = lines(shown("BT /F 10 Tf 2 Tc 3 Tw 50 Tz 1 0 0 1 10 10 Tm (a a) Tj ET"))[0]
    assert [round(x / MM, 2) for x in spaced.xs_mm] == [10, 13.5, 18.5, 22.0]
    raised = lines(shown('BT /F 10 Tf 5 Ts 1 0 0 1 10 10 Tm 1 2 (x) " ET'))[0]
    assert round(842 - raised.baseline_mm / MM) == 15


def test_kerning_and_saved_states_count() -> None:
    content = "q 2 0 0 2 0 0 cm BT /F 10 Tf 10 10 Td [(a) -500 (b)] TJ ET Q BT /F 10 Tf (c) Tj ET"
    found = lines(shown(content))
    assert [round(x / MM, 1) for x in found[0].xs_mm] == [20, 40, 50]
    assert (found[1].text, found[1].xs_mm[0]) == ("c", 0)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_places_are_those_of_the_page_as_seen(rotation: int) -> None:
    turns = {
        0: "1 0 0 1 100 700",
        90: "0 1 -1 0 142 100",
        180: "-1 0 0 -1 495 142",
        270: "0 -1 1 0 453 742",
    }
    content = f"BT /F 10 Tf {turns[rotation]} Tm (seal) Tj ET"
    page = (
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {first_content()} 0 R"
        f"/Rotate {rotation}/Resources<</Font<</F {FONT} 0 R>>>>>>"
    )
    pdf = shown(content, objects={FIRST_PAGE: page.encode()})
    (spot,) = find(pdf, "seal")
    assert spot.x_mm == pytest.approx(100 * MM, abs=0.01)
    assert spot.y_mm + 0.88 * spot.height_mm == pytest.approx(142 * MM, abs=0.01)
    assert spot.width_mm == pytest.approx(20 * MM, abs=0.01)


def test_a_map_to_unicode_decides_what_codes_mean() -> None:
    font = f"<</Type/Font/Subtype/Type0/Encoding/Identity-H/ToUnicode {MAP} 0 R"
    font += "/DescendantFonts[<</DW 900/W[1[700 800] 5 6 300]>>]>>"
    meanings = (
        b"2 beginbfchar <0001> <76d6> <0002><7AE0> endbfchar "
        b"2 beginbfrange <0005> <0006> <0041> <0007> <0008> [<4e00> <4e8c>] endbfrange"
    )
    pdf = shown(
        "BT /F 10 Tf <000100020005000600070008> Tj ET",
        font=font,
        objects={MAP: packed(meanings)},
    )
    (line,) = lines(pdf)
    assert line.text == "盖章AB一二"
    assert [round(x / MM, 1) for x in line.xs_mm] == [0, 7, 15, 18, 21, 30, 39]


@pytest.mark.parametrize(
    ("encoding", "codes"),
    [("UniGB-UCS2-H", "76d67ae0"), ("GBK-EUC-H", "b8c7d5c2"), ("UniGB-UTF16-H", "76d67ae0")],
)
def test_encodings_of_chinese_are_known_by_name(encoding: str, codes: str) -> None:
    font = f"<</Type/Font/Subtype/Type0/Encoding/{encoding}/DescendantFonts[<<>>]>>"
    assert texts(f"BT /F 10 Tf <{codes}> Tj ET", font=font) == ["盖章"]


def test_names_of_characters_count_in_simple_fonts() -> None:
    font = "<</Subtype/TrueType/Encoding<</Differences[65/uni76D6/uni7AE0 70/fi/nonsense]>>>>"
    assert texts("BT /F 10 Tf (ABFGz) Tj ET", font=font) == ["盖章\ufb01\ufffdz"]
    font = "<</Subtype/Type3/FontMatrix[0.01 0 0 0.01 0 0]/FirstChar 65/Widths[60]>>"
    (line,) = lines(shown("BT /F 10 Tf (A) Tj ET", font=font))
    assert round(line.xs_mm[1] / MM, 2) == 6


def test_text_in_forms_is_found_with_the_form_s_own_place() -> None:
    form = stream(b"BT /F 10 Tf (in a form) Tj ET", "/Subtype/Form/Matrix[1 0 0 1 5 0]")
    (spot,) = find(shown("1 0 0 1 50 60 cm /X Do", objects={WIDE: form}), "form")
    assert round(spot.x_mm / MM, 1) == 50 + 5 + 5 * 5


def test_a_form_that_shows_itself_comes_to_an_end() -> None:
    form = stream(b"BT /F 10 Tf (x) Tj ET /X Do", "/Subtype/Form")
    assert texts("/X Do", objects={WIDE: form}) == ["x"] * 8


@pytest.mark.parametrize(
    "content",
    [
        ") BT /F 10 Tf (x) Tj ET",
        "<</A>> BT /F 10 Tf (x) Tj ET",
        "BT /F 10 Tf (x) Tj ET (cut",
        "BI /W 1 ID \x00\x01(((\xff EI BT /F 10 Tf (x) Tj ET",
        "Q Q cm Tm Td Tf Tj TJ Do ' Tz Ts BT /F 10 Tf (x) Tj ET",
    ],
)
def test_odd_content_costs_nothing_but_itself(content: str) -> None:
    assert "x" in texts(content)


def test_content_that_cannot_be_unpacked_is_no_text() -> None:
    content = first_content()
    for broken in (
        stream(b"x", "/Filter/LZWDecode"),
        stream(b"x", "/Filter/FlateDecode"),
        stream(b"\xff~>", "/Filter/ASCII85Decode"),
        stream(b"87cURDZ~>", "/Filter[/ASCII85Decode/LZWDecode]"),
        b"<</No/Stream>>",
    ):
        assert lines(shown("", objects={content: broken})) == ()


def test_work_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-PDF-16."""
    monkeypatch.setattr(text_module, "MAX_OPERATORS", 10)
    with pytest.raises(LimitExceeded):
        lines(shown("q Q " * 6))
    bomb = stream(zlib.compress(bytes(20_000_000)), "/Filter/FlateDecode")
    with pytest.raises(LimitExceeded):
        lines(shown("", objects={first_content(): bomb}))
    many = b"1 beginbfrange <00000000> <ffffffff> <0041> endbfrange" * 3
    font = f"<</Subtype/Type0/ToUnicode {MAP} 0 R>>"
    with pytest.raises(LimitExceeded):
        lines(shown("BT /F 1 Tf (x) Tj ET", font=font, objects={MAP: stream(many)}))
