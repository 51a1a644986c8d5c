"""Where private keys are: a folder of encrypted files that hands out signatures, never keys.

Opening:
1. The folder and every file in it must be private to this user.
2. The header's parameters must be the pinned ones; the pass-phrase is proven against it. Wrong
   ones are counted and each makes the next wait longer (``keys.passphrase_attempts``).
3. A key is decrypted at its first use, compared with its public key, and tried: one signature made
   and verified. It stays in memory until the process ends (Python cannot promise to wipe it).
4. A signature leaves only after it verified (``keys.sm2``, ``keys.rsa``).

The rest of the service sees a ``Signer`` (``keys.signers``).
"""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from keys.algorithms import KeyAlgorithm, SignatureSuite
from keys.errors import (
    InvalidKey,
    KeyNotFound,
    KeyStoreRefused,
    MalformedCertificate,
    ServiceError,
)
from keys.keystore_records import (
    NONCE_BYTES,
    SALT_BYTES,
    KeyRecord,
    StoreCipher,
    StoreKey,
    cannot_open,
    encode_header,
    encode_record,
    encode_secret,
    make_header,
    open_header,
    parse_header,
    parse_record,
    parse_secret,
    record_bound,
    secret_bound,
)
from keys.passphrase_attempts import PassphraseAttempts
from keys.private_files import check_folder, make_folder, read_file, write_new_file
from keys.private_keys import PrivateKey, generate, load_private_key
from keys.public_key import PublicKey, verify_signature
from keys.signers import (
    KEY_NAME,
    OID_BY_ALGORITHM,
    SELF_TEST,
    SUITE_BY_ALGORITHM,
    KeyMaker,
    KeyMeter,
    KeyStats,
    Signer,
    StoreHealth,
)

__all__ = ["KeyMaker", "KeyStore", "Signer", "StoreHealth"]

HEADER_NAME = "keystore.json"
KEY_SUFFIX = ".key"
SERVICE_FILE = ".secret"
SERVICE_SECRET_BYTES = 32
MIN_PASSPHRASE_BYTES = 8


class KeyStore:
    """Encrypted key files in one folder."""

    def __init__(
        self,
        folder: Path,
        passphrase: bytes,
        *,
        cipher: StoreCipher = StoreCipher.AES_256_GCM,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open the store, or make one where the folder is absent or empty.

        ``cipher`` counts only for a new store. Raises ``KeyStoreRefused`` for a wrong pass-phrase,
        loose modes, links, another owner or a damaged header (after a wait that grows with each),
        and ``KeyStoreUnavailable`` where the folder cannot be used.
        """
        self._folder = folder
        self._lock = threading.RLock()
        self._loaded: dict[str, PrivateKey] = {}
        self._meter = KeyMeter()
        make_folder(folder)
        self._key = self._open(passphrase, cipher, pause)

    def __repr__(self) -> str:
        return f"KeyStore({str(self._folder)!r})"

    def _open(
        self, passphrase: bytes, cipher: StoreCipher, pause: Callable[[float], None]
    ) -> StoreKey:
        path = self._folder / HEADER_NAME
        try:
            data = read_file(path)
        except FileNotFoundError:
            made = self._make(passphrase, cipher)
            if made is not None:
                return made
            data = read_file(path)
        with PassphraseAttempts(self._folder, pause).attempt():
            return open_header(parse_header(data), passphrase)

    def _make(self, passphrase: bytes, cipher: StoreCipher) -> StoreKey | None:
        """Make the header; None where another process was faster."""
        if any(path.suffix in (KEY_SUFFIX, SERVICE_FILE) for path in self._folder.iterdir()):
            raise KeyStoreRefused("keys without a header", reason="header-missing")
        if len(passphrase) < MIN_PASSPHRASE_BYTES:
            raise KeyStoreRefused("pass-phrase is too short", reason="passphrase-short")
        header, key = make_header(
            passphrase, cipher, secrets.token_bytes(2 * SALT_BYTES + NONCE_BYTES)
        )
        try:
            write_new_file(self._folder / HEADER_NAME, encode_header(header))
        except FileExistsError:
            return None
        return key

    # Keys

    def names(self) -> tuple[str, ...]:
        """List the keys, sorted."""
        check_folder(self._folder)
        found = (path.name.removesuffix(KEY_SUFFIX) for path in self._folder.glob(f"*{KEY_SUFFIX}"))
        return tuple(sorted(name for name in found if KEY_NAME.fullmatch(name)))

    def has(self, name: str) -> bool:
        """Tell whether there is a key of this name."""
        return self._path(name).exists()

    def public_key(self, name: str) -> PublicKey:
        """Return the public key, proven to belong to the private one.

        Raises ``KeyNotFound``, ``KeyStoreRefused`` or ``KeyStoreUnavailable``.
        """
        return self._find(name).public_key

    def suite(self, name: str) -> SignatureSuite:
        """Return what ``sign_with`` signs with."""
        return SUITE_BY_ALGORITHM[self._find(name).public_key.algorithm]

    def generate(self, name: str, algorithm: KeyAlgorithm) -> PublicKey:
        """Make a key: SM2, or RSA of 3072 bits. Raises ``KeyStoreRefused`` for a name in use."""
        self._check_free(name)
        return self._keep(name, generate(algorithm))

    def import_key(self, name: str, algorithm: KeyAlgorithm, secret: bytes) -> PublicKey:
        """Take over a key: an SM2 scalar of 32 bytes, or PKCS#8 in DER, unencrypted.

        Raises ``InvalidKey`` for a key outside its algorithm, ``KeyStoreRefused`` for a name in
        use.
        """
        self._check_free(name)
        return self._keep(name, load_private_key(algorithm, secret))

    def sign_with(self, name: str, message: bytes) -> bytes:
        """Sign a message with the suite of the key; the signature is verified already.

        SM2 with SM3 and the default ID gives DER, RSA PKCS#1 v1.5 with SHA-256 gives the plain
        value. Safe for threads. Raises as ``public_key`` does.
        """
        with self._meter.signing(name):
            return self._find(name).sign(message)

    def stats(self) -> tuple[KeyStats, ...]:
        """Return signatures, failures and time per key, by name."""
        return self._meter.stats()

    def service_secret(self, name: str) -> bytes:
        """Return the 32 random bytes of this name, made at the first call.

        For keyed indexes and for secrets kept encrypted elsewhere: what has to stay the same for
        the life of the data, and is therefore not derived from the pass-phrase.
        """
        path = self._path(name).with_suffix(SERVICE_FILE)
        bound = secret_bound(name)
        try:
            data = read_file(path)
        except FileNotFoundError:
            sealed = self._key.encrypt(
                secrets.token_bytes(SERVICE_SECRET_BYTES),
                bound,
                secrets.token_bytes(SALT_BYTES + NONCE_BYTES),
            )
            # Where another process was faster, its secret is the one.
            with contextlib.suppress(FileExistsError):
                write_new_file(path, encode_secret(name, sealed))
            data = read_file(path)
        found, sealed = parse_secret(data)
        if found != name:
            raise cannot_open()
        return self._key.decrypt(sealed, bound)

    def health(self) -> StoreHealth:
        """Check folder and keys without decrypting what was not used yet."""
        try:
            names = self.names()
            for name in self._loaded:
                self._find(name).sign(SELF_TEST)
        except ServiceError as error:
            problem = str(error.params.get("reason", error.code))
            return StoreHealth(is_ready=False, keys=len(self._loaded), problem=problem)
        return StoreHealth(is_ready=True, keys=len(names))

    def _path(self, name: str) -> Path:
        if not KEY_NAME.fullmatch(name):
            raise KeyNotFound("no key can have this name")
        return self._folder / f"{name}{KEY_SUFFIX}"

    def _check_free(self, name: str) -> None:
        if not KEY_NAME.fullmatch(name):
            raise KeyStoreRefused("not a name for a key", reason="name")
        if self.has(name):
            raise _taken()

    def _find(self, name: str) -> PrivateKey:
        found = self._loaded.get(name)
        if found is None:
            with self._lock:
                found = self._loaded.get(name)
                if found is None:
                    found = self._loaded[name] = self._load(name)
        return found

    def _load(self, name: str) -> PrivateKey:
        path = self._path(name)
        check_folder(self._folder)
        try:
            record = parse_record(read_file(path))
        except FileNotFoundError:
            raise KeyNotFound(name=name) from None
        if record.name != name:
            raise cannot_open()
        bound = record_bound(name, record.algorithm, record.spki)
        secret = self._key.decrypt(record.sealed, bound)
        try:
            made = load_private_key(record.algorithm, secret)
        except (InvalidKey, MalformedCertificate):
            raise KeyStoreRefused("not a key of its algorithm", reason="key-mismatch") from None
        if made.public_key.spki != record.spki:
            raise KeyStoreRefused("private and public key differ", reason="key-mismatch")
        _self_test(made)
        return made

    def _keep(self, name: str, made: PrivateKey) -> PublicKey:
        """Try the key, write it down, read it back."""
        _self_test(made)
        public_key = made.public_key
        bound = record_bound(name, public_key.algorithm, public_key.spki)
        sealed = self._key.encrypt(
            made.secret, bound, secrets.token_bytes(SALT_BYTES + NONCE_BYTES)
        )
        record = KeyRecord(
            name=name, algorithm=public_key.algorithm, spki=public_key.spki, sealed=sealed
        )
        with self._lock:
            try:
                write_new_file(self._path(name), encode_record(record))
            except FileExistsError:
                raise _taken() from None
            return self.public_key(name)


def _taken() -> KeyStoreRefused:
    return KeyStoreRefused("a key of this name exists", reason="name-taken")


def _self_test(made: PrivateKey) -> None:
    """Sign and verify once, on this side of the engine's own check."""
    oid = OID_BY_ALGORITHM[made.public_key.algorithm]
    try:
        verify_signature(made.public_key, SELF_TEST, made.sign(SELF_TEST), oid)
    except ServiceError as error:
        raise KeyStoreRefused("the key does not sign", reason="self-test") from error
