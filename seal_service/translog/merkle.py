"""Merkle tree of RFC 9162, 2.1, over SHA-256: roots, inclusion and consistency (pure).

A tree is known by its complete subtrees: ``node(level, index)`` is the hash over leaves
``index * 2**level`` to ``(index + 1) * 2**level``. These never change once they are complete, so a
root or proof costs a number of reads that grows with the logarithm of the size.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

from seal_service.errors import LogProofRefused

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

ReadNode = Callable[[int, int], bytes]
"""Returns the hash of a complete subtree by level and index."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf's bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def completed_nodes(index: int, leaf: bytes, node: ReadNode) -> Iterator[tuple[int, int, bytes]]:
    """Yield level, index and hash of every subtree that leaf number ``index`` completes.

    ``leaf`` is the leaf's hash; ``node`` is asked for older nodes only.
    """
    level, current = 0, leaf
    yield level, index, current
    while index % 2 == 1:
        current = node_hash(node(level, index - 1), current)
        level, index = level + 1, index // 2
        yield level, index, current


def root(size: int, node: ReadNode) -> bytes:
    """Return the root of the tree of the first ``size`` leaves."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: ReadNode) -> tuple[bytes, ...]:
    """Return the path from leaf ``index`` to the root of the tree of ``size`` (2.1.3.1)."""
    if not 0 <= index < size:
        raise LogProofRefused("no such leaf in this tree", reason="index")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old: int, new: int, node: ReadNode) -> tuple[bytes, ...]:
    """Return the proof that the tree of ``new`` begins with the tree of ``old`` (2.1.4.1)."""
    if not 0 < old <= new:
        raise LogProofRefused("no such pair of trees", reason="size")
    path: list[bytes] = []
    start, end, is_whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start, is_whole = middle, False
    if not is_whole:
        path.append(_range_hash(start, end, node))
    return tuple(reversed(path))


def check_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes
) -> None:
    """Check a path (2.1.3.2); raises ``LogProofRefused``. ``leaf`` is the leaf's hash."""
    if not 0 <= index < size:
        raise LogProofRefused("no such leaf in this tree", reason="index")
    position, last, current = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise LogProofRefused("the path is too long", reason="length")
        if position % 2 == 1 or position == last:
            current = node_hash(step, current)
            while position % 2 == 0 and position != 0:
                position, last = position // 2, last // 2
        else:
            current = node_hash(current, step)
        position, last = position // 2, last // 2
    if last != 0 or current != expected_root:
        raise LogProofRefused("the path does not lead to the root", reason="root")


def check_consistency(
    old: tuple[int, bytes], new: tuple[int, bytes], path: Sequence[bytes]
) -> None:
    """Check that one tree, as size and root, continues another (2.1.4.2).

    Raises ``LogProofRefused``.
    """
    (old_size, old_root), (new_size, new_root) = old, new
    if not 0 < old_size <= new_size:
        raise LogProofRefused("no such pair of trees", reason="size")
    if old_size == new_size:
        if path or old_root != new_root:
            raise LogProofRefused("two roots for one size", reason="root")
        return
    steps = list(path)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        raise LogProofRefused("the proof is too short", reason="length")
    if _climb(steps, old_size - 1, new_size - 1) != (old_root, new_root):
        raise LogProofRefused("the new tree does not continue the old one", reason="root")


def _climb(steps: Sequence[bytes], position: int, last: int) -> tuple[bytes, bytes]:
    """Return the roots of both trees that a consistency proof leads to (2.1.4.2, 4 to 6)."""
    while position % 2 == 1:
        position, last = position // 2, last // 2
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise LogProofRefused("the proof is too long", reason="length")
        if position % 2 == 1 or position == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while position % 2 == 0 and position != 0:
                position, last = position // 2, last // 2
        else:
            new = node_hash(new, step)
        position, last = position // 2, last // 2
    if last != 0:
        raise LogProofRefused("the proof is too short", reason="length")
    return old, new


def _split(size: int) -> int:
    """Return the largest power of two below ``size``, which is two or more."""
    return int(1 << ((size - 1).bit_length() - 1))


def _range_hash(start: int, end: int, node: ReadNode) -> bytes:
    """Return the root over leaves from ``start``, which is aligned, to ``end``."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(size)
    return node_hash(_range_hash(start, middle, node), _range_hash(middle, end, node))
