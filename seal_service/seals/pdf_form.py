"""A seal on a PDF: PAdES with RSA, time-stamped (B-T).

ETSI EN 319 142-1, 6.3; ISO 32000-1, 12.8.2.2 (DocMDP). The same seal as on the OFD: its picture in
its physical size, its RSA certificate. A licence is certified against every change. Any other
document is certified (P = 1) or approved, as ordered; once it is signed it takes a further seal
only in an empty field that was there before, because a new field changes what was signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from keys.algorithms import DigestAlgorithm
from keys.errors import ServiceError
from keys.timestamps import verify_token
from seal_service.errors import (
    AlreadySealed,
    InvalidPlacement,
    MalformedDocument,
    SelfCheckFailed,
)
from seal_service.formats.cms import (
    SignerTemplate,
    assemble,
    parse_signed_data,
    prepare_signer,
    signed_attributes,
    verify_signer,
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
from seal_service.seals.model import MadeSeal, SealPlace
from seal_service.seals.placing import DocumentLayout, InField, SealMode, lay_out


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPDF:
    """A PDF that lacks only its signature value."""

    prepared: PreparedPDF
    made: MadeSeal
    template: SignerTemplate
    document_digest: bytes
    """SHA-256 of everything but the value."""
    to_sign: bytes
    """The signed attributes."""
    certify: Permission | None

    def finish(self, signature: bytes, timestamp: bytes) -> bytes:
        """Return the sealed PDF, checked; raises ``SelfCheckFailed``."""
        message = assemble(self.template, self.to_sign, signature, timestamp_token=timestamp)
        document = finish(self.prepared, message)
        self._check(document)
        return document

    def _check(self, document: bytes) -> None:
        """Read the document back: message, signer, time stamp and certification are as ordered."""
        made = check_integrity(document)
        try:
            message = parse_signed_data(made.contents or b"")
            signer = verify_signer(message, map(bytes, made.pieces(document)))
            for token in signer.timestamp_tokens:
                verify_token(token, signer.signature)
        except ServiceError as error:
            raise SelfCheckFailed("the signature does not hold", reason=error.code) from error
        is_as_ordered = (
            signer.certificate.der == self.made.rsa.certificate
            and made.permission is self.certify
            and made.field_name == self.prepared.field_name
            and made.digest(document, DigestAlgorithm.SHA256) == self.document_digest
            and len(signer.timestamp_tokens) == 1
        )
        if not is_as_ordered or signer.notices:
            raise SelfCheckFailed("the signature is not as ordered", reason="signature")


def prepare_pdf(
    pdf: bytes, made: MadeSeal, name: str, places: Sequence[SealPlace], signed_at: datetime
) -> PendingPDF:
    """Lay the seal of a licence out on a PDF, in its physical size, and certify it.

    Further places show the picture again. Raises ``AlreadySealed``, ``InvalidPlacement`` or
    ``MalformedDocument``.
    """
    if not places:
        raise InvalidPlacement("a seal needs a place", reason="no-place")
    first, *others = (_placement(place, made) for place in places)
    order = SignatureOrder(
        placement=first,
        picture=made.picture_png,
        signed_at=signed_at,
        name=name,
        further_stamps=tuple(others),
    )
    return _prepare(pdf, made, order)


def prepare_pdf_document(
    pdf: bytes, made: MadeSeal, name: str, layout: DocumentLayout, signed_at: datetime
) -> PendingPDF:
    """Lay a seal out on any PDF; further places are page content (``drawing``).

    Raises ``AlreadySealed`` (reason ``locked``, ``not-first``, ``no-free-field``,
    ``field-filled``, ``signed-content``), ``InvalidPlacement`` or ``MalformedDocument`` (reason
    ``encrypted``, ``earlier-signature``, ...).
    """
    sheets = PDFSheets.of(pdf)
    field_name, placements = _field_and_places(made, layout, sheets)
    is_locked = layout.mode is SealMode.LOCK
    order = SignatureOrder(
        placement=placements[0],
        picture=made.picture_png,
        signed_at=signed_at,
        field_name=field_name,
        certify=Permission.NO_CHANGES if is_locked else None,
        name=name,
        drawn=placements[1:],
        reserved_fields=_reserved(layout, made, sheets),
    )
    return _prepare(pdf, made, order)


def _prepare(pdf: bytes, made: MadeSeal, order: SignatureOrder) -> PendingPDF:
    prepared = prepare(pdf, order)
    template = _signer(made.rsa.certificate, made.rsa.chain[1:])
    digest = prepared.digest(DigestAlgorithm.SHA256)
    return PendingPDF(
        prepared=prepared,
        made=made,
        template=template,
        document_digest=digest,
        to_sign=signed_attributes(template, digest),
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


@lru_cache(maxsize=64)
def _signer(certificate: bytes, chain: tuple[bytes, ...]) -> SignerTemplate:
    """Encode once per seal what every message of it repeats."""
    return prepare_signer(certificate, chain=chain)


def _placement(place: SealPlace, made: MadeSeal) -> PDFPlacement:
    return PDFPlacement(
        page_number=place.page_number,
        x_mm=place.centre_x_mm - made.width_mm / 2,
        y_mm=place.centre_y_mm - made.height_mm / 2,
        width_mm=made.width_mm,
        height_mm=made.height_mm,
    )
