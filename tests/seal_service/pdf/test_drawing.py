"""Pictures drawn as page content: where they were asked for, upright, covered by the seal."""

import io

import pypdfium2
import pytest
from PIL import Image

from seal_service.errors import AlreadySealed, InvalidPlacement, MalformedDocument
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.integrity import check_integrity
from seal_service.formats.pdf.pages import PDFPlacement
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.writing import ReservedField
from seal_service.formats.placement import StraddleOptions, straddle_placements
from tests.support.pdf import (
    FIRST_PAGE,
    SECOND_SPOT,
    SPOT,
    PDFSpec,
    first_content,
    make_pdf,
    object_text,
    seal,
    stream,
)

RED, BLUE, GREEN, WHITE = (255, 0, 0), (0, 0, 255), (0, 128, 0), (255, 255, 255)
DPMM = 4
STRADDLE = StraddleOptions(width_mm=42, height_mm=42)


def quarters() -> bytes:
    """Return a picture that shows which way is up: red, blue above; green, green below."""
    image = Image.new("RGBA", (20, 20), (*GREEN, 255))
    image.paste((*RED, 255), (0, 0, 10, 10))
    image.paste((*BLUE, 255), (10, 0, 20, 10))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def render(pdf: bytes, page: int = 0) -> Image.Image:
    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()
        picture = document[page].render(scale=DPMM * 25.4 / 72).to_pil()
    assert isinstance(picture, Image.Image)
    return picture.convert("RGB")


def colours(picture: Image.Image, *points_mm: tuple[float, float]) -> list[object]:
    return [picture.getpixel((round(x * DPMM), round(y * DPMM))) for x, y in points_mm]


def drawn(base: bytes, *placements: PDFPlacement) -> bytes:
    return seal(base, picture=quarters(), placement=CORNER, drawn=placements)


CORNER = PDFPlacement(page_number=1, x_mm=1, y_mm=1, width_mm=9, height_mm=9)
SPOT_2 = PDFPlacement(page_number=2, x_mm=30, y_mm=50, width_mm=40, height_mm=40)


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_drawn_picture_is_upright_where_it_was_asked_for(rotation: int, is_packed: bool) -> None:
    entries = f"/Rotate {rotation}/CropBox[20 30 585 812]"
    sealed = drawn(make_pdf(PDFSpec(pages=2, page_entries=entries, is_packed=is_packed)), SPOT_2)
    picture = render(sealed, 1)
    inside = ((35, 55), (65, 55), (35, 85), (65, 85))
    assert colours(picture, *inside) == [RED, BLUE, GREEN, GREEN]
    assert RED not in colours(picture, (29, 55), (35, 49))
    assert GREEN not in colours(picture, (71, 85), (65, 91))
    assert check_integrity(sealed).covers_file


def test_a_clip_shows_only_its_part() -> None:
    clipped = PDFPlacement(
        page_number=1, x_mm=30, y_mm=50, width_mm=40, height_mm=40, clip=(20, 0, 10, 40)
    )
    picture = render(drawn(make_pdf(PDFSpec(page_entries="/Rotate 90")), clipped))
    assert colours(picture, (51, 55), (59, 55), (55, 85)) == [BLUE, BLUE, GREEN]
    assert not {RED, BLUE} & set(colours(picture, (49, 55), (61, 55)))


@pytest.mark.parametrize(
    ("contents", "body"),
    [
        ("{0} 0 R", b"q q 5 0 0 5 100 100 cm 0 0 1 1 re W n"),
        ("{0} 0 R", b"q 5 0 0 5 100 100 cm Q Q Q 3 0 0 3 7 7 cm"),
        ("{0} 0 R", b"(q Q) Tj /q gs q 5 0 0 5 0 0 cm"),
        ("[{0} 0 R {0} 0 R]", b"3 0 0 3 7 7 cm q"),
        ("[]", b""),
        ("null", b""),
        ("40 0 R", b"2 0 0 2 0 0 cm"),
    ],
)
def test_what_old_content_leaves_behind_moves_nothing(contents: str, body: bytes) -> None:
    content = first_content()
    page = (
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources 41 0 R"
        f"/Contents {contents.format(content)}>>"
    )
    spec = PDFSpec(
        extra_objects={
            FIRST_PAGE: page.encode(),
            content: stream(body),
            40: b"[%d 0 R]" % content,
            41: b"<</XObject<</SealImage 4 0 R>>>>",
        }
    )
    spot = PDFPlacement(page_number=1, x_mm=30, y_mm=50, width_mm=40, height_mm=40)
    sealed = drawn(make_pdf(spec), spot)
    assert colours(render(sealed), (35, 55), (65, 55)) == [RED, BLUE]
    assert b"/SealImage 4 0 R/SealImage0 " in object_text(sealed, FIRST_PAGE)
    assert b"/Resources 41 0 R" not in object_text(sealed, FIRST_PAGE)


def test_content_that_is_none_is_refused() -> None:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents(x)>>"
    with pytest.raises(MalformedDocument):
        drawn(make_pdf(PDFSpec(extra_objects={FIRST_PAGE: page})), SPOT)


def test_a_picture_off_the_page_is_refused() -> None:
    with pytest.raises(InvalidPlacement):
        drawn(make_pdf(), SPOT_2)


def test_a_straddle_seal_is_one_signature_and_page_content_elsewhere() -> None:
    base = make_pdf(PDFSpec(pages=3))
    first, *others = straddle_placements(read_pdf(base).page_sizes_mm, STRADDLE)
    sealed = seal(base, picture=quarters(), placement=first, drawn=tuple(others))
    assert check_integrity(sealed).covers_file
    assert sealed.count(b"/Subtype/Widget") == 1
    assert b"/Subtype/Stamp" not in sealed
    strips = []
    for page in range(3):
        picture = render(sealed, page)
        strips.append(picture.crop((picture.width - 14 * DPMM, 0, picture.width, picture.height)))
    fanned = Image.new("RGB", (42 * DPMM, strips[0].height), "white")
    for number, strip in enumerate(strips):
        fanned.paste(strip, (number * 14 * DPMM, 0))
    middle = 297 / 2
    seen = colours(fanned, (1, middle - 10), (41, middle - 10), (1, middle + 10), (41, middle + 10))
    assert seen == [RED, BLUE, GREEN, GREEN]
    assert colours(fanned, (20, middle - 10), (22, middle - 10)) == [RED, BLUE]


def test_signed_pages_are_not_drawn_on() -> None:
    reserved = ReservedField(name="Seal2", placement=SECOND_SPOT)
    first = seal(certify=None, reserved_fields=(reserved,))
    with pytest.raises(AlreadySealed) as refusal:
        seal(first, certify=None, field_name="Seal2", drawn=(SPOT,))
    assert refusal.value.params["reason"] == "signed-content"


@pytest.mark.parametrize(
    ("size", "shown"),
    [((80, 20), (20, 20)), ((20, 80), (20, 20)), ((80, 60), (42, 42)), ((42, 42), (42, 42))],
)
def test_a_field_that_is_there_shows_the_seal_unstretched(
    size: tuple[float, float], shown: tuple[float, float]
) -> None:
    spot = PDFPlacement(page_number=1, x_mm=20, y_mm=200, width_mm=size[0], height_mm=size[1])
    first = seal(
        certify=Permission.FORM_FILLING,
        reserved_fields=(ReservedField(name="Seal2", placement=spot),),
    )
    sealed = seal(first, certify=None, field_name="Seal2", picture=quarters())
    assert check_integrity(sealed).place_mm == pytest.approx((20, 200, *size), abs=0.01)
    picture = render(sealed)
    x, y = 20 + size[0] / 2, 200 + size[1] / 2
    across, down = shown[0] / 2 - 1, shown[1] / 2 - 1
    corners = ((x - across, y - down), (x + across, y - down), (x - across, y + down))
    assert colours(picture, *corners) == [RED, BLUE, GREEN]
    outside = ((x - across - 2, y), (x, y - down - 2))
    assert not {RED, BLUE, GREEN} & set(colours(picture, *outside))
