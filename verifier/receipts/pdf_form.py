"""The PDF receipt: one calm page, certified against every change with the verifier's RSA key.

PAdES B-T (ETSI EN 319 142-1): it verifies like any other signed PDF. The picture of the signature
is empty, for the page itself names who signed; a receipt wears no seal.
"""

import struct
import zlib
from functools import cache

from keys.algorithms import DigestAlgorithm
from seal_service.errors import SelfCheckFailed
from seal_service.formats.cms import assemble, prepare_signer, signed_attributes
from seal_service.formats.pdf.pages import PDFPlacement
from seal_service.formats.pdf.writing import SignatureOrder, finish, prepare
from verifier.judge import JudgeContext, judge_document
from verifier.receipts.model import Receipt, ReceiptSigner
from verifier.rules.chain import ChainEvidence
from verifier.verdict import Outcome

FIELD = "VerifierSignature"
SIGNATURE_BOX = PDFPlacement(page_number=1, x_mm=20, y_mm=263, width_mm=170, height_mm=17)
"""Over the box that the layout draws at the foot of the first page."""


def seal_pdf_receipt(
    page: bytes, receipt: Receipt, signer: ReceiptSigner, evidence: ChainEvidence
) -> bytes:
    """Return the page signed and checked as a stranger would; raises ``SelfCheckFailed``."""
    prepared = prepare(
        page,
        SignatureOrder(
            placement=SIGNATURE_BOX,
            picture=_empty_png(),
            signed_at=receipt.issued_at,
            field_name=FIELD,
            name=receipt.verifier,
            reason=f"verification receipt {receipt.receipt_id}",
        ),
    )
    template = prepare_signer(signer.certificate.der, chain=signer.chain)
    attributes = signed_attributes(template, prepared.digest(DigestAlgorithm.SHA256))
    signature = signer.sign(attributes)
    message = assemble(template, attributes, signature, timestamp_token=signer.stamp(signature))
    made = finish(prepared, message)
    verdict = judge_document(made, JudgeContext(evidence=evidence))
    if verdict.outcome is not Outcome.VALID or len(verdict.signatures) != 1:
        headline = verdict.headline()
        reason = "unsigned" if headline is None else headline.reason
        raise SelfCheckFailed("the receipt does not verify", form="pdf", reason=reason)
    return made


@cache
def _empty_png() -> bytes:
    """Return one transparent pixel (ISO/IEC 15948)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0)
    pixel = zlib.compress(b"\x00" + b"\xff\xff\xff\x00")
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
    )
