"""The state of a seal, signed, so that a relying system can keep the answer.

    {"statement": {...}, "signature": "base64"}

To check with any other program:

1. Write the member ``statement`` in canonical form: keys sorted, no spaces, UTF-8 (RFC 8785; the
   statement holds no fractions).
2. These bytes are the detached original of the SignedData in ``signature`` (GB/T 35275; signed
   attributes, no content; SM2 with SM3).
3. The signer's certificate leads to a trusted SM2 root and was valid at ``answered_at``.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from keys.algorithms import sm3
from keys.certificates import Certificate
from seal_service.formats.cms import (
    CMSProfile,
    assemble,
    parse_signed_data,
    prepare_signer,
    signed_attributes,
    verify_gbt35275_signer,
)
from seal_service.seals.model import SealStatus
from seal_service.seals.states import STATE_NAMES

STATEMENT_TYPE = "seal-status"
STATEMENT_VERSION = 1

Statement = dict[str, str | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementSigner:
    """The certificate under which statements are signed, and the way to its key."""

    certificate: bytes
    """DER."""
    chain: tuple[bytes, ...]
    """DER of its issuers, to travel with the message."""
    sign: Callable[[bytes], bytes]
    """SM2 with SM3 over a message, DER."""


def make_statement(status: SealStatus, answered_at: datetime) -> Statement:
    """Return what the public may know: no picture, and of the owner no more than the name.

    Free words of those who manage the seal stay inside; ``action`` says what was done.
    """
    digest = status.seal_digest
    return {
        "type": STATEMENT_TYPE,
        "version": STATEMENT_VERSION,
        "seal_id": status.seal_id,
        "name": status.name,
        "at": _text(status.at),
        "state": status.state.value,
        "state_name": STATE_NAMES[status.state],
        "action": status.last_action.value,
        "since": _text(status.since),
        "valid_from": _text(status.valid_from),
        "valid_until": _text(status.valid_until),
        "seal_sm3": None if digest is None else digest.hex(),
        "answered_at": _text(answered_at),
    }


def sign_statement(statement: Statement, signer: StatementSigner) -> bytes:
    """Return the SignedData over a statement, DER, checked as a stranger would."""
    original = canonical(statement)
    template = prepare_signer(signer.certificate, chain=signer.chain, profile=CMSProfile.GBT_35275)
    attributes = signed_attributes(template, sm3(original))
    message = assemble(template, attributes, signer.sign(attributes))
    check_statement(statement, message)
    return message


def check_statement(statement: Statement, signature: bytes) -> Certificate:
    """Return who signed a statement; whether that certificate is to be trusted is another question.

    Raises ``SignatureMismatch``, ``SignedContentChanged`` or what a malformed message does.
    """
    signed_data = parse_signed_data(signature)
    return verify_gbt35275_signer(signed_data, canonical(statement)).certificate


def canonical(statement: Statement) -> bytes:
    """Return the bytes that are signed."""
    text = json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
