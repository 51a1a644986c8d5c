"""Walk every object of a document once: active content, filters, streams, stray signatures.

Nothing found here is run, fetched or decoded (T-PDF-16, T-PDF-17, T-PDF-18, T-PDF-26).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.notices import Notice
from seal_service.formats.pdf.model import ActiveContent
from seal_service.formats.pdf.objects import FREE, PACKED, ObjectTable
from seal_service.formats.pdf.syntax import Dictionary, Ref, Stream, Value

MAX_REMARKS = 20

_ACTIONS = {
    "JavaScript": "javascript",
    "Launch": "launch",
    "SubmitForm": "submit-form",
    "ImportData": "import-data",
    "GoToR": "remote-goto",
    "GoToE": "remote-goto",
    "Rendition": "multimedia",
    "Movie": "multimedia",
    "Sound": "multimedia",
    "RichMediaExecute": "multimedia",
    "SetOCGState": "optional-content",
    "Hide": "hide-action",
    "ResetForm": "reset-form",
}
_KEYS = {
    "JS": "javascript",
    "AA": "additional-actions",
    "XFA": "xfa",
    "EmbeddedFiles": "embedded-file",
    "EF": "embedded-file",
    "OCProperties": "optional-content",
}
_SUBTYPES = {"RichMedia": "multimedia", "3D": "multimedia", "Screen": "multimedia"}


@dataclass(slots=True)
class Survey:
    """What the walk found."""

    active: list[ActiveContent] = field(default_factory=list)
    problems: list[Notice] = field(default_factory=list)
    signature_dictionaries: set[int] = field(default_factory=set)
    """Objects that look like signatures, wherever they are referred to."""
    references: Counter[int] = field(default_factory=Counter)
    """How often each object number is referred to."""

    def remark(self, reason: str, number: int) -> None:
        """Remember a problem of an object; more than a few of them say nothing new."""
        if len(self.problems) < MAX_REMARKS:
            self.problems.append(Notice(reason=reason, subject=f"object {number}"))


def survey(table: ObjectTable) -> Survey:
    """Walk all objects of a state.

    An object that cannot be read becomes a problem; only a broken limit raises.
    """
    found = Survey()
    for number, entry in table.entries.items():
        if entry.kind == FREE:
            continue
        table.source.spend(1)
        try:
            value = table.get(table.reference(number))
            if isinstance(value, Stream):
                _check_stream(table, value)
            elif entry.kind != PACKED:
                _check_end(table, entry.place)
        except LimitExceeded:
            raise
        except MalformedDocument as error:
            found.remark(str(error.params.get("reason", error.code)), number)
            continue
        _look_into(found, number, value)
    return found


def _look_into(found: Survey, number: int, value: Value) -> None:
    top = value.dictionary if isinstance(value, Stream) else value
    if isinstance(top, Dictionary) and _is_signature(top):
        found.signature_dictionaries.add(number)
    kinds = set(_stream_kinds(value)) if isinstance(value, Stream) else set()
    for item in _values(top):
        if isinstance(item, Ref):
            found.references[item.number] += 1
        elif isinstance(item, Dictionary):
            kinds |= set(_kinds(item))
    found.active += [ActiveContent(kind=kind, object_number=number) for kind in sorted(kinds)]


def _stream_kinds(stream: Stream) -> Iterator[str]:
    """Yield what makes a stream show something that is not in the file (7.3.8.2, 8.10.4)."""
    if "F" in stream.dictionary:
        yield "external-stream"
    if "Ref" in stream.dictionary and stream.dictionary.get("Subtype") == "Form":
        yield "reference-form"


def _is_signature(dictionary: Dictionary) -> bool:
    return "ByteRange" in dictionary or dictionary.get("Type") in ("Sig", "DocTimeStamp")


def _values(value: Value) -> Iterator[Value]:
    """Yield a value and everything inside it."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        yield item
        if isinstance(item, Dictionary):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def _kinds(dictionary: Dictionary) -> Iterator[str]:
    for key in dictionary.keys() & _KEYS.keys():
        yield _KEYS[key]
    action = dictionary.get("S")
    if isinstance(action, str) and action in _ACTIONS:
        yield _ACTIONS[action]
    subtype = dictionary.get("Subtype")
    if isinstance(subtype, str) and subtype in _SUBTYPES:
        yield _SUBTYPES[subtype]
    # An array only says which page is shown first.
    if isinstance(dictionary.get("OpenAction"), Dictionary | Ref):
        yield "open-action"
    if dictionary.get("NeedAppearances") is True:
        yield "need-appearances"


def _check_stream(table: ObjectTable, stream: Stream) -> None:
    """Refuse a length that does not lead to the end of the stream, and too many filters."""
    filters = table.resolve(stream.dictionary.get("Filter"))
    if isinstance(filters, list) and len(filters) > table.source.limits.pdf_filters:
        raise LimitExceeded("too many filters", reason="limit", limit="pdf_filters")
    end = stream.start + table.stream_length(stream)
    data = table.source.data
    behind = data[end : end + 11] if 0 < end <= len(data) else b""
    if not behind.lstrip(b"\r\n").startswith(b"endstream"):
        raise MalformedDocument("not the length of the stream", reason="stream-length")


def _check_end(table: ObjectTable, offset: int) -> None:
    end = table.source.object_at(offset).end
    behind = table.source.data[end : end + 64]
    if not behind.lstrip(b"\x00\t\n\x0c\r ").startswith(b"endobj"):
        raise MalformedDocument("an object without its end", reason="object-end")
