"""A key store in two places: some names in a device, the rest in encrypted files."""

from collections.abc import Callable

from keys.algorithms import KeyAlgorithm
from keys.device_store import DeviceStore
from keys.public_key import PublicKey
from keys.signers import KeyStats, ServiceKeys, StoreHealth


class PlacedKeys:
    """Two stores as one: some names in a device, all others and the service secrets in files.

    Where a name belongs is a setting and never what happens to be found: a device that is away
    must not make a second key of a name appear elsewhere.
    """

    def __init__(
        self, files: ServiceKeys, device: DeviceStore, is_in_device: Callable[[str], bool]
    ) -> None:
        self._files = files
        self._device = device
        self._is_in_device = is_in_device

    def _place(self, name: str) -> ServiceKeys | DeviceStore:
        return self._device if self._is_in_device(name) else self._files

    def names(self) -> tuple[str, ...]:
        """List the keys of both, sorted; each where it belongs."""
        inside = [name for name in self._device.names() if self._is_in_device(name)]
        outside = [name for name in self._files.names() if not self._is_in_device(name)]
        return tuple(sorted(inside + outside))

    def has(self, name: str) -> bool:
        """Tell whether there is a key of this name where it belongs."""
        return self._place(name).has(name)

    def public_key(self, name: str) -> PublicKey:
        """Return the public key."""
        return self._place(name).public_key(name)

    def sign_with(self, name: str, message: bytes) -> bytes:
        """Sign a message with the suite of the key; the signature is verified."""
        return self._place(name).sign_with(name, message)

    def generate(self, name: str, algorithm: KeyAlgorithm) -> PublicKey:
        """Make a key where its name belongs."""
        return self._place(name).generate(name, algorithm)

    def health(self) -> StoreHealth:
        """Tell whether both can sign."""
        found = [self._device.health(), self._files.health()]
        return StoreHealth(
            is_ready=all(one.is_ready for one in found),
            keys=sum(one.keys for one in found),
            problem=next((one.problem for one in found if one.problem), ""),
        )

    def stats(self) -> tuple[KeyStats, ...]:
        """Return signatures, failures and time per key, by name."""
        return tuple(
            sorted((*self._device.stats(), *self._files.stats()), key=lambda one: one.name)
        )

    def service_secret(self, name: str) -> bytes:
        """Return the 32 random bytes of this name, from the files."""
        return self._files.service_secret(name)
