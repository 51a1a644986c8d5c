"""Some keys of a store and no others: what one part of the service may sign with.

Making seals and sealing share no key (T-KEY-07, the maker and the holder are different persons), so
neither is given the whole store.
"""

from collections.abc import Callable

from keys.errors import KeyNotFound
from keys.public_key import PublicKey
from keys.signers import Signer, StoreHealth


class KeyScope:
    """A signer that signs with the keys of its scope only; public keys are open to everyone."""

    def __init__(self, store: Signer, permits: Callable[[str], bool]) -> None:
        self._store = store
        self._permits = permits

    def names(self) -> tuple[str, ...]:
        """List the keys of the scope, sorted."""
        return tuple(name for name in self._store.names() if self._permits(name))

    def has(self, name: str) -> bool:
        """Tell whether the scope has a key of this name."""
        return self._permits(name) and self._store.has(name)

    def public_key(self, name: str) -> PublicKey:
        """Return the public key of any key in the store; raises ``KeyNotFound``."""
        return self._store.public_key(name)

    def sign_with(self, name: str, message: bytes) -> bytes:
        """Sign as the store does; raises ``KeyNotFound`` outside the scope."""
        if not self._permits(name):
            raise KeyNotFound("the key is another part's")
        return self._store.sign_with(name, message)

    def health(self) -> StoreHealth:
        """Tell whether the store can sign."""
        return self._store.health()
