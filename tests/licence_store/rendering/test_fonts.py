"""Fonts: coverage decided before layout, small subsets that readers accept."""

import io
import json
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from licence_store.rendering.errors import FontsUnavailable, RenderingFault
from licence_store.rendering.fonts import FontFolder
from seal_service.errors import GlyphMissing
from tests.licence_store.rendering.samples import FONTS

NEEDED_TABLES = {"cmap", "glyf", "loca", "head", "hhea", "hmtx", "maxp", "name", "OS/2", "post"}
ONLY_IN_RARE_FONT = "\U0002006f"
NOWHERE = ("\U00031350", "\U0002ebf0")


@pytest.fixture(scope="module")
def fonts() -> FontFolder:
    return FontFolder(FONTS)


def test_the_base_font_covers_gb2312_and_the_samples_of_planes_2_and_3(fonts: FontFolder) -> None:
    covered = fonts.fonts["song"].code_points
    rows = (bytes([high, low]) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    han = {row.decode("gb2312", "ignore") for row in rows} - {""}
    assert len(han) == 6763
    assert {ord(character) for character in han} <= covered
    assert {ord(character) for character in "𠮷𡈼𬱖𰻞"} <= covered


def test_an_ordinary_line_stays_in_its_font(fonts: FontFolder) -> None:
    assert fonts.families_for("金陵云栖茶点", "kai") == ["LXGW WenKai"]
    assert fonts.families_for("ABC 123", "song") == ["Eseal Song"]


def test_a_line_with_a_rare_character_moves_as_a_whole(fonts: FontFolder) -> None:
    assert fonts.families_for("王𡈼", "kai") == ["Eseal Song"]
    assert fonts.families_for(f"王{ONLY_IN_RARE_FONT}", "song") == ["TW-Sung", "TW-Sung-Ext-B"]


def test_in_a_long_text_the_rare_character_moves_alone(fonts: FontFolder) -> None:
    found = fonts.families_for(f"甲\n王{ONLY_IN_RARE_FONT}", "song", as_one=False)
    assert found == ["Eseal Song", "TW-Sung", "TW-Sung-Ext-B"]
    assert fonts.families_for("甲乙", "song", as_one=False) == ["Eseal Song"]


@pytest.mark.parametrize("character", [*NOWHERE, "\ue000", "\U000f0001", "\u200b", "\U0001f600"])
def test_a_character_without_a_glyph_is_refused_by_name(fonts: FontFolder, character: str) -> None:
    with pytest.raises(GlyphMissing) as refusal:
        fonts.families_for(f"王{character}", "song")
    assert refusal.value.params["characters"] == f"U+{ord(character):04X}"
    assert f"U+{ord(character):04X}" in refusal.value.detail


@pytest.mark.parametrize("role", ["song", "song-bold", "kai", "rare", "rare-extension"])
def test_a_subset_has_every_table_and_a_unicode_cmap(fonts: FontFolder, role: str) -> None:
    font = fonts.fonts[role]
    points = sorted(font.code_points & set(range(0x4E00, 0xA000)))[:3]
    points += sorted(point for point in font.code_points if point > 0xFFFF)[:1]
    subset = font.subset(points)
    read = TTFont(io.BytesIO(subset.data))
    assert set(read.keys()) >= NEEDED_TABLES
    assert set(points) <= set(read.getBestCmap())
    assert read.sfntVersion == "\0\1\0\0"
    assert subset.name.isascii()
    assert len(subset.data) < 64_000


def test_the_same_characters_give_the_same_bytes_and_name() -> None:
    points = [ord(character) for character in "营业执照"]
    first, second = (FontFolder(FONTS).fonts["song"].subset(points) for _ in range(2))
    assert first == second
    assert first.name != FontFolder(FONTS).fonts["song"].subset(points[:3]).name


def test_each_character_has_a_glyph_of_its_own(fonts: FontFolder) -> None:
    """A radical must not come back from the page as the character that looks like it."""
    with TTFont(fonts.fonts["song"].path, lazy=True) as read:
        names = list(read.getBestCmap().values())
    assert len(names) == len(set(names))


def test_a_subset_of_what_the_font_lacks_is_a_fault(fonts: FontFolder) -> None:
    with pytest.raises(RenderingFault):
        fonts.fonts["song"].subset([0x31350])


def test_an_unknown_font_on_a_page_is_a_fault(fonts: FontFolder) -> None:
    with pytest.raises(RenderingFault):
        fonts.by_postscript_name("Comic-Sans")


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(FontsUnavailable):
        FontFolder(tmp_path)


def test_a_changed_font_is_refused(tmp_path: Path) -> None:
    listed = {"role": "song", "family": "F", "file": "f.ttf", "sha256": "00" * 32}
    (tmp_path / "f.ttf").write_bytes(b"changed")
    (tmp_path / "fonts.json").write_text(json.dumps({"fonts": [listed]}), "utf-8")
    with pytest.raises(FontsUnavailable, match="changed"):
        FontFolder(tmp_path)
