"""SM2 signatures through the system's libcrypto (OpenSSL 3 or a successor), by ctypes.

The only module that talks to libcrypto. GB/T 32918.2; the ID is always the default one.

1. The library is the one the setting ESEAL_LIBCRYPTO names, else the one Python itself has mapped,
   else the one the system finds. There is no fallback to another engine.
2. Before first use it must pass a known-answer test: SM3, the example of GM/T 0003.5, two own
   signatures that differ.
3. Values are parsed and range-checked in ``keys.sm2_values`` before the library sees them.
4. Contexts are kept per key and thread, and e goes in ready-made: a call costs the curve
   arithmetic and little else. The calls release the interpreter lock.
5. A signature is verified before it leaves.
"""

import ctypes
import hashlib
import os
import re
import secrets
import threading
from ctypes.util import find_library
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from keys.errors import EngineUnavailable, InvalidKey, MalformedSignature, SignatureMismatch
from keys.sm2_values import (
    DEFAULT_ID,
    POINT_SIZE,
    SPKI_PREFIX,
    N,
    check_point,
    check_scalar,
    decode_signature,
    encode_signature,
    message_digest,
    normalise_foreign,
)

__all__ = [
    "DEFAULT_ID",
    "EngineInfo",
    "SM2Signer",
    "check_point",
    "decode_signature",
    "encode_signature",
    "engine",
    "generate_scalar",
    "message_digest",
    "normalise_foreign",
    "public_point",
    "verify",
    "verify_digest",
]

SETTING = "ESEAL_LIBCRYPTO"
DIGEST_SIZE = 32
SIGNATURE_ROOM = 80
"""Bytes for a signature; DER of two 33-byte INTEGERs takes 72."""
REMEMBERED = 256
"""Signatures that held, kept with key, e and value: what is sealed here is checked when it is made,
when the document is read back, and when it is released, with the same tokens and seals.
"""
_OLDEST_VERSION = 0x30000000
_MAPS = Path("/proc/self/maps")
_MAPPED_NAME = re.compile(r"/libcrypto\.so[0-9.]*$")
"""The plain name only: wheels bring renamed copies of their own, which are not ours to use."""

_PKCS8_PREFIX = bytes.fromhex(
    "3041020100301306072a8648ce3d020106082a811ccf5501822d042730250201010420"
)
"""PrivateKeyInfo up to the scalar: SM2 curve, ECPrivateKey without its public key."""

_POINTER = ctypes.c_void_p
_SIZE_POINTER = ctypes.POINTER(ctypes.c_size_t)
_BYTES_POINTER = ctypes.POINTER(ctypes.c_char_p)
_PROTOTYPES: tuple[tuple[str, type | None, tuple[type, ...]], ...] = (
    ("OpenSSL_version", ctypes.c_char_p, (ctypes.c_int,)),
    ("OpenSSL_version_num", ctypes.c_ulong, ()),
    ("ERR_clear_error", None, ()),
    ("EVP_PKEY_CTX_new_from_name", _POINTER, (_POINTER, ctypes.c_char_p, ctypes.c_char_p)),
    ("EVP_PKEY_CTX_new_from_pkey", _POINTER, (_POINTER, _POINTER, ctypes.c_char_p)),
    ("EVP_PKEY_CTX_free", None, (_POINTER,)),
    ("EVP_PKEY_free", None, (_POINTER,)),
    ("EVP_PKEY_check", ctypes.c_int, (_POINTER,)),
    ("d2i_PUBKEY", _POINTER, (_POINTER, _BYTES_POINTER, ctypes.c_long)),
    ("d2i_AutoPrivateKey", _POINTER, (_POINTER, _BYTES_POINTER, ctypes.c_long)),
    ("i2d_PUBKEY", ctypes.c_int, (_POINTER, _POINTER)),
    ("EVP_PKEY_sign_init", ctypes.c_int, (_POINTER,)),
    (
        "EVP_PKEY_sign",
        ctypes.c_int,
        (_POINTER, ctypes.c_char_p, _SIZE_POINTER, ctypes.c_char_p, ctypes.c_size_t),
    ),
    ("EVP_PKEY_verify_init", ctypes.c_int, (_POINTER,)),
    (
        "EVP_PKEY_verify",
        ctypes.c_int,
        (_POINTER, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """Which library makes and checks SM2 signatures; shown by the health page."""

    version: str
    path: str


def engine() -> EngineInfo:
    """Return the engine in use after its self-test; raise ``EngineUnavailable`` without one."""
    library, path = _tested_library()
    return EngineInfo(version=library.OpenSSL_version(0).decode("ascii", "replace"), path=path)


def generate_scalar() -> bytes:
    """Return a new private key d, 1 <= d <= n-2, from the system's random source."""
    return (1 + secrets.randbelow(N - 2)).to_bytes(32, "big")


def public_point(scalar: bytes) -> bytes:
    """Return ``04 || X || Y`` of a private key; raise ``InvalidKey`` for one out of range."""
    return _PrivateKey(scalar).point


def verify(point: bytes, message: bytes, signature: bytes) -> None:
    """Check a DER signature over ``message`` under the default ID.

    Raises ``SignatureMismatch``, ``MalformedSignature`` (not strict DER, out of range) or
    ``InvalidKey`` (T-SES-12 to T-SES-16).
    """
    verify_digest(point, message_digest(point, message), signature)


def verify_digest(point: bytes, e: bytes, signature: bytes) -> None:
    """Check a DER signature over the 32 bytes e = SM3(Z || message); raises as ``verify``."""
    if len(e) != DIGEST_SIZE:
        raise SignatureMismatch("e has 32 bytes", reason="digest-size")
    _verify_remembered(point, e, signature)


@lru_cache(maxsize=REMEMBERED)
def _verify_remembered(point: bytes, e: bytes, signature: bytes) -> None:
    """Check once: what returns is kept, a refusal raises and is worked out anew each time."""
    decode_signature(signature)
    outcome = _public_key(point).verify(e, signature)
    if outcome == 0:
        raise SignatureMismatch("SM2 signature does not verify")
    if outcome != 1:
        raise EngineUnavailable("the engine could not verify", reason="verify")


class SM2Signer:
    """Signs with one private key. May be shared between threads."""

    __slots__ = ("_key", "point")

    def __init__(self, scalar: bytes) -> None:
        """Take the 32 bytes of d; raise ``InvalidKey`` unless 1 <= d <= n-2."""
        self._key = _PrivateKey(scalar)
        self.point = self._key.point
        """The public key, 04 || X || Y."""

    def __repr__(self) -> str:
        return f"SM2Signer({self.point.hex()})"

    def sign(self, message: bytes) -> bytes:
        """Return a DER signature over ``message``, verified; raise ``EngineUnavailable``."""
        return self.sign_digest(message_digest(self.point, message))

    def sign_digest(self, e: bytes) -> bytes:
        """Return a DER signature over the 32 bytes e = SM3(Z || message), verified (T-KEY-10)."""
        signature = self._sign_raw(e)
        try:
            verify_digest(self.point, e, signature)
        except (SignatureMismatch, MalformedSignature) as error:
            raise EngineUnavailable("own signature does not verify", reason="sign") from error
        return signature

    def _sign_raw(self, e: bytes) -> bytes:
        """Sign without verifying: for ``sign_digest`` and for measuring."""
        if len(e) != DIGEST_SIZE:
            raise EngineUnavailable("e has 32 bytes", reason="digest-size")
        return self._key.sign(e)


# Keys and contexts


class _Context:
    """An EVP_PKEY_CTX, initialised for one operation; belongs to one thread."""

    pointer: int | None = None

    def __init__(self, library: ctypes.CDLL, key: int | None, initialise: str) -> None:
        self._free = library.EVP_PKEY_CTX_free
        self.pointer = library.EVP_PKEY_CTX_new_from_pkey(None, key, None)
        if not self.pointer or getattr(library, initialise)(self.pointer) != 1:
            library.ERR_clear_error()
            raise EngineUnavailable("no SM2 context", reason="context")

    def __del__(self) -> None:
        if self.pointer:
            self._free(self.pointer)


class _Contexts(threading.local):
    """The contexts of one key in the present thread; they go with the thread or the key."""

    def __init__(self) -> None:
        self.signing: _Context | None = None
        self.verifying: _Context | None = None


class _Key:
    """An EVP_PKEY and its contexts."""

    _pointer: int | None = None

    def __init__(self, library: ctypes.CDLL, load: str, der: bytes) -> None:
        self._library = library
        self._free = library.EVP_PKEY_free
        self._contexts = _Contexts()
        start = ctypes.c_char_p(der)
        self._pointer = getattr(library, load)(None, ctypes.byref(start), len(der))
        if not self._pointer:
            library.ERR_clear_error()
            raise InvalidKey("the engine refuses the key", reason="refused")

    def __del__(self) -> None:
        if self._pointer:
            self._free(self._pointer)


class _PublicKey(_Key):
    """A public key; checks signatures."""

    def __init__(self, library: ctypes.CDLL, point: bytes) -> None:
        check_point(point)
        super().__init__(library, "d2i_PUBKEY", SPKI_PREFIX + point)

    def verify(self, e: bytes, signature: bytes) -> int:
        """Return 1 for a good signature, 0 for a bad one, a negative number for a fault."""
        context = self._contexts.verifying
        if context is None:
            context = _Context(self._library, self._pointer, "EVP_PKEY_verify_init")
            self._contexts.verifying = context
        outcome: int = self._library.EVP_PKEY_verify(
            context.pointer, signature, len(signature), e, len(e)
        )
        if outcome != 1:
            # What stays in the thread's error queue would be taken for a fault of a later call.
            self._library.ERR_clear_error()
        if outcome < 0:
            self._contexts.verifying = None
        return outcome


class _PrivateKey(_Key):
    """A private key, checked; makes signatures."""

    def __init__(self, scalar: bytes, library: ctypes.CDLL | None = None) -> None:
        # Before anything is done with it: with n-1 some libraries sign for ever.
        check_scalar(scalar)
        super().__init__(
            library or _tested_library()[0], "d2i_AutoPrivateKey", _PKCS8_PREFIX + scalar
        )
        self._check()
        self.point = self._export_point()

    def _check(self) -> None:
        """Let the library check the key by its own rules too."""
        context = self._library.EVP_PKEY_CTX_new_from_pkey(None, self._pointer, None)
        outcome = self._library.EVP_PKEY_check(context) if context else 0
        self._library.EVP_PKEY_CTX_free(context)
        if outcome != 1:
            self._library.ERR_clear_error()
            raise InvalidKey("the engine refuses the private key", reason="refused")

    def _export_point(self) -> bytes:
        size = len(SPKI_PREFIX) + POINT_SIZE
        if self._library.i2d_PUBKEY(self._pointer, None) != size:
            raise InvalidKey("the engine has no public key", reason="refused")
        room = ctypes.create_string_buffer(size)
        # i2d moves the pointer it is given, so it gets one of its own.
        at = ctypes.c_void_p(ctypes.addressof(room))
        self._library.i2d_PUBKEY(self._pointer, ctypes.byref(at))
        point = room.raw[len(SPKI_PREFIX) :]
        check_point(point)
        return point

    def sign(self, e: bytes) -> bytes:
        context = self._contexts.signing
        if context is None:
            context = _Context(self._library, self._pointer, "EVP_PKEY_sign_init")
            self._contexts.signing = context
        room = ctypes.create_string_buffer(SIGNATURE_ROOM)
        size = ctypes.c_size_t(SIGNATURE_ROOM)
        if (
            self._library.EVP_PKEY_sign(context.pointer, room, ctypes.byref(size), e, len(e)) != 1
            or size.value > SIGNATURE_ROOM
        ):
            self._library.ERR_clear_error()
            self._contexts.signing = None
            raise EngineUnavailable("the engine could not sign", reason="sign")
        return room.raw[: size.value]


@lru_cache(maxsize=256)
def _public_key(point: bytes) -> _PublicKey:
    return _PublicKey(_tested_library()[0], point)


# The library


@lru_cache(maxsize=1)
def _tested_library() -> tuple[ctypes.CDLL, str]:
    library, path = _load_library()
    _check_known_answers(library)
    return library, path


def _load_library() -> tuple[ctypes.CDLL, str]:
    """Find the library and declare what is called in it; raise ``EngineUnavailable``."""
    path = _library_path()
    try:
        library = ctypes.CDLL(path)
        for name, result, arguments in _PROTOTYPES:
            function = library[name]
            function.restype = result
            function.argtypes = arguments
            # Attribute access finds the declared function from now on.
            setattr(library, name, function)
    except (OSError, AttributeError) as error:
        raise EngineUnavailable(
            f"{path} is no OpenSSL 3 libcrypto ({error}); set {SETTING} to one with SM2",
            reason="load",
        ) from error
    _check_library(library, path)
    return library, path


def _library_path() -> str:
    """Name the library by setting, by what is mapped, by what the system finds, in this order."""
    path = os.environ.get(SETTING) or _mapped_library() or find_library("crypto")
    if not path:
        raise EngineUnavailable(
            "no shared libcrypto: this Python links OpenSSL statically or not at all; "
            f"install OpenSSL 3 (libssl3) or set {SETTING} to its libcrypto",
            reason="absent",
        )
    return path


def _mapped_library() -> str | None:
    """Return the path of the libcrypto that Python's own hashlib and ssl use (Linux)."""
    try:
        lines = _MAPS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    paths = (line.split(maxsplit=5)[-1] for line in lines if "libcrypto" in line)
    return next((path for path in paths if _MAPPED_NAME.search(path)), None)


def _check_library(library: ctypes.CDLL, path: str) -> None:
    version = library.OpenSSL_version_num()
    if version < _OLDEST_VERSION:
        raise EngineUnavailable(f"{path} is older than OpenSSL 3.0", reason="version")
    context = library.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
    if not context:
        library.ERR_clear_error()
        raise EngineUnavailable(
            f"{path} is built without SM2 (as on Red Hat systems); set {SETTING} to a libcrypto "
            "with SM2, such as Tongsuo or OpenSSL 3 as published",
            reason="no-sm2",
        )
    library.EVP_PKEY_CTX_free(context)


_KNOWN_SCALAR = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"
_KNOWN_POINT = (
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_KNOWN_R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
_KNOWN_S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
_SM3_ABC = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def _check_known_answers(library: ctypes.CDLL) -> None:
    """Raise ``EngineUnavailable`` unless the library gets the examples right (T-SES-44)."""
    try:
        is_sm3_right = hashlib.new("sm3", b"abc").hexdigest() == _SM3_ABC
    except ValueError:
        is_sm3_right = False
    if not is_sm3_right:
        raise EngineUnavailable("this Python's hashlib has no SM3", reason="sm3")
    try:
        private = _PrivateKey(bytes.fromhex(_KNOWN_SCALAR), library)
        public = _PublicKey(library, bytes.fromhex(_KNOWN_POINT))
    except InvalidKey as error:
        raise _self_test_failed() from error
    e = message_digest(private.point, b"message digest")
    known = encode_signature(_KNOWN_R, _KNOWN_S)
    first, second = private.sign(e), private.sign(e)
    if (
        private.point.hex() != _KNOWN_POINT
        or [public.verify(e, value) for value in (known, first, second)] != [1, 1, 1]
        or public.verify(bytes(DIGEST_SIZE), known) != 0
        # One nonce for two signatures would give the private key away.
        or decode_signature(first)[0] == decode_signature(second)[0]
    ):
        raise _self_test_failed()


def _self_test_failed() -> EngineUnavailable:
    return EngineUnavailable("the SM2 engine fails its known-answer test", reason="self-test")
