"""Private keys in memory: made, taken over from other programs, and able to sign.

Only the key store holds these. Neither a key's text form nor an error shows the secret.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from keys import der, rsa, sm2
from keys.algorithms import (
    OID_EC_PUBLIC_KEY,
    OID_RSA_ENCRYPTION,
    OID_SM2_CURVE,
    KeyAlgorithm,
)
from keys.errors import InvalidKey, MalformedCertificate
from keys.public_key import PublicKey, parse_public_key

RSA_BITS = 3072
"""Size of every RSA key we make; 2048 is still read."""
SCALAR_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    """A private key that signs; ``secret`` is what the key store encrypts."""

    public_key: PublicKey
    sign: Callable[[bytes], bytes] = field(repr=False)
    secret: bytes = field(repr=False)


def generate(algorithm: KeyAlgorithm) -> PrivateKey:
    """Make a key from the system's random source: SM2, or RSA of 3072 bits."""
    if algorithm is KeyAlgorithm.SM2:
        return _sm2_key(sm2.generate_scalar())
    return _rsa_key(rsa.generate(RSA_BITS))


def load_private_key(algorithm: KeyAlgorithm, secret: bytes) -> PrivateKey:
    """Load a key: an SM2 scalar of 32 bytes, or PKCS#8 in DER for either algorithm.

    Raises ``InvalidKey`` for anything that is not a key of this algorithm.
    """
    if algorithm is KeyAlgorithm.SM2:
        return _sm2_key(secret if len(secret) == SCALAR_BYTES else _scalar(secret))
    return _rsa_key(secret)


def sm2_public_key(point: bytes) -> PublicKey:
    """Return the public key at ``point`` (04 || X || Y)."""
    return parse_public_key(sm2_spki(point))


def sm2_spki(point: bytes) -> bytes:
    """Encode SubjectPublicKeyInfo of an SM2 key, 91 bytes."""
    algorithm = der.sequence(der.oid(OID_EC_PUBLIC_KEY), der.oid(OID_SM2_CURVE))
    return der.sequence(algorithm, der.bit_string(point))


def _sm2_key(scalar: bytes) -> PrivateKey:
    signer = sm2.SM2Signer(scalar)
    return PrivateKey(public_key=sm2_public_key(signer.point), sign=signer.sign, secret=scalar)


def _rsa_key(pkcs8: bytes) -> PrivateKey:
    signer = rsa.RSASigner(pkcs8)
    return PrivateKey(public_key=parse_public_key(_rsa_spki(pkcs8)), sign=signer.sign, secret=pkcs8)


def _rsa_spki(pkcs8: bytes) -> bytes:
    """Put the public numbers of an RSAPrivateKey (RFC 8017, A.1.2) into SubjectPublicKeyInfo."""
    numbers = der.read_sequence(der.read(_inner_key(pkcs8, OID_RSA_ENCRYPTION)), 9)
    public = der.sequence(*(der.expect(number, der.INTEGER).raw for number in numbers[1:3]))
    algorithm = der.sequence(der.oid(OID_RSA_ENCRYPTION), der.NULL_DER)
    return der.sequence(algorithm, der.bit_string(public))


def _scalar(pkcs8: bytes) -> bytes:
    """Return d of an ECPrivateKey (RFC 5915) inside PKCS#8."""
    inner = _inner_key(pkcs8, OID_EC_PUBLIC_KEY)
    try:
        scalar = der.read_octets(der.read_sequence(der.read(inner), 2)[1])
    except MalformedCertificate:
        raise InvalidKey("not an EC private key", reason="private-key") from None
    if len(scalar) != SCALAR_BYTES:
        raise InvalidKey("not a key of the SM2 curve", reason="private-key")
    return scalar


def _inner_key(pkcs8: bytes, expected: str) -> bytes:
    """Return the key inside PrivateKeyInfo (RFC 5958) if its algorithm is the one expected."""
    try:
        fields = der.read_sequence(der.read(pkcs8), 3)
        algorithm = der.read_sequence(fields[1], 1, 2)
        key = der.read_octets(fields[2])
        found = der.read_oid(algorithm[0])
        is_sm2_curve = len(algorithm) == 2 and algorithm[1].raw == der.oid(OID_SM2_CURVE)
    except MalformedCertificate:
        raise InvalidKey("not PKCS#8", reason="private-key") from None
    if found != expected or (expected == OID_EC_PUBLIC_KEY and not is_sm2_curve):
        raise InvalidKey("a key of another algorithm", reason="private-key")
    return key
