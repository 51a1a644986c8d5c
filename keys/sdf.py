"""A cryptographic device behind GM/T 0018 (SDF) as a device of signing keys, by ctypes.

The second module that talks to a native library: the interface is a C library that the vendor
brings. A key is a number in the device, given to a name by a setting, with a pass-phrase of its own
(``SDF_GetPrivateKeyAccessRight``); it signs the 32 bytes e = SM3(Z || message), which are made
here. Numbers come back in fields of 64 bytes, right-aligned. Calls release the interpreter lock.
Keys are made and backed up with the vendor's tool; RSA keys stay in the encrypted files.
"""

import ctypes
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from keys.algorithms import KeyAlgorithm
from keys.device_store import Trouble, trouble
from keys.errors import InvalidKey, KeyNotFound, KeyStoreRefused, MalformedSignature, ServiceError
from keys.private_keys import sm2_public_key
from keys.public_key import PublicKey
from keys.sm2_values import encode_signature, message_digest

DEVICE = "SDF"
FIELD_BYTES = 64
"""Room for a number (ECCref_MAX_LEN): 512 bits, of which SM2 uses the last 256."""
_NUMBER_BYTES = 32
_BITS = 256
_BASE = 0x01000000
_OK = 0
_PARDENY, _KEYNOTEXIST, _PRKRERR = 0x07, 0x08, 0x18

_TROUBLES = {
    0x02: Trouble.NOT_SUPPORTED,  # NOTSUPPORT
    0x03: Trouble.DEVICE_GONE,  # COMMFAIL
    0x04: Trouble.DEVICE_GONE,  # HARDFAIL
    0x05: Trouble.DEVICE_GONE,  # OPENDEVICE
    0x06: Trouble.SESSION_LOST,  # OPENSESSION
    _PARDENY: Trouble.SESSION_LOST,  # the right went with a restart of the device
    _KEYNOTEXIST: Trouble.KEY_GONE,
    0x09: Trouble.NOT_SUPPORTED,  # ALGNOTSUPPORT
    0x0A: Trouble.NOT_SUPPORTED,  # ALGMODNOTSUPPORT
    0x14: Trouble.NOT_SUPPORTED,  # KEYTYPEERR
    _PRKRERR: Trouble.PASSPHRASE,
}
"""What the codes (GM/T 0018, annex A) mean here; any other, a vendor's own too, is ``failed``."""


class _ECCPublicKey(ctypes.Structure):
    """ECCrefPublicKey."""

    _fields_ = (
        ("bits", ctypes.c_uint),
        ("x", ctypes.c_ubyte * FIELD_BYTES),
        ("y", ctypes.c_ubyte * FIELD_BYTES),
    )


class _ECCSignature(ctypes.Structure):
    """ECCSignature."""

    _fields_ = (("r", ctypes.c_ubyte * FIELD_BYTES), ("s", ctypes.c_ubyte * FIELD_BYTES))


_HANDLE = ctypes.c_void_p
_HANDLE_OUT = ctypes.POINTER(ctypes.c_void_p)
_NUMBER = ctypes.c_uint
_BYTES = ctypes.c_char_p
_PROTOTYPES: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("SDF_OpenDevice", (_HANDLE_OUT,)),
    ("SDF_CloseDevice", (_HANDLE,)),
    ("SDF_OpenSession", (_HANDLE, _HANDLE_OUT)),
    ("SDF_CloseSession", (_HANDLE,)),
    ("SDF_GetPrivateKeyAccessRight", (_HANDLE, _NUMBER, _BYTES, _NUMBER)),
    ("SDF_ReleasePrivateKeyAccessRight", (_HANDLE, _NUMBER)),
    ("SDF_ExportSignPublicKey_ECC", (_HANDLE, _NUMBER, ctypes.POINTER(_ECCPublicKey))),
    (
        "SDF_InternalSign_ECC",
        (_HANDLE, _NUMBER, _BYTES, _NUMBER, ctypes.POINTER(_ECCSignature)),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SDFKey:
    """Where a key is in the device, and what opens it."""

    index: int
    passphrase: bytes = field(repr=False)


class SDFDevice:
    """A ``Device``: the one the vendor's library opens."""

    def __init__(self, module: Path, keys: Mapping[str, SDFKey]) -> None:
        """Load the library; raise ``KeyStoreRefused`` where it is not one of GM/T 0018."""
        self._library = _load(module)
        self._keys = dict(keys)
        self._lock = threading.Lock()
        self._handle: ctypes.c_void_p | None = None
        self._refused: set[int] = set()

    def __repr__(self) -> str:
        return f"SDFDevice({sorted(self._keys)})"

    def open_session(self) -> "SDFSession":
        """Open a session; the device itself is opened with the first."""
        with self._lock:
            if self._handle is None:
                handle = ctypes.c_void_p()
                _check(self._library.SDF_OpenDevice(ctypes.byref(handle)))
                self._handle = handle
            session = ctypes.c_void_p()
            _check(self._library.SDF_OpenSession(self._handle, ctypes.byref(session)))
        return SDFSession(self._library, session, self._keys, self._refused)

    def start_again(self) -> None:
        """Close the device, to open it anew with the next session."""
        with self._lock:
            handle, self._handle = self._handle, None
            if handle is not None:
                self._library.SDF_CloseDevice(handle)


class SDFSession:
    """A ``DeviceSession``."""

    def __init__(
        self,
        library: ctypes.CDLL,
        handle: ctypes.c_void_p,
        keys: Mapping[str, SDFKey],
        refused: set[int],
    ) -> None:
        self._library = library
        self._handle = handle
        self._keys = keys
        self._refused = refused
        """Keys whose pass-phrase the device refused: shared by all sessions, not offered again."""
        self._rights: set[int] = set()

    def names(self) -> tuple[str, ...]:
        """List the names whose keys the device has."""
        return tuple(name for name in self._keys if self._is_there(name))

    def public_key(self, name: str) -> PublicKey:
        """Read the public key of the signing pair."""
        key = self._key(name)
        found = _ECCPublicKey()
        code = self._library.SDF_ExportSignPublicKey_ECC(
            self._handle, key.index, ctypes.byref(found)
        )
        if _number(code) == _KEYNOTEXIST:
            raise KeyNotFound(name=name)
        _check(code)
        try:
            if found.bits != _BITS:
                raise InvalidKey("not 256 bits", reason="size")
            return sm2_public_key(b"\x04" + _read(found.x) + _read(found.y))
        except (InvalidKey, MalformedSignature):
            raise KeyStoreRefused("not an SM2 key", reason="key-mismatch") from None

    def sign(self, name: str, public_key: PublicKey, message: bytes) -> bytes:
        """Sign e of the message."""
        key = self._key(name)
        if public_key.point is None:
            raise trouble(Trouble.NOT_SUPPORTED, device=DEVICE)
        self._open_key(key)
        e = message_digest(public_key.point, message)
        made = _ECCSignature()
        _check(
            self._library.SDF_InternalSign_ECC(
                self._handle, key.index, e, len(e), ctypes.byref(made)
            )
        )
        try:
            r, s = (int.from_bytes(_read(value), "big") for value in (made.r, made.s))
            return encode_signature(r, s)
        except MalformedSignature as error:
            raise trouble(Trouble.BAD_SIGNATURE, device=DEVICE) from error

    def generate(self, name: str, algorithm: KeyAlgorithm) -> None:
        """Refuse: the interface has no call that makes a key inside the device."""
        raise KeyStoreRefused("SDF keys are made with the vendor's tool", reason="generate")

    def close(self) -> None:
        """Give the rights back and end the session."""
        for index in self._rights:
            self._library.SDF_ReleasePrivateKeyAccessRight(self._handle, index)
        self._library.SDF_CloseSession(self._handle)

    def _open_key(self, key: SDFKey) -> None:
        """Get the right to use a key in this session."""
        if key.index in self._rights:
            return
        if key.index in self._refused:
            raise trouble(Trouble.PASSPHRASE, device=DEVICE)
        code = self._library.SDF_GetPrivateKeyAccessRight(
            self._handle, key.index, key.passphrase, len(key.passphrase)
        )
        if _number(code) in (_PRKRERR, _PARDENY):
            # Devices lock a key after a few wrong ones.
            self._refused.add(key.index)
            raise trouble(Trouble.PASSPHRASE, device=DEVICE, code=code & 0xFFFFFFFF)
        _check(code)
        self._rights.add(key.index)

    def _is_there(self, name: str) -> bool:
        try:
            self.public_key(name)
        except KeyNotFound:
            return False
        return True

    def _key(self, name: str) -> SDFKey:
        try:
            return self._keys[name]
        except KeyError:
            raise KeyNotFound(name=name) from None


def _load(module: Path) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(str(module))
        for name, arguments in _PROTOTYPES:
            function = library[name]
            function.restype = ctypes.c_int
            function.argtypes = arguments
            # Attribute access finds the declared function from now on.
            setattr(library, name, function)
    except (OSError, AttributeError) as error:
        raise KeyStoreRefused(
            f"{module.name} is no library of GM/T 0018", reason=Trouble.MODULE.value
        ) from error
    return library


def _number(code: int) -> int:
    """Return a standard code without its base, which some libraries leave out."""
    code &= 0xFFFFFFFF
    return code - _BASE if _BASE < code <= _BASE + 0xFF else code


def _check(code: int) -> None:
    if code != _OK:
        raise _trouble(code)


def _trouble(code: int) -> ServiceError:
    reason = _TROUBLES.get(_number(code), Trouble.FAILED)
    return trouble(reason, device=DEVICE, code=code & 0xFFFFFFFF)


def _read(value: "ctypes.Array[ctypes.c_ubyte]") -> bytes:
    """Return the 32 bytes of a number; raise ``MalformedSignature`` where it is longer."""
    room = bytes(value)
    if any(room[:-_NUMBER_BYTES]):
        raise MalformedSignature("a number of more than 256 bits", reason="range")
    return room[-_NUMBER_BYTES:]
