"""The licence fonts: which of them can set a text, and small subsets for embedding.

1. A text is checked before layout: a character that no font draws is refused by name, and so is a
   private-use one, which means something else on every machine (PDF/A lets it pass).
2. A line is set in the first font that covers all of it. A rare character in a single-line field
   moves the whole line, so that no name mixes two hands; in a long text it moves alone.
3. OFD readers get TrueType subsets with a Unicode cmap (GB/T 33190-2016, 11; ofd-document 6).

The folder is made by ``scripts/setup-fonts``; its manifest names each file and its digest.
"""

import hashlib
import json
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import uharfbuzz as hb

from licence_store.rendering.errors import FontsUnavailable, RenderingFault
from seal_service.errors import GlyphMissing

MANIFEST = "fonts.json"
FALLBACK = {
    "song": ("song", "rare"),
    "song-bold": ("song-bold", "rare"),
    "kai": ("kai", "song", "rare"),
}
"""Role -> roles to try, in order."""
GROUPS = {"rare": ("rare", "rare-extension")}
"""Roles that stand for several files of one design."""
SUBSTITUTES = {
    "song": "SimSun",
    "song-bold": "SimSun",
    "kai": "KaiTi",
    "rare": "SimSun",
    "rare-extension": "SimSun-ExtB",
}
"""What a reader that ignores embedded fonts should fall back to."""
KEPT_SUBSETS = 256
ALWAYS_TOGETHER = frozenset(range(0x30, 0x3A)) | frozenset(range(0x41, 0x5B))
"""Digits and capitals come and go together, so that fonts of fixed words stay the same subset."""
_NAMES_KEPT = (1, 2, 4, 6, 13, 14)
_DROPPED_TABLES = tuple(
    int.from_bytes(tag.encode("ascii"), "big")
    for tag in ("vhea", "vmtx", "gasp", "GSUB", "GPOS", "GDEF", "BASE")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FontSubset:
    """A font file that holds just the characters asked for."""

    name: str
    """ASCII, different for every subset: readers register faces under it."""
    family: str
    is_bold: bool
    data: bytes


class FontFile:
    """One font of the folder; outlines and tables are loaded when first needed."""

    def __init__(self, path: Path, *, role: str, family: str) -> None:
        self.path = path
        self.role = role
        self.family = family
        self._subsets: OrderedDict[frozenset[int], FontSubset] = OrderedDict()
        self._lock = threading.Lock()

    @cached_property
    def _face(self) -> "hb.Face":
        return hb.Face(hb.Blob.from_file_path(str(self.path)))

    @cached_property
    def _ready_face(self) -> "hb.Face":
        return hb.subset_preprocess(self._face)

    @cached_property
    def code_points(self) -> frozenset[int]:
        """Return what the font draws."""
        return frozenset(self._face.unicodes)

    @cached_property
    def postscript_name(self) -> str:
        """Return the name that a PDF calls the font by."""
        return str(self._face.get_name(hb.OTNameIdPredefined.POSTSCRIPT_NAME))

    @property
    def is_bold(self) -> bool:
        """Return whether this is the bold face."""
        return self.role.endswith("bold")

    def subset(self, code_points: Iterable[int]) -> FontSubset:
        """Return a subset with these characters; the same set gives the same bytes."""
        wanted = frozenset(code_points)
        if wanted & ALWAYS_TOGETHER:
            wanted |= ALWAYS_TOGETHER & self.code_points
        with self._lock:
            known = self._subsets.get(wanted)
            if known is None:
                known = self._subsets[wanted] = self._make_subset(wanted)
                if len(self._subsets) > KEPT_SUBSETS:
                    self._subsets.popitem(last=False)
            else:
                self._subsets.move_to_end(wanted)
        return known

    def _make_subset(self, wanted: frozenset[int]) -> FontSubset:
        if not wanted <= self.code_points:
            raise RenderingFault(f"{self.path.name} lacks characters of its own text")
        order = hb.SubsetInput()
        order.flags = hb.SubsetFlags.NO_HINTING
        order.unicode_set.update(wanted)
        order.name_id_set.clear()
        order.name_id_set.update(_NAMES_KEPT)
        order.drop_table_tag_set.update(_DROPPED_TABLES)
        data = bytes(hb.subset(self._ready_face, order).blob.data)
        mark = hashlib.sha256(data).hexdigest()[:8]
        return FontSubset(
            name=f"{self.postscript_name}-{mark}",
            family=SUBSTITUTES.get(self.role, self.family),
            is_bold=self.is_bold,
            data=data,
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """Fonts of one design, tried together."""

    families: tuple[str, ...]
    code_points: frozenset[int]


class FontFolder:
    """The fonts of one folder, by role. May be shared between threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.fonts: Mapping[str, FontFile] = _read_manifest(self.folder)
        self._by_postscript_name = {font.postscript_name: font for font in self.fonts.values()}
        self._chains: dict[str, tuple[_Step, ...]] = {}

    def by_postscript_name(self, name: str) -> FontFile:
        """Return the font that a PDF embeds under this name, subset tag removed."""
        font = self._by_postscript_name.get(name)
        if font is None:
            raise RenderingFault(f"the page uses a font that is not in the folder: {name}")
        return font

    def families_for(self, text: str, role: str, *, as_one: bool = True) -> list[str]:
        """Return the font families to set a text in.

        ``as_one``: a single line, which moves to another font as a whole. Raises ``GlyphMissing``.
        """
        points = {ord(character) for character in text} - {0x0A}
        chain = self._chain(role)
        self._check_drawable(text, chain)
        if as_one:
            kept = next(((step,) for step in chain if points <= step.code_points), chain)
        else:
            kept = (chain[0],)
            missing = points - chain[0].code_points
            for step in chain[1:]:
                if missing & step.code_points:
                    kept += (step,)
                    missing -= step.code_points
        return list(dict.fromkeys(family for step in kept for family in step.families))

    def _chain(self, role: str) -> tuple[_Step, ...]:
        """Return what to try for a role, in order; worked out once."""
        known = self._chains.get(role)
        if known is not None:
            return known
        chain: list[_Step] = []
        for name in FALLBACK.get(role, (role, "song", "rare")):
            fonts = [self.fonts[part] for part in GROUPS.get(name, (name,)) if part in self.fonts]
            if fonts:
                points = frozenset[int]().union(*(font.code_points for font in fonts))
                chain.append(_Step(tuple(font.family for font in fonts), points))
        if not chain:
            raise FontsUnavailable(f"no font for role {role}", role=role)
        self._chains[role] = tuple(chain)
        return self._chains[role]

    @staticmethod
    def _check_drawable(text: str, chain: tuple[_Step, ...]) -> None:
        if text.isascii() and text.isprintable():
            return
        bad = [
            character
            for character in dict.fromkeys(text)
            if character != "\n"
            and (
                unicodedata.category(character) in ("Co", "Cc", "Cf", "Cs")
                or not any(ord(character) in step.code_points for step in chain)
            )
        ]
        if bad:
            named = "、".join(f"{_shown(character)}（U+{ord(character):04X}）" for character in bad)
            raise GlyphMissing(
                f"字库中没有这些字符：{named}",
                characters=" ".join(f"U+{ord(character):04X}" for character in bad),
            )


def _shown(character: str) -> str:
    return character if unicodedata.category(character) not in ("Cc", "Cf", "Cs") else "?"


def _read_manifest(folder: Path) -> dict[str, FontFile]:
    """Read the manifest and check each file against its digest."""
    try:
        listed = json.loads((folder / MANIFEST).read_text("utf-8"))["fonts"]
        fonts = {}
        for entry in listed:
            path = folder / entry["file"]
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            if digest != entry["sha256"]:
                raise FontsUnavailable(f"{path} was changed", file=entry["file"])
            fonts[entry["role"]] = FontFile(path, role=entry["role"], family=entry["family"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FontsUnavailable(f"{folder}: {error!r}") from error
    return fonts
