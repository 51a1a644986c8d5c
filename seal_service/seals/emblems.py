"""The national emblem in the centre of a seal: a file the deployer supplies, never one of ours.

Its shape is taken from what the file covers, its colour is the seal's. SVG (a still drawing, see
``formats.pictures``) or PNG with a transparent ground.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from seal_service.errors import UnsafePicture
from seal_service.formats.pictures import check_picture
from seal_service.formats.ses_model import SealPicture
from seal_service.seals.drawing import rasterise

_LEAST_PIXELS = 300
"""The emblem of a seal of 45 mm is some 18 mm high: 400 dpi and more."""
_SIDE_MM = 30.0
_DPI = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class EmblemAsset:
    """An emblem as it was supplied; the digest is what an approval binds."""

    data: bytes
    format: str
    """``SVG`` or ``PNG``."""

    @property
    def sha256(self) -> str:
        """Return the digest of the file, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    def coverage(self, side: int) -> Image.Image:
        """Return how much of each pixel the emblem covers, fitted in a square (mode L).

        Raises ``UnsafePicture`` for a file without a transparent ground or with too few pixels.
        """
        covered = self._coverage()
        box = covered.getbbox()
        if box is None or (box == (0, 0, *covered.size) and covered.getextrema()[0] == 255):
            raise UnsafePicture("the emblem has no transparent ground", reason="emblem")
        covered = covered.crop(box)
        if max(covered.size) < _LEAST_PIXELS:
            raise UnsafePicture("the emblem has too few pixels", reason="emblem")
        scale = side / max(covered.size)
        size = tuple(max(1, round(length * scale)) for length in covered.size)
        fitted = Image.new("L", (side, side))
        drawn = covered.resize((size[0], size[1]), Image.Resampling.LANCZOS)
        fitted.paste(drawn, ((side - size[0]) // 2, (side - size[1]) // 2))
        return fitted

    def _coverage(self) -> Image.Image:
        if self.format == "SVG":
            return rasterise(self.data.decode(), (_SIDE_MM, _SIDE_MM), dpi=_DPI)
        try:
            with Image.open(io.BytesIO(self.data), formats=["PNG"]) as image:
                return image.convert("RGBA").getchannel("A")
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise UnsafePicture("the emblem does not decode", reason="emblem") from error


def load_emblem(path: Path) -> EmblemAsset:
    """Read the deployer's file; raises ``UnsafePicture`` for one that cannot be used."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnsafePicture("the emblem file cannot be read", reason="emblem") from error
    kind = "PNG" if data.startswith(b"\x89PNG") else "SVG"
    check_picture(SealPicture(format=kind, data=data, width_mm=1, height_mm=1))
    asset = EmblemAsset(data=data, format=kind)
    asset.coverage(_LEAST_PIXELS)
    return asset
