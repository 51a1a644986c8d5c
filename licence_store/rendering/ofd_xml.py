"""Graphic objects, resources and document parts written as OFD XML (GB/T 33190-2016).

Written as text: every name and value passes ``escape`` or is a number formatted here. The prefix is
always ``ofd:``, because some readers match it literally; elements stand in schema order.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape

from licence_store.qr import QRMatrix
from licence_store.rendering.ofd_objects import (
    Colour,
    PathShape,
    PictureObject,
    QRObject,
    TextLine,
    box_of,
)

NAMESPACE = "http://www.ofdspec.org/2016"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
ASCENT_EM, DESCENT_EM = 1.0, 0.3
CAPS = ("Butt", "Round", "Square")
JOINS = ("Miter", "Round", "Bevel")
SHORTEST_GROUP = 3


def number(value: float, places: int = 3) -> str:
    """Write a number without exponent, trailing zeros or a negative zero."""
    text = f"{value:.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def numbers(*values: float) -> str:
    """Write numbers with blanks between."""
    return " ".join(number(value) for value in values)


def root(name: str, body: str, attributes: str = "") -> bytes:
    """Write a whole XML part."""
    return f'{HEAD}<ofd:{name} xmlns:ofd="{NAMESPACE}"{attributes}>{body}</ofd:{name}>\n'.encode()


def delta_x(advances: Sequence[float]) -> str:
    """Pack distances between glyphs; ``g N v`` stands for N times v.

    Each is rounded to 0.1 micrometre by itself, so that equal ones stay equal; over a line of 100
    characters that can add up to 5 micrometres.
    """
    packed: list[str] = []
    written = {advance: number(advance, 4) for advance in set(advances)}
    texts = [written[advance] for advance in advances]
    index = 0
    while index < len(texts):
        end = index
        while end < len(texts) and texts[end] == texts[index]:
            end += 1
        count = end - index
        if count >= SHORTEST_GROUP:
            packed.append(f"g {count} {texts[index]}")
        else:
            packed += [texts[index]] * count
        index = end
    return " ".join(packed)


def _colour(name: str, colour: Colour) -> str:
    return f'<ofd:{name} Value="{colour[0]} {colour[1]} {colour[2]}"/>'


def _alpha(opacity: float) -> str:
    return "" if opacity >= 1 else f' Alpha="{round(opacity * 255)}"'


def text_object(line: TextLine, object_id: int, font_id: int) -> str:
    """Write one line of text."""
    top, height = line.y - ASCENT_EM * line.size, (ASCENT_EM + DESCENT_EM) * line.size
    boundary = numbers(line.x, top, max(line.width, line.size), height)
    deltas = delta_x(line.advances[:-1])
    spread = f' DeltaX="{deltas}"' if deltas else ""
    return (
        f'<ofd:TextObject ID="{object_id}" Boundary="{boundary}" Font="{font_id}" '
        f'Size="{number(line.size, 4)}"{_alpha(line.opacity)}>'
        f"{_colour('FillColor', line.colour)}"
        f'<ofd:TextCode X="0" Y="{number(ASCENT_EM * line.size, 4)}"{spread}>'
        f"{escape(line.text, quote=False)}</ofd:TextCode></ofd:TextObject>"
    )


def _grid(value: float) -> float:
    """Round down to a hundredth, but for the noise of float arithmetic."""
    return math.floor(value * 100 + 0.01) / 100


def path_object(shape: PathShape, object_id: int) -> str:
    """Write one path. What is not stroked has a line width of 0, for readers that stroke it."""
    left, top, right, bottom = box_of(shape.segments)
    pad = shape.line_width * 2
    # On a hundredth of a millimetre, where drawings have their points: shorter numbers.
    left, top = _grid(left - pad), _grid(top - pad)
    boundary = numbers(left, top, right + pad - left, bottom + pad - top)
    data = []
    for letter, points in shape.segments:
        data.append(letter)
        for x, y in zip(points[::2], points[1::2], strict=True):
            data += (number(x - left), number(y - top))
    attributes = f' Stroke="{str(shape.stroke is not None).lower()}"'
    attributes += f' Fill="{str(shape.fill is not None).lower()}"'
    attributes += f' LineWidth="{number(shape.line_width, 4)}"'
    if shape.even_odd:
        attributes += ' Rule="Even-Odd"'
    if shape.cap:
        attributes += f' Cap="{CAPS[shape.cap]}"'
    if shape.join:
        attributes += f' Join="{JOINS[shape.join]}"'
    if shape.dash:
        attributes += f' DashPattern="{numbers(*shape.dash)}"'
    colours = _colour("StrokeColor", shape.stroke) if shape.stroke is not None else ""
    colours += _colour("FillColor", shape.fill) if shape.fill is not None else ""
    return (
        f'<ofd:PathObject ID="{object_id}" Boundary="{boundary}"{attributes}'
        f"{_alpha(shape.opacity)}>{colours}"
        f"<ofd:AbbreviatedData>{' '.join(data)}</ofd:AbbreviatedData></ofd:PathObject>"
    )


def qr_object(place: QRObject, matrix: QRMatrix, object_id: int) -> str:
    """Write the QR code as one path; neighbours share the coordinates of one rounded grid."""
    size = place.module * matrix.size
    grid = [number(place.module * step) for step in range(matrix.size + 1)]
    data = " ".join(
        f"M {grid[x1]} {grid[y]} L {grid[x2]} {grid[y]} "
        f"L {grid[x2]} {grid[y + 1]} L {grid[x1]} {grid[y + 1]} C"
        for y, x1, x2 in matrix.runs()
    )
    return (
        f'<ofd:PathObject ID="{object_id}" Boundary="{numbers(place.x, place.y, size, size)}" '
        f'Stroke="false" Fill="true" LineWidth="0">{_colour("FillColor", place.colour)}'
        f"<ofd:AbbreviatedData>{data}</ofd:AbbreviatedData></ofd:PathObject>"
    )


def image_object(picture: PictureObject, object_id: int, resource_id: int) -> str:
    """Write one raster picture; it fills the unit square, so its matrix carries the size."""
    boundary = numbers(picture.x, picture.y, picture.width, picture.height)
    matrix = f"{number(picture.width)} 0 0 {number(picture.height)} 0 0"
    return (
        f'<ofd:ImageObject ID="{object_id}" Boundary="{boundary}" CTM="{matrix}" '
        f'ResourceID="{resource_id}"/>'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentInfo:
    """What OFD.xml says about the document."""

    doc_id: str
    title: str
    author: str
    created_on: date
    creator: str
    creator_version: str
    custom_data: Mapping[str, str]


def ofd_xml(info: DocumentInfo) -> bytes:
    """Write the root part."""
    custom = "".join(
        f'<ofd:CustomData Name="{escape(name)}">{escape(value, quote=False)}</ofd:CustomData>'
        for name, value in info.custom_data.items()
    )
    body = (
        f"<ofd:DocBody><ofd:DocInfo><ofd:DocID>{escape(info.doc_id)}</ofd:DocID>"
        f"<ofd:Title>{escape(info.title)}</ofd:Title><ofd:Author>{escape(info.author)}</ofd:Author>"
        f"<ofd:CreationDate>{info.created_on.isoformat()}</ofd:CreationDate>"
        f"<ofd:Creator>{escape(info.creator)}</ofd:Creator>"
        f"<ofd:CreatorVersion>{escape(info.creator_version)}</ofd:CreatorVersion>"
        f"<ofd:CustomDatas>{custom}</ofd:CustomDatas></ofd:DocInfo>"
        "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody>"
    )
    return root("OFD", body, ' Version="1.0" DocType="OFD"')


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEntry:
    """One page in Document.xml."""

    page_id: int
    template_id: int | None


def document_xml(
    pages: Sequence[PageEntry], size_mm: tuple[float, float], max_id: int, *, has_pictures: bool
) -> bytes:
    """Write Document.xml."""
    pictures = "<ofd:DocumentRes>DocumentRes.xml</ofd:DocumentRes>" if has_pictures else ""
    templates = "".join(
        f'<ofd:TemplatePage ID="{page.template_id}" BaseLoc="Tpls/Tpl_{index}/Content.xml" '
        'ZOrder="Background"/>'
        for index, page in enumerate(pages)
        if page.template_id is not None
    )
    listed = "".join(
        f'<ofd:Page ID="{page.page_id}" BaseLoc="Pages/Page_{index}/Content.xml"/>'
        for index, page in enumerate(pages)
    )
    body = (
        f"<ofd:CommonData><ofd:MaxUnitID>{max_id}</ofd:MaxUnitID><ofd:PageArea>"
        f"<ofd:PhysicalBox>0 0 {numbers(*size_mm)}</ofd:PhysicalBox></ofd:PageArea>"
        f"<ofd:PublicRes>PublicRes.xml</ofd:PublicRes>{pictures}{templates}</ofd:CommonData>"
        f"<ofd:Pages>{listed}</ofd:Pages>"
        "<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments>"
    )
    return root("Document", body)


def page_xml(objects: str, layer_id: int, *, template_id: int | None, layer: str) -> bytes:
    """Write a page or a template page."""
    template = ""
    if template_id is not None:
        template = f'<ofd:Template TemplateID="{template_id}" ZOrder="Background"/>'
    opening = f'<ofd:Content><ofd:Layer ID="{layer_id}" Type="{layer}">'
    return root("Page", f"{template}{opening}{objects}</ofd:Layer></ofd:Content>")


def fonts_xml(fonts: Sequence[tuple[int, str, str, bool]]) -> bytes:
    """Write PublicRes.xml; each font is its id, name, substitute family, and whether it is bold."""
    listed = "".join(
        f'<ofd:Font ID="{font_id}" FontName="{escape(name)}" FamilyName="{escape(family)}"'
        f"{' Bold=' + chr(34) + 'true' + chr(34) if is_bold else ''}>"
        f"<ofd:FontFile>{escape(name)}.ttf</ofd:FontFile></ofd:Font>"
        for font_id, name, family, is_bold in fonts
    )
    return root("Res", f"<ofd:Fonts>{listed}</ofd:Fonts>", ' BaseLoc="Res"')


def pictures_xml(pictures: Sequence[tuple[int, str, str]]) -> bytes:
    """Write DocumentRes.xml; each picture is its id, format and file name."""
    listed = "".join(
        f'<ofd:MultiMedia ID="{picture_id}" Type="Image" Format="{form}">'
        f"<ofd:MediaFile>{escape(name)}</ofd:MediaFile></ofd:MultiMedia>"
        for picture_id, form, name in pictures
    )
    return root("Res", f"<ofd:MultiMedias>{listed}</ofd:MultiMedias>", ' BaseLoc="Res"')


def attachments_xml(name: str, size: int, created_at: datetime) -> bytes:
    """Write Attachments.xml with one attachment; its size is in KB."""
    stamp = created_at.strftime("%Y-%m-%dT%H:%M:%S")
    body = (
        f'<ofd:Attachment ID="A1" Name="{escape(name)}" Format="json" CreationDate="{stamp}" '
        f'Size="{number(size / 1024)}" Visible="true"><ofd:FileLoc>{escape(name)}</ofd:FileLoc>'
        "</ofd:Attachment>"
    )
    return root("Attachments", body)
