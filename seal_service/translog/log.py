"""The seal-use log: every committed use of a seal becomes a leaf of one Merkle tree.

1. ``append`` stages a leaf in the transaction that commits the use: durable with it, or not at all.
2. ``publish``, called by one sequencer at a time, gives staged leaves the next indices, adds them
   to the tree and signs a checkpoint.
3. From then on ``prove_use`` and ``prove_growth`` have their proofs.

Staging takes no lock on the tree: a head row that every commit must lock halves the commit rate
under load. Who publishes is therefore the only one to lock the head.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from keys.public_key import PublicKey
from seal_service.errors import LogUnavailable
from seal_service.translog import merkle
from seal_service.translog.checkpoint import Checkpoint, InclusionProof, sign_checkpoint
from seal_service.translog.entries import UseFacts, encode_leaf
from seal_service.translog.tables import log_checkpoints, log_entries, log_heads, log_nodes

BATCH = 5000
"""Leaves per checkpoint at most: bounds the time the head is locked."""
_THE_LOG = 1
"""There is one log; its head is one row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSigner:
    """The log's name and key; ``sign`` signs a message with SM2."""

    origin: str
    public_key: PublicKey
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint and the note that carries it."""

    checkpoint: Checkpoint
    note: str


def append(
    connection: Connection, uses: Sequence[UseFacts], randomness: Callable[[int], bytes]
) -> None:
    """Stage one leaf per use, inside the transaction that commits them; each with its own salt."""
    rows: list[dict[str, object]] = []
    for facts in uses:
        salt = randomness(16)
        rows.append(
            {
                "authority_code": facts.authority_code,
                "use_id": facts.use_id,
                "salt": salt,
                "leaf": encode_leaf(facts, salt),
                "committed_at": facts.committed_at,
            }
        )
    if rows:
        connection.execute(insert(log_entries), rows)


@dataclass(slots=True)
class _Tree:
    """The stored subtrees, and those added in this transaction."""

    connection: Connection
    added: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def node(self, level: int, index: int) -> bytes:
        """Return a complete subtree's hash."""
        known = self.added.get((level, index))
        if known is not None:
            return known
        stored = self.connection.execute(
            select(log_nodes.c.hash).where(
                log_nodes.c.level == level, log_nodes.c.node_index == index
            )
        ).scalar_one_or_none()
        if stored is None:
            raise LogUnavailable("a node of the log is missing", level=level, index=index)
        self.added[level, index] = bytes(stored)
        return bytes(stored)

    def add(self, size: int, leaves: Sequence[bytes]) -> None:
        """Store every subtree that leaves, by their hashes, complete in a tree of ``size``."""
        rows: list[dict[str, object]] = []
        for index, leaf in enumerate(leaves, size):
            for level, position, value in merkle.completed_nodes(index, leaf, self.node):
                self.added[level, position] = value
                rows.append({"level": level, "node_index": position, "hash": value})
        self.connection.execute(insert(log_nodes), rows)


def publish(connection: Connection, signer: LogSigner, now: datetime) -> SignedCheckpoint:
    """Put staged leaves into the tree and sign it; with nothing staged return the last checkpoint.

    At most ``BATCH`` leaves at a time: call again until the size stops growing.
    """
    size = _lock_head(connection)
    staged = connection.execute(
        select(log_entries.c.entry_id, log_entries.c.leaf)
        .where(log_entries.c.leaf_index.is_(None))
        .order_by(log_entries.c.entry_id)
        .limit(BATCH)
    ).all()
    last = latest_checkpoint(connection)
    if not staged and last is not None:
        return last
    tree = _Tree(connection)
    if staged:
        tree.add(size, [merkle.leaf_hash(bytes(row.leaf)) for row in staged])
        connection.execute(
            update(log_entries)
            .where(log_entries.c.entry_id == bindparam("wanted"))
            .values(leaf_index=bindparam("given")),
            [{"wanted": row.entry_id, "given": index} for index, row in enumerate(staged, size)],
        )
        size += len(staged)
        connection.execute(
            update(log_heads).where(log_heads.c.log_id == _THE_LOG).values(size=size)
        )
    checkpoint = Checkpoint(origin=signer.origin, size=size, root=merkle.root(size, tree.node))
    note = sign_checkpoint(checkpoint, public_key=signer.public_key, sign=signer.sign)
    connection.execute(
        insert(log_checkpoints).values(size=size, root=checkpoint.root, note=note, signed_at=now)
    )
    return SignedCheckpoint(checkpoint=checkpoint, note=note)


def _lock_head(connection: Connection) -> int:
    """Return the size of the tree, with the head locked until the transaction ends."""
    query = select(log_heads.c.size).where(log_heads.c.log_id == _THE_LOG).with_for_update()
    size = connection.execute(query).scalar_one_or_none()
    if size is None:
        connection.execute(insert(log_heads).values(log_id=_THE_LOG, size=0))
        return 0
    return int(size)


def latest_checkpoint(connection: Connection) -> SignedCheckpoint | None:
    """Return the newest checkpoint; None before the first."""
    row = connection.execute(
        select(log_checkpoints).order_by(log_checkpoints.c.size.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return None
    origin = str(row.note).split("\n", 1)[0]
    checkpoint = Checkpoint(origin=origin, size=row.size, root=bytes(row.root))
    return SignedCheckpoint(checkpoint=checkpoint, note=row.note)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenUse:
    """The proof for a use, and the salt that opens its leaf."""

    proof: InclusionProof
    salt: bytes
    committed_at: datetime


def prove_use(connection: Connection, authority_code: str, use_id: str) -> ProvenUse | None:
    """Return the proof that a use is in the log; None until it is published."""
    row = connection.execute(
        select(log_entries).where(
            log_entries.c.authority_code == authority_code, log_entries.c.use_id == use_id
        )
    ).one_or_none()
    last = latest_checkpoint(connection)
    if row is None or row.leaf_index is None or last is None:
        return None
    size = last.checkpoint.size
    proof = InclusionProof(
        leaf=bytes(row.leaf),
        index=row.leaf_index,
        path=merkle.inclusion_proof(row.leaf_index, size, _Tree(connection).node),
        note=last.note,
    )
    return ProvenUse(proof=proof, salt=bytes(row.salt), committed_at=row.committed_at)


_INDEX_OF = select(log_entries.c.leaf_index).where(
    log_entries.c.authority_code == bindparam("authority"), log_entries.c.use_id == bindparam("use")
)


def is_published(connection: Connection, authority_code: str, use_id: str) -> bool:
    """Tell whether a use has its place in the log; whoever doubts it asks for the proof."""
    found = connection.execute(_INDEX_OF, {"authority": authority_code, "use": use_id})
    return found.scalar_one_or_none() is not None


def prove_growth(connection: Connection, old: int, new: int) -> tuple[bytes, ...]:
    """Return the proof that the log of ``new`` leaves continues the one of ``old``."""
    return merkle.consistency_proof(old, new, _Tree(connection).node)
