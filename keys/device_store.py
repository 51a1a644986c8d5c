"""Keys in a device: a pool of sessions, signatures verified here, loss of the device survived.

One signature:
1. A free session is taken, or opened; whoever finds none free in time is told ``busy``.
2. The device signs. Its answer is normalised by the driver (``keys.pkcs11_store``, ``keys.sdf``)
   and verified here with the key that was read at first use: no fault, other key, other identity
   or ECDSA in place of SM2 leaves (T-KEY-10).
3. Where session or device is lost, all sessions are given up, the device is opened again, and the
   signature is tried once more. Then it is ``KeyStoreUnavailable``: 503, try again (T-KEY-05).

A pass-phrase the device refused is not offered again by this process: devices lock themselves.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from keys.algorithms import KeyAlgorithm
from keys.errors import (
    KeyNotFound,
    KeyStoreRefused,
    KeyStoreUnavailable,
    ServiceError,
)
from keys.public_key import PublicKey, verify_signature
from keys.signers import (
    KEY_NAME,
    OID_BY_ALGORITHM,
    SELF_TEST,
    KeyMeter,
    KeyStats,
    StoreHealth,
)

SESSIONS = 8
WAIT_SECONDS = 10.0

Answer = TypeVar("Answer")


class Trouble(StrEnum):
    """The closed set of what goes wrong with a device: the ``reason`` of the errors."""

    MODULE = "module"
    """The library of the device cannot be loaded."""
    LOCKED = "locked"
    PASSPHRASE = "passphrase-wrong"  # noqa: S105 - a reason
    BUSY = "busy"
    KEY_GONE = "key-gone"
    SESSION_LOST = "session-lost"
    DEVICE_GONE = "device-gone"
    NOT_SUPPORTED = "not-supported"
    BAD_SIGNATURE = "bad-signature"
    FAILED = "failed"


WORTH_ANOTHER_TRY = {Trouble.SESSION_LOST, Trouble.DEVICE_GONE}


def trouble(reason: Trouble, *, device: str = "", code: int = 0) -> ServiceError:
    """Return the error for a reason; ``code`` is the device's own number."""
    detail = f"{device}: {reason}" + (f" (0x{code:08x})" if code else "")
    if reason in (Trouble.PASSPHRASE, Trouble.LOCKED, Trouble.MODULE):
        return KeyStoreRefused(detail, reason=reason.value, device_code=code)
    return KeyStoreUnavailable(detail, reason=reason.value, device_code=code)


class DeviceSession(Protocol):
    """One open session; used by one thread at a time."""

    def names(self) -> tuple[str, ...]:
        """List the signing keys."""
        ...

    def public_key(self, name: str) -> PublicKey:
        """Read the public key; raises ``KeyNotFound``."""
        ...

    def sign(self, name: str, public_key: PublicKey, message: bytes) -> bytes:
        """Sign; the answer is in the form of ``Signer.sign_with`` and not verified yet."""
        ...

    def generate(self, name: str, algorithm: KeyAlgorithm) -> None:
        """Make a key that cannot leave the device; raises ``KeyStoreRefused`` where it cannot."""
        ...

    def close(self) -> None:
        """End the session; never raises."""
        ...


class Device(Protocol):
    """A device that opens sessions. Errors are those of ``trouble``."""

    def open_session(self) -> DeviceSession:
        """Open a session that may use the keys."""
        ...

    def start_again(self) -> None:
        """Forget all state of a device that went away; no session is open. Never raises."""
        ...


@dataclass(slots=True)
class _Pooled:
    """A session with the round of the device it belongs to."""

    session: DeviceSession
    round: int


class SessionPool:
    """At most ``size`` sessions of a device, opened when needed."""

    def __init__(self, device: Device, size: int, wait_seconds: float = WAIT_SECONDS) -> None:
        self._device = device
        self._size = size
        self._wait_seconds = wait_seconds
        self._changed = threading.Condition()
        self._idle: list[_Pooled] = []
        self._in_use = 0
        self._round = 0
        self._is_starting_again = False
        self._refusal: KeyStoreRefused | None = None

    def run(self, work: Callable[[DeviceSession], Answer]) -> Answer:
        """Do ``work`` with a session, once more where session or device was lost."""
        seen = self._round
        try:
            return self._run_once(work)
        except KeyStoreUnavailable as error:
            if error.params.get("reason") not in WORTH_ANOTHER_TRY:
                raise
        self._start_again(seen)
        return self._run_once(work)

    def close(self) -> None:
        """Close the sessions that are not in use."""
        with self._changed:
            idle, self._idle = self._idle, []
        for pooled in idle:
            pooled.session.close()

    def _run_once(self, work: Callable[[DeviceSession], Answer]) -> Answer:
        with self._turn():
            pooled = self._take()
            is_sound = False
            try:
                answer = work(pooled.session)
                is_sound = True
            except KeyNotFound:
                is_sound = True
                raise
            finally:
                # After any other failure nobody knows in which state the session is.
                self._give_back(pooled, is_sound=is_sound)
        return answer

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Be one of at most ``size``; raise ``KeyStoreUnavailable`` after the wait."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._in_use < self._size and not self._is_starting_again,
                self._wait_seconds,
            ):
                raise trouble(Trouble.BUSY)
            self._in_use += 1
        try:
            yield
        finally:
            with self._changed:
                self._in_use -= 1
                self._changed.notify_all()

    def _take(self) -> _Pooled:
        with self._changed:
            if self._refusal is not None:
                raise KeyStoreRefused(self._refusal.detail, **self._refusal.params)
            if self._idle:
                return self._idle.pop()
            current = self._round
        try:
            return _Pooled(self._device.open_session(), current)
        except KeyStoreRefused as error:
            if error.params.get("reason") in (Trouble.PASSPHRASE, Trouble.LOCKED):
                self._refusal = error
            raise

    def _give_back(self, pooled: _Pooled, *, is_sound: bool) -> None:
        with self._changed:
            if is_sound and pooled.round == self._round:
                self._idle.append(pooled)
                return
        pooled.session.close()

    def _start_again(self, seen: int) -> None:
        """Give up all sessions and begin with the device anew, unless another thread just did.

        Waits until no session is in use: a library must not lose its device under a call.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: not self._is_starting_again, self._wait_seconds):
                raise trouble(Trouble.BUSY)
            if self._round != seen:
                return
            self._is_starting_again = True
            is_quiet = self._changed.wait_for(lambda: self._in_use == 0, self._wait_seconds)
            idle, self._idle = self._idle, []
        try:
            for pooled in idle:
                pooled.session.close()
            if not is_quiet:
                raise trouble(Trouble.BUSY)
            self._device.start_again()
        finally:
            with self._changed:
                self._round += 1
                self._is_starting_again = False
                self._changed.notify_all()


class DeviceStore:
    """The keys of one device."""

    def __init__(
        self,
        device: Device,
        *,
        sessions: int = SESSIONS,
        wait_seconds: float = WAIT_SECONDS,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Open a first session, so that what is set up wrongly shows at start.

        Raises ``KeyStoreRefused`` (library, pass-phrase) or ``KeyStoreUnavailable``.
        """
        self._pool = SessionPool(device, sessions, wait_seconds)
        self._meter = KeyMeter(monotonic)
        self._known: dict[str, PublicKey] = {}
        self._pool.run(lambda session: session.names())

    def names(self) -> tuple[str, ...]:
        """List the keys, sorted."""
        found = self._pool.run(lambda session: session.names())
        return tuple(sorted(name for name in found if KEY_NAME.fullmatch(name)))

    def has(self, name: str) -> bool:
        """Tell whether there is a key of this name; a device that is gone does not say no."""
        return name in self.names()

    def public_key(self, name: str) -> PublicKey:
        """Return the public key; one signature is tried before a key is used.

        Raises ``KeyNotFound``, ``KeyStoreRefused`` (not an SM2 or RSA key, or it does not sign) or
        ``KeyStoreUnavailable``.
        """
        found = self._known.get(name)
        if found is None:
            if not KEY_NAME.fullmatch(name):
                raise KeyNotFound("no key can have this name")
            found = self._pool.run(lambda session: session.public_key(name))
            if found.weakness is not None:
                raise KeyStoreRefused(found.weakness, reason="weak-key")
            self._sign(name, found, SELF_TEST)
            self._known[name] = found
        return found

    def sign_with(self, name: str, message: bytes) -> bytes:
        """Sign a message with the suite of the key; the signature is verified. Safe for threads."""
        with self._meter.signing(name):
            return self._sign(name, self.public_key(name), message)

    def generate(self, name: str, algorithm: KeyAlgorithm) -> PublicKey:
        """Make a key in the device. Raises ``KeyStoreRefused`` for a name in use."""
        if not KEY_NAME.fullmatch(name):
            raise KeyStoreRefused("not a name for a key", reason="name")
        if self.has(name):
            raise KeyStoreRefused("a key of this name exists", reason="name-taken")
        self._pool.run(lambda session: session.generate(name, algorithm))
        return self.public_key(name)

    def health(self) -> StoreHealth:
        """Ask the device for its keys, and one of those in use for a signature."""
        try:
            names = self.names()
            for name, public_key in tuple(self._known.items())[:1]:
                self._sign(name, public_key, SELF_TEST)
        except ServiceError as error:
            problem = str(error.params.get("reason", error.code))
            return StoreHealth(is_ready=False, keys=len(self._known), problem=problem)
        return StoreHealth(is_ready=True, keys=len(names))

    def stats(self) -> tuple[KeyStats, ...]:
        """Return signatures, failures and time per key, by name."""
        return self._meter.stats()

    def close(self) -> None:
        """Close the sessions that are not in use."""
        self._pool.close()

    def _sign(self, name: str, public_key: PublicKey, message: bytes) -> bytes:
        try:
            signature = self._pool.run(lambda session: session.sign(name, public_key, message))
        except KeyNotFound:
            # It was there: gone in the middle of work is no mistake of the caller.
            raise trouble(Trouble.KEY_GONE) from None
        oid = OID_BY_ALGORITHM[public_key.algorithm]
        try:
            verify_signature(public_key, message, signature, oid)
        except ServiceError as error:
            raise trouble(Trouble.BAD_SIGNATURE) from error
        return signature
