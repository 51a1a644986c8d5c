import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seal_service.errors import UnsafePicture
from seal_service.formats.pictures import check_picture
from seal_service.formats.ses import SealPicture

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0Z"/></svg>'


def check(kind: str, data: bytes) -> None:
    check_picture(SealPicture(format=kind, data=data, width_mm=42, height_mm=42))


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (30, 20)) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind)
    return buffer.getvalue()


def moving_gif() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("PNG", encoded("PNG")),
        ("png", encoded("PNG", "RGBA")),
        ("JPG", encoded("JPEG")),
        ("jpeg", encoded("JPEG", "L")),
        ("GIF", encoded("GIF")),
        ("BMP", encoded("BMP")),
        ("SVG", SVG),
        ("ofd", b"PK\x03\x04 a package"),
    ],
)
def test_still_pictures_of_every_listed_type_are_read(kind: str, data: bytes) -> None:
    check(kind, data)


@pytest.mark.parametrize("kind", ["PNG", "JPG", "GIF", "BMP", "SVG", "OFD", "TIFF", ""])
def test_the_declared_type_must_be_that_of_the_bytes(kind: str) -> None:
    """T-SES-35."""
    for data in (encoded("PNG"), encoded("JPEG"), encoded("GIF"), encoded("BMP"), SVG, b"PDF"):
        right = {"PNG": "PNG", "JPG": "JPEG", "GIF": "GIF", "BMP": "BMP"}.get(kind)
        if (right and data == encoded(right)) or (kind == "SVG" and data == SVG):
            continue
        with pytest.raises(UnsafePicture):
            check(kind, data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
def test_nothing_may_follow_the_picture(kind: str) -> None:
    """T-SES-35: polyglots."""
    with pytest.raises(UnsafePicture):
        check(kind, encoded(kind) + b"<script>alert(1)</script>")


@pytest.mark.parametrize(
    ("kind", "offset", "order"),
    [("PNG", 16, "big"), ("GIF", 6, "little"), ("BMP", 18, "little"), ("JPEG", None, "big")],
)
@pytest.mark.parametrize("side", [0, 60_000])
def test_sizes_out_of_bounds_are_refused_before_decoding(
    kind: str, offset: int | None, order: str, side: int
) -> None:
    """T-SES-35."""
    data = bytearray(encoded(kind))
    if offset is None:
        offset = data.index(b"\xff\xc0") + 5
    size = {"PNG": 4, "BMP": 4}.get(kind, 2)
    for at in (offset, offset + size):
        value = side.to_bytes(size, "little" if order == "little" else "big")
        data[at : at + size] = value
    with pytest.raises(UnsafePicture) as caught:
        check(kind, bytes(data))
    assert caught.value.params["reason"] == "picture-pixels"


def test_moving_pictures_are_refused() -> None:
    """T-SES-35."""
    with pytest.raises(UnsafePicture) as caught:
        check("GIF", moving_gif())
    assert caught.value.params["reason"] == "picture-animated"


def test_four_colour_pictures_are_refused() -> None:
    """T-SES-35."""
    with pytest.raises(UnsafePicture) as caught:
        check("JPG", encoded("JPEG", "CMYK"))
    assert caught.value.params["reason"] == "picture-colours"


@pytest.mark.parametrize(
    "inside",
    [
        b"<script>alert(1)</script>",
        b"<svg:script/>",
        b'<path onload="alert(1)"/>',
        b"<path ONLOAD = 'x'/>",
        b'<image href="http://192.0.2.1/x.png"/>',
        b'<use xlink:href="#a"/>',
        b"<foreignObject/>",
        b'<path style="fill:url(http://192.0.2.1/x)"/>',
        b"<style>@import 'x';</style>",
        b'<a xlink:href="javascript:alert(1)"/>',
        b'<animate attributeName="x"/>',
        b"<!-- comment -->",
        b"&x;",
        b"&#106;",
    ],
)
def test_drawings_that_do_or_fetch_something_are_refused(inside: bytes) -> None:
    """T-SES-36."""
    with pytest.raises(UnsafePicture):
        check("SVG", SVG.replace(b"<path", inside + b"<path"))


@pytest.mark.parametrize(
    "lead",
    [
        b"<!DOCTYPE svg [<!ENTITY x 'y'>]>",
        b"<?xml-stylesheet ?>",
        b'<?xml version="1.0" encoding="utf-7"?>',
    ],
)
def test_drawings_with_declarations_are_refused(lead: bytes) -> None:
    """T-SES-36."""
    with pytest.raises(UnsafePicture):
        check("SVG", lead + SVG[21:])


@pytest.mark.parametrize("kind", ["PNG", "JPG", "GIF", "BMP", "SVG", "OFD"])
@given(st.data())
def test_damaged_pictures_raise_nothing_else(kind: str, data: st.DataObject) -> None:
    source = SVG if kind in ("SVG", "OFD") else encoded({"JPG": "JPEG"}.get(kind, kind))
    damaged = bytearray(source)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    try:
        check(kind, bytes(damaged[:cut]))
    except UnsafePicture:
        return
