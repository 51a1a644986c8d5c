"""Pictures of a document are decoded and encoded anew (T-WEB-09, T-SES-35)."""

import io

import pytest
from PIL import Image, PngImagePlugin

from seal_service.errors import LimitExceeded
from verifier.page_pictures.drawing import MAX_DRAWN_PIXELS, Budget
from verifier.page_pictures.images import LARGEST_SIDE, reencode


def _encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format=form, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "GIF"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_common_pictures_become_png(form: str, mode: str) -> None:
    found = reencode(_encoded(Image.new(mode, (30, 20), 90), form), Budget())
    assert found is not None
    assert (found.width, found.height) == (30, 20)
    assert found.png.startswith(b"\x89PNG")


def test_transparency_stays() -> None:
    found = reencode(_encoded(Image.new("RGBA", (4, 4), (255, 0, 0, 0)), "PNG"), Budget())
    assert found is not None
    assert Image.open(io.BytesIO(found.png)).mode == "RGBA"


def test_metadata_and_trailing_bytes_do_not_come_along() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>")
    data = _encoded(Image.new("RGB", (4, 4)), "PNG", pnginfo=info) + b"<script>"
    found = reencode(data, Budget())
    assert found is not None
    assert b"script" not in found.png


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg/>", b"%PDF-1.7", b"RIFF0000WEBPVP8 ", b"II*\x00", b"\x89PNG\r\n\x1a\n", b"BM"],
)
def test_other_types_are_no_pictures(data: bytes) -> None:
    assert reencode(data, Budget()) is None


def test_a_large_picture_is_made_smaller() -> None:
    found = reencode(_encoded(Image.new("L", (4000, 200)), "PNG"), Budget())
    assert found is not None
    assert (found.width, found.height) == (LARGEST_SIDE, 80)


def test_pixels_are_counted_before_they_are_decoded() -> None:
    budget = Budget(pixels=100)
    assert reencode(_encoded(Image.new("L", (10, 10)), "PNG"), budget) is not None
    with pytest.raises(LimitExceeded):
        reencode(_encoded(Image.new("L", (1, 1)), "PNG"), budget)
    assert MAX_DRAWN_PIXELS == 32_000_000
