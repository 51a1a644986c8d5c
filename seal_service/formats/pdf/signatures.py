"""Read signature fields, and hold each byte range against the raw bytes of the file.

ISO 32000-1, 12.8.1; T-PDF-01 to T-PDF-05. What a signature leaves out must be exactly the Contents
string of its own dictionary, as it stands in the file: that is decided from offsets and bytes, not
from what a parser makes of them. Reasons of problems:

``value-type`` no signature dictionary; ``dictionary-packed`` inside an object stream;
``contents-missing``, ``contents-form`` (not one run of hexadecimal digits), ``contents-der``,
``contents-padding``; ``byte-range-missing``, ``byte-range-form`` (not four whole numbers),
``byte-range-start``, ``byte-range-order``, ``byte-range-end``, ``byte-range-hole``;
``dictionary-outside`` (not within its own range); ``docmdp``; ``value-shared``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats import asn1
from seal_service.formats.notices import Notice
from seal_service.formats.pdf.fields import (
    FormField,
    Permission,
    decode_text,
    docmdp_of,
    is_filled,
)
from seal_service.formats.pdf.model import PDFSignature
from seal_service.formats.pdf.objects import PLAIN, ObjectTable
from seal_service.formats.pdf.pages import PDFPage, read_box, to_seen_mm
from seal_service.formats.pdf.revisions import RevisionParts
from seal_service.formats.pdf.syntax import Dictionary, Ref, Value

_DATE = re.compile(
    r"D:([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:Z|([+-])([0-9]{2})'?([0-9]{2})?'?)"
    r"(?:00'?(?:00'?)?)?"
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is needed to read the signatures of a state."""

    table: ObjectTable
    revisions: Sequence[RevisionParts]
    pages: Sequence[PDFPage]
    pages_by_widget: Mapping[int, int]
    """Page numbers, from 1, by the object number of an annotation."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a signature dictionary stands in the file."""

    dictionary: Dictionary
    start: int
    end: int
    number: int | None


def read_signatures(around: Surroundings, fields: Sequence[FormField]) -> tuple[PDFSignature, ...]:
    """Read all filled signature fields, in the order of what they cover.

    ``later_changes`` stays empty here. Raises ``LimitExceeded``.
    """
    filled = [found for found in fields if is_filled(around.table, found)]
    if len(filled) > around.table.source.limits.signatures:
        raise LimitExceeded("too many signatures", reason="limit", limit="signatures")
    signatures = [_read(around, found) for found in filled]
    numbers = [item.object_number for item in signatures if item.object_number is not None]
    signatures = [
        replace(item, problems=(*item.problems, Notice(reason="value-shared")))
        if item.object_number is not None and numbers.count(item.object_number) > 1
        else item
        for item in signatures
    ]
    return tuple(sorted(signatures, key=_end_of))


def _end_of(signature: PDFSignature) -> int:
    if signature.byte_range is None:
        return -1
    return signature.byte_range[2] + signature.byte_range[3]


def _read(around: Surroundings, found: FormField) -> PDFSignature:
    table = around.table
    problems: list[Notice] = []
    place = _place(table, found, problems)
    dictionary = place.dictionary if place else Dictionary()
    byte_range = _byte_range(dictionary, problems)
    contents, has_own_form = _contents(table.source.data, dictionary, problems)
    if byte_range is not None and place is not None:
        reasons = _range_problems(byte_range, place, len(table.source.data))
        problems += [Notice(reason=reason) for reason in reasons]
    range_holds = byte_range is not None and not any(
        notice.reason.startswith(("byte-range", "dictionary")) for notice in problems
    )
    page, box = _seen_at(around, found)
    end = byte_range[2] + byte_range[3] if byte_range else -1
    return PDFSignature(
        field_name=found.name,
        object_number=place.number if place else None,
        dictionary_type=_name(table, dictionary.get("Type")),
        filter=_name(table, dictionary.get("Filter")),
        sub_filter=_name(table, dictionary.get("SubFilter")),
        byte_range=byte_range,
        contents=contents,
        has_own_form=has_own_form,
        signed_at=_date(_text(table, dictionary.get("M"))),
        name=_text(table, dictionary.get("Name")),
        reason=_text(table, dictionary.get("Reason")),
        permission=_permission(table, dictionary, problems),
        locks_fields=_locks_fields(table, found, dictionary),
        page_number=page,
        place_mm=box,
        covers_file=range_holds and end == len(table.source.data),
        revision=_revision(around.revisions, end) if range_holds else None,
        problems=tuple(problems),
        later_changes=(),
    )


def _place(table: ObjectTable, found: FormField, problems: list[Notice]) -> _Place | None:
    """Find the signature dictionary as it stands in the file."""
    holder = found.value if isinstance(found.value, Ref) else found.reference
    entry = table.entries.get(holder.number) if holder else None
    try:
        dictionary = table.resolve(found.value)
    except MalformedDocument:
        dictionary = None
    if not isinstance(dictionary, Dictionary) or holder is None or entry is None:
        problems.append(Notice(reason="value-type"))
        return None
    number = holder.number if isinstance(found.value, Ref) else None
    if entry.kind != PLAIN:
        problems.append(Notice(reason="dictionary-packed"))
        return None
    stands = table.source.object_at(entry.place)
    if number is not None and stands.value is not dictionary:
        # The value is a reference to a reference: no reader is bound to follow it.
        problems.append(Notice(reason="value-type"))
        return None
    return _Place(dictionary, stands.start, stands.end, number)


def _byte_range(dictionary: Dictionary, problems: list[Notice]) -> tuple[int, int, int, int] | None:
    value = dictionary.get("ByteRange")
    if value is None:
        problems.append(Notice(reason="byte-range-missing"))
        return None
    numbers = value if isinstance(value, list) else []
    sizes = [
        item
        for item in numbers
        if isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 1 << 40
    ]
    if len(sizes) != 4 or len(numbers) != 4:
        problems.append(Notice(reason="byte-range-form"))
        return None
    return sizes[0], sizes[1], sizes[2], sizes[3]


def _range_problems(
    byte_range: tuple[int, int, int, int], place: _Place, size: int
) -> Iterator[str]:
    start, length, second, rest = byte_range
    if start != 0 or length == 0:
        yield "byte-range-start"
    if second < start + length or rest == 0:
        yield "byte-range-order"
    if second + rest > size:
        yield "byte-range-end"
    if (start + length, second) != place.dictionary.spans.get("Contents"):
        yield "byte-range-hole"
    if not (place.start >= start and place.end <= second + rest):
        yield "dictionary-outside"


def _contents(
    data: bytes, dictionary: Dictionary, problems: list[Notice]
) -> tuple[bytes | None, bool]:
    """Return the value, and whether it is written as our writer does."""
    value = dictionary.get("Contents")
    if value is None:
        problems.append(Notice(reason="contents-missing"))
        return None, False
    start, end = dictionary.spans["Contents"]
    digits = data[start + 1 : end - 1]
    is_hexadecimal = data[start : start + 1] == b"<" and digits.isalnum() and len(digits) % 2 == 0
    if not isinstance(value, bytes) or not is_hexadecimal:
        problems.append(Notice(reason="contents-form"))
        return None, False
    try:
        contents = asn1.strip_zero_padding(value)
    except MalformedDocument as error:
        is_trailing = error.params.get("reason") == "trailing"
        problems.append(Notice(reason="contents-padding" if is_trailing else "contents-der"))
        return None, False
    return contents, digits == digits.lower()


def _revision(revisions: Sequence[RevisionParts], end: int) -> int | None:
    for revision in revisions:
        if revision.mark_end <= end <= revision.end:
            return revision.number
    return None


def _permission(
    table: ObjectTable, dictionary: Dictionary, problems: list[Notice]
) -> Permission | None:
    try:
        return docmdp_of(table, dictionary)
    except MalformedDocument:
        problems.append(Notice(reason="docmdp"))
        return None


def _locks_fields(table: ObjectTable, found: FormField, dictionary: Dictionary) -> bool:
    methods = [
        table.resolve(table.dictionary(item).get("TransformMethod"))
        for item in table.array(dictionary.get("Reference"))
    ]
    return "FieldMDP" in methods or "Lock" in found.dictionary


def _seen_at(
    around: Surroundings, found: FormField
) -> tuple[int | None, tuple[float, float, float, float] | None]:
    for widget in found.widgets:
        page_number = around.pages_by_widget.get(widget.number)
        box = read_box(around.table, around.table.dictionary(widget).get("Rect"))
        if page_number is not None and box is not None:
            return page_number, to_seen_mm(around.pages[page_number - 1], box)
    return None, None


def _name(table: ObjectTable, value: Value) -> str:
    found = table.resolve(value)
    return str(found) if isinstance(found, str) else ""


def _text(table: ObjectTable, value: Value) -> str:
    found = table.resolve(value)
    return decode_text(found) if isinstance(found, bytes) else ""


def _date(text: str) -> datetime | None:
    """Read a date with its time zone (7.9.4); one without says no instant."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[group]) for group in range(1, 7))
    offset = timedelta(hours=int(found[8] or 0), minutes=int(found[9] or 0))
    try:
        zone = timezone(-offset if found[7] == "-" else offset)
        return datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
