"""The Merkle tree of RFC 9162 (T-STO-11): every size, every leaf, every pair of trees."""

import hashlib
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seal_service.errors import LogProofRefused
from seal_service.translog import merkle

LEAVES = [bytes(range(number)) for number in range(70)]
SIZES = range(1, 40)


def plain_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + plain_root(leaves[:k]) + plain_root(leaves[k:])).digest()


def make_tree(size: int) -> Callable[[int, int], bytes]:
    nodes: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        return nodes[level, index]

    for index, leaf in enumerate(LEAVES[:size]):
        for level, position, value in merkle.completed_nodes(index, merkle.leaf_hash(leaf), node):
            nodes[level, position] = value
    return node


def root(size: int) -> bytes:
    return merkle.root(size, make_tree(size))


def test_the_root_of_nothing_and_of_one_leaf_are_those_of_the_standard() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    one = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert (root(0).hex(), root(1).hex()) == (empty, one)


@pytest.mark.parametrize("size", range(len(LEAVES)))
def test_roots_follow_the_definition(size: int) -> None:
    assert root(size) == plain_root(LEAVES[:size])


def test_roots_of_older_trees_can_be_had_from_a_newer_one() -> None:
    node = make_tree(len(LEAVES))
    assert all(merkle.root(size, node) == plain_root(LEAVES[:size]) for size in SIZES)


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_has_its_proof(size: int) -> None:
    node = make_tree(size)
    for index in range(size):
        path = merkle.inclusion_proof(index, size, node)
        hashed = merkle.leaf_hash(LEAVES[index])
        merkle.check_inclusion(hashed, index, size, path, root(size))


@pytest.mark.parametrize("size", SIZES)
def test_every_tree_continues_every_older_one(size: int) -> None:
    node = make_tree(size)
    for old in range(1, size + 1):
        path = merkle.consistency_proof(old, size, node)
        merkle.check_consistency((old, root(old)), (size, root(size)), path)


@settings(max_examples=200)
@given(st.integers(1, 39), st.data())
def test_a_proof_holds_for_its_own_leaf_and_place_only(size: int, data: st.DataObject) -> None:
    node = make_tree(size)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, 39).filter(lambda number: number != index))
    path = merkle.inclusion_proof(index, size, node)
    hashed = merkle.leaf_hash(LEAVES[index])
    expected = root(size)
    with pytest.raises(LogProofRefused):
        merkle.check_inclusion(merkle.leaf_hash(LEAVES[other]), index, size, path, expected)
    with pytest.raises(LogProofRefused):
        merkle.check_inclusion(hashed, other, size, path, expected)
    for broken in (path[:-1], (*path, bytes(32)), path[1:], (bytes(32), *path[1:])):
        if broken != path:
            with pytest.raises(LogProofRefused):
                merkle.check_inclusion(hashed, index, size, broken, expected)


@settings(max_examples=200)
@given(st.integers(2, 39), st.data())
def test_a_rewritten_tree_continues_nothing(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    path = merkle.consistency_proof(old, size, make_tree(size))
    older, newer = (old, root(old)), (size, root(size))
    forged = hashlib.sha256(b"another tree").digest()
    with pytest.raises(LogProofRefused):
        merkle.check_consistency((old, forged), newer, path)
    with pytest.raises(LogProofRefused):
        merkle.check_consistency(older, (size, forged), path)
    for broken in (path[:-1], (*path, bytes(32)), ()):
        with pytest.raises(LogProofRefused):
            merkle.check_consistency(older, newer, broken)


def test_one_size_has_one_root() -> None:
    merkle.check_consistency((5, root(5)), (5, root(5)), ())
    with pytest.raises(LogProofRefused):
        merkle.check_consistency((5, root(5)), (5, root(6)), ())


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 3)])
def test_there_is_no_proof_between_impossible_sizes(old: int, new: int) -> None:
    with pytest.raises(LogProofRefused):
        merkle.consistency_proof(old, new, make_tree(4))
    with pytest.raises(LogProofRefused):
        merkle.check_consistency((old, root(1)), (new, root(3)), ())


def test_there_is_no_proof_for_a_leaf_beyond_the_tree() -> None:
    with pytest.raises(LogProofRefused):
        merkle.inclusion_proof(4, 4, make_tree(4))
    with pytest.raises(LogProofRefused):
        merkle.check_inclusion(bytes(32), 4, 4, (), bytes(32))


def test_nodes_once_complete_never_change() -> None:
    trees = [make_tree(size) for size in range(1, 40)]
    assert all(older(0, 0) == newer(0, 0) for older, newer in pairwise(trees))
