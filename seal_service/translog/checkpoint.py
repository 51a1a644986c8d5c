"""Checkpoints of the log: a tree's size and root, as a C2SP signed note with an SM2 line (pure).

tlog-checkpoint and signed-note of C2SP. The key's name is the log's origin. SM2 has no signature
type of its own there, so its key identifier is made with type 0xff and the algorithm's object
identifier, as the note format recommends; readers skip lines of keys they do not know.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from keys.algorithms import OID_SM2_WITH_SM3
from keys.public_key import PublicKey, verify_signature
from seal_service.errors import LogProofRefused
from seal_service.translog.merkle import HASH_SIZE, check_inclusion, leaf_hash

_ORIGIN = re.compile(r"[!-*,-~]+")
"""Printable ASCII without blank and plus, as a key name must be."""
_LARGEST_NOTE = 64 * 1024
_LINE_START = "\u2014 "


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What the log looked like: how many leaves, which root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Return the note's text: exactly these bytes are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """Everything that shows, away from the service, that a leaf is in the log."""

    leaf: bytes
    index: int
    path: tuple[bytes, ...]
    note: str
    """The signed checkpoint the path leads to."""


def key_identifier(name: str, public_key: PublicKey) -> bytes:
    """Return the four bytes that stand for a key in a signature line."""
    kind = b"\xff" + OID_SM2_WITH_SM3.encode("ascii")
    return hashlib.sha256(name.encode() + b"\n" + kind + public_key.spki).digest()[:4]


def sign_checkpoint(
    checkpoint: Checkpoint, *, public_key: PublicKey, sign: Callable[[bytes], bytes]
) -> str:
    """Return the signed note; ``sign`` makes an SM2 signature over a message."""
    if not _ORIGIN.fullmatch(checkpoint.origin):
        raise LogProofRefused("not a name for a log", reason="origin")
    value = key_identifier(checkpoint.origin, public_key) + sign(checkpoint.text.encode())
    line = base64.b64encode(value).decode("ascii")
    return f"{checkpoint.text}\n{_LINE_START}{checkpoint.origin} {line}\n"


def open_checkpoint(note: str, *, origin: str, public_key: PublicKey) -> Checkpoint:
    """Read a signed note and check the log's own line.

    Raises ``LogProofRefused`` for a note that is malformed, of another log or without the line,
    and ``SignatureMismatch`` or ``MalformedSignature`` where the line does not hold.
    """
    text, separator, lines = note.rpartition("\n\n")
    if len(note) > _LARGEST_NOTE or not separator or not lines.endswith("\n"):
        raise LogProofRefused("not a signed note", reason="note")
    text += "\n"
    checkpoint = _parse_text(text)
    if checkpoint.origin != origin:
        raise LogProofRefused("a checkpoint of another log", reason="origin")
    wanted = key_identifier(origin, public_key)
    for line in lines.splitlines():
        name, _, encoded = line.removeprefix(_LINE_START).partition(" ")
        value = _decode(encoded)
        if name == origin and hmac.compare_digest(value[:4], wanted):
            verify_signature(public_key, text.encode(), value[4:], OID_SM2_WITH_SM3)
            return checkpoint
    raise LogProofRefused("the log's own signature is missing", reason="unsigned")


def check_inclusion_proof(
    proof: InclusionProof, *, origin: str, public_key: PublicKey
) -> Checkpoint:
    """Check that a leaf is in the log; return the checkpoint that vouches for it.

    Raises as ``open_checkpoint`` does. That the leaf speaks of a given document is checked by
    ``entries.check_leaf``.
    """
    checkpoint = open_checkpoint(proof.note, origin=origin, public_key=public_key)
    check_inclusion(
        leaf_hash(proof.leaf), proof.index, checkpoint.size, proof.path, checkpoint.root
    )
    return checkpoint


def _parse_text(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < 4 or not re.fullmatch(r"0|[1-9][0-9]{0,17}", lines[1]):
        raise LogProofRefused("not a checkpoint", reason="note")
    root = _decode(lines[2])
    if len(root) != HASH_SIZE:
        raise LogProofRefused("not a checkpoint", reason="note")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root)


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise LogProofRefused("not base64", reason="note") from error
