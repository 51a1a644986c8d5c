"""The look of the pages, as far as rules can say it: contrast, languages, no foreign parts."""

import re
from pathlib import Path

import pytest

from verifier.page_writer import PAGES, STATIC_TYPES

CSS = (PAGES / "static" / "verifier.css").read_text(encoding="utf-8")
LIGHT, _, DARK = CSS.split("@media print")[0].partition("@media (prefers-color-scheme: dark)")
ENOUGH = 4.5
"""WCAG 2.2, 1.4.3, level AA for text of any size."""

PAIRS = [
    ("ink", "paper"), ("ink", "ground"), ("soft", "paper"), ("soft", "ground"),
    ("good", "paper"), ("bad", "paper"), ("open", "paper"),
    ("bad", "bad-ground"), ("open", "open-ground"), ("good", "good-ground"),
    ("ink", "bad-ground"), ("ink", "open-ground"), ("soft", "bad-ground"), ("soft", "open-ground"),
    ("hero-ink", "good-hero"), ("hero-ink", "bad-hero"), ("hero-ink", "open-hero"),
    ("on-tone", "bad"), ("on-tone", "open"), ("on-action", "action"),
    ("action", "paper"), ("action", "ground"),
]  # fmt: skip


def _colours(text: str) -> dict[str, tuple[float, ...]]:
    found = {}
    for name, digits in re.findall(r"--([a-z-]+): #([0-9a-f]{3}(?:[0-9a-f]{3})?);", text):
        full = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
        found[name] = tuple(int(full[start : start + 2], 16) / 255 for start in (0, 2, 4))
    return found


def _luminance(colour: tuple[float, ...]) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(text: str, ground: str, scheme: str) -> None:
    colours = _colours(LIGHT)
    if scheme == "dark":
        colours |= _colours(DARK)
    assert _contrast(colours[text], colours[ground]) >= ENOUGH


def test_the_style_sheet_loads_nothing() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS


def test_every_static_file_is_listed() -> None:
    assert {path.name for path in (PAGES / "static").iterdir()} == set(STATIC_TYPES)


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_switches_escaping_off_or_holds_code(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "safe" not in text
    assert "autoescape" not in text
    assert "<script" not in text
    assert "style=" not in text
