"""How a seal looks beyond its texts: shape, height, centre, lettering, or an uploaded picture.

Part of what is applied for, and so of what an approval binds: what is drawn is what was approved.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class SealShape(StrEnum):
    """The kinds of picture."""

    ROUND = "round"
    """Official and special seals: name around a star or the national emblem."""
    OVAL = "oval"
    """Business seals such as 发票专用章."""
    BLOCK = "block"
    """Square and rectangular business seals."""
    NAME = "name"
    """The name seal of a person (法定代表人名章)."""
    SCAN = "scan"
    """The cleaned scan of an impression, uploaded before."""


class Emblem(StrEnum):
    """What stands in the centre."""

    STAR = "star"
    NATIONAL = "national"
    """The national emblem: room is left for the deployer's own drawing of it."""
    NONE = "none"


class Lettering(StrEnum):
    """How the characters of a name seal stand out."""

    RELIEF = "relief"
    """朱文 (阳文): red characters on an open ground."""
    INTAGLIO = "intaglio"
    """白文 (阴文): open characters in a red ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealDesign:
    """How a seal looks. ``SealFace.diameter_mm`` is its width."""

    shape: SealShape = SealShape.ROUND
    height_mm: float = 0.0
    """0 for as high as wide."""
    centre: Emblem = Emblem.STAR
    emblem_sha256: str = ""
    """Of the file the deployer supplied, where the national emblem stands in the centre."""
    code: str = ""
    """In the middle of an oval seal, such as the credit code."""
    lettering: Lettering = Lettering.RELIEF
    """Of a name seal."""
    picture_sha256: str = ""
    """Of the cleaned scan."""

    def parts(self) -> tuple[str, ...]:
        """Return what a digest covers; nothing for the plain round seal with a star.

        So applications from before there were other designs keep their digest.
        """
        if self == PLAIN:
            return ()
        return tuple(f"{name}={value}" for name, value in asdict(self).items())

    def to_text(self) -> str | None:
        """Return what the register keeps; None for the plain round seal with a star."""
        return None if self == PLAIN else json.dumps(asdict(self), sort_keys=True)


PLAIN = SealDesign()


def read_design(text: str | None) -> SealDesign:
    """Read what the register keeps."""
    if text is None:
        return PLAIN
    kept = json.loads(text)
    return SealDesign(
        shape=SealShape(kept["shape"]),
        height_mm=float(kept["height_mm"]),
        centre=Emblem(kept["centre"]),
        emblem_sha256=str(kept["emblem_sha256"]),
        code=str(kept["code"]),
        lettering=Lettering(kept["lettering"]),
        picture_sha256=str(kept["picture_sha256"]),
    )
