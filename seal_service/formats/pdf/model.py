"""What a PDF says about its signatures, as facts; the verifier judges them.

Every reason is a stable kebab-case word; ``reading`` and ``signatures`` list them. A problem
changes what is signed, or what some reader would show.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keys.algorithms import DigestAlgorithm
from seal_service.formats.notices import Notice
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.pages import Box


class ChangeKind(StrEnum):
    """What a revision after a signature did."""

    SIGNATURE = "signature-filled"
    """An empty signature field that was there before got its value."""
    VALIDATION_DATA = "validation-data"
    """Certificates and status information (DSS)."""
    DOCUMENT_TIMESTAMP = "document-timestamp"
    """An invisible field with a time stamp over the document."""
    PAGE = "page-changed"
    CONTENT = "content-changed"
    """A stream was written anew: page content, picture, form, font."""
    ANNOTATION = "annotation-changed"
    FIELD = "field-changed"
    CERTIFICATION = "certification-changed"
    CATALOG = "catalog-changed"
    NEW_SIGNATURE = "signature-added"
    """A signature in a field that was not there before. Widespread where several people sign, yet
    its picture may be laid over content: not allowed unless the reader says so."""
    DATE = "modification-date"
    """Dates and producer in the information dictionary or the metadata; all else there is equal."""
    INFORMATION = "information-changed"
    """The information dictionary or the metadata."""
    OBJECT = "object-changed"
    DANGLING = "dangling-filled"
    """A number that the signed document refers to, but leaves empty, got an object."""
    TRAILING = "trailing-data"
    """Bytes behind the signed ones that belong to no revision."""
    UNCLEAR = "unclear-coverage"
    """What is signed does not end where a revision ends."""


ALLOWED_CHANGES = frozenset(
    {
        ChangeKind.SIGNATURE,
        ChangeKind.VALIDATION_DATA,
        ChangeKind.DOCUMENT_TIMESTAMP,
        ChangeKind.DATE,
    }
)
"""Our own rule; a certification may allow less (ISO 32000-1, table 254)."""
_CLOSED_CHANGES = frozenset({ChangeKind.VALIDATION_DATA, ChangeKind.DOCUMENT_TIMESTAMP})
"""What a certification against every change leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterChange:
    """One kind of change after a signature, with the objects concerned."""

    kind: ChangeKind
    object_numbers: tuple[int, ...] = ()
    detail: str = ""

    @property
    def is_allowed(self) -> bool:
        """Return whether it leaves what was signed as it was."""
        return self.kind in ALLOWED_CHANGES


@dataclass(frozen=True, slots=True, kw_only=True)
class PDFSignature:
    """One filled signature field, whatever its SubFilter."""

    field_name: str
    object_number: int | None
    """Of the signature dictionary; None where it stands inside its field."""
    dictionary_type: str
    """``Sig``, ``DocTimeStamp`` or empty."""
    filter: str
    sub_filter: str
    byte_range: tuple[int, int, int, int] | None
    """None unless it is four whole numbers from zero on."""
    contents: bytes | None
    """The value without its padding; None unless it is DER in plain hexadecimal digits."""
    has_own_form: bool
    """Whether the value is written as our writer does: lower case, and nothing but zeros behind."""
    signed_at: datetime | None
    """M, as the signer claims it; None where it is absent or has no time zone."""
    name: str
    reason: str
    permission: Permission | None
    """What it certifies; None for an approval signature."""
    locks_fields: bool
    """Whether it forbids changes to fields (FieldMDP)."""
    page_number: int | None
    place_mm: Box | None
    """x, y, width and height as seen; None for an invisible signature."""
    covers_file: bool
    """Whether the byte range leads from the first byte to the last, leaving out only Contents."""
    revision: int | None
    """Number of the revision it ends; None where it ends none."""
    problems: tuple[Notice, ...]
    later_changes: tuple[LaterChange, ...]

    @property
    def is_document_timestamp(self) -> bool:
        """Return whether it is a time stamp over the document and no signature of a person."""
        return self.dictionary_type == "DocTimeStamp" or self.sub_filter == "ETSI.RFC3161"

    def pieces(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the two signed parts of the file; both empty without a byte range."""
        start, length, second, rest = self.byte_range or (0, 0, 0, 0)
        return data[start : start + length], data[second : second + rest]

    def digest(self, data: bytes, algorithm: DigestAlgorithm) -> bytes:
        """Return the digest of what is signed."""
        running = hashlib.new(algorithm.value)
        for piece in self.pieces(data):
            running.update(piece)
        return running.digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """What the document as a whole says that may be changed."""

    permission: Permission
    field_name: str
    """The signature that certifies; empty where there is none in the form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A part of the file that was written at one time."""

    number: int
    """From 1."""
    start: int
    end: int
    """Behind the end-of-file mark and its end of line."""
    is_stream: bool
    """Whether its cross-reference is a stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationData:
    """Evidence that travels in the file (DSS), in DER; never trusted because it is there."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveContent:
    """Something that acts, or that shows different things at different times; never run."""

    kind: str
    """``javascript``, ``launch``, ``embedded-file``, ``xfa``, ``optional-content`` ..."""
    object_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PDFDocument:
    """Everything the verifier needs to know about a file."""

    data: bytes
    version: str
    page_count: int
    page_sizes_mm: tuple[tuple[float, float], ...]
    revisions: tuple[Revision, ...]
    signatures: tuple[PDFSignature, ...]
    """In the order in which they were made, as far as that can be told."""
    empty_fields: tuple[str, ...]
    """Names of signature fields without a value."""
    certification: Certification | None
    validation_data: ValidationData
    active_content: tuple[ActiveContent, ...]
    information: Mapping[str, str]
    """Title, Author, Keywords ... of the information dictionary."""
    metadata: Mapping[str, str]
    """The same of the XMP metadata, as far as they are there."""
    claims: Mapping[str, str]
    """Keywords of the form name=value: ``CertificateIdentifier``, ``LicenceDataDigest``."""
    problems: tuple[Notice, ...]

    def forbidden_changes(
        self, signature: PDFSignature, *, may_add_signatures: bool = False
    ) -> tuple[LaterChange, ...]:
        """Return what later revisions did that neither our rule nor the certification allows.

        With ``may_add_signatures``, signatures in fields of their own may follow where nothing
        is certified.
        """
        allowed = ALLOWED_CHANGES
        if self.certification is None and may_add_signatures:
            allowed |= {ChangeKind.NEW_SIGNATURE}
        elif self.certification and self.certification.permission is Permission.NO_CHANGES:
            allowed = _CLOSED_CHANGES
        return tuple(change for change in signature.later_changes if change.kind not in allowed)

    @property
    def is_signed(self) -> bool:
        """Return whether any signature field is filled, time stamps included."""
        return bool(self.signatures)
