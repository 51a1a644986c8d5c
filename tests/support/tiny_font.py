"""A font for tests in which every character is a box, each of its own height."""

import io

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

UNITS = 1000


def make_font(characters: str) -> bytes:
    """Return a TrueType font with these characters."""
    names = {character: f"u{ord(character):04X}" for character in dict.fromkeys(characters)}
    order = [".notdef", *names.values()]
    builder = FontBuilder(UNITS, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap({ord(one): name for one, name in names.items()})
    builder.setupGlyf({name: _box(200 + 37 * place % 600) for place, name in enumerate(order)})
    builder.setupHorizontalMetrics(dict.fromkeys(order, (UNITS, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Tiny", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()


def _box(height: int) -> object:
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, height), (900, height), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()
