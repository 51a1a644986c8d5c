"""A seal on a PDF: PAdES with RSA, time-stamped (B-T), certified against every change.

ETSI EN 319 142-1, 6.3; ISO 32000-1, 12.8.2.2 (DocMDP, P = 1). The same seal as on the OFD: its
picture in its physical size, its RSA certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from keys.algorithms import DigestAlgorithm
from keys.errors import ServiceError
from keys.timestamps import verify_token
from seal_service.errors import InvalidPlacement, SelfCheckFailed
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
from seal_service.formats.pdf.pages import PDFPlacement
from seal_service.formats.pdf.writing import PreparedPDF, SignatureOrder, finish, prepare
from seal_service.seals.model import MadeSeal, SealPlace


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
            and made.permission is Permission.NO_CHANGES
            and made.digest(document, DigestAlgorithm.SHA256) == self.document_digest
            and len(signer.timestamp_tokens) == 1
        )
        if not is_as_ordered or signer.notices:
            raise SelfCheckFailed("the signature is not as ordered", reason="signature")


def prepare_pdf(
    pdf: bytes, made: MadeSeal, name: str, places: Sequence[SealPlace], signed_at: datetime
) -> PendingPDF:
    """Lay the seal out on a PDF, in its physical size; further places show the picture again.

    Raises ``AlreadySealed``, ``InvalidPlacement`` or ``MalformedDocument``.
    """
    if not places:
        raise InvalidPlacement("a seal needs a place", reason="no-place")
    first, *others = (_placement(place, made) for place in places)
    prepared = prepare(
        pdf,
        SignatureOrder(
            placement=first,
            picture=made.picture_png,
            signed_at=signed_at,
            name=name,
            further_stamps=tuple(others),
        ),
    )
    template = _signer(made.rsa.certificate, made.rsa.chain[1:])
    digest = prepared.digest(DigestAlgorithm.SHA256)
    return PendingPDF(
        prepared=prepared,
        made=made,
        template=template,
        document_digest=digest,
        to_sign=signed_attributes(template, digest),
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
