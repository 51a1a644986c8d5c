"""The verifier's own keys, handed to the receipt desk as means to sign; and the desk itself.

Keys and certificates are made when the first receipt is asked for, so that a data folder from the
time before there were receipts needs no step of its own.
"""

import secrets
from pathlib import Path

from eseal.version import VERSION
from keys.algorithms import KeyAlgorithm
from keys.clock import Clock
from keys.pki import PKI
from keys.pki_making import verifier_key_name
from keys.signers import ServiceKeys
from verifier.evidence import Verification
from verifier.receipts.desk import ReceiptDesk, ReceiptParts
from verifier.receipts.model import ReceiptSigner

SOFTWARE = f"eseal {VERSION}"


class ReceiptKeys:
    """Makes signers of the verifier's keys."""

    def __init__(self, pki: PKI, store: ServiceKeys, clock: Clock) -> None:
        self._pki, self._store, self._clock = pki, store, clock

    def signer(self, algorithm: KeyAlgorithm) -> ReceiptSigner:
        """Return the signer of an algorithm; raises ``IssuingRefused`` or ``TrustRefused``."""
        certificate = self._pki.issue_verifier(algorithm, now=self._clock.now())
        name = verifier_key_name(algorithm)
        return ReceiptSigner(
            certificate=certificate,
            chain=self._pki.chain(certificate)[1:],
            sign=lambda message: self._store.sign_with(name, message),
            stamp=self._pki.tsa(algorithm, self._clock).stamp,
        )


def build_receipt_desk(
    keys: ReceiptKeys, verification: Verification, clock: Clock, fonts: Path
) -> ReceiptDesk:
    """Build the desk that issues receipts."""
    return ReceiptDesk(
        ReceiptParts(
            signer=keys.signer,
            evidence=verification.evidence,
            clock=clock,
            randomness=secrets.token_bytes,
            fonts=fonts,
            software=SOFTWARE,
        )
    )
