"""A part of the service signs with its own keys and no others."""

import pytest

from keys.errors import KeyNotFound
from keys.key_scope import KeyScope
from tests.support.register import memory_keys

NAMES = sorted(memory_keys().names())


def test_a_scope_signs_with_its_keys_and_shows_the_public_half_of_all() -> None:
    store = memory_keys()
    mine, other = NAMES
    scope = KeyScope(store, lambda name: name == mine)
    assert scope.sign_with(mine, b"mine")
    with pytest.raises(KeyNotFound):
        scope.sign_with(other, b"not mine")
    assert scope.names() == (mine,)
    assert (scope.has(mine), scope.has(other)) == (True, False)
    assert scope.public_key(other) == store.public_key(other)
    assert scope.health() == store.health()
