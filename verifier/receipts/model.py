"""What a receipt states, who signs it, and why one may be refused."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from keys.certificates import Certificate
from keys.errors import Kind, ServiceError
from seal_service.plumbing.instants import instant
from verifier.answers import Words, authentic_words, headline_words, in_force_words
from verifier.verdict import Verdict
from verifier.wire import Json, verdict_to_json

RECEIPT_TYPE = "verification-receipt"
RECEIPT_VERSION = 1


class ReceiptForm(StrEnum):
    """How a receipt is written down."""

    JSON = "json"
    PDF = "pdf"


class ReceiptUnavailable(ServiceError):
    """There is no key here to sign a receipt with."""

    code = "receipt-unavailable"
    kind = Kind.CONFLICT
    title = "此处不能出具核验回执"
    title_en = "No receipt can be signed here"
    advice = "回执由核验方自己的密钥签名：请先执行 eseal init，或在装有数据目录的机器上核验。"


class ReceiptRefused(ServiceError):
    """A file is no receipt as this verifier writes them; ``reason`` says where it differs."""

    code = "receipt-refused"
    kind = Kind.INVALID
    title = "不是可读的核验回执"
    title_en = "Not a verification receipt"
    advice = "请使用核验方出具的 JSON 回执原件；PDF 回执请用 eseal verify 核验。"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSigner:
    """The verifier's key of one algorithm, as means to sign: the key itself stays elsewhere."""

    certificate: Certificate
    chain: tuple[bytes, ...]
    """DER of the issuing authorities, sent along."""
    sign: Callable[[bytes], bytes] = field(repr=False)
    stamp: Callable[[bytes], bytes] = field(repr=False)
    """Return an RFC 3161 token over a signature value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A verdict with what a reader needs years later to know whose it was and of what."""

    receipt_id: str
    issued_at: datetime
    verifier: str
    """Name in the certificate that signs."""
    software: str
    verdict: Verdict
    sha256: str
    """Of the document, hexadecimal; its SM3 is in the verdict."""
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptMaking:
    """What is the same for one receipt, whatever its form."""

    receipt_id: str
    issued_at: datetime
    software: str


def make_receipt(
    making: ReceiptMaking, signer: ReceiptSigner, verdict: Verdict, document: bytes
) -> Receipt:
    """Put a receipt together."""
    return Receipt(
        receipt_id=making.receipt_id,
        issued_at=making.issued_at,
        verifier=signer.certificate.common_name,
        software=making.software,
        verdict=verdict,
        sha256=hashlib.sha256(document).hexdigest(),
        size=len(document),
    )


def receipt_to_json(receipt: Receipt) -> dict[str, Json]:
    """Return the statement that is signed; members may be added, never renamed."""
    verdict = receipt.verdict
    return {
        "type": RECEIPT_TYPE,
        "version": RECEIPT_VERSION,
        "receipt_id": receipt.receipt_id,
        "issued_at": instant(receipt.issued_at),
        "verifier": receipt.verifier,
        "software": receipt.software,
        "document": {
            "sm3": verdict.document_digest,
            "sha256": receipt.sha256,
            "size": receipt.size,
            "kind": verdict.document_kind,
        },
        "headline": _words(headline_words(verdict)),
        "authentic": _words(authentic_words(verdict)),
        "in_force": _words(in_force_words(verdict)),
        "judged_at": instant(verdict.judged_at),
        "judged_at_source": verdict.judged_at_source.value,
        "policy": verdict.policy_name,
        "verdict": verdict_to_json(verdict),
    }


def _words(words: Words) -> dict[str, Json]:
    return {"zh": words.zh, "en": words.en}
