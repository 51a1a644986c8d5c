"""Walk a package from ``OFD.xml`` to every entry that a viewer would read (GB/T 33190-2016).

The walk starts at ``OFD.xml`` and follows

1. each DocBody: DocRoot, Versions, Signatures (the list only; ``signatures.py`` reads on);
2. Document.xml: resources, template pages, pages, annotations, attachments, tags, extensions;
3. resources: fonts, pictures, colour profiles; pages: templates and page resources.

Only ``OFD.xml``, ``Document.xml`` and pages must exist; anything else that is missing is listed.
With ``strict`` (packages that claim to be ours) every deviation is refused instead of noted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lxml import etree

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import DEFAULT_LIMITS, Limits
from seal_service.formats.ofd.entries import Notice, OFDContainer
from seal_service.formats.ofd.model import (
    EntryKind,
    OFDAttachment,
    OFDBody,
    OFDDocument,
    OFDPage,
    Reachable,
)
from seal_service.formats.ofd.names import LocationRefused, NameTable, directory_of, normalise
from seal_service.formats.ofd.page_facts import (
    Box,
    actions_in,
    box_in,
    check_nesting,
    identifiers_in,
    read_page,
)
from seal_service.formats.ofd.xml import (
    children,
    descendants,
    only,
    parse_xml,
    text_of,
    text_of_only,
)

ROOT_PATH = "OFD.xml"
IDENTIFIER = re.compile(r"[0-9]{1,18}")
A4_BOX = (0.0, 0.0, 210.0, 297.0)
EXTERNAL_KINDS = frozenset({EntryKind.FONT, EntryKind.MEDIA, EntryKind.COLOUR_PROFILE})
INDEXES = (
    ("Annotations", EntryKind.ANNOTATIONS),
    ("Attachments", EntryKind.ATTACHMENTS),
    ("CustomTags", EntryKind.CUSTOM_TAGS),
    ("Extensions", EntryKind.EXTENSIONS),
)


def read_document(
    container: OFDContainer, *, limits: Limits = DEFAULT_LIMITS, strict: bool = False
) -> OFDDocument:
    """Walk the package.

    Raises ``MalformedDocument`` or ``LimitExceeded`` where no document can be read from it.
    """
    walk = _Walk(container, limits, strict)
    if ROOT_PATH not in container.entries:
        raise MalformedDocument("no OFD.xml", reason="entry-missing", subject=ROOT_PATH)
    walk.reachable[ROOT_PATH] = Reachable(path=ROOT_PATH, kind=EntryKind.ROOT, referrer="")
    root = walk.parse(ROOT_PATH, "OFD")
    bodies = tuple(walk.read_body(element) for element in children(root, "DocBody"))
    if not bodies:
        raise MalformedDocument("no DocBody", reason="document-missing", subject=ROOT_PATH)
    if len(bodies) > 1:
        walk.fault("several-documents", ROOT_PATH)
    return OFDDocument(
        bodies=bodies,
        reachable=walk.reachable,
        missing=tuple(walk.missing.values()),
        external=tuple(walk.external),
        notices=tuple(walk.notices.values()),
        problems=tuple(walk.problems),
    )


@dataclass(slots=True)
class _Identifiers:
    """The identifiers of one document: one space for pages, resources and objects."""

    structural: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Walk:
    """One pass over one package."""

    container: OFDContainer
    limits: Limits
    strict: bool
    names: NameTable = field(init=False)
    reachable: dict[str, Reachable] = field(default_factory=dict)
    missing: dict[str, Reachable] = field(default_factory=dict)
    external: list[Reachable] = field(default_factory=list)
    notices: dict[tuple[str, str], Notice] = field(default_factory=dict)
    problems: list[Notice] = field(default_factory=list)
    identifiers: _Identifiers = field(default_factory=_Identifiers)
    walked: set[str] = field(default_factory=set)
    attachments: list[OFDAttachment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = NameTable.of(self.container.entries, strict=self.strict)

    # --- taking notes ------------------------------------------------------------------------

    def note(self, reason: str, subject: str, detail: str = "") -> None:
        """Keep one notice per reason and subject."""
        self.notices.setdefault(
            (reason, subject), Notice(reason=reason, subject=subject, detail=detail)
        )

    def fault(self, reason: str, subject: str, detail: str = "") -> None:
        """Refuse in own packages; in foreign ones list the fault for the verdict."""
        if self.strict:
            raise MalformedDocument(detail, reason=reason, subject=subject)
        self.problems.append(Notice(reason=reason, subject=subject, detail=detail))

    def deviate(self, reason: str, subject: str, detail: str = "") -> None:
        """Refuse in own packages; in foreign ones note the deviation."""
        if self.strict:
            raise MalformedDocument(detail, reason=reason, subject=subject)
        self.note(reason, subject, detail)

    def parse(self, path: str, root: str) -> etree._Element:
        """Parse an entry that exists."""
        part = parse_xml(
            self.container.entries[path], path, root=root, limits=self.limits, strict=self.strict
        )
        self._keep(part.notices)
        return part.root

    def _keep(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            self.note(notice.reason, notice.subject, notice.detail)

    def reach(
        self, location: str, base: str, kind: EntryKind, referrer: str, *also: str
    ) -> str | None:
        """Follow a location; return the entry it means, or None if there is none."""
        try:
            found = self.names.resolve(location, base, *also)
        except LocationRefused:
            if kind not in EXTERNAL_KINDS or self.strict:
                raise
            self.external.append(Reachable(path=location.strip(), kind=kind, referrer=referrer))
            return None
        entry = Reachable(path=found.path, kind=kind, referrer=referrer)
        if not found.present:
            if self.strict and kind is not EntryKind.SIGNATURES:
                raise MalformedDocument("", reason="entry-missing", subject=found.path)
            self.missing.setdefault(found.path, entry)
            return None
        if found.notice:
            self.note(found.notice, referrer, location.strip())
        self.reachable.setdefault(found.path, entry)
        return found.path

    def must_reach(self, location: str, base: str, kind: EntryKind, referrer: str) -> str:
        """Follow a location without which there is no document."""
        path = self.reach(location, base, kind, referrer)
        if path is None:
            raise MalformedDocument("", reason="entry-missing", subject=location.strip()[:255])
        return path

    # --- OFD.xml -----------------------------------------------------------------------------

    def read_body(self, body: etree._Element) -> OFDBody:
        """Read one DocBody and all it leads to."""
        self.identifiers = _Identifiers()
        self.attachments = []
        location = text_of_only(body, "DocRoot")
        if not location:
            raise MalformedDocument("no DocRoot", reason="document-missing", subject=ROOT_PATH)
        root_path = self.must_reach(location, "", EntryKind.DOCUMENT, ROOT_PATH)
        pages = self.read_root(root_path)
        self.read_versions(only(body, "Versions"), root_path)
        signatures = only(body, "Signatures")
        signatures_path, present = None, False
        if signatures is not None and text_of(signatures):
            found = self.names.resolve(text_of(signatures), "")
            self.reach(text_of(signatures), "", EntryKind.SIGNATURES, ROOT_PATH)
            signatures_path, present = found.path, found.present
        info = only(body, "DocInfo")
        empty = etree.Element("DocInfo")
        info = empty if info is None else info
        return OFDBody(
            doc_id=text_of_only(info, "DocID"),
            title=text_of_only(info, "Title"),
            creator=text_of_only(info, "Creator"),
            created_on=text_of_only(info, "CreationDate"),
            custom_datas=_custom_datas(info),
            root_path=root_path,
            pages=pages,
            attachments=tuple(self.attachments),
            signatures_path=signatures_path,
            signatures_present=present,
        )

    def read_versions(self, versions: etree._Element | None, root_path: str) -> None:
        """Follow the versions; each may name another Document.xml (T-OFD-49)."""
        for version in children(versions, "Version") if versions is not None else ():
            path = self.reach(version.get("BaseLoc", ""), "", EntryKind.VERSION, ROOT_PATH)
            if path is None:
                continue
            part, base = self.parse(path, "DocVersion"), directory_of(path)
            for file in descendants(part, "File"):
                self.reach(text_of(file), base, EntryKind.VERSION, path)
            location = text_of_only(part, "DocRoot")
            if location:
                other = self.reach(location, base, EntryKind.DOCUMENT, path)
                if other is not None and other != root_path:
                    self.fault("several-documents", path)
                    self.read_root(other)

    # --- Document.xml ------------------------------------------------------------------------

    def read_root(self, path: str) -> tuple[OFDPage, ...]:
        """Read a Document.xml and all it leads to; return its pages."""
        root, base = self.parse(path, "Document"), directory_of(path)
        self.identifiers.structural += identifiers_in(root)
        common = only(root, "CommonData")
        box: Box | None = None
        templates: dict[str, str] = {}
        declared = ""
        if common is not None:
            declared = text_of_only(common, "MaxUnitID")
            box = box_in(only(common, "PageArea"), path, self.limits)
            for name in ("PublicRes", "DocumentRes"):
                for element in children(common, name):
                    self.read_resources(text_of(element), base, path)
            for element in children(common, "TemplatePage"):
                location = element.get("BaseLoc", "")
                found = self.reach(location, base, EntryKind.TEMPLATE, path)
                if found is not None:
                    templates[element.get("ID", "")] = found
        pages = self.read_pages(root, path, templates, box)
        for name, kind in INDEXES:
            for element in children(root, name):
                if text_of(element):
                    self.read_index(text_of(element), base, kind, path)
        self._note_actions(actions_in(root), path)
        if only(root, "Permissions") is not None:
            self.note("permissions", path)
        self._check_identifiers(declared, path)
        return pages

    def read_pages(
        self, root: etree._Element, path: str, templates: dict[str, str], box: Box | None
    ) -> tuple[OFDPage, ...]:
        """Read every page, and every template whether used or not."""
        listed = only(root, "Pages")
        elements = [] if listed is None else list(children(listed, "Page"))
        if len(elements) > self.limits.ofd_pages:
            raise LimitExceeded("too many pages", reason="limit", limit="ofd_pages")
        links = {found: self.read_content(found, templates)[1] for found in templates.values()}
        check_nesting(links, self.limits.template_depth)
        pages: list[OFDPage] = []
        for element in elements:
            location = element.get("BaseLoc", "")
            found = self.must_reach(location, directory_of(path), EntryKind.PAGE, path)
            own_box, used = self.read_content(found, templates)
            box = box or own_box
            x, y, width, height = own_box or box or A4_BOX
            if box is None:
                self.note("page-box-missing", found)
            pages.append(
                OFDPage(
                    page_id=element.get("ID", ""),
                    path=found,
                    x_mm=x,
                    y_mm=y,
                    width_mm=width,
                    height_mm=height,
                    templates=used,
                )
            )
        return tuple(pages)

    def read_content(
        self, path: str, templates: dict[str, str]
    ) -> tuple[Box | None, tuple[tuple[str, str], ...]]:
        """Read a page or template: its own box, and the templates it uses."""
        page = read_page(self.container.entries[path], path, self.limits, self.strict)
        self._keep(page.notices)
        self.identifiers.objects += page.identifiers
        for location in page.resources:
            self.read_resources(location, directory_of(path), path)
        used: list[tuple[str, str]] = []
        for identifier, order in page.templates:
            template = templates.get(identifier)
            if template is None:
                self.deviate("template-unknown", path)
            else:
                used.append((template, order))
        self._note_actions(page.actions, path)
        return page.box, tuple(used)

    def _note_actions(self, actions: Iterable[str], path: str) -> None:
        for name in actions:
            self.deviate("action", path, name)

    def _check_identifiers(self, declared: str, path: str) -> None:
        """Check that identifiers are numbers, unique, and not above MaxUnitID (T-OFD-28)."""
        structural, objects = self.identifiers.structural, self.identifiers.objects
        everything = structural + objects
        if len(set(everything)) != len(everything):
            # Doubled pages, templates or resources change what is drawn; doubled objects do not.
            if len(set(structural)) != len(structural):
                self.fault("duplicate-id", path)
            else:
                self.deviate("duplicate-id", path)
        if not all(map(IDENTIFIER.fullmatch, everything)):
            self.deviate("id-form", path)
            return
        highest = max(map(int, everything), default=0)
        if not IDENTIFIER.fullmatch(declared) or highest > int(declared):
            self.deviate("max-unit-id", path)

    # --- resources and indexes -----------------------------------------------------------------

    def read_resources(self, location: str, base: str, referrer: str) -> None:
        """Read a Res file and note the files behind it."""
        path = self.reach(location, base, EntryKind.RESOURCES, referrer)
        if path is None or path in self.walked:
            return
        self.walked.add(path)
        root, here = self.parse(path, "Res"), directory_of(path)
        self.identifiers.structural += identifiers_in(root)
        declared = root.get("BaseLoc", "").strip()
        way = declared[1:] if declared.startswith("/") else f"{here}/{declared}".strip("/")
        folder = normalise(way, declared).rstrip("/")
        for element in descendants(root, "FontFile"):
            self.reach(text_of(element), folder, EntryKind.FONT, path, here)
        for element in descendants(root, "MediaFile"):
            self.reach(text_of(element), folder, EntryKind.MEDIA, path, here)
        for element in descendants(root, "ColorSpace"):
            if element.get("Profile"):
                profile = element.get("Profile", "")
                self.reach(profile, folder, EntryKind.COLOUR_PROFILE, path, here)

    def read_index(self, location: str, base: str, kind: EntryKind, referrer: str) -> None:
        """Read one of the four index files and note the files behind it."""
        path = self.reach(location, base, kind, referrer)
        if path is None or path in self.walked:
            return
        self.walked.add(path)
        root, here = self.parse(path, kind.value.title().replace("-", "")), directory_of(path)
        if kind is EntryKind.ATTACHMENTS:
            for element in children(root, "Attachment"):
                self._read_attachment(element, here, path)
            return
        for element in descendants(root, "FileLoc", "SchemaLoc", "ExtendData"):
            found = self.reach(text_of(element), here, kind, path) if text_of(element) else None
            if found is not None and kind is EntryKind.ANNOTATIONS:
                part = self.parse(found, "PageAnnot")
                self.identifiers.objects += identifiers_in(part)
                self._note_actions(actions_in(part), found)

    def _read_attachment(self, element: etree._Element, base: str, referrer: str) -> None:
        location = text_of_only(element, "FileLoc")
        if not location:
            self.deviate("attachment-empty", referrer)
            return
        found = self.reach(location, base, EntryKind.ATTACHMENT, referrer)
        self.attachments.append(
            OFDAttachment(
                name=element.get("Name", ""),
                path=found or location,
                present=found is not None,
                format=element.get("Format", ""),
                usage=element.get("Usage", ""),
            )
        )


def _custom_datas(info: etree._Element) -> tuple[tuple[str, str], ...]:
    holder = only(info, "CustomDatas")
    elements = [] if holder is None else children(holder, "CustomData")
    return tuple((element.get("Name", ""), text_of(element)) for element in elements)
