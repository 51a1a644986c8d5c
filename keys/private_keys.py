"""Private keys in memory: made, taken over from other programs, and able to sign.

Only the key store holds these. Neither a key's text form nor an error shows the secret.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from keys import der, rsa, sm2
from keys.algorithms import (
    OID_EC_PUBLIC_KEY,
    OID_SM2_CURVE,
    KeyAlgorithm,
)
from keys.errors import InvalidKey, MalformedCertificate
from keys.public_key import PublicKey, parse_public_key

RSA_BITS = 3072
"""Size of every RSA key we make; 2048 is still read."""
SCALAR_BYTES = 32
_SM2_ALGORITHM = der.sequence(der.oid(OID_EC_PUBLIC_KEY), der.oid(OID_SM2_CURVE))


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
    return der.sequence(_SM2_ALGORITHM, der.bit_string(point))


def _sm2_key(scalar: bytes) -> PrivateKey:
    signer = sm2.SM2Signer(scalar)
    return PrivateKey(public_key=sm2_public_key(signer.point), sign=signer.sign, secret=scalar)


def _rsa_key(pkcs8: bytes) -> PrivateKey:
    signer = rsa.RSASigner(pkcs8)
    return PrivateKey(public_key=parse_public_key(signer.spki), sign=signer.sign, secret=pkcs8)


def _scalar(pkcs8: bytes) -> bytes:
    """Return d of an ECPrivateKey (RFC 5915) inside PrivateKeyInfo (RFC 5958)."""
    try:
        fields = der.read_sequence(der.read_der(pkcs8), at_least=3)
        algorithm = der.expect(fields[1], der.SEQUENCE).raw
        key = der.read_sequence(der.read_der(der.read_octets(fields[2])), at_least=2)
        scalar = der.read_octets(key[1])
    except MalformedCertificate:
        raise InvalidKey("not PKCS#8", reason="private-key") from None
    if algorithm != _SM2_ALGORITHM:
        raise InvalidKey("not a key of the SM2 curve", reason="private-key")
    return scalar
