"""The fields of an interactive form, and what certification a document carries.

ISO 32000-1, 12.7.3 (fields), 12.8.2.2 (DocMDP), 12.8.4 (permissions).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.pdf.objects import ObjectTable
from seal_service.formats.pdf.syntax import Dictionary, Ref, Value

MAX_FIELDS = 10_000
MAX_FIELD_DEPTH = 32


class Permission(IntEnum):
    """What a certified document allows after it was certified (DocMDP, P)."""

    NO_CHANGES = 1
    FORM_FILLING = 2
    ANNOTATING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One terminal field."""

    name: str
    """Fully qualified."""
    reference: Ref | None
    """None where the field stands directly inside its parent."""
    dictionary: Dictionary
    field_type: str
    value: Value
    """V, own or inherited, not resolved; None for an empty field."""
    widgets: tuple[Ref, ...]
    """The field itself where it is its own widget."""

    @property
    def is_signature(self) -> bool:
        """Return whether it is a signature field, filled or empty."""
        return self.field_type == "Sig"


def catalog_of(table: ObjectTable) -> Dictionary:
    """Return the document catalogue. Raises ``MalformedDocument`` where there is none."""
    catalog = table.resolve(table.trailer.get("Root"))
    if not isinstance(catalog, Dictionary):
        raise MalformedDocument("no catalogue", reason="catalog")
    return catalog


def form_of(table: ObjectTable) -> Dictionary:
    """Return the interactive form; empty where there is none."""
    return table.dictionary(catalog_of(table).get("AcroForm"))


def read_fields(table: ObjectTable) -> tuple[FormField, ...]:
    """Return all terminal fields in the order of the form.

    Raises ``MalformedDocument`` (reason ``field-tree``) for a tree that is none, and
    ``LimitExceeded``.
    """
    fields: list[FormField] = []
    for found in _walk(table):
        if len(fields) >= MAX_FIELDS:
            raise LimitExceeded("too many fields", reason="limit", limit="pdf_fields")
        fields.append(found)
    return tuple(fields)


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of the tree, with what its parents hand down."""

    node: Value
    name: str
    field_type: str
    value: Value
    depth: int


def _walk(table: ObjectTable) -> Iterator[FormField]:
    seen: set[int] = set()
    roots = table.array(form_of(table).get("Fields"))
    waiting = [_Node(root, "", "", None, 0) for root in reversed(roots)]
    while waiting:
        item = waiting.pop()
        reference = item.node if isinstance(item.node, Ref) else None
        if (reference and reference.number in seen) or item.depth > MAX_FIELD_DEPTH:
            raise MalformedDocument("not a tree of fields", reason="field-tree")
        if len(seen) > MAX_FIELDS or len(waiting) > MAX_FIELDS:
            raise LimitExceeded("too many fields", reason="limit", limit="pdf_fields")
        if reference:
            seen.add(reference.number)
        dictionary = table.dictionary(item.node)
        own = _own(table, item, dictionary)
        kids = table.array(dictionary.get("Kids"))
        below = [kid for kid in kids if "T" in table.dictionary(kid)]
        if below:
            waiting += [
                _Node(kid, own.name, own.field_type, own.value, item.depth + 1)
                for kid in reversed(below)
            ]
            continue
        widgets = tuple(kid for kid in kids if isinstance(kid, Ref))
        yield FormField(
            name=own.name,
            reference=reference,
            dictionary=dictionary,
            field_type=own.field_type,
            value=own.value,
            widgets=widgets or ((reference,) if reference else ()),
        )


def _own(table: ObjectTable, item: _Node, dictionary: Dictionary) -> _Node:
    title = table.resolve(dictionary.get("T"))
    partial = decode_text(title) if isinstance(title, bytes) else ""
    field_type = table.resolve(dictionary.get("FT"))
    return _Node(
        node=item.node,
        name=".".join(part for part in (item.name, partial) if part),
        field_type=str(field_type) if isinstance(field_type, str) else item.field_type,
        value=dictionary.get("V", item.value),
        depth=item.depth,
    )


def is_filled(table: ObjectTable, found: FormField) -> bool:
    """Return whether a signature field has any value, sound or not."""
    return found.is_signature and (
        isinstance(found.value, Ref) or table.resolve(found.value) is not None
    )


def decode_text(value: bytes) -> str:
    """Decode a text string (7.9.2.2); bytes that are no text give replacement characters."""
    if value.startswith(b"\xfe\xff"):
        return value[2:].decode("utf-16-be", "replace")
    if value.startswith(b"\xff\xfe"):
        return value[2:].decode("utf-16-le", "replace")
    if value.startswith(b"\xef\xbb\xbf"):
        return value[3:].decode("utf-8", "replace")
    return value.decode("latin-1")


def docmdp_of(table: ObjectTable, signature: Dictionary) -> Permission | None:
    """Return what a signature certifies, or None for an approval signature.

    Raises ``MalformedDocument`` (reason ``docmdp``) for several answers or one out of range.
    """
    found: list[Permission] = []
    for item in table.array(signature.get("Reference")):
        reference = table.dictionary(item)
        if table.resolve(reference.get("TransformMethod")) != "DocMDP":
            continue
        parameters = table.dictionary(reference.get("TransformParams"))
        level = table.resolve(parameters.get("P", Permission.FORM_FILLING.value))
        if isinstance(level, bool) or level not in (1, 2, 3):
            raise MalformedDocument("no such permission", reason="docmdp")
        found.append(Permission(int(level)))
    if len(found) > 1:
        raise MalformedDocument("several permissions", reason="docmdp")
    return found[0] if found else None


def certification_of(table: ObjectTable) -> Permission | None:
    """Return the permission the catalogue names; None if it names none."""
    permissions = table.dictionary(catalog_of(table).get("Perms"))
    if "DocMDP" not in permissions:
        return None
    return docmdp_of(table, table.dictionary(permissions["DocMDP"]))
