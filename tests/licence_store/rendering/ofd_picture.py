"""Draws a page of our own OFD as SVG, by the standard and nothing else: the second rendering.

Strict on purpose: an element or attribute it does not know is an error. Embedded fonts become data
URIs, so a browser shows the same outlines.
"""

import base64
from collections.abc import Mapping
from xml.sax.saxutils import escape

from lxml import etree

NS = "{http://www.ofdspec.org/2016}"


def expand(packed: str) -> list[float]:
    """Unpack ``g N v`` groups."""
    words = packed.split()
    values: list[float] = []
    index = 0
    while index < len(words):
        if words[index] == "g":
            values += [float(words[index + 2])] * int(words[index + 1])
            index += 3
        else:
            values.append(float(words[index]))
            index += 1
    return values


def _colour(element: etree._Element, name: str) -> str | None:
    colour = element.find(NS + name)
    return None if colour is None else "rgb({})".format(",".join(colour.attrib["Value"].split()))


def _path(element: etree._Element) -> str:
    x, y, _, _ = element.attrib["Boundary"].split()
    # C closes in OFD and curves in SVG.
    source = (element.findtext(NS + "AbbreviatedData") or "").split()
    letters = {"M": "M", "L": "L", "B": "C", "C": "Z"}
    data = [letters.get(word, word) for word in source]
    stroke = _colour(element, "StrokeColor") if element.attrib["Stroke"] == "true" else None
    fill = _colour(element, "FillColor") if element.attrib["Fill"] == "true" else None
    return (
        f'<path transform="translate({x} {y})" d="{" ".join(data)}" fill="{fill or "none"}" '
        f'stroke="{stroke or "none"}" stroke-width="{element.attrib["LineWidth"]}"/>'
    )


def _text(element: etree._Element) -> str:
    x, y, _, _ = (float(number) for number in element.attrib["Boundary"].split())
    code = element.find(NS + "TextCode")
    assert code is not None
    assert code.text
    origin = x + float(code.attrib["X"])
    xs = [origin]
    for delta in expand(str(code.attrib.get("DeltaX", ""))):
        xs.append(xs[-1] + delta)
    assert len(xs) == len(code.text)
    places = " ".join(f"{value:.4f}" for value in xs)
    return (
        f'<text xml:space="preserve" font-family="f{element.attrib["Font"]}" '
        f'font-size="{element.attrib["Size"]}" fill="{_colour(element, "FillColor")}" '
        f'x="{places}" y="{y + float(code.attrib["Y"]):.4f}">{escape(code.text)}</text>'
    )


def _draw(content: bytes) -> list[str]:
    page = etree.fromstring(content)
    drawn = []
    for layer in page.iter(NS + "Layer"):
        for element in layer:
            writer = {NS + "PathObject": _path, NS + "TextObject": _text}[str(element.tag)]
            drawn.append(writer(element))
    return drawn


def page_svg(entries: Mapping[str, bytes], *, scale: float = 1.0) -> str:
    """Return the first page as SVG; ``scale`` is pixels per millimetre."""
    document = etree.fromstring(entries["Doc_0/Document.xml"])
    box = document.findtext(f".//{NS}PhysicalBox")
    assert box is not None
    _, _, width, height = (float(number) for number in box.split())
    faces = []
    for font in etree.fromstring(entries["Doc_0/PublicRes.xml"]).iter(NS + "Font"):
        data = entries["Doc_0/Res/" + str(font.findtext(NS + "FontFile"))]
        encoded = base64.b64encode(data).decode("ascii")
        faces.append(
            f"@font-face{{font-family:f{font.attrib['ID']};"
            f"src:url(data:font/ttf;base64,{encoded})}}"
        )
    parts = [*_draw(entries["Doc_0/Tpls/Tpl_0/Content.xml"])]
    parts += _draw(entries["Doc_0/Pages/Page_0/Content.xml"])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * scale}" '
        f'height="{height * scale}" viewBox="0 0 {width} {height}">'
        f"<style>{''.join(faces)}</style>{''.join(parts)}</svg>"
    )
