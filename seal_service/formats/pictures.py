"""Judge the picture inside a seal by its bytes, before anything decodes or shows it.

Declared type and bytes must agree, sizes stay within limits, and there is one still image and
nothing else in the file. Pictures of type OFD are whole packages: here only their opening is
checked, ``formats.ofd`` reads the rest under its own limits.
"""

import re
from collections.abc import Callable

from seal_service.errors import UnsafePicture
from seal_service.formats.limits import DEFAULT_LIMITS
from seal_service.formats.ses_model import SealPicture

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_MOVING = frozenset({b"acTL", b"fcTL", b"fdAT"})
_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_ACTIVE_SVG = re.compile(
    rb"<!|<\?(?!xml\s)|<\s*(?:\w+:)?(?:script|foreignobject|image|use|a|style|animate|set|iframe)\b"
    rb"|encoding\s*=\s*.(?!utf-8)"
    rb"|\bon\w+\s*=|href\s*=|url\s*\(|@import|javascript:|&(?!(?:lt|gt|amp|quot|apos);)",
    re.IGNORECASE,
)


def check_picture(picture: SealPicture) -> None:
    """Raise ``UnsafePicture`` unless the picture may be decoded and shown (T-SES-35, T-SES-36)."""
    if not 0 < len(picture.data) <= DEFAULT_LIMITS.picture_bytes:
        raise UnsafePicture("too many bytes or none", reason="picture-bytes")
    check = _CHECKS.get(picture.format.upper())
    if check is None:
        raise UnsafePicture("not a type of picture", reason="picture-type")
    try:
        check(picture.data)
    except IndexError:
        raise UnsafePicture("the picture is cut short", reason="picture-type") from None


def _refuse_type() -> UnsafePicture:
    return UnsafePicture("declared type and bytes differ", reason="picture-type")


def _refuse_trailing() -> UnsafePicture:
    return UnsafePicture("bytes after the picture", reason="picture-trailing")


def _check_pixels(width: int, height: int) -> None:
    if not (width > 0 and 0 < width * height <= DEFAULT_LIMITS.picture_pixels):
        raise UnsafePicture("too many pixels or none", reason="picture-pixels")


def _check_png(data: bytes) -> None:
    """Walk the chunks (ISO/IEC 15948, 5)."""
    if data[:8] != _PNG_SIGNATURE or data[12:16] != b"IHDR":
        raise _refuse_type()
    _check_pixels(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
    at = len(_PNG_SIGNATURE)
    kind = b""
    while kind != b"IEND" and at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if kind in _PNG_MOVING:
            raise UnsafePicture("a seal does not move", reason="picture-animated")
    if at != len(data) or kind != b"IEND":
        raise _refuse_trailing()


def _check_jpeg(data: bytes) -> None:
    """Walk the segments up to the first scan (ISO/IEC 10918-1, annex B)."""
    if data[:3] != b"\xff\xd8\xff":
        raise _refuse_type()
    if data[-2:] != b"\xff\xd9":
        raise _refuse_trailing()
    at = 2
    seen_frame = False
    while data[at] == 0xFF and data[at + 1] != 0xDA:
        marker = data[at + 1]
        if marker in _JPEG_ALONE:
            at += 2
            continue
        if marker in _JPEG_FRAMES:
            _check_jpeg_frame(data, at)
            seen_frame = True
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    if not seen_frame or data[at] != 0xFF:
        raise _refuse_type()


def _check_jpeg_frame(data: bytes, at: int) -> None:
    height, width = (int.from_bytes(data[at + i : at + i + 2], "big") for i in (5, 7))
    _check_pixels(width, height)
    if data[at + 9] not in (1, 3):
        raise UnsafePicture("grey or three colours are due", reason="picture-colours")


def _check_gif(data: bytes) -> None:
    """Walk the blocks: one image, then the trailer (GIF89a, 17 to 27)."""
    if data[:6] not in (b"GIF87a", b"GIF89a"):
        raise _refuse_type()
    _check_pixels(int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little"))
    at = 13 + _gif_table(data[10])
    images = 0
    while data[at] != 0x3B:
        if data[at] == 0x21:
            at = _after_gif_blocks(data, at + 2)
        elif data[at] == 0x2C:
            images += 1
            width, height = (int.from_bytes(data[at + i : at + i + 2], "little") for i in (5, 7))
            _check_pixels(width, height)
            at = _after_gif_blocks(data, at + 10 + _gif_table(data[at + 9]) + 1)
        else:
            raise _refuse_type()
    if images != 1:
        raise UnsafePicture("a seal does not move", reason="picture-animated")
    if at != len(data) - 1:
        raise _refuse_trailing()


def _gif_table(flags: int) -> int:
    """Return the bytes of a colour table."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _after_gif_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1


def _check_bmp(data: bytes) -> None:
    if data[:2] != b"BM" or len(data) < 54:
        raise _refuse_type()
    width = int.from_bytes(data[18:22], "little", signed=True)
    _check_pixels(width, abs(int.from_bytes(data[22:26], "little", signed=True)))
    if int.from_bytes(data[2:6], "little") != len(data):
        raise _refuse_trailing()


def _check_svg(data: bytes) -> None:
    """Refuse whatever is not a still drawing of its own: an allow-list would read more."""
    if b"\x00" in data or not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise _refuse_type()
    if b"<svg" not in data[:2_000] or not data.rstrip().endswith(b"svg>"):
        raise _refuse_type()
    if _ACTIVE_SVG.search(data):
        raise UnsafePicture("the drawing is not still", reason="picture-active")


def _check_ofd(data: bytes) -> None:
    if data[:4] != b"PK\x03\x04":
        raise _refuse_type()


_CHECKS: dict[str, Callable[[bytes], None]] = {
    "PNG": _check_png,
    "JPG": _check_jpeg,
    "JPEG": _check_jpeg,
    "GIF": _check_gif,
    "BMP": _check_bmp,
    "SVG": _check_svg,
    "OFD": _check_ofd,
}
