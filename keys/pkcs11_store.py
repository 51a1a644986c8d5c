"""A PKCS#11 token as a device of signing keys, through PyKCS11 (an optional package).

RSA is standard: ``CKM_SHA256_RSA_PKCS``. SM2 is not: each vendor has a mechanism number of its own,
some sign the message and some e = SM3(Z || message), some answer r || s and some DER. All three are
settings (``SM2Dialect``); ``CKM_ECDSA`` on the SM2 curve is another algorithm and never used.

A key is the pair of objects whose CKA_LABEL is its name. PyKCS11 holds the interpreter lock during
a call and starts the library for one thread, so sessions do not run side by side within a process.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NoReturn, Protocol

from keys import der
from keys.algorithms import OID_RSA_ENCRYPTION, OID_SM2_CURVE, KeyAlgorithm
from keys.device_store import Trouble, trouble
from keys.errors import (
    InvalidKey,
    KeyNotFound,
    KeyStoreRefused,
    MalformedCertificate,
    MalformedSignature,
    ServiceError,
)
from keys.private_keys import RSA_BITS, sm2_public_key
from keys.public_key import PublicKey, parse_public_key
from keys.sm2_values import encode_signature, message_digest, normalise_foreign

try:
    import PyKCS11
except ImportError:  # pragma: no cover - the tests bring it
    PyKCS11 = None

DEVICE = "PKCS#11"
_POINT_BYTES = 65
_RAW_BYTES = 64

_TROUBLES = {
    0x05: Trouble.DEVICE_GONE,  # GENERAL_ERROR: nothing can be relied on any more
    0x30: Trouble.DEVICE_GONE,  # DEVICE_ERROR
    0x31: Trouble.DEVICE_GONE,  # DEVICE_MEMORY
    0x32: Trouble.DEVICE_GONE,  # DEVICE_REMOVED
    0x54: Trouble.NOT_SUPPORTED,  # FUNCTION_NOT_SUPPORTED
    0x60: Trouble.KEY_GONE,  # KEY_HANDLE_INVALID
    0x63: Trouble.NOT_SUPPORTED,  # KEY_TYPE_INCONSISTENT
    0x68: Trouble.NOT_SUPPORTED,  # KEY_FUNCTION_NOT_PERMITTED
    0x70: Trouble.NOT_SUPPORTED,  # MECHANISM_INVALID
    0x71: Trouble.NOT_SUPPORTED,  # MECHANISM_PARAM_INVALID
    0x82: Trouble.KEY_GONE,  # OBJECT_HANDLE_INVALID
    0xA0: Trouble.PASSPHRASE,  # PIN_INCORRECT
    0xA1: Trouble.PASSPHRASE,  # PIN_INVALID
    0xA2: Trouble.PASSPHRASE,  # PIN_LEN_RANGE
    0xA3: Trouble.LOCKED,  # PIN_EXPIRED
    0xA4: Trouble.LOCKED,  # PIN_LOCKED
    0xB0: Trouble.SESSION_LOST,  # SESSION_CLOSED
    0xB1: Trouble.BUSY,  # SESSION_COUNT
    0xB3: Trouble.SESSION_LOST,  # SESSION_HANDLE_INVALID
    0xE0: Trouble.DEVICE_GONE,  # TOKEN_NOT_PRESENT
    0xE1: Trouble.DEVICE_GONE,  # TOKEN_NOT_RECOGNIZED
    0x101: Trouble.SESSION_LOST,  # USER_NOT_LOGGED_IN
    0x190: Trouble.DEVICE_GONE,  # CRYPTOKI_NOT_INITIALIZED
}
"""What the return values (PKCS#11 2.40, 5.1) mean here; any other is ``failed``."""
_ALREADY_LOGGED_IN = 0x100
_LOAD_FAILED = -1


class SM2Input(StrEnum):
    """What the vendor's mechanism takes."""

    DIGEST = "digest"
    """The 32 bytes e = SM3(Z || message), made here."""
    MESSAGE = "message"
    """The message; the token makes Z (with the default ID) and e."""


class SM2Output(StrEnum):
    """What the vendor's mechanism answers."""

    RAW = "raw"
    """r || s, 64 bytes."""
    DER = "der"


@dataclass(frozen=True, slots=True, kw_only=True)
class SM2Dialect:
    """How a vendor's token does SM2; numbers are its own."""

    mechanism: int
    signs: SM2Input = SM2Input.DIGEST
    answers: SM2Output = SM2Output.RAW
    generate_mechanism: int | None = None
    """Without it, SM2 keys are made with the vendor's tool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOptions:
    """Which token, and how it is spoken to."""

    module: Path
    """The vendor's library."""
    token_label: str
    passphrase: bytes = field(repr=False)
    sm2: SM2Dialect | None = None
    """None: the token does RSA only."""


class Session(Protocol):
    """What is used of ``PyKCS11.Session``; handles are opaque."""

    def login(self, pin: bytes) -> None: ...  # noqa: D102
    def closeSession(self) -> None: ...  # noqa: N802, D102
    def findObjects(self, template: Sequence[tuple[int, object]]) -> list[object]: ...  # noqa: N802, D102
    def getAttributeValue(  # noqa: D102, N802
        self,
        obj_id: object,
        attr: list[int],
        allAsBinary: bool = False,  # noqa: N803
    ) -> list[object]: ...
    def sign(self, key: object, data: bytes, mecha: object) -> Sequence[int]: ...  # noqa: D102
    def generateKeyPair(  # noqa: D102, N802
        self,
        templatePub: Sequence[tuple[int, object]],  # noqa: N803
        templatePriv: Sequence[tuple[int, object]],  # noqa: N803
        mecha: object,
    ) -> tuple[object, object]: ...


class TokenInfo(Protocol):
    """What is used of CK_TOKEN_INFO."""

    label: str


class Library(Protocol):
    """What is used of ``PyKCS11.PyKCS11Lib``: the seam at which tests put another token."""

    def load(self, pkcs11dll_filename: str) -> object: ...  # noqa: D102
    def unload(self) -> None: ...  # noqa: D102
    def getSlotList(self, tokenPresent: bool) -> Sequence[int]: ...  # noqa: D102, N802, N803
    def getTokenInfo(self, slot: int) -> TokenInfo: ...  # noqa: D102, N802
    def openSession(self, slot: int, flags: int) -> Session: ...  # noqa: D102, N802


class Token:
    """A ``Device``: the token with one label."""

    def __init__(
        self, options: TokenOptions, make_library: Callable[[], Library] | None = None
    ) -> None:
        """Load the library; raise ``KeyStoreRefused`` where it or PyKCS11 is missing."""
        if PyKCS11 is None:
            raise KeyStoreRefused(
                "PyKCS11 is not installed (requirements/hsm.txt)", reason=Trouble.MODULE.value
            )
        self._options = options
        self._library: Library = (make_library or PyKCS11.PyKCS11Lib)()
        self._load()

    def __repr__(self) -> str:
        return f"Token({self._options.token_label!r})"

    def open_session(self) -> "TokenSession":
        """Open a session and log in; the login counts for all sessions of this process."""
        try:
            slot = self._slot()
            session = self._library.openSession(slot, 0)
        except PyKCS11.PyKCS11Error as error:
            _raise(error)
        opened = TokenSession(session, self._options, lambda: self._writing(slot))
        try:
            session.login(self._options.passphrase)
        except PyKCS11.PyKCS11Error as error:
            if error.value != _ALREADY_LOGGED_IN:
                opened.close()
                _raise(error)
        return opened

    def start_again(self) -> None:
        """Start the library anew: many notice a token that came back only then."""
        with suppress(PyKCS11.PyKCS11Error):
            self._library.unload()
        with suppress(ServiceError):
            self._load()

    def _load(self) -> None:
        try:
            self._library.load(str(self._options.module))
        except PyKCS11.PyKCS11Error as error:
            if error.value == _LOAD_FAILED:
                raise trouble(Trouble.MODULE, device=DEVICE) from None
            _raise(error)

    def _slot(self) -> int:
        wanted = self._options.token_label
        for slot in self._library.getSlotList(tokenPresent=True):
            if self._library.getTokenInfo(slot).label.rstrip("\0 ") == wanted:
                return slot
        raise trouble(Trouble.DEVICE_GONE, device=DEVICE)

    def _writing(self, slot: int) -> Session:
        return self._library.openSession(slot, PyKCS11.CKF_RW_SESSION)


class TokenSession:
    """A ``DeviceSession``."""

    def __init__(
        self, session: Session, options: TokenOptions, open_writing: Callable[[], Session]
    ) -> None:
        self._session = session
        self._options = options
        self._open_writing = open_writing
        self._handles: dict[str, object] = {}

    def names(self) -> tuple[str, ...]:
        """List the labels of the private keys."""
        try:
            found = self._session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY)])
            labels = [self._session.getAttributeValue(one, [PyKCS11.CKA_LABEL])[0] for one in found]
        except PyKCS11.PyKCS11Error as error:
            _raise(error)
        return tuple(str(label).rstrip("\0 ") for label in labels)

    def public_key(self, name: str) -> PublicKey:
        """Read the public key from the object beside the private one."""
        try:
            self._handle(name)
            found = self._find(name, PyKCS11.CKO_PUBLIC_KEY)
            key_type = self._attribute(found, PyKCS11.CKA_KEY_TYPE)
            if int.from_bytes(key_type, "little") == PyKCS11.CKK_RSA:
                modulus = self._attribute(found, PyKCS11.CKA_MODULUS)
                exponent = self._attribute(found, PyKCS11.CKA_PUBLIC_EXPONENT)
                return _rsa_public_key(modulus, exponent)
            return _sm2_key(self._attribute(found, PyKCS11.CKA_EC_POINT))
        except PyKCS11.PyKCS11Error as error:
            _raise(error)
        except (InvalidKey, MalformedCertificate):
            raise KeyStoreRefused("neither an SM2 nor an RSA key", reason="key-mismatch") from None

    def sign(self, name: str, public_key: PublicKey, message: bytes) -> bytes:
        """Sign with the standard mechanism of RSA, or as the SM2 dialect says."""
        try:
            handle = self._handle(name)
            if public_key.point is None:
                mechanism = PyKCS11.Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS)
                return bytes(self._session.sign(handle, message, mechanism))
            sm2 = self._dialect()
            mechanism = PyKCS11.Mechanism(sm2.mechanism)
            is_digest = sm2.signs is SM2Input.DIGEST
            given = message_digest(public_key.point, message) if is_digest else message
            return _normalised(bytes(self._session.sign(handle, given, mechanism)), sm2.answers)
        except PyKCS11.PyKCS11Error as error:
            _raise(error)

    def generate(self, name: str, algorithm: KeyAlgorithm) -> None:
        """Make a pair that stays in the token: RSA of 3072 bits, or SM2 by the vendor's number."""
        try:
            session = self._open_writing()
            try:
                session.generateKeyPair(*self._pair(name, algorithm))
            finally:
                session.closeSession()
        except PyKCS11.PyKCS11Error as error:
            _raise(error)

    def close(self) -> None:
        """End the session."""
        with suppress(PyKCS11.PyKCS11Error):
            self._session.closeSession()

    def _pair(
        self, name: str, algorithm: KeyAlgorithm
    ) -> tuple[list[tuple[int, object]], list[tuple[int, object]], object]:
        """Return the templates of both halves and the mechanism."""
        shared: list[tuple[int, object]] = [
            (PyKCS11.CKA_TOKEN, True),
            (PyKCS11.CKA_LABEL, name),
            (PyKCS11.CKA_ID, name.encode()),
        ]
        public = [*shared, (PyKCS11.CKA_VERIFY, True)]
        private = [
            *shared,
            (PyKCS11.CKA_PRIVATE, True),
            (PyKCS11.CKA_SENSITIVE, True),
            (PyKCS11.CKA_EXTRACTABLE, False),
            (PyKCS11.CKA_SIGN, True),
        ]
        if algorithm is KeyAlgorithm.RSA:
            public += [
                (PyKCS11.CKA_MODULUS_BITS, RSA_BITS),
                (PyKCS11.CKA_PUBLIC_EXPONENT, (65537).to_bytes(3, "big")),
            ]
            return public, private, PyKCS11.Mechanism(PyKCS11.CKM_RSA_PKCS_KEY_PAIR_GEN)
        number = self._dialect().generate_mechanism
        if number is None:
            raise KeyStoreRefused("SM2 keys are made with the vendor's tool", reason="generate")
        public.append((PyKCS11.CKA_EC_PARAMS, der.oid(OID_SM2_CURVE)))
        return public, private, PyKCS11.Mechanism(number)

    def _dialect(self) -> SM2Dialect:
        if self._options.sm2 is None:
            raise trouble(Trouble.NOT_SUPPORTED, device=DEVICE)
        return self._options.sm2

    def _handle(self, name: str) -> object:
        found = self._handles.get(name)
        if found is None:
            found = self._handles[name] = self._find(name, PyKCS11.CKO_PRIVATE_KEY)
        return found

    def _find(self, name: str, kind: int) -> object:
        template = [(PyKCS11.CKA_CLASS, kind), (PyKCS11.CKA_LABEL, name)]
        found = self._session.findObjects(template)
        if not found:
            raise KeyNotFound(name=name)
        if len(found) > 1:
            raise KeyStoreRefused("two keys have this label", reason="ambiguous", name=name)
        return found[0]

    def _attribute(self, handle: object, attribute: int) -> bytes:
        (value,) = self._session.getAttributeValue(handle, [attribute], allAsBinary=True)
        if not isinstance(value, Sequence):
            raise InvalidKey("an attribute is missing", reason="form")
        return bytes(value)


def _rsa_public_key(modulus: bytes, exponent: bytes) -> PublicKey:
    numbers = (der.integer(int.from_bytes(value, "big")) for value in (modulus, exponent))
    algorithm = der.sequence(der.oid(OID_RSA_ENCRYPTION), der.null())
    return parse_public_key(der.sequence(algorithm, der.bit_string(der.sequence(*numbers))))


def _sm2_key(value: bytes) -> PublicKey:
    """Read CKA_EC_POINT: an OCTET STRING by the standard, the bare point by some vendors."""
    if len(value) == _POINT_BYTES - 1:
        value = b"\x04" + value
    if len(value) != _POINT_BYTES:
        value = der.read_octets(der.read_der(value))
    return sm2_public_key(value)


def _normalised(value: bytes, form: SM2Output) -> bytes:
    """Return a signature value as strict DER; raise ``KeyStoreUnavailable`` for another form."""
    try:
        if form is SM2Output.RAW:
            if len(value) != _RAW_BYTES:
                raise MalformedSignature("r || s has 64 bytes", reason="form")
            return encode_signature(
                int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")
            )
        strict, remark = normalise_foreign(value)
        if remark == "raw":
            raise MalformedSignature("DER is due", reason="form")
        return strict
    except MalformedSignature as error:
        raise trouble(Trouble.BAD_SIGNATURE, device=DEVICE) from error


def _raise(error: Exception) -> NoReturn:
    """Raise what a return value means here; ``error`` is a PyKCS11Error."""
    code = getattr(error, "value", 0)
    raise trouble(
        _TROUBLES.get(code, Trouble.FAILED), device=DEVICE, code=code & 0xFFFFFFFF
    ) from None
