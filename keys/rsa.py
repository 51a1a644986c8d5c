"""RSA signatures: PKCS#1 v1.5 with SHA-256 made, PKCS#1 v1.5 and PSS with SHA-2 checked.

RFC 8017. Padding is built and compared by the library, never parsed here (T-SES-18). Sizes: 2048
bits is the least that proves anything, 3072 what is made anew.
"""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm as LibraryUnsupported
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from keys.algorithms import DIGEST_SIZE, DigestAlgorithm
from keys.errors import InvalidKey, SignatureMismatch, UnsupportedAlgorithm, WeakAlgorithm

MIN_BITS = 2048
NEW_KEY_BITS = 3072
MAX_BITS = 8192
"""Beyond it a single check takes so long that it would be an attack."""

REMEMBERED = 256
"""Signatures that held, kept with key, message and value: what is sealed here is checked when it
is made, when the document is read back, and when it is released, with the same tokens and seals.
"""
REMEMBERED_BYTES = 16 * 1024
"""Longer messages are not kept: attributes, seals and tokens are shorter."""

_HASHES: dict[DigestAlgorithm, hashes.HashAlgorithm] = {
    DigestAlgorithm.SHA256: hashes.SHA256(),
    DigestAlgorithm.SHA384: hashes.SHA384(),
    DigestAlgorithm.SHA512: hashes.SHA512(),
}


def find_weakness(modulus: int, exponent: int) -> str | None:
    """Say why a public key proves nothing (T-PKI-06), or return None."""
    if modulus.bit_length() < MIN_BITS:
        return f"RSA {modulus.bit_length()}"
    if modulus % 2 == 0:
        return "RSA even modulus"
    if exponent < 3 or exponent % 2 == 0 or exponent >= modulus:
        return "RSA exponent"
    return None


def generate(bits: int = NEW_KEY_BITS) -> bytes:
    """Return a new private key as PKCS#8 DER; raise ``WeakAlgorithm`` below 2048 bits."""
    if not MIN_BITS <= bits <= MAX_BITS:
        raise WeakAlgorithm("RSA size out of range", algorithm=f"RSA {bits}")
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


class RSASigner:
    """Signs with one private key: PKCS#1 v1.5, SHA-256. May be shared between threads."""

    __slots__ = ("_key", "spki")

    def __init__(self, pkcs8_der: bytes) -> None:
        """Load and check the key; raise ``InvalidKey`` or ``WeakAlgorithm``."""
        try:
            key = serialization.load_der_private_key(pkcs8_der, None)
        except (ValueError, TypeError, LibraryUnsupported) as error:
            raise InvalidKey("no RSA private key in PKCS#8", reason="form") from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise InvalidKey("no RSA private key", reason="form")
        numbers = key.public_key().public_numbers()
        weakness = find_weakness(numbers.n, numbers.e)
        if weakness:
            raise WeakAlgorithm(weakness, algorithm=weakness)
        self._key = key
        self.spki = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        """The public key as SubjectPublicKeyInfo."""

    def __repr__(self) -> str:
        return f"RSASigner({self._key.key_size} bits)"

    def sign(self, message: bytes) -> bytes:
        """Return a signature over ``message``, verified before it leaves (T-KEY-10).

        A fault in the arithmetic with the CRT would give the key away; then ``SignatureMismatch``
        is raised and nothing leaves.
        """
        signature = self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        verify(self.spki, message, signature, DigestAlgorithm.SHA256)
        return signature


def verify(spki: bytes, message: bytes, signature: bytes, algorithm: DigestAlgorithm) -> None:
    """Check a PKCS#1 v1.5 signature; raise ``SignatureMismatch`` or ``InvalidKey``."""
    if len(message) <= REMEMBERED_BYTES:
        _verify_remembered(spki, message, signature, algorithm)
    else:
        _verify(spki, message, signature, padding.PKCS1v15(), algorithm)


@lru_cache(maxsize=REMEMBERED)
def _verify_remembered(
    spki: bytes, message: bytes, signature: bytes, algorithm: DigestAlgorithm
) -> None:
    """Check once: what returns is kept, a refusal raises and is worked out anew each time."""
    _verify(spki, message, signature, padding.PKCS1v15(), algorithm)


def verify_pss(
    spki: bytes, message: bytes, signature: bytes, algorithm: DigestAlgorithm, salt_size: int
) -> None:
    """Check a PSS signature with MGF1 of the same digest and a salt of ``salt_size`` bytes."""
    if algorithm not in DIGEST_SIZE or not 0 <= salt_size <= 2 * DIGEST_SIZE[algorithm]:
        raise UnsupportedAlgorithm("PSS salt size", algorithm="RSA-PSS")
    scheme = padding.PSS(padding.MGF1(_hash(algorithm)), salt_size)
    _verify(spki, message, signature, scheme, algorithm)


def _verify(
    spki: bytes,
    message: bytes,
    signature: bytes,
    scheme: padding.PKCS1v15 | padding.PSS,
    algorithm: DigestAlgorithm,
) -> None:
    try:
        _public_key(spki).verify(signature, message, scheme, _hash(algorithm))
    except InvalidSignature:
        raise SignatureMismatch("RSA signature does not verify") from None
    except (ValueError, LibraryUnsupported) as error:
        raise InvalidKey("the key does not verify anything", reason="refused") from error


def _hash(algorithm: DigestAlgorithm) -> hashes.HashAlgorithm:
    try:
        return _HASHES[algorithm]
    except KeyError:
        raise UnsupportedAlgorithm("RSA goes with SHA-2", algorithm=algorithm.value) from None


@lru_cache(maxsize=256)
def _public_key(spki: bytes) -> rsa.RSAPublicKey:
    try:
        key = serialization.load_der_public_key(spki)
    except (ValueError, LibraryUnsupported) as error:
        raise InvalidKey("the library refuses the RSA key", reason="refused") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise InvalidKey("no RSA key", reason="form")
    return key
