"""What a leaf of the log says about one use of a seal (pure).

A leaf can never be erased, so it holds salted digests only (T-STO-23): one over the facts of the
use, one over the digest that the seal's signature binds. Whoever is given the salt and the facts
can recompute them; without the salt a leaf says nothing.
"""

import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from keys.algorithms import sm3
from seal_service.errors import LogProofRefused

SALT_SIZE = 16
_HEADING = "eseal-use/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class UseFacts:
    """The facts of a use that its leaf commits to."""

    use_id: str
    authority_code: str
    seal_id: str
    epoch: int
    document_digest: bytes
    """What the seal's signature binds: in OFD SM3 of Signature.xml, in PDF SHA-256 of the range."""
    committed_at: datetime


def encode_leaf(facts: UseFacts, salt: bytes) -> bytes:
    """Return the leaf: a heading, the digest of the facts, the digest of the document."""
    if len(salt) != SALT_SIZE:
        raise LogProofRefused("a salt is 16 bytes", reason="salt")
    return "\n".join(
        (
            _HEADING,
            sm3(salt + b"use" + facts_json(facts).encode()).hex(),
            sm3(salt + b"doc" + facts.document_digest).hex(),
            "",
        )
    ).encode("ascii")


def check_leaf(leaf: bytes, facts: UseFacts, salt: bytes) -> None:
    """Raise ``LogProofRefused`` unless the leaf speaks of exactly this use."""
    if not hmac.compare_digest(leaf, encode_leaf(facts, salt)):
        raise LogProofRefused("the leaf speaks of another use", reason="leaf")


def facts_json(facts: UseFacts) -> str:
    """Return the facts as canonical JSON: sorted keys, no blanks, UTC with microseconds."""
    return json.dumps(
        {
            "authority_code": facts.authority_code,
            "committed_at": facts.committed_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "document_digest": facts.document_digest.hex(),
            "epoch": facts.epoch,
            "seal_id": facts.seal_id,
            "use_id": facts.use_id,
        },
        ensure_ascii=True,
        sort_keys=True,
        separators=(",", ":"),
    )
