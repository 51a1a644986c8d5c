"""Pictures as PDF objects: small, equal in every pixel that can be seen."""

import io
import zlib

import pypdfium2
import pytest
from PIL import Image

from seal_service.errors import UnsafePicture
from seal_service.formats.pdf.appearance import image_objects
from seal_service.formats.pdf.pages import PDFPlacement
from tests.support.pdf import PDFSpec, make_pdf, seal


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def drawing(colours: list[tuple[int, int, int]], strengths: list[int]) -> Image.Image:
    """Draw columns of colours over rows of strengths; an odd width, as seals have."""
    image = Image.new("RGBA", (31, 30))
    for x in range(31):
        for y in range(30):
            strength = strengths[y * len(strengths) // 30]
            image.putpixel((x, y), (*colours[x * len(colours) // 31], strength))
    return image


def shown(image: Image.Image) -> Image.Image:
    """Render a seal of this picture, one pixel to a pixel, on white."""
    side = 25.4 / 72
    box = PDFPlacement(page_number=1, x_mm=0, y_mm=0, width_mm=31 * side, height_mm=30 * side)
    base = make_pdf(
        PDFSpec(media_box="0 0 31 30", extra_objects={6: b"<</Length 0>>\nstream\n\nendstream"})
    )
    with pypdfium2.PdfDocument(seal(base, picture=png(image), placement=box)) as document:
        document.init_forms()
        picture = document[0].render(scale=8).to_pil()
    assert isinstance(picture, Image.Image)
    return picture.convert("RGB")


MANY = [(8 * i, 255 - 8 * i, (i * 37) % 256) for i in range(31)]


@pytest.mark.parametrize(
    ("colours", "strengths"),
    [
        ([(230, 0, 18)], [255]),
        ([(230, 0, 18)], [255, 0, 119, 17]),
        ([(230, 0, 18)], [255, 0, 100]),
        ([(230, 0, 18), (0, 0, 200)], [255, 136]),
        (MANY, [255, 128]),
    ],
)
def test_every_visible_pixel_is_kept(
    colours: list[tuple[int, int, int]], strengths: list[int]
) -> None:
    image = drawing(colours, strengths)
    expected = Image.new("RGB", image.size, "white")
    expected.paste(image, mask=image.getchannel("A"))
    result = shown(image)
    for x in range(31):
        for y in range(30):
            seen = result.getpixel((8 * x + 4, 8 * y + 4))
            wanted = expected.getpixel((x, y))
            assert isinstance(seen, tuple)
            assert isinstance(wanted, tuple)
            assert all(abs(a - b) <= 3 for a, b in zip(seen, wanted, strict=True)), (x, y)


def test_a_seal_of_one_colour_costs_only_its_strengths() -> None:
    spelt = image_objects(png(drawing([(230, 0, 18)], [255, 0, 119])))
    assert b"/ColorSpace[/Indexed /DeviceRGB 0 (" in spelt.head
    assert b"/BitsPerComponent 1" in spelt.head
    assert b"/BitsPerComponent 4" in spelt.mask
    assert b"SMask" not in spelt.mask
    assert spelt.spell(7).count(b"/SMask 7 0 R") == 1


def test_more_than_256_colours_are_stored_as_they_are() -> None:
    image = Image.new("RGBA", (20, 20))
    for x in range(20):
        for y in range(20):
            image.putpixel((x, y), (10 * x, 10 * y, 0, 255))
    assert b"/ColorSpace/DeviceRGB" in image_objects(png(image)).head


def test_a_picture_that_nobody_sees_is_allowed() -> None:
    assert image_objects(png(Image.new("RGBA", (3, 3)))).mask


def test_a_picture_is_turned_once_and_kept() -> None:
    data = png(drawing([(1, 2, 3)], [255]))
    assert image_objects(data) is image_objects(bytes(bytearray(data)))


def test_a_broken_picture_is_refused() -> None:
    good = png(drawing([(1, 2, 3)], [255]))
    at = good.index(b"IDAT") + 4
    size = int.from_bytes(good[at - 8 : at - 4], "big")
    body = zlib.compress(b"short")
    body += bytes(size - len(body))
    bad = good[:at] + body + zlib.crc32(b"IDAT" + body).to_bytes(4, "big") + good[at + size + 4 :]
    with pytest.raises(UnsafePicture):
        image_objects(bad)
