import io
import zlib
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image

from keys.errors import MalformedCertificate
from seal_service.errors import MalformedDocument, SelfCheckFailed, UnsafePicture
from seal_service.formats.ses import SealPicture, SESVersion, parse_seal, verify_seal_value
from seal_service.seals.making import SealOrder, check_png_picture, make_seal
from tests.support.seals import (
    NOW,
    PICTURE,
    SEAL_ID,
    SEAL_NAME,
    holder,
    make_party,
    maker,
)

ORDER = SealOrder(
    seal_id=SEAL_ID,
    name=SEAL_NAME,
    picture=SealPicture(format="PNG", data=PICTURE, width_mm=42, height_mm=42),
    certificates=(holder().certificate,),
    created_at=NOW,
    valid_from=NOW,
    valid_until=NOW + timedelta(days=730),
)


def chunk(kind: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(kind + data).to_bytes(4, "big")
    return len(data).to_bytes(4, "big") + kind + data + crc


def picture(data: bytes, kind: str = "PNG", width_mm: int = 42) -> SealPicture:
    return SealPicture(format=kind, data=data, width_mm=width_mm, height_mm=42)


@pytest.mark.parametrize("version", [SESVersion.V4, SESVersion.V5])
def test_a_made_seal_says_what_was_ordered(version: SESVersion) -> None:
    der = make_seal(
        ORDER, sign=maker().sign, maker_certificate=maker().certificate, version=version
    )
    seal = parse_seal(der)
    assert (seal.version, seal.seal_id, seal.name) == (version, SEAL_ID, SEAL_NAME)
    assert (seal.created_at, seal.valid_from, seal.valid_until) == (
        NOW,
        NOW,
        NOW + timedelta(days=730),
    )
    assert (seal.picture, seal.certificates) == (ORDER.picture, ORDER.certificates)
    assert seal.maker_certificate == maker().certificate
    assert seal.notices == ()
    verify_seal_value(seal)


def test_a_v5_seal_can_carry_a_time_stamp() -> None:
    der = make_seal(
        ORDER,
        sign=maker().sign,
        maker_certificate=maker().certificate,
        version=SESVersion.V5,
        timestamp=lambda value: b"token over " + value,
    )
    seal = parse_seal(der)
    assert seal.timestamp == b"token over " + seal.signed_value


def test_a_signature_of_the_wrong_key_is_not_released() -> None:
    stranger = make_party("另一制章单位")
    with pytest.raises(SelfCheckFailed):
        make_seal(ORDER, sign=stranger.sign, maker_certificate=maker().certificate)


def test_a_signature_that_is_none_is_not_released() -> None:
    with pytest.raises(SelfCheckFailed):
        make_seal(ORDER, sign=lambda _: b"", maker_certificate=maker().certificate)


@pytest.mark.parametrize(
    "order",
    [
        replace(ORDER, certificates=()),
        replace(ORDER, seal_id=""),
        replace(ORDER, seal_id="印章一"),
        replace(ORDER, name=" "),
        replace(ORDER, valid_until=NOW),
    ],
)
def test_an_order_that_makes_no_seal_is_refused_before_the_key_is_used(order: SealOrder) -> None:
    def sign(_: bytes) -> bytes:
        pytest.fail("the key was used")

    with pytest.raises(MalformedDocument):
        make_seal(order, sign=sign, maker_certificate=maker().certificate)


def test_a_signer_certificate_must_be_one() -> None:
    order = replace(ORDER, certificates=(b"certificate",))
    with pytest.raises(MalformedCertificate):
        make_seal(order, sign=maker().sign, maker_certificate=maker().certificate)


def png(**extra: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (20, 20), "red").save(buffer, "PNG", **extra)
    return buffer.getvalue()


def test_a_plain_png_is_accepted() -> None:
    check_png_picture(picture(png()))


def animated() -> bytes:
    frames = [Image.new("RGBA", (8, 8), colour) for colour in ("red", "blue")]
    return png(save_all=True, append_images=frames)


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(buffer, "JPEG")
    return buffer.getvalue()


def bomb(width: int, height: int) -> bytes:
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x06\x00\x00\x00"
    data = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("flaw", "kind", "data"),
    [
        ("empty", "PNG", b""),
        ("not a picture", "PNG", b"picture"),
        ("JPEG called PNG", "PNG", jpeg()),
        ("other type", "JPG", jpeg()),
        ("SVG", "SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("SVG called PNG", "PNG", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("60 000 pixels square", "PNG", bomb(60_000, 60_000)),
        ("no width", "PNG", bomb(0, 100)),
        ("no image data for the size", "PNG", bomb(1_000, 1_000)),
        ("animated", "PNG", animated()),
        ("bytes after the end", "PNG", png() + b"<script>"),
        ("cut short", "PNG", png()[:-20]),
        ("chunk longer than the file", "PNG", png()[:33] + b"\x7f\xff\xff\xff" + png()[37:]),
        ("over a mebibyte", "PNG", png() + bytes(2**20)),
    ],
)
def test_pictures_that_are_unsafe_are_refused(flaw: str, kind: str, data: bytes) -> None:
    """T-SES-35, T-SES-36."""
    with pytest.raises(UnsafePicture):
        check_png_picture(picture(data, kind))


@pytest.mark.parametrize("width", [0, 101])
def test_pictures_of_no_seal_size_are_refused(width: int) -> None:
    """T-SES-35."""
    with pytest.raises(UnsafePicture):
        check_png_picture(picture(png(), width_mm=width))


def test_a_damaged_picture_raises_nothing_else() -> None:
    original = png()
    for at in range(len(original)):
        data = bytearray(original)
        data[at] ^= 0xFF
        try:
            check_png_picture(picture(bytes(data)))
        except UnsafePicture:
            continue
