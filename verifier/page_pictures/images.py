"""Pictures of a document, decoded and encoded anew (T-WEB-09, T-SES-35).

The type is told by the bytes, never by what the file says. What comes out is a PNG of our own
making, no finer than a screen shows, so that nothing of the original's structure goes on.
"""

import io
import warnings

from PIL import Image, UnidentifiedImageError

from seal_service.errors import LimitExceeded
from verifier.page_pictures.drawing import Bitmap, Budget

FORMATS = ("PNG", "JPEG", "BMP", "GIF")
LARGEST_SIDE = 1_600
_PLAIN_MODES = ("L", "RGB", "RGBA")


def reencode(data: bytes, budget: Budget) -> Bitmap | None:
    """Return the picture as our PNG, or None if it is of no type we read.

    Raises ``LimitExceeded`` before decoding when it has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                budget.take_pixels(opened.width * opened.height)
                opened.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))
                decoded = _plain(opened)
    except Image.DecompressionBombError:
        raise LimitExceeded("too many pixels", reason="limit", limit="picture_pixels") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, IndexError, KeyError):
        # What Pillow raises for broken files of the formats above.
        return None
    decoded.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    return encode(decoded)


def encode(picture: Image.Image) -> Bitmap:
    """Return a decoded picture as PNG, without any metadata."""
    out = io.BytesIO()
    picture.save(out, format="PNG", compress_level=6)
    return Bitmap(out.getvalue(), picture.width, picture.height)


def _plain(opened: Image.Image) -> Image.Image:
    has_alpha = "A" in opened.getbands() or "transparency" in opened.info
    if has_alpha:
        return opened.convert("RGBA")
    if opened.mode in _PLAIN_MODES:
        return opened.copy()
    return opened.convert("L" if opened.mode in ("1", "I;16", "I") else "RGB")
