"""What signs: the one interface of every key store, its health, and what is counted per key.

Encrypted files (``keys.keystore``), a PKCS#11 token and an SDF device (``keys.device_store``) all
have this shape (ADR 0014). A name means one key; the algorithm of the key decides what is signed;
a signature that leaves has been verified.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from keys.algorithms import (
    OID_RSA_WITH_SHA256,
    OID_SM2_WITH_SM3,
    KeyAlgorithm,
    SignatureSuite,
)
from keys.errors import ServiceError
from keys.public_key import PublicKey

KEY_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,95}")
SELF_TEST = b"eseal key store self-test"
"""What a store signs to find out whether a key works."""

SUITE_BY_ALGORITHM = {
    KeyAlgorithm.SM2: SignatureSuite.SM2_SM3,
    KeyAlgorithm.RSA: SignatureSuite.RSA_SHA256,
}
OID_BY_ALGORITHM = {
    KeyAlgorithm.SM2: OID_SM2_WITH_SM3,
    KeyAlgorithm.RSA: OID_RSA_WITH_SHA256,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """Whether the store can sign now."""

    is_ready: bool
    keys: int
    problem: str = ""
    """The reason of the refusal, a stable word; never a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStats:
    """What happened with one key since the process started."""

    name: str
    signatures: int = 0
    """How many left, verified."""
    failures: int = 0
    seconds: float = 0.0
    """Wall time of all signatures together, waiting for a session included."""
    slowest_seconds: float = 0.0
    last_error: str = ""
    """The reason of the last failure, a stable word; stays when signing works again."""


class Signer(Protocol):
    """What signs with keys it does not show."""

    def names(self) -> tuple[str, ...]:
        """List the keys, sorted."""
        ...

    def has(self, name: str) -> bool:
        """Tell whether there is a key of this name."""
        ...

    def public_key(self, name: str) -> PublicKey:
        """Return the public key; raises ``KeyNotFound``."""
        ...

    def sign_with(self, name: str, message: bytes) -> bytes:
        """Sign a message: SM2 with SM3 in DER, or RSA PKCS#1 v1.5 with SHA-256; verified."""
        ...

    def health(self) -> StoreHealth:
        """Tell whether signing is possible now."""
        ...


class KeyMaker(Signer, Protocol):
    """A signer that can also make keys."""

    def generate(self, name: str, algorithm: KeyAlgorithm) -> PublicKey:
        """Make a key under a new name; raises ``KeyStoreRefused`` where it cannot."""
        ...


class MeteredKeyMaker(KeyMaker, Protocol):
    """A key store of an installation: makes keys, signs, and counts."""

    def stats(self) -> tuple[KeyStats, ...]:
        """Return what was counted, by name."""
        ...


class ServiceKeys(MeteredKeyMaker, Protocol):
    """All keys of an installation, and the secrets that are no signature keys."""

    def service_secret(self, name: str) -> bytes:
        """Return the 32 random bytes of this name, made at the first call."""
        ...


@dataclass(slots=True)
class KeyMeter:
    """Counts signatures, failures and time per key. Safe for threads."""

    monotonic: Callable[[], float] = time.perf_counter
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stats: dict[str, KeyStats] = field(default_factory=dict)

    @contextmanager
    def signing(self, name: str) -> Iterator[None]:
        """Count what happens inside as one signature or one failure of this key."""
        started = self.monotonic()
        try:
            yield
        except ServiceError as error:
            reason = str(error.params.get("reason", error.code))
            self._add(name, self.monotonic() - started, reason)
            raise
        self._add(name, self.monotonic() - started, None)

    def stats(self) -> tuple[KeyStats, ...]:
        """Return what was counted, by name."""
        with self._lock:
            return tuple(self._stats[name] for name in sorted(self._stats))

    def _add(self, name: str, seconds: float, reason: str | None) -> None:
        with self._lock:
            before = self._stats.get(name) or KeyStats(name=name)
            if reason is not None:
                after = replace(before, failures=before.failures + 1, last_error=reason)
            else:
                after = replace(
                    before,
                    signatures=before.signatures + 1,
                    seconds=before.seconds + seconds,
                    slowest_seconds=max(before.slowest_seconds, seconds),
                )
            self._stats[name] = after
