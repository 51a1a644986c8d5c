"""Read a PDF for verification: what is signed, what came later, what the document claims.

1. The file as bytes: header, cross-references, revisions, what stands behind the end.
2. Refuse what is encrypted; walk pages, form and all objects of the newest state.
3. Every filled signature field, held against the raw bytes.
4. For each of them, what later revisions changed.
5. Claims, validation data, active content.

Facts only; the verifier judges. A file whose structure does not hold is refused with
``MalformedDocument``, for each viewer would show something else; nothing is repaired. Reasons of
problems of the document: ``junk-before-header``, ``trailing-data``, ``stray-startxref``,
``orphan-signature``, ``signature-removed``, ``field-name-twice``, ``perms-dangling``,
``docmdp-without-perms``, ``docmdp-twice``, ``docmdp-not-first``, ``metadata``,
``metadata-differs``, ``xref-size``, and those of the survey: ``stream-length``, ``object-end``,
``xref-mismatch``, ``token``, ...
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from seal_service.errors import DocumentTooLarge, LimitExceeded, MalformedDocument
from seal_service.formats.limits import DEFAULT_LIMITS, Limits
from seal_service.formats.notices import Notice
from seal_service.formats.pdf.changes import changes_after
from seal_service.formats.pdf.claims import read_claims, read_information, read_metadata
from seal_service.formats.pdf.fields import (
    FormField,
    catalog_of,
    docmdp_of,
    is_filled,
    read_fields,
)
from seal_service.formats.pdf.model import (
    Certification,
    ChangeKind,
    LaterChange,
    PDFDocument,
    PDFSignature,
    Revision,
    ValidationData,
)
from seal_service.formats.pdf.objects import PLAIN, ObjectTable, Source
from seal_service.formats.pdf.pages import PDFPage, read_pages
from seal_service.formats.pdf.revisions import RevisionParts, group_revisions
from seal_service.formats.pdf.signatures import Surroundings, read_signatures
from seal_service.formats.pdf.survey import MAX_REMARKS, Survey, survey
from seal_service.formats.pdf.syntax import Ref, Stream, Value
from seal_service.formats.pdf.xref import header_version, read_sections, table_of

HEADER_WITHIN = 1024
MAX_EVIDENCE = 256
"""Certificates, lists and responses in the document security store, each."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """A document taken apart."""

    table: ObjectTable
    revisions: tuple[RevisionParts, ...]
    pages: tuple[PDFPage, ...]
    fields: tuple[FormField, ...]
    surveyed: Survey


@lru_cache(maxsize=2)
def read_pdf(data: bytes, limits: Limits = DEFAULT_LIMITS) -> PDFDocument:
    """Read everything the verifier needs.

    Raises ``DocumentTooLarge``, ``LimitExceeded`` or ``MalformedDocument`` (reason ``header``,
    ``junk-before-header``, ``encrypted``, ``startxref``, ``xref``, ``hybrid-xref``, ``page-tree``,
    ...), nothing else. The last two readings are kept: what was sealed here is read back by the
    sealer and once more by whoever releases it.
    """
    version, problems = _check_outside(data, limits)  # 1
    try:
        parts = _take_apart(data, limits)  # 2
    except LimitExceeded:
        raise
    except MalformedDocument as error:
        # Offsets count from the header in some readers, from the first byte in others.
        raise error if version else MalformedDocument("", reason=problems[0].reason) from error
    table = parts.table
    signatures = _signatures(parts)  # 3, 4
    certification, certification_problems = _certification(table, signatures)
    problems += _trailing_problems(data, parts)
    problems += certification_problems
    problems += _signature_problems(parts, signatures)
    problems += parts.surveyed.problems
    problems += _stale_problems(parts)
    information = read_information(table)  # 5
    metadata, metadata_problems = _metadata(table, information)
    return PDFDocument(
        data=data,
        version=version,
        page_count=len(parts.pages),
        page_sizes_mm=tuple(page.size_mm for page in parts.pages),
        revisions=tuple(map(_revision, parts.revisions)),
        signatures=signatures,
        empty_fields=tuple(
            item.name for item in parts.fields if item.is_signature and not is_filled(table, item)
        ),
        certification=certification,
        validation_data=_validation_data(table),
        active_content=tuple(parts.surveyed.active),
        information=information,
        metadata=metadata,
        claims=read_claims(information.get("Keywords", "")),
        problems=tuple(problems + metadata_problems),
    )


def _revision(item: RevisionParts) -> Revision:
    is_stream = item.own[0].is_stream
    return Revision(number=item.number, start=item.start, end=item.end, is_stream=is_stream)


# --- 1. and 2. structure -----------------------------------------------------------------------


def _check_outside(data: bytes, limits: Limits) -> tuple[str, list[Notice]]:
    """Return the version, and what is wrong with the first bytes (T-PDF-14)."""
    if len(data) > limits.document_bytes:
        raise DocumentTooLarge()
    version = header_version(data)
    if version is not None:
        return version, []
    if b"%PDF-" in data[:HEADER_WITHIN]:
        return "", [Notice(reason="junk-before-header")]
    raise MalformedDocument("no PDF header", reason="header")


def _take_apart(data: bytes, limits: Limits) -> _Parts:
    source = Source(data, limits)
    sections = read_sections(source)
    if any("Encrypt" in section.trailer for section in sections):
        raise MalformedDocument("the document is encrypted", reason="encrypted")
    table = table_of(source, sections)
    return _Parts(
        table=table,
        revisions=group_revisions(sections),
        pages=read_pages(table),
        fields=read_fields(table),
        surveyed=survey(table),
    )


def _trailing_problems(data: bytes, parts: _Parts) -> list[Notice]:
    """Find bytes behind the last end of file, and ends that belong to no revision (T-PDF-13)."""
    found: list[Notice] = []
    if parts.revisions[-1].end != len(data):
        found.append(Notice(reason="trailing-data"))
    named = sum(len(revision.own) for revision in parts.revisions)
    if data.count(b"startxref") != named:
        found.append(Notice(reason="stray-startxref"))
    return found


def _stale_problems(parts: _Parts) -> list[Notice]:
    """Find entries that were replaced later and never led to their object (T-PDF-13).

    The survey does not see them, but a reader that knows objects by number and generation does.
    """
    table, found = parts.table, []
    for section in (section for revision in parts.revisions for section in revision.own):
        for number, entry in section.entries.items():
            is_stale = entry.kind == PLAIN and table.entries[number] != entry
            if is_stale and not table.source.has_header(entry.place, Ref(number, entry.detail)):
                found.append(Notice(reason="xref-mismatch", subject=f"object {number}"))
    size = table.trailer.get("Size")
    if isinstance(size, int) and max(table.entries, default=0) >= size:
        # Some readers take no notice of what lies beyond (7.5.5).
        found.append(Notice(reason="xref-size"))
    return found[:MAX_REMARKS]


# --- 3. and 4. signatures ----------------------------------------------------------------------


def _signatures(parts: _Parts) -> tuple[PDFSignature, ...]:
    pages_by_widget = {
        item.number: number
        for number, page in enumerate(parts.pages, 1)
        for item in parts.table.array(page.dictionary.get("Annots"))
        if isinstance(item, Ref)
    }
    around = Surroundings(parts.table, parts.revisions, parts.pages, pages_by_widget)
    known: dict[int, tuple[LaterChange, ...]] = {}
    found: list[PDFSignature] = []
    for signature in read_signatures(around, parts.fields):
        number = signature.revision
        if number is not None and number not in known:
            known[number] = _later_changes(parts, number)
        unclear = (LaterChange(kind=ChangeKind.UNCLEAR),)
        later = unclear if number is None else known[number]
        found.append(replace(signature, later_changes=later))
    return tuple(found)


def _later_changes(parts: _Parts, number: int) -> tuple[LaterChange, ...]:
    try:
        found = changes_after(parts.revisions, number, parts.table)
    except LimitExceeded:
        raise
    except MalformedDocument as error:
        reason = str(error.params.get("reason", error.code))
        found = (LaterChange(kind=ChangeKind.UNCLEAR, detail=reason),)
    if parts.revisions[-1].end != len(parts.table.source.data):
        found = (*found, LaterChange(kind=ChangeKind.TRAILING))
    return found


def _signature_problems(parts: _Parts, signatures: tuple[PDFSignature, ...]) -> Iterator[Notice]:
    """Find signatures that were taken out of the form, or never were in it (T-PDF-26)."""
    held = {item.object_number for item in signatures}
    for number in sorted(parts.surveyed.signature_dictionaries - held):
        yield Notice(reason="orphan-signature", subject=f"object {number}")
    names = [item.field_name for item in signatures]
    for name in sorted(set(names)):
        if names.count(name) > 1:
            yield Notice(reason="field-name-twice", subject=name)
    now = {item.reference for item in parts.fields if is_filled(parts.table, item)}
    for revision in parts.revisions[:-1]:
        for name in _filled_before(revision, parts.table.source, now):
            yield Notice(reason="signature-removed", subject=name, detail=str(revision.number))


def _filled_before(revision: RevisionParts, source: Source, now: set[Ref | None]) -> Iterator[str]:
    table = revision.table(source)
    try:
        for item in read_fields(table):
            if is_filled(table, item) and item.reference not in now:
                yield item.name
    except LimitExceeded:
        raise
    except MalformedDocument:
        return


def _certification(
    table: ObjectTable, signatures: tuple[PDFSignature, ...]
) -> tuple[Certification | None, list[Notice]]:
    """Compare what the catalogue names with what the signatures say (T-PDF-09)."""
    problems: list[Notice] = []
    certifying = [item for item in signatures if item.permission is not None]
    named = table.dictionary(catalog_of(table).get("Perms")).get("DocMDP")
    number = named.number if isinstance(named, Ref) else None
    holder = next((item for item in certifying if item.object_number == number), None)
    if named is not None and (holder is None or number is None):
        problems.append(Notice(reason="perms-dangling"))
    if len(certifying) > 1:
        problems.append(Notice(reason="docmdp-twice"))
    if named is None and certifying:
        problems.append(Notice(reason="docmdp-without-perms"))
    if certifying and certifying[0] is not signatures[0]:
        problems.append(Notice(reason="docmdp-not-first"))
    if certifying:
        strictest = min(item.permission for item in certifying if item.permission is not None)
        name = holder.field_name if holder else certifying[0].field_name
        return Certification(permission=strictest, field_name=name), problems
    return _named_alone(table, named), problems


def _named_alone(table: ObjectTable, named: Value) -> Certification | None:
    """Return a certification that only the catalogue knows of."""
    if named is None:
        return None
    try:
        permission = docmdp_of(table, table.dictionary(named))
    except MalformedDocument:
        return None
    return None if permission is None else Certification(permission=permission, field_name="")


# --- 5. what it says ---------------------------------------------------------------------------


def _metadata(
    table: ObjectTable, information: dict[str, str]
) -> tuple[dict[str, str], list[Notice]]:
    try:
        metadata = read_metadata(table)
    except LimitExceeded:
        raise
    except MalformedDocument:
        return {}, [Notice(reason="metadata")]
    differing = [
        key
        for key in ("Title", "Keywords")
        if key in metadata and key in information and metadata[key] != information[key]
    ]
    return metadata, [Notice(reason="metadata-differs", subject=key) for key in differing]


def _validation_data(table: ObjectTable) -> ValidationData:
    store = table.dictionary(catalog_of(table).get("DSS"))
    return ValidationData(
        certificates=_evidence(table, store.get("Certs")),
        crls=_evidence(table, store.get("CRLs")),
        ocsp_responses=_evidence(table, store.get("OCSPs")),
    )


def _evidence(table: ObjectTable, value: Value) -> tuple[bytes, ...]:
    items = table.array(value)
    if len(items) > MAX_EVIDENCE:
        raise LimitExceeded("too much validation data", reason="limit", limit="pdf_evidence")
    found: list[bytes] = []
    for item in items:
        stream = table.resolve(item)
        if isinstance(stream, Stream):
            found.append(table.stream_bytes(stream))
    return tuple(found)
