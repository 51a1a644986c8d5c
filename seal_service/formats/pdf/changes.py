"""What later revisions changed after a signature, by our own rule.

Allowed are: the value of a signature field that was empty before, validation data (DSS), document
time stamps in invisible fields, and the date of the last change, which many programs write along.
Everything else is named by its kind (T-PDF-02, T-PDF-06 to T-PDF-11, T-PDF-29). The two states are
compared entry by entry:

1. Collect the object numbers whose entries differ.
2. Explain those that belong to an allowed change, following references only to new objects.
3. What stays unexplained is a change, even if nothing seems to refer to it.

An object that is new but was referred to before, when it did not exist yet, is never explained: it
is how a prepared document gets other content later (shadow attacks).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from seal_service.formats.pdf.claims import read_metadata
from seal_service.formats.pdf.fields import (
    FormField,
    catalog_of,
    form_of,
    is_filled,
    read_fields,
)
from seal_service.formats.pdf.model import ChangeKind, LaterChange
from seal_service.formats.pdf.objects import FREE, PACKED, Entry, ObjectTable
from seal_service.formats.pdf.pages import PDFPage, read_box, read_pages
from seal_service.formats.pdf.revisions import RevisionParts
from seal_service.formats.pdf.survey import Survey, survey
from seal_service.formats.pdf.syntax import Dictionary, Ref, Stream, Value

MAX_NAMED_OBJECTS = 50
LARGE_SEAL = 0.25
"""A seal over more than this part of its page covers content (T-PDF-08)."""
LOCKED_FLAG = 128
_FIELD_KEYS = frozenset({"V", "AP", "M", "MK", "F"})
"""What may change in a signature field, or its widget, when it is filled."""
_ADDED_KEYS = frozenset(
    {"Type", "Subtype", "FT", "T", "TU", "TM", "NM", "M", "H", "F", "Ff", "P", "Rect", "V", "AP"}
    | {"DR", "DA", "MK", "Border"}
)
"""What a signature field that is added later consists of; no actions."""
_CATALOG_KEYS = frozenset({"DSS", "Extensions", "AcroForm"})
_DATES = frozenset({"ModDate", "Producer"})
_FORM_KEYS = frozenset({"Fields", "SigFlags"})
_NONE = Entry(FREE, 0, 0)


def changes_after(
    revisions: tuple[RevisionParts, ...], number: int, new: ObjectTable
) -> tuple[LaterChange, ...]:
    """Return the changes between revision ``number`` and the newest state.

    Raises ``MalformedDocument`` or ``LimitExceeded``.
    """
    later = revisions[number:]
    if not later:
        return ()
    old = revisions[number - 1].table(new.source)
    comparison = _Comparison(old, new, survey(old))
    comparison.explain_containers(later)
    comparison.explain_fields()
    comparison.explain_form_and_pages()
    comparison.explain_validation_data()
    comparison.explain_dates()
    comparison.explain_catalog()
    return comparison.result()


@dataclass(slots=True)
class _Comparison:
    """Two states of a document, and what is known of their differences so far."""

    old: ObjectTable
    new: ObjectTable
    surveyed: Survey
    changed: set[int] = field(default_factory=set)
    explained: dict[int, ChangeKind | None] = field(default_factory=dict)
    added_fields: set[Ref] = field(default_factory=set)
    extra: dict[ChangeKind, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = self.old.entries.keys() | self.new.entries.keys()
        self.old.source.spend(len(numbers) // 8)
        self.changed = {n for n in numbers if _live(self.old, n) != _live(self.new, n)}

    # 2. Explaining

    def explain_containers(self, later: tuple[RevisionParts, ...]) -> None:
        """Cross-reference streams and new object streams show nothing themselves."""
        for section in (section for revision in later for section in revision.own):
            numbers = {entry.place for entry in section.entries.values() if entry.kind == PACKED}
            if section.own_number is not None:
                numbers.add(section.own_number)
            for number in numbers:
                if self._is_new(number):
                    self.explained[number] = None

    def explain_fields(self) -> None:
        """Explain signature fields that were filled, and new ones."""
        before = {found.reference: found for found in read_fields(self.old)}
        for found in read_fields(self.new):
            if found.reference is None or not is_filled(self.new, found):
                continue
            known = before.get(found.reference)
            if known is None:
                self._explain_added(found)
            elif not is_filled(self.old, known):
                self._explain_filled(known, found)

    def _explain_filled(self, known: FormField, found: FormField) -> None:
        same = known.name == found.name and known.is_signature and known.widgets == found.widgets
        if not same or found.reference is None or self._covers_content(found):
            return
        own = {found.reference, *found.widgets}
        if not all(self._may_fill(reference) for reference in own):
            return
        for reference in own:
            if reference.number in self.changed:
                self.explained[reference.number] = ChangeKind.SIGNATURE
            shown = self.new.dictionary(reference).get("AP")
            self._explain_new(shown, ChangeKind.SIGNATURE)
        self._explain_new(found.value, ChangeKind.SIGNATURE)

    def _may_fill(self, reference: Ref) -> bool:
        """Return whether a field or widget changed in nothing but what filling it changes."""
        old, new = self.old.dictionary(reference), self.new.dictionary(reference)
        flags = (old.get("F", 0), new.get("F", 0))
        same_flags = flags[0] == flags[1] or flags[1] == (_whole(flags[0]) | LOCKED_FLAG)
        return same_flags and _without(old, _FIELD_KEYS) == _without(new, _FIELD_KEYS)

    def _covers_content(self, found: FormField) -> bool:
        areas = [
            (page.visible[2] - page.visible[0]) * (page.visible[3] - page.visible[1])
            for page in read_pages(self.new)
        ]
        for widget in found.widgets:
            box = read_box(self.new, self.new.dictionary(widget).get("Rect"))
            if box and (box[2] - box[0]) * (box[3] - box[1]) > LARGE_SEAL * min(areas):
                return True
        return False

    def _explain_added(self, found: FormField) -> None:
        """Explain a field that is new, holds a signature, and does nothing else."""
        reference = found.reference
        plain = found.is_signature and found.dictionary.keys() <= _ADDED_KEYS
        if reference is None or not plain or found.widgets != (reference,):
            return
        if not self._is_new(reference.number) or self._covers_content(found):
            return
        kind = ChangeKind.NEW_SIGNATURE
        if self._is_time_stamp(found):
            kind = ChangeKind.DOCUMENT_TIMESTAMP
        self.added_fields.add(reference)
        self.explained[reference.number] = kind
        self._explain_new(found.dictionary.get("AP"), kind)
        self._explain_new(found.value, kind)

    def _is_time_stamp(self, found: FormField) -> bool:
        """Return whether a field holds a time stamp and is not seen."""
        value = self.new.dictionary(found.value)
        if value.get("Type") != "DocTimeStamp" or value.get("SubFilter") != "ETSI.RFC3161":
            return False
        return read_box(self.new, found.dictionary.get("Rect")) is None

    def explain_form_and_pages(self) -> None:
        """Explain lists of fields and annotations that grew by explained fields alone."""
        form = catalog_of(self.new).get("AcroForm")
        if isinstance(form, Ref) and form.number in self.changed:
            old, new = self.old.dictionary(form), self.new.dictionary(form)
            if self._form_holds(old, new):
                self.explained[form.number] = None
        self._explain_list(form_of(self.old).get("Fields"), form_of(self.new).get("Fields"))
        before = {page.reference: page for page in read_pages(self.old)}
        for page in read_pages(self.new):
            known = before.get(page.reference)
            if known is not None:
                self._explain_page(known, page)

    def _explain_page(self, known: PDFPage, page: PDFPage) -> None:
        old, new = known.dictionary.get("Annots"), page.dictionary.get("Annots")
        self._explain_list(old, new)
        same = _without(known.dictionary, {"Annots"}) == _without(page.dictionary, {"Annots"})
        if page.reference.number in self.changed and same and self._only_adds(old, new):
            self.explained[page.reference.number] = None

    def _form_holds(self, old: Dictionary, new: Dictionary) -> bool:
        return _without(old, _FORM_KEYS) == _without(new, _FORM_KEYS) and self._only_adds(
            old.get("Fields"), new.get("Fields")
        )

    def _explain_list(self, old: Value, new: Value) -> None:
        if isinstance(new, Ref) and new.number in self.changed and self._only_adds(old, new):
            is_same_object = new == old or self._is_new(new.number)
            if is_same_object:
                self.explained[new.number] = None

    def _only_adds(self, old: Value, new: Value) -> bool:
        """Return whether a list grew by nothing but fields that are explained."""
        before, after = self.old.array(old), self.new.array(new)
        added = after[len(before) :]
        return after[: len(before)] == before and all(item in self.added_fields for item in added)

    def explain_validation_data(self) -> None:
        """Explain the document security store: its lists, and new streams below it."""
        old = catalog_of(self.old).get("DSS")
        new = catalog_of(self.new).get("DSS")
        for number in self._store_lists(old):
            # An existing list must belong to the store alone, or it could be content, too.
            if number in self.changed and self.surveyed.references[number] == 1:
                self.explained[number] = ChangeKind.VALIDATION_DATA
                self._explain_new(_get(self.new, number), ChangeKind.VALIDATION_DATA)
        self._explain_new(new, ChangeKind.VALIDATION_DATA)

    def _store_lists(self, store: Value) -> set[int]:
        """Return the numbers of the store's dictionaries and lists, as they were before."""
        found: set[int] = set()
        waiting: list[tuple[Value, int]] = [(store, 0)]
        while waiting:
            value, depth = waiting.pop()
            if isinstance(value, Ref):
                if value.number in found or isinstance(self.old.get(value), Stream):
                    continue
                found.add(value.number)
            resolved = self.old.resolve(value)
            if isinstance(resolved, Dictionary) and depth <= 4:
                waiting += [(item, depth + 1) for item in resolved.values()]
        return found

    def explain_dates(self) -> None:
        """Explain information that changed in nothing but dates and producer."""
        reference = self.new.trailer.get("Info")
        if isinstance(reference, Ref) and reference.number in self.changed:
            old, new = self.old.dictionary(reference), self.new.dictionary(reference)
            if old and _without(old, _DATES) == _without(new, _DATES):
                self.explained[reference.number] = ChangeKind.DATE
        metadata = catalog_of(self.new).get("Metadata")
        if isinstance(metadata, Ref) and metadata.number in self.changed and self._same_words():
            self.explained[metadata.number] = ChangeKind.DATE

    def _same_words(self) -> bool:
        """Return whether the metadata is where it was and says the same as before."""
        if catalog_of(self.old).get("Metadata") != catalog_of(self.new).get("Metadata"):
            return False
        old, new = read_metadata(self.old), read_metadata(self.new)
        return bool(old) and {**old, "Producer": ""} == {**new, "Producer": ""}

    def explain_catalog(self) -> None:
        """Explain a catalogue that differs only in what was explained already."""
        root = self.new.trailer.get("Root")
        if root != self.old.trailer.get("Root"):
            self.extra[ChangeKind.CATALOG] = "another catalogue"
        if self.new.trailer.get("Info") != self.old.trailer.get("Info"):
            self.extra[ChangeKind.INFORMATION] = "another information dictionary"
        old, new = catalog_of(self.old), catalog_of(self.new)
        if self._permissions(self.old, old) != self._permissions(self.new, new):
            self.extra[ChangeKind.CERTIFICATION] = "other permissions"
        if not isinstance(root, Ref) or root.number not in self.changed:
            return
        forms = (old.get("AcroForm"), new.get("AcroForm"))
        form_holds = forms[0] == forms[1] or (
            not isinstance(forms[1], Ref)
            and self._form_holds(self.old.dictionary(forms[0]), self.new.dictionary(forms[1]))
        )
        if form_holds and _without(old, _CATALOG_KEYS) == _without(new, _CATALOG_KEYS):
            self.explained[root.number] = None

    def _permissions(self, table: ObjectTable, catalog: Dictionary) -> Mapping[str, Value]:
        return dict(table.dictionary(catalog.get("Perms")))

    def _explain_new(self, value: Value, kind: ChangeKind) -> None:
        """Explain all new objects below a value; existing ones are not followed."""
        waiting = [value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, Ref):
                if not self._is_new(item.number) or item.number in self.explained:
                    continue
                self.explained[item.number] = kind
                item = self.new.get(item)
            if isinstance(item, Stream):
                item = item.dictionary
            if isinstance(item, Dictionary):
                waiting += item.values()
            elif isinstance(item, list):
                waiting += item

    def _is_new(self, number: int) -> bool:
        """Return whether an object is new, and nothing pointed to it before."""
        return (
            number in self.changed
            and _live(self.old, number) == _NONE
            and not self.surveyed.references[number]
        )

    # 3. Naming

    def result(self) -> tuple[LaterChange, ...]:
        """Return all changes, grouped by kind."""
        found: dict[ChangeKind, list[int]] = {kind: [] for kind in self.extra}
        for number in sorted(self.changed):
            kind = self.explained.get(number)
            if number not in self.explained:
                kind = self._kind(number)
            if kind is not None:
                found.setdefault(kind, []).append(number)
        return tuple(
            LaterChange(
                kind=kind,
                object_numbers=tuple(found[kind][:MAX_NAMED_OBJECTS]),
                detail=self.extra.get(kind, ""),
            )
            for kind in ChangeKind
            if kind in found
        )

    def _kind(self, number: int) -> ChangeKind:
        """Name an unexplained change by what the object is, or was."""
        if _live(self.old, number) == _NONE and self.surveyed.references[number]:
            return ChangeKind.DANGLING
        special = {
            self.new.trailer.get("Root"): ChangeKind.CATALOG,
            self.new.trailer.get("Info"): ChangeKind.INFORMATION,
        }
        for kind in (special.get(Ref(number, 0)), *_kinds(_get(self.new, number))):
            if kind is not None:
                return kind
        return next(_kinds(_get(self.old, number)), ChangeKind.OBJECT)


def _kinds(value: Value) -> Iterator[ChangeKind]:
    dictionary = value.dictionary if isinstance(value, Stream) else value
    if not isinstance(dictionary, Dictionary):
        return
    kind = dictionary.get("Type")
    if kind in ("Page", "Pages"):
        yield ChangeKind.PAGE
    if kind in ("Sig", "SigRef", "TransformParams") or "ByteRange" in dictionary:
        yield ChangeKind.CERTIFICATION
    if kind == "Metadata":
        yield ChangeKind.INFORMATION
    if isinstance(value, Stream):
        yield ChangeKind.CONTENT
    if "FT" in dictionary or "T" in dictionary:
        yield ChangeKind.FIELD
    if kind == "Annot" or ("Rect" in dictionary and "Subtype" in dictionary):
        yield ChangeKind.ANNOTATION


def _live(table: ObjectTable, number: int) -> Entry:
    """Return an entry, all free ones being the same."""
    entry = table.entries.get(number, _NONE)
    return _NONE if entry.kind == FREE else entry


def _get(table: ObjectTable, number: int) -> Value:
    entry = table.entries.get(number)
    return None if entry is None else table.get(table.reference(number))


def _without(dictionary: Dictionary, keys: frozenset[str] | set[str]) -> dict[str, Value]:
    return {key: value for key, value in dictionary.items() if key not in keys}


def _whole(value: Value) -> int:
    return value if isinstance(value, int) else 0
