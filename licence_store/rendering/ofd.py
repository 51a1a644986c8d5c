"""The OFD of a face, made from the page content of its PDF (GB/T 33190-2016).

1. Read the pages of the PDF: content, fonts, pictures.
2. Cut each page's content at its first text: what stands before is the static background. It
   becomes a template page, converted and packed once per distinct content.
3. Cut out the path of the QR code, whose bytes are known, and put its place instead.
4. Walk over the rest; write one object for each thing drawn, with rising IDs in paint order.
5. Write fonts (subsets by set of characters), pictures, metadata (CustomDatas) and the attachment
   with the machine-readable data.

Same input, same bytes. The result is packed but not sealed.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from licence_store.qr import QRMatrix
from licence_store.rendering.errors import RenderingFault
from licence_store.rendering.fonts import FontFile, FontFolder
from licence_store.rendering.ofd_objects import (
    MM_PER_PT,
    GraphicObject,
    PathShape,
    PictureObject,
    QRObject,
    TextLine,
)
from licence_store.rendering.ofd_walker import QR_MARK, Walker
from licence_store.rendering.ofd_xml import (
    DocumentInfo,
    PageEntry,
    attachments_xml,
    document_xml,
    fonts_xml,
    image_object,
    ofd_xml,
    page_xml,
    path_object,
    pictures_xml,
    qr_object,
    text_object,
)
from licence_store.rendering.page_content import PageContent, PagePicture, PictureCache, read_pages
from seal_service.formats.ofd.container import OFDContainer, StoredEntry, make_package, pack

DATA_FILE = "licence.json"
KEPT_STATIC = 32
KEPT_FONTS = 256
SMALLEST = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class OFDOrder:
    """What an OFD is made from, beside the PDF."""

    info: DocumentInfo
    data_json: bytes
    created_at: datetime
    qr: QRMatrix


@dataclass(frozen=True, slots=True, kw_only=True)
class _Static:
    """A converted background."""

    entry: StoredEntry
    last_id: int
    pictures: Mapping[PagePicture, int]


@dataclass(slots=True)
class _Numbering:
    """IDs of one document: one rising row for objects and the resources they first use."""

    last_id: int = 0
    fonts: dict[FontFile, int] = field(default_factory=dict)
    characters: dict[FontFile, set[int]] = field(default_factory=dict)
    pictures: dict[PagePicture, int] = field(default_factory=dict)

    def next_id(self) -> int:
        """Return a new ID."""
        self.last_id += 1
        return self.last_id

    def font_id(self, line: TextLine) -> int:
        """Return the ID of a line's font and note its characters."""
        if line.font not in self.fonts:
            self.fonts[line.font] = self.next_id()
            self.characters[line.font] = set()
        self.characters[line.font].update(map(ord, line.text))
        return self.fonts[line.font]

    def picture_id(self, picture: PagePicture) -> int:
        """Return the ID of a picture."""
        if picture not in self.pictures:
            self.pictures[picture] = self.next_id()
        return self.pictures[picture]


@dataclass(frozen=True, slots=True, kw_only=True)
class _DrawnPage:
    """A page, written."""

    listed: PageEntry
    entries: tuple[StoredEntry, ...]


class OFDWriter:
    """Makes OFD packages from PDFs; keeps static pages and packed fonts. Thread-safe."""

    def __init__(self, fonts: FontFolder) -> None:
        self._fonts = fonts
        self._pictures = PictureCache()
        self._static: OrderedDict[tuple[int, bytes], _Static | None] = OrderedDict()
        self._packed_fonts: OrderedDict[str, StoredEntry] = OrderedDict()
        self._lock = threading.Lock()

    def write(self, pdf: bytes, order: OFDOrder) -> OFDContainer:
        """Return the package; raises ``RenderingFault`` for what OFD cannot express."""
        pages = read_pages(pdf, self._fonts, self._pictures)
        numbering = _Numbering()
        drawn = [self._draw(page, index, order.qr, numbering) for index, page in enumerate(pages)]
        size = pages[0].width_pt * MM_PER_PT, pages[0].height_pt * MM_PER_PT
        document = document_xml(
            [page.listed for page in drawn],
            size,
            numbering.last_id,
            has_pictures=bool(numbering.pictures),
        )
        return make_package(
            (
                pack("OFD.xml", ofd_xml(order.info)),
                pack("Doc_0/Document.xml", document),
                *self._font_entries(numbering),
                *_picture_entries(numbering.pictures),
                *(entry for page in drawn for entry in page.entries),
                *_attachment_entries(order),
            )
        )

    def _draw(
        self, page: PageContent, index: int, qr: QRMatrix, numbering: _Numbering
    ) -> _DrawnPage:
        # A kept background has its IDs; they start at 1, so only the first page can have one.
        static, rest = self._split(page, index) if index == 0 else (None, page.content)
        if static is not None:
            numbering.last_id = static.last_id
            numbering.pictures.update(static.pictures)
        template_id = numbering.next_id() if static else None
        listed = PageEntry(page_id=numbering.next_id(), template_id=template_id)
        layer_id = numbering.next_id()
        objects = Walker(page=page).walk(_without_qr(rest, qr))
        xml = "".join(_write(item, qr, numbering) for item in objects)
        content = page_xml(xml, layer_id, template_id=template_id, layer="Body")
        entry = pack(f"Doc_0/Pages/Page_{index}/Content.xml", content)
        return _DrawnPage(listed=listed, entries=(static.entry, entry) if static else (entry,))

    def _split(self, page: PageContent, index: int) -> tuple[_Static | None, bytes]:
        """Return the static background of a page and the content after it."""
        cut = _end_of_background(page.content)
        if not cut:
            return None, page.content
        head = page.content[:cut]
        with self._lock:
            if (index, head) in self._static:
                self._static.move_to_end((index, head))
                static = self._static[index, head]
                return static, page.content[cut:] if static else page.content
        static = _convert_static(page, head, index)
        with self._lock:
            self._static[index, head] = static
            if len(self._static) > KEPT_STATIC:
                self._static.popitem(last=False)
        return static, page.content[cut:] if static else page.content

    def _font_entries(self, numbering: _Numbering) -> list[StoredEntry]:
        listed: list[tuple[int, str, str, bool]] = []
        entries: list[StoredEntry] = []
        for font, font_id in numbering.fonts.items():
            subset = font.subset(numbering.characters[font])
            listed.append((font_id, subset.name, subset.family, subset.is_bold))
            with self._lock:
                packed = self._packed_fonts.get(subset.name)
            if packed is None:
                packed = pack(f"Doc_0/Res/{subset.name}.ttf", subset.data)
                with self._lock:
                    self._packed_fonts[subset.name] = packed
                    if len(self._packed_fonts) > KEPT_FONTS:
                        self._packed_fonts.popitem(last=False)
            entries.append(packed)
        return [pack("Doc_0/PublicRes.xml", fonts_xml(listed)), *entries]


def _end_of_background(content: bytes) -> int:
    """Return where the line stands that saves the state for the first text; 0 if there is none."""
    text = content.find(b"\nBT ")
    line = content.rfind(b"\n", 0, max(text, 0)) + 1
    return line if content.startswith(b"q ", line) else 0


def _convert_static(page: PageContent, head: bytes, index: int) -> _Static | None:
    """Convert a background; None if it needs fonts or does not end where it began."""
    walker = Walker(page=page)
    objects = walker.walk(head)
    drawable = all(isinstance(item, PathShape | PictureObject) for item in objects)
    if walker.depth or not drawable or not objects:
        return None
    numbering = _Numbering()
    layer_id = numbering.next_id()
    xml = "".join(_write(item, None, numbering) for item in objects)
    content = page_xml(xml, layer_id, template_id=None, layer="Background")
    path = f"Doc_0/Tpls/Tpl_{index}/Content.xml"
    return _Static(
        entry=pack(path, content, level=SMALLEST),
        last_id=numbering.last_id,
        pictures=numbering.pictures,
    )


def qr_path_content(matrix: QRMatrix) -> bytes:
    """Return the path operators that typst writes for ``licence_store.qr.svg_path``."""
    runs = [
        f"{x1} {y} m {x2} {y} l {x2} {y + 1} l {x1} {y + 1} l\nh" for y, x1, x2 in matrix.runs()
    ]
    return " ".join(runs).encode("ascii")


def _without_qr(content: bytes, matrix: QRMatrix) -> bytes:
    """Put the QR mark in the place of its path; without it, the path is walked like any other."""
    path = qr_path_content(matrix)
    start = content.find(path)
    if start < 0:
        return content
    return content[:start] + f"{QR_MARK} Do ".encode("ascii") + content[start + len(path) :]


def _write(item: GraphicObject, qr: QRMatrix | None, numbering: _Numbering) -> str:
    if isinstance(item, TextLine):
        font_id = numbering.font_id(item)
        return text_object(item, numbering.next_id(), font_id)
    if isinstance(item, PictureObject):
        picture_id = numbering.picture_id(item.picture)
        return image_object(item, numbering.next_id(), picture_id)
    if isinstance(item, QRObject):
        if qr is None:
            raise RenderingFault("a QR code in the background is not expected")
        return qr_object(item, qr, numbering.next_id())
    return path_object(item, numbering.next_id())


def _picture_entries(pictures: Mapping[PagePicture, int]) -> list[StoredEntry]:
    if not pictures:
        return []
    listed = []
    entries = []
    for picture, picture_id in pictures.items():
        name = f"image_{picture_id}.{'jpg' if picture.format == 'JPEG' else 'png'}"
        listed.append((picture_id, picture.format, name))
        entries.append(pack(f"Doc_0/Res/{name}", picture.data))
    return [pack("Doc_0/DocumentRes.xml", pictures_xml(listed)), *entries]


def _attachment_entries(order: OFDOrder) -> tuple[StoredEntry, StoredEntry]:
    attachments = attachments_xml(DATA_FILE, len(order.data_json), order.created_at)
    return (
        pack("Doc_0/Attachs/Attachments.xml", attachments),
        pack(f"Doc_0/Attachs/{DATA_FILE}", order.data_json),
    )
