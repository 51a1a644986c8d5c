"""How a seal picture looks in a PDF: image XObjects and the form that a widget shows.

ISO 32000-1, 8.9.5, 8.10 and 12.5.5; ISO 19005-2, 6.2.8 (no interpolation, no alternates). A seal is
nearly always one colour in several strengths: then the colour is a flat image that packs to
nothing, and only the strengths cost bytes.
"""

import io
import zlib
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from seal_service.errors import UnsafePicture
from seal_service.formats.pdf.pages import Box
from seal_service.formats.pdf.syntax import Dictionary, Name, Ref, Value, spell
from seal_service.formats.pictures import check_picture
from seal_service.formats.ses_model import SealPicture

_CACHED_PICTURES = 128
_TURNED = {
    0: (1, 0, 0, 1),
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}
"""The linear part of the matrix that turns a form against the turn of its page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageObjects:
    """An image XObject and its mask, lacking only their object numbers."""

    head: bytes
    """The image up to the object number of its mask."""
    tail: bytes
    mask: bytes

    def spell(self, mask_number: int) -> bytes:
        """Return the image object with a reference to its mask."""
        return self.head + b"%d 0 R" % mask_number + self.tail


@lru_cache(maxsize=_CACHED_PICTURES)
def image_objects(png: bytes) -> ImageObjects:
    """Turn a PNG into PDF objects; kept, for a seal is used many times.

    Raises ``UnsafePicture`` for anything but one still PNG within limits.
    """
    check_picture(SealPicture(format="PNG", data=png, width_mm=1, height_mm=1))
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
            pixels = picture.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise UnsafePicture("the picture cannot be decoded", reason="picture-broken") from None
    width, height = pixels.size
    colour_space, bits, samples = _colours(pixels)
    head, tail = _image(width, height, colour_space, bits, samples).split(b"/SMask null", 1)
    alpha_bits, alpha = _strengths(pixels.getchannel("A"))
    mask = _image(width, height, Name("DeviceGray"), alpha_bits, alpha)
    return ImageObjects(
        head=head + b"/SMask ", tail=tail, mask=mask.replace(b"/SMask null", b"", 1)
    )


def form_object(*, image: Ref, size: tuple[float, float], shown: Box, rotation: int) -> bytes:
    """Return the form XObject that shows a picture.

    ``size`` is the whole picture, ``shown`` the part of it that the widget shows (left, bottom,
    right, top), both in units of the page before it is turned by ``rotation`` degrees.
    """
    width, height = size
    content = b"q %s 0 0 %s 0 0 cm /Im0 Do Q" % (spell(width), spell(height))
    matrix: list[Value] = [*_TURNED[rotation], 0, 0]
    dictionary = Dictionary(
        {
            "Type": Name("XObject"),
            "Subtype": Name("Form"),
            "BBox": [round(side, 4) for side in shown],
            "Matrix": matrix,
            "Resources": Dictionary({"XObject": Dictionary({"Im0": image})}),
        }
    )
    return stream_object(dictionary, content)


EMPTY_FORM = b"<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Length 0>>\nstream\n\nendstream"
"""What a signature field shows that is not filled yet (ISO 19005-2, 6.3.3)."""


def stream_object(dictionary: Dictionary, body: bytes) -> bytes:
    """Spell a stream object."""
    complete = Dictionary({**dictionary, "Length": len(body)})
    return spell(complete) + b"\nstream\n" + body + b"\nendstream"


def _image(width: int, height: int, colour_space: Value, bits: int, samples: bytes) -> bytes:
    dictionary = Dictionary(
        {
            "Type": Name("XObject"),
            "Subtype": Name("Image"),
            "Width": width,
            "Height": height,
            "ColorSpace": colour_space,
            "BitsPerComponent": bits,
            "SMask": None,
            "Filter": Name("FlateDecode"),
        }
    )
    return stream_object(dictionary, zlib.compress(samples, 9))


def _colours(pixels: Image.Image) -> tuple[Value, int, bytes]:
    """Return colour space, bits per component and samples, rows padded to whole bytes."""
    width, height = pixels.size
    rgb = pixels.convert("RGB")
    # Pixels that nobody sees must not cost a colour.
    seen = Image.composite(rgb, Image.new("RGB", rgb.size, _first_seen(pixels)), _is_seen(pixels))
    found = seen.getcolors(maxcolors=256)
    if found is None:
        return Name("DeviceRGB"), 8, seen.tobytes()
    palette = sorted(colour for _, colour in found if isinstance(colour, tuple))
    table = b"".join(bytes(colour) for colour in palette)
    space: Value = [Name("Indexed"), Name("DeviceRGB"), len(palette) - 1, table]
    if len(palette) == 1:
        return space, 1, bytes(-(-width // 8) * height)
    numbers = {bytes(colour): number for number, colour in enumerate(palette)}
    raw = seen.tobytes()
    return space, 8, bytes(numbers[raw[at : at + 3]] for at in range(0, len(raw), 3))


def _is_seen(pixels: Image.Image) -> Image.Image:
    return pixels.getchannel("A").point([0] + [255] * 255)


def _first_seen(pixels: Image.Image) -> tuple[int, int, int]:
    """Return the colour that most visible pixels have, or white."""
    counts = pixels.getcolors(maxcolors=pixels.width * pixels.height) or []
    visible = [(count, colour) for count, colour in counts if isinstance(colour, tuple)]
    visible = [(count, colour) for count, colour in visible if colour[3]]
    if not visible:
        return 255, 255, 255
    red, green, blue, _ = max(visible)[1]
    return red, green, blue


def _strengths(alpha: Image.Image) -> tuple[int, bytes]:
    """Return bits per component and samples of the mask: four bits where they lose nothing."""
    used = {value for value, count in enumerate(alpha.histogram()) if count}
    if any(value % 17 for value in used):
        return 8, alpha.tobytes()
    narrow = alpha.point([value // 17 for value in range(256)]).tobytes()
    width = alpha.width
    rows = bytearray()
    for at in range(0, len(narrow), width):
        row = narrow[at : at + width] + b"\0" * (width % 2)
        rows += bytes(high << 4 | low for high, low in zip(row[::2], row[1::2], strict=True))
    return 4, bytes(rows)
