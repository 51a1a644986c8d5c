"""PDF files: reading, later revisions, and what our own writer appends."""

from keys.errors import ServiceError
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.writing import prepare
from tests.support.pdf import PDFSpec, approved, make_order, make_pdf, seal, twice_sealed


def seeds() -> list[bytes]:
    """Return plain, packed, signed and twice sealed files."""
    packed = make_pdf(PDFSpec(is_packed=True))
    return [make_pdf(), packed, seal(reserved_bytes=1400), approved(packed), twice_sealed()]


def check(data: bytes) -> None:
    """Read; what we may seal is readable with one more signature afterwards."""
    try:
        document = read_pdf(data)
        for signature in document.signatures:
            b"".join(signature.pieces(data))
            document.forbidden_changes(signature)
    except ServiceError:
        return
    try:
        prepare(data, make_order(certify=None, field_name="Added"))
    except ServiceError:
        return
