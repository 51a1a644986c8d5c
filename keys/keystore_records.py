"""What the files of a key store contain: one header, one record per key.

The header pins how the pass-phrase becomes a key: scrypt with N = 2^15, r = 8, p = 1 and one salt
per store, so that opening many keys costs one derivation. Header and parameters are part of what
the header's own seal authenticates, and any other parameter is refused before it is used
(T-KEY-02). Each record has its own key, derived from the store's key and a fresh salt, and binds
format, name, algorithm and public key to the encrypted private key.
"""

import json
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from keys.algorithms import KeyAlgorithm, sm3
from keys.errors import KeyStoreRefused

FORMAT = 1
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 1
SALT_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
STORE_KEY_BYTES = 32
_HEADER_CONTENT = b"eseal key store"


class StoreCipher(StrEnum):
    """How the store encrypts; chosen when it is made."""

    AES_256_GCM = "aes-256-gcm"
    SM4_GCM = "sm4-gcm"


_KEY_BYTES = {StoreCipher.AES_256_GCM: 32, StoreCipher.SM4_GCM: 16}


def cannot_open() -> KeyStoreRefused:
    """Return the one error for whatever does not decrypt: no oracle tells why."""
    return KeyStoreRefused("wrong pass-phrase or damaged file", reason="cannot-open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """Encrypted bytes with the salt and nonce they were made with."""

    salt: bytes
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class StoreKey:
    """The key that a pass-phrase and a salt give; it never shows itself."""

    secret: bytes = field(repr=False)
    cipher: StoreCipher

    def encrypt(self, plain: bytes, bound: bytes, randomness: bytes) -> Sealed:
        """Encrypt ``plain`` and bind it to ``bound``; ``randomness`` is fresh, 44 bytes."""
        salt, nonce = randomness[:SALT_BYTES], randomness[SALT_BYTES:]
        key = self._record_key(salt)
        if self.cipher is StoreCipher.AES_256_GCM:
            return Sealed(
                salt=salt, nonce=nonce, ciphertext=AESGCM(key).encrypt(nonce, plain, bound)
            )
        encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(bound)
        body = encryptor.update(plain) + encryptor.finalize()
        return Sealed(salt=salt, nonce=nonce, ciphertext=body + encryptor.tag)

    def decrypt(self, sealed: Sealed, bound: bytes) -> bytes:
        """Decrypt; raise ``KeyStoreRefused`` for anything that was not made with this key."""
        key = self._record_key(sealed.salt)
        try:
            if self.cipher is StoreCipher.AES_256_GCM:
                return AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, bound)
            body, tag = sealed.ciphertext[:-TAG_BYTES], sealed.ciphertext[-TAG_BYTES:]
            decryptor = Cipher(algorithms.SM4(key), modes.GCM(sealed.nonce, tag)).decryptor()
            decryptor.authenticate_additional_data(bound)
            return decryptor.update(body) + decryptor.finalize()
        except (InvalidTag, ValueError):
            raise cannot_open() from None

    def _record_key(self, salt: bytes) -> bytes:
        size = _KEY_BYTES[self.cipher]
        info = b"eseal key record " + self.cipher.encode()
        return HKDF(algorithm=SHA256(), length=size, salt=salt, info=info).derive(self.secret)


def derive_store_key(passphrase: bytes, salt: bytes, cipher: StoreCipher) -> StoreKey:
    """Derive the store's key: about 0.1 s and 32 MiB, on purpose."""
    kdf = Scrypt(salt=salt, length=STORE_KEY_BYTES, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P)
    return StoreKey(kdf.derive(passphrase), cipher)


# The header


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The store's header: its cipher, its salt, and a sealed text that proves the pass-phrase."""

    cipher: StoreCipher
    salt: bytes
    proof: Sealed


def make_header(
    passphrase: bytes, cipher: StoreCipher, randomness: bytes
) -> tuple[Header, StoreKey]:
    """Make the header of a new store; ``randomness`` is fresh, 76 bytes."""
    salt, rest = randomness[:SALT_BYTES], randomness[SALT_BYTES:]
    key = derive_store_key(passphrase, salt, cipher)
    proof = key.encrypt(_HEADER_CONTENT, _header_bound(cipher, salt), rest)
    return Header(cipher=cipher, salt=salt, proof=proof), key


def open_header(header: Header, passphrase: bytes) -> StoreKey:
    """Derive the store's key and prove it; raise ``KeyStoreRefused`` where it is not the one."""
    key = derive_store_key(passphrase, header.salt, header.cipher)
    if key.decrypt(header.proof, _header_bound(header.cipher, header.salt)) != _HEADER_CONTENT:
        raise cannot_open()
    return key


def encode_header(header: Header) -> bytes:
    """Write the header as it stands in the file."""
    return _to_json(
        {
            "format": FORMAT,
            "kdf": "scrypt",
            "n": SCRYPT_N,
            "r": SCRYPT_R,
            "p": SCRYPT_P,
            "cipher": header.cipher.value,
            "store_salt": header.salt.hex(),
            **_sealed_fields(header.proof),
        }
    )


def parse_header(data: bytes) -> Header:
    """Read a header; raise ``KeyStoreRefused`` for other parameters than the pinned ones."""
    fields = _from_json(
        data, {"format", "kdf", "n", "r", "p", "cipher", "store_salt", *_SEALED_FIELDS}
    )
    found = tuple(fields[name] for name in ("format", "kdf", "n", "r", "p"))
    if found != (FORMAT, "scrypt", SCRYPT_N, SCRYPT_R, SCRYPT_P):
        raise KeyStoreRefused("key derivation is not the pinned one", reason="kdf-parameters")
    cipher = fields["cipher"]
    if cipher not in list(StoreCipher):
        raise KeyStoreRefused("unknown cipher", reason="cipher")
    return Header(
        cipher=StoreCipher(str(cipher)),
        salt=_hex(fields["store_salt"], SALT_BYTES, SALT_BYTES),
        proof=_sealed(fields),
    )


def _header_bound(cipher: StoreCipher, salt: bytes) -> bytes:
    fields = [FORMAT, "header", "scrypt", SCRYPT_N, SCRYPT_R, SCRYPT_P, cipher.value, salt.hex()]
    return _to_json(fields)


# The record of one key


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """One key: what may be shown, and the encrypted rest."""

    name: str
    algorithm: KeyAlgorithm
    spki: bytes
    sealed: Sealed


def encode_record(record: KeyRecord) -> bytes:
    """Write a record as it stands in the file."""
    return _to_json(
        {
            "format": FORMAT,
            "name": record.name,
            "algorithm": record.algorithm.value,
            "public_key": record.spki.hex(),
            **_sealed_fields(record.sealed),
        }
    )


def parse_record(data: bytes) -> KeyRecord:
    """Read a record; nothing in it is proven before it decrypts."""
    fields = _from_json(data, {"format", "name", "algorithm", "public_key", *_SEALED_FIELDS})
    if fields["format"] != FORMAT or fields["algorithm"] not in list(KeyAlgorithm):
        raise cannot_open()
    return KeyRecord(
        name=str(fields["name"]),
        algorithm=KeyAlgorithm(str(fields["algorithm"])),
        spki=_hex(fields["public_key"], 1, 4_096),
        sealed=_sealed(fields),
    )


def record_bound(name: str, algorithm: KeyAlgorithm, spki: bytes) -> bytes:
    """Return what a record's ciphertext is bound to: format, name, algorithm, fingerprint."""
    return _to_json([FORMAT, "key", name, algorithm.value, sm3(spki).hex()])


# A service secret


def encode_secret(name: str, sealed: Sealed) -> bytes:
    """Write a service secret as it stands in the file."""
    return _to_json({"format": FORMAT, "name": name, **_sealed_fields(sealed)})


def parse_secret(data: bytes) -> tuple[str, Sealed]:
    """Read the name and the sealed value of a service secret; nothing is proven yet."""
    fields = _from_json(data, {"format", "name", *_SEALED_FIELDS})
    if fields["format"] != FORMAT:
        raise cannot_open()
    return str(fields["name"]), _sealed(fields)


def secret_bound(name: str) -> bytes:
    """Return what a service secret's ciphertext is bound to."""
    return _to_json([FORMAT, "secret", name])


# JSON

_SEALED_FIELDS = ("salt", "nonce", "ciphertext")


def _sealed_fields(sealed: Sealed) -> dict[str, str]:
    values = (sealed.salt, sealed.nonce, sealed.ciphertext)
    return {name: value.hex() for name, value in zip(_SEALED_FIELDS, values, strict=True)}


def _sealed(fields: dict[str, object]) -> Sealed:
    return Sealed(
        salt=_hex(fields["salt"], SALT_BYTES, SALT_BYTES),
        nonce=_hex(fields["nonce"], NONCE_BYTES, NONCE_BYTES),
        ciphertext=_hex(fields["ciphertext"], TAG_BYTES, 16_384),
    )


def _to_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def _from_json(data: bytes, names: set[str]) -> dict[str, object]:
    """Read an object with exactly these members; anything else is a damaged file."""
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        raise cannot_open() from None
    if not isinstance(fields, dict) or set(fields) != names:
        raise cannot_open()
    return fields


def _hex(value: object, at_least: int, at_most: int) -> bytes:
    try:
        found = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        raise cannot_open() from None
    if not at_least <= len(found) <= at_most:
        raise cannot_open()
    return found
