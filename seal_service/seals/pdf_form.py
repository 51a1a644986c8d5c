"""A seal on a PDF: PAdES with RSA, a seal signature, or CMS with SM2 (``seals.pdf_values``).

ISO 32000-1, 12.8.2.2 (DocMDP). The same seal as on the OFD: its picture in its physical size, its
certificate of the algorithm of the profile. A licence is certified against every change. Any other
document is certified (P = 1) or approved, as ordered; once it is signed it takes a further seal
only in an empty field that was there before, because a new field changes what was signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from seal_service.errors import (
    AlreadySealed,
    InvalidPlacement,
    MalformedDocument,
    SelfCheckFailed,
)
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.integrity import check_integrity
from seal_service.formats.pdf.model import PDFDocument
from seal_service.formats.pdf.pages import PDFPlacement
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.text import find_text
from seal_service.formats.pdf.updating import Base, open_base
from seal_service.formats.pdf.writing import (
    PreparedPDF,
    ReservedField,
    SignatureOrder,
    finish,
    prepare,
)
from seal_service.formats.placement import Size, TextPosition
from seal_service.seals.earlier import check_earlier_pdf
from seal_service.seals.model import MadeSeal, PDFProfile, SealPlace
from seal_service.seals.pdf_values import (
    SUB_FILTERS,
    PDFValue,
    digest_of,
    make_value,
    room_for,
)
from seal_service.seals.placing import DocumentLayout, InField, SealMode, lay_out


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPDF:
    """A PDF that lacks only its signature value."""

    prepared: PreparedPDF
    value: PDFValue
    profile: PDFProfile
    document_digest: bytes
    """Of everything but the value, by the digest of the profile."""
    certify: Permission | None

    @property
    def to_sign(self) -> bytes:
        """What the value signs."""
        return self.value.to_sign

    def finish(self, signature: bytes, timestamp: bytes) -> bytes:
        """Return the sealed PDF, checked; raises ``SelfCheckFailed`` or ``LimitExceeded``."""
        document = finish(self.prepared, self.value.assemble(signature, timestamp))
        self._check(document)
        return document

    def _check(self, document: bytes) -> None:
        """Read the document back: value, field and certification are as ordered."""
        made = check_integrity(document)
        self.value.check(made.contents or b"", made.pieces(document))
        is_as_ordered = (
            made.permission is self.certify
            and made.field_name == self.prepared.field_name
            and made.sub_filter == SUB_FILTERS[self.profile].value[0]
            and made.digest(document, digest_of(self.profile)) == self.document_digest
        )
        if not is_as_ordered:
            raise SelfCheckFailed("the signature is not as ordered", reason="signature")


@dataclass(frozen=True, slots=True, kw_only=True)
class PDFSeal:
    """The seal to put on a PDF, and how."""

    made: MadeSeal
    name: str
    profile: PDFProfile = PDFProfile.RSA_PADES


def prepare_pdf(
    pdf: bytes, seal: PDFSeal, places: Sequence[SealPlace], signed_at: datetime
) -> PendingPDF:
    """Lay the seal of a licence out on a PDF, in its physical size, and certify it.

    Further places show the picture again. Raises ``AlreadySealed``, ``InvalidPlacement`` or
    ``MalformedDocument``.
    """
    if not places:
        raise InvalidPlacement("a seal needs a place", reason="no-place")
    first, *others = (_placement(place, seal.made) for place in places)
    order = SignatureOrder(
        placement=first,
        picture=seal.made.picture_png,
        signed_at=signed_at,
        name=seal.name,
        further_stamps=tuple(others),
    )
    return _prepare(pdf, seal, order)


def prepare_pdf_document(
    pdf: bytes, seal: PDFSeal, layout: DocumentLayout, signed_at: datetime
) -> PendingPDF:
    """Lay a seal out on any PDF; further places are page content (``drawing``).

    Raises ``AlreadySealed`` (reason ``locked``, ``not-first``, ``no-free-field``,
    ``field-filled``, ``signed-content``), ``InvalidPlacement`` or ``MalformedDocument`` (reason
    ``encrypted``, ``earlier-signature``, ...).
    """
    made, sheets = seal.made, PDFSheets.of(pdf)
    field_name, placements = _field_and_places(made, layout, sheets)
    is_locked = layout.mode is SealMode.LOCK
    order = SignatureOrder(
        placement=placements[0],
        picture=made.picture_png,
        signed_at=signed_at,
        field_name=field_name,
        certify=Permission.NO_CHANGES if is_locked else None,
        name=seal.name,
        drawn=placements[1:],
        reserved_fields=_reserved(layout, made, sheets),
    )
    return _prepare(pdf, seal, order)


def _prepare(pdf: bytes, seal: PDFSeal, order: SignatureOrder) -> PendingPDF:
    made, profile = seal.made, seal.profile
    order = replace(order, sub_filter=SUB_FILTERS[profile], reserved_bytes=room_for(made, profile))
    prepared = prepare(pdf, order)
    return PendingPDF(
        prepared=prepared,
        value=make_value(prepared, made, profile, order.signed_at),
        profile=profile,
        document_digest=prepared.digest(digest_of(profile)),
        certify=order.certify,
    )


@dataclass(frozen=True, slots=True)
class PDFSheets:
    """The pages of a PDF that may be sealed."""

    document: PDFDocument
    base: Base

    @classmethod
    def of(cls, pdf: bytes) -> "PDFSheets":
        """Open a PDF; raises as ``prepare_pdf_document`` does."""
        document = read_pdf(pdf)
        if document.problems:
            raise MalformedDocument("not a sound PDF", reason=document.problems[0].reason)
        check_earlier_pdf(document)
        if any(signature.locks_fields for signature in document.signatures):
            raise AlreadySealed("an earlier signature locked the fields", reason="locked")
        return cls(document, open_base(pdf))

    @property
    def pages_mm(self) -> tuple[Size, ...]:
        """Return width and height of each page as seen."""
        return tuple(page.size_mm for page in self.base.pages)

    def find_text(self, keyword: str) -> tuple[TextPosition, ...]:
        """Return every place of a keyword."""
        return find_text(self.base.table, self.base.pages, keyword)


def _field_and_places(
    made: MadeSeal, layout: DocumentLayout, sheets: PDFSheets
) -> tuple[str, tuple[PDFPlacement, ...]]:
    """Return the field to fill or to add, and the places: the field's own first."""
    document = sheets.document
    size = (float(made.width_mm), float(made.height_mm))
    first = layout.wishes[0] if layout.wishes else None
    if not isinstance(first, InField):
        if document.signatures:
            raise AlreadySealed(
                "a signed PDF takes a seal in an empty field only",
                reason="no-free-field",
                fields=", ".join(document.empty_fields),
            )
        return _new_name(sheets.base), lay_out(layout.wishes, size, sheets)
    if any(signature.field_name == first.name for signature in document.signatures):
        raise AlreadySealed("the field is filled", reason="field-filled")
    if first.name not in document.empty_fields:
        raise InvalidPlacement("no such field", reason="field-unknown")
    others = layout.wishes[1:]
    # Of the first placement only the size counts: the field has its own place.
    own = PDFPlacement(page_number=1, x_mm=0, y_mm=0, width_mm=size[0], height_mm=size[1])
    return first.name, (own, *(lay_out(others, size, sheets) if others else ()))


def _new_name(base: Base) -> str:
    taken = {item.name for item in base.fields}
    names = (f"Seal{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _reserved(
    layout: DocumentLayout, made: MadeSeal, sheets: PDFSheets
) -> tuple[ReservedField, ...]:
    if layout.reserved and layout.mode is SealMode.LOCK:
        raise InvalidPlacement("nothing may follow a seal that locks", reason="field-locked")
    size = (float(made.width_mm), float(made.height_mm))
    return tuple(
        ReservedField(name=item.name, placement=lay_out([item.spot], size, sheets)[0])
        for item in layout.reserved
    )


def _placement(place: SealPlace, made: MadeSeal) -> PDFPlacement:
    return PDFPlacement(
        page_number=place.page_number,
        x_mm=place.centre_x_mm - made.width_mm / 2,
        y_mm=place.centre_y_mm - made.height_mm / 2,
        width_mm=made.width_mm,
        height_mm=made.height_mm,
    )
