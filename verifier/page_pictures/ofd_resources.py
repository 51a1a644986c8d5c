"""What the pages of one OFD document draw with: fonts, pictures, drawing parameters, units.

Nothing outside the package is ever read (T-OFD-69); what is missing becomes a remark.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from keys.errors import ServiceError
from seal_service.formats.ofd.entries import OFDContainer
from seal_service.formats.ofd.names import LocationRefused, NameTable, directory_of, normalise
from seal_service.formats.ofd.xml import (
    children,
    descendants,
    only,
    parse_xml,
    text_of,
    text_of_only,
)
from verifier.page_pictures.drawing import Bitmap, Budget
from verifier.page_pictures.images import reencode
from verifier.page_pictures.outlines import GlyphSource, OwnFonts, embedded_font

MAX_FONTS = 64
MAX_RELATIVES = 8
"""Drawing parameters may lean on each other this deep."""


@dataclass(slots=True)
class Resources:
    """Everything by its identifier; fonts and pictures are decoded when first drawn."""

    container: OFDContainer
    own_fonts: OwnFonts
    names: NameTable = field(init=False)
    templates: dict[str, str] = field(default_factory=dict)
    """Template pages: path by identifier."""
    _fonts: dict[str, tuple[etree._Element, str]] = field(default_factory=dict)
    _media: dict[str, str] = field(default_factory=dict)
    _parameters: dict[str, etree._Element] = field(default_factory=dict)
    _units: dict[str, etree._Element] = field(default_factory=dict)
    _read: set[str] = field(default_factory=set)
    _sources: dict[str, tuple[GlyphSource | None, bool]] = field(default_factory=dict)
    _bitmaps: dict[str, Bitmap | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = NameTable.of(self.container.entries, strict=False)

    def read_document(self, path: str) -> etree._Element:
        """Read Document.xml with the resources and templates it names; return its root."""
        root, base = self.parse(path, "Document"), directory_of(path)
        common = only(root, "CommonData")
        if common is not None:
            for name in ("PublicRes", "DocumentRes"):
                for element in children(common, name):
                    self.read(text_of(element), base)
            for element in children(common, "TemplatePage"):
                found = self.locate(element.get("BaseLoc", ""), base)
                if found is not None:
                    self.templates[element.get("ID", "")] = found
        return root

    def read_page(self, path: str) -> etree._Element:
        """Read a page or template with the resources it names; return its root."""
        root = self.parse(path, "Page")
        for element in children(root, "PageRes"):
            self.read(text_of(element), directory_of(path))
        return root

    def parse(self, path: str, root: str) -> etree._Element:
        """Parse an entry of the package."""
        return parse_xml(self.container.entries[path], path, root=root).root

    def locate(self, location: str, base: str, *also: str) -> str | None:
        """Return the entry that a location means, or None."""
        try:
            found = self.names.resolve(location, base, *also)
        except LocationRefused:
            return None
        return found.path if found.present else None

    def read(self, location: str, base: str) -> None:
        """Read a Res file; one that is absent is passed over, as viewers do."""
        path = self.locate(location, base)
        if path is None or path in self._read:
            return
        self._read.add(path)
        root, here = self.parse(path, "Res"), directory_of(path)
        declared = root.get("BaseLoc", "").strip()
        way = declared[1:] if declared.startswith("/") else f"{here}/{declared}".strip("/")
        folder = normalise(way, declared).rstrip("/")
        for element in descendants(root, "Font"):
            file = self.locate(text_of_only(element, "FontFile"), folder, here) or ""
            self._fonts.setdefault(element.get("ID", ""), (element, file))
        for element in descendants(root, "MultiMedia"):
            file = self.locate(text_of_only(element, "MediaFile"), folder, here) or ""
            self._media.setdefault(element.get("ID", ""), file)
        for element in descendants(root, "DrawParam"):
            self._parameters.setdefault(element.get("ID", ""), element)
        for element in descendants(root, "CompositeGraphicUnit"):
            self._units.setdefault(element.get("ID", ""), element)

    # --- what objects ask for ------------------------------------------------------------------

    def font(self, font_id: str, budget: Budget) -> GlyphSource | None:
        """Return the font of an identifier: the embedded one, else one of ours like it."""
        if font_id not in self._sources:
            if len(self._sources) >= MAX_FONTS:
                budget.remarks.add("font-replaced")
                return self.own_fonts.like("")
            self._sources[font_id] = self._load_font(font_id)
        source, is_embedded = self._sources[font_id]
        if not is_embedded:
            budget.remarks.add("font-replaced")
        return source

    def substitute(self, font_id: str) -> GlyphSource | None:
        """Return a font of ours for characters that the embedded one lacks."""
        element, _ = self._fonts.get(font_id, (None, ""))
        return self.own_fonts.like("" if element is None else element.get("FontName", ""))

    def _load_font(self, font_id: str) -> tuple[GlyphSource | None, bool]:
        element, file = self._fonts.get(font_id, (None, ""))
        if file:
            embedded = embedded_font(self.container.entries[file])
            if embedded is not None:
                return embedded, True
        if element is None:
            return self.own_fonts.like(""), False
        name = f"{element.get('FontName', '')} {element.get('FamilyName', '')}"
        return self.own_fonts.like(name, is_bold=element.get("Bold") == "true"), False

    def bitmap(self, media_id: str, budget: Budget) -> Bitmap | None:
        """Return a picture by its identifier, encoded anew; None with a remark if it cannot be."""
        if media_id not in self._bitmaps:
            file = self._media.get(media_id, "")
            found = reencode(self.container.entries[file], budget) if file else None
            self._bitmaps[media_id] = found
        found = self._bitmaps[media_id]
        if found is None:
            budget.remarks.add("image-missing")
        return found

    def unit(self, unit_id: str) -> etree._Element | None:
        """Return a composite unit."""
        return self._units.get(unit_id)

    def parameters(self, parameter_id: str | None) -> Iterator[etree._Element]:
        """Yield drawing parameters, the nearest first, then those they lean on."""
        for _ in range(MAX_RELATIVES):
            element = self._parameters.get(parameter_id or "")
            if element is None:
                return
            yield element
            parameter_id = element.get("Relative")


def resources_of(
    container: OFDContainer, root_path: str, own_fonts: OwnFonts
) -> tuple[Resources, etree._Element]:
    """Read the resources of a document; return them with the root of Document.xml."""
    resources = Resources(container, own_fonts)
    try:
        return resources, resources.read_document(root_path)
    except KeyError:
        raise ServiceError(f"no entry {root_path}") from None
