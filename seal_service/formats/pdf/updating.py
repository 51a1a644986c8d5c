"""Append a revision to a PDF: open it strictly, collect objects, spell the cross-reference.

ISO 32000-1, 7.5.4 to 7.5.8. Nothing that was there before changes by a byte, and the new part has a
cross-reference of the kind the file already has.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from keys.algorithms import DigestAlgorithm
from seal_service.errors import DocumentTooLarge, LimitExceeded, MalformedDocument
from seal_service.formats.limits import DEFAULT_LIMITS
from seal_service.formats.pdf.appearance import image_objects
from seal_service.formats.pdf.fields import (
    FormField,
    catalog_of,
    form_of,
    is_filled,
    read_fields,
)
from seal_service.formats.pdf.objects import ObjectTable, Source
from seal_service.formats.pdf.pages import PDFPage, read_pages
from seal_service.formats.pdf.syntax import Dictionary, Name, Ref, Value, spell
from seal_service.formats.pdf.xref import Section, header_version, read_sections, table_of

MAX_RESERVED_BYTES = 4 * 1024 * 1024
SIGNATURE_FLAGS = 3
"""SignaturesExist and AppendOnly (12.7.2)."""


@dataclass(frozen=True, slots=True)
class Base:
    """The document as it is."""

    data: bytes
    newest: Section
    table: ObjectTable
    pages: tuple[PDFPage, ...]
    fields: tuple[FormField, ...]

    @property
    def signed_fields(self) -> tuple[FormField, ...]:
        """Return the signature fields that are filled."""
        return tuple(item for item in self.fields if is_filled(self.table, item))


def open_base(pdf: bytes) -> Base:
    """Read a document that is to be updated.

    Raises ``MalformedDocument`` (reason ``encrypted``, ``hybrid-xref``, ``trailing-data``, ``xfa``,
    ...), ``LimitExceeded`` or ``DocumentTooLarge``.
    """
    if len(pdf) > DEFAULT_LIMITS.document_bytes:
        raise DocumentTooLarge()
    if header_version(pdf) is None:
        raise MalformedDocument("not a PDF from its first byte on", reason="header")
    source = Source(pdf)
    sections = read_sections(source)
    if any("Encrypt" in section.trailer for section in sections):
        raise MalformedDocument("the document is encrypted", reason="encrypted")
    behind = pdf[max(section.end for section in sections) :]
    if behind.strip(b"\x00\t\n\x0c\r "):
        raise MalformedDocument("bytes after the end of the file", reason="trailing-data")
    table = table_of(source, sections)
    base = Base(pdf, sections[0], table, read_pages(table), read_fields(table))
    if "XFA" in form_of(table):
        raise MalformedDocument("a form that draws itself", reason="xfa")
    return base


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPDF:
    """A document that lacks only the signature value."""

    pieces: tuple[bytes, bytes]
    """Everything before and after the value: both are signed, in this order."""
    byte_range: tuple[int, int, int, int]
    reserved_bytes: int
    field_name: str
    field_reference: Ref

    def digest(self, algorithm: DigestAlgorithm) -> bytes:
        """Return the digest of what is signed."""
        running = hashlib.new(algorithm.value, self.pieces[0])
        running.update(self.pieces[1])
        return running.digest()


class Update:
    """The objects of the new revision while they are being collected."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.objects: dict[Ref, bytes] = {}
        self.new_fields: list[Ref] = []
        self._annotations: dict[int, list[Ref]] = {}
        self._page_entries: dict[int, dict[str, Value]] = {}
        size = base.newest.trailer.get("Size")
        highest = max(base.table.entries, default=0)
        self.next_number = max(size if isinstance(size, int) else 0, highest + 1)
        if self.next_number >= DEFAULT_LIMITS.pdf_objects:
            raise MalformedDocument("no object numbers left", reason="xref")
        self._image: Ref | None = None

    def new_reference(self) -> Ref:
        """Return the next free object number."""
        reference = Ref(self.next_number, 0)
        self.next_number += 1
        return reference

    def add(self, body: bytes) -> Ref:
        """Add an object; return what to call it by."""
        reference = self.new_reference()
        self.objects[reference] = body
        return reference

    def change(self, reference: Ref, dictionary: Dictionary, **entries: Value) -> None:
        """Write an object anew with some entries set."""
        self.objects[reference] = spell(Dictionary({**dictionary, **entries}))

    def image(self, picture: bytes) -> Ref:
        """Return the picture's object, added once however often it is shown."""
        if self._image is None:
            spelt = image_objects(picture)
            mask = self.add(spelt.mask)
            self._image = self.add(spelt.spell(mask.number))
        return self._image

    def show(self, page: PDFPage, annotation: Ref) -> None:
        """Remember that a page gets an annotation."""
        number = self.base.pages.index(page)
        self._annotations.setdefault(number, []).append(annotation)

    def edit_page(self, page: PDFPage, **entries: Value) -> None:
        """Remember that entries of a page get other values."""
        number = self.base.pages.index(page)
        self._page_entries.setdefault(number, {}).update(entries)

    def write_pages(self) -> None:
        """Write all pages that got entries, and the annotation lists that grew."""
        for number, added in self._annotations.items():
            page = self.base.pages[number]
            present = page.dictionary.get("Annots")
            complete = [*self.base.table.array(present), *added]
            if isinstance(present, Ref):
                self.objects[present] = spell(complete)
            else:
                self.edit_page(page, Annots=complete)
        for number, entries in self._page_entries.items():
            page = self.base.pages[number]
            self.change(page.reference, page.dictionary, **entries)

    def write_form(self, certification: Ref | None) -> None:
        """Enter the new fields into the form, and a certification into the catalogue."""
        base = self.base
        changes: dict[str, Value] = {}
        form, catalog = form_of(base.table), catalog_of(base.table)
        if self.new_fields or form.get("SigFlags") != SIGNATURE_FLAGS:
            changed = Dictionary({**form, "SigFlags": SIGNATURE_FLAGS})
            present = form.get("Fields")
            complete = [*base.table.array(present), *self.new_fields]
            if isinstance(present, Ref):
                self.objects[present] = spell(complete)
            else:
                changed["Fields"] = complete
            reference = catalog.get("AcroForm")
            if isinstance(reference, Ref):
                self.objects[reference] = spell(changed)
            else:
                changes["AcroForm"] = changed
        if certification is not None:
            permissions = base.table.dictionary(catalog.get("Perms"))
            changes["Perms"] = Dictionary({**permissions, "DocMDP": certification})
        if changes:
            self.change_catalog(**changes)

    def change_catalog(self, **entries: Value) -> None:
        """Write the catalogue anew with some entries set."""
        root = self.base.newest.trailer.get("Root")
        if not isinstance(root, Ref):
            raise MalformedDocument("no catalogue", reason="catalog")
        self.change(root, catalog_of(self.base.table), **entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomForSignature:
    """A signature dictionary that lacks only ByteRange and Contents."""

    signature: Ref
    dictionary: Dictionary
    reserved_bytes: int
    field_name: str
    field_reference: Ref


def append_objects(update: Update) -> bytes:
    """Return the document with a revision of the objects collected, unsigned."""
    parts, offsets, end = _lay_out(update)
    return b"".join((*parts, _cross_reference(update, offsets, end)))


def append_signature(update: Update, room: RoomForSignature) -> PreparedPDF:
    """Append all objects and the signature last, so that little stands behind the value."""
    if not 0 < room.reserved_bytes <= MAX_RESERVED_BYTES:
        raise LimitExceeded("no such room", reason="limit", limit="reserved_bytes")
    parts, offsets, at = _lay_out(update)
    offsets[room.signature] = at
    opening = b"%d %d obj\n%b" % (*room.signature, spell(room.dictionary)[: -len(b">>")])
    # Room of fixed width, for the range decides nothing about its own length.
    hole_start = at + len(opening) + len(_byte_range((0, 0, 0, 0))) + len(b"/Contents")
    hole_end = hole_start + 2 * room.reserved_bytes + 2
    closing = b">>\nendobj\n"
    tail = closing + _cross_reference(update, offsets, hole_end + len(closing))
    byte_range = (0, hole_start, hole_end, len(tail))
    parts += [opening, _byte_range(byte_range), b"/Contents"]
    return PreparedPDF(
        pieces=(b"".join(parts), tail),
        byte_range=byte_range,
        reserved_bytes=room.reserved_bytes,
        field_name=room.field_name,
        field_reference=room.field_reference,
    )


def _lay_out(update: Update) -> tuple[list[bytes], dict[Ref, int], int]:
    """Spell the objects behind the document; return the parts, where each is, and the end."""
    data = update.base.data
    parts = [data] if data.endswith(b"\n") else [data, b"\n"]
    at = sum(map(len, parts))
    offsets: dict[Ref, int] = {}
    for reference, body in update.objects.items():
        spelt = b"%d %d obj\n%b\nendobj\n" % (*reference, body)
        offsets[reference] = at
        at += len(spelt)
        parts.append(spelt)
    return parts, offsets, at


def _byte_range(numbers: tuple[int, int, int, int]) -> bytes:
    return b"/ByteRange[%d %10d %10d %10d]" % numbers


def _cross_reference(update: Update, offsets: Mapping[Ref, int], start: int) -> bytes:
    """Spell cross-reference, trailer and end of a revision whose objects are at ``offsets``."""
    base = update.base
    trailer = Dictionary({"Size": update.next_number})
    old = base.newest.trailer
    trailer |= {key: old[key] for key in ("Root", "Info") if key in old}
    trailer["Prev"] = base.newest.start
    trailer["ID"] = _identifiers(update)
    end = b"startxref\n%d\n%%%%EOF\n" % start
    if base.newest.is_stream:
        return _reference_stream(trailer, offsets, start) + end
    return _reference_table(offsets) + b"trailer\n" + spell(trailer) + b"\n" + end


def _reference_table(offsets: Mapping[Ref, int]) -> bytes:
    parts = [b"xref\n"]
    ordered = sorted(offsets)
    for first, count in _runs([reference.number for reference in ordered]):
        parts.append(b"%d %d\n" % (first, count))
        chosen = (ref for ref in ordered if first <= ref.number < first + count)
        parts += [b"%010d %05d n \n" % (offsets[ref], ref.generation) for ref in chosen]
    return b"".join(parts)


def _reference_stream(trailer: Dictionary, offsets: Mapping[Ref, int], start: int) -> bytes:
    own = Ref(int(str(trailer["Size"])), 0)
    complete = {**offsets, own: start}
    ordered = sorted(complete)
    body = b"".join(
        b"\x01" + complete[ref].to_bytes(4, "big") + ref.generation.to_bytes(2, "big")
        for ref in ordered
    )
    index: list[Value] = [
        number for run in _runs([ref.number for ref in ordered]) for number in run
    ]
    dictionary = Dictionary(
        {
            "Type": Name("XRef"),
            **trailer,
            "Size": own.number + 1,
            "W": [1, 4, 2],
            "Index": index,
            "Length": len(body),
        }
    )
    return b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (own.number, spell(dictionary), body)


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Group ascending numbers into first and count."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and sum(runs[-1]) == number:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((number, 1))
    return runs


def _identifiers(update: Update) -> Value:
    """Return the file's identifiers: the first stays, the second is new (14.4)."""
    base = update.base
    present = base.table.array(base.newest.trailer.get("ID"))
    old = [item for item in present if isinstance(item, bytes)]
    state = hashlib.sha256(b"%d " % len(base.data) + b"".join(old))
    for body in update.objects.values():
        state.update(body)
    fresh = state.digest()[:16]
    return [old[0] if len(old) == 2 else fresh, fresh]
