"""The desk that issues receipts: a verdict in, a signed file out. It holds no key."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keys.algorithms import KeyAlgorithm
from keys.clock import Clock
from licence_store.rendering.fonts import FontFolder
from licence_store.rendering.pdf import PDFCompiler
from verifier.receipts.json_form import CheckedReceipt, check_json_receipt, write_json_receipt
from verifier.receipts.model import (
    Receipt,
    ReceiptForm,
    ReceiptMaking,
    ReceiptSigner,
    make_receipt,
)
from verifier.receipts.page import Drawable, page_data
from verifier.receipts.pdf_form import seal_pdf_receipt
from verifier.rules.chain import ChainEvidence
from verifier.verdict import Verdict

LAYOUT = Path(__file__).parent / "receipt.typ"
FONT_ROLES = ("song", "rare", "rare-extension")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptParts:
    """What the desk works with."""

    signer: Callable[[KeyAlgorithm], ReceiptSigner]
    """The verifier's key of an algorithm, made ready when it is first asked for."""
    evidence: Callable[[], ChainEvidence]
    """What strangers who trust this verifier judge receipts against, as of now."""
    clock: Clock
    randomness: Callable[[int], bytes] = field(repr=False)
    fonts: Path
    software: str


class ReceiptDesk:
    """Issues receipts. May be shared between threads."""

    def __init__(self, parts: ReceiptParts) -> None:
        self._parts = parts
        self._printer: _Printer | None = None

    def issue(self, form: ReceiptForm, verdict: Verdict, document: bytes) -> bytes:
        """Return a receipt of a verdict on a document, signed, time-stamped and checked.

        Raises ``SelfCheckFailed``, ``FontsUnavailable`` (PDF), or what key and time stamp refuse.
        """
        algorithm = KeyAlgorithm.SM2 if form is ReceiptForm.JSON else KeyAlgorithm.RSA
        signer = self._parts.signer(algorithm)
        making = ReceiptMaking(
            receipt_id=f"vr-{self._parts.randomness(16).hex()}",
            issued_at=self._parts.clock.now().replace(microsecond=0),
            software=self._parts.software,
        )
        receipt = make_receipt(making, signer, verdict, document)
        if form is ReceiptForm.JSON:
            return write_json_receipt(receipt, signer, self._parts.evidence())
        page = self._print(receipt)
        return seal_pdf_receipt(page, receipt, signer, self._parts.evidence())

    def check(self, receipt: bytes) -> CheckedReceipt:
        """Judge a JSON receipt against our own trust; raises ``ReceiptRefused``."""
        return check_json_receipt(receipt, self._parts.evidence())

    def _print(self, receipt: Receipt) -> bytes:
        if self._printer is None:
            self._printer = _Printer(self._parts.fonts)
        return self._printer.print(receipt)


class _Printer:
    """Lays receipts out; reading the fonts takes a moment, so one is kept."""

    def __init__(self, fonts: Path) -> None:
        folder = FontFolder(fonts)
        used = [folder.fonts[role] for role in FONT_ROLES if role in folder.fonts]
        self._families = [font.family for font in used]
        self._drawable = Drawable(frozenset[int]().union(*(font.code_points for font in used)))
        self._compiler = PDFCompiler(LAYOUT.parent, folder)

    def print(self, receipt: Receipt) -> bytes:
        """Return the page as PDF/A-2b."""
        data = page_data(receipt, self._drawable, self._families)
        return self._compiler.compile(LAYOUT, data, at=receipt.issued_at)
