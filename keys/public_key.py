"""Public keys of certificates, and the one place where a signature is checked by its OID.

The closed list: SM2 with SM3 under an SM2 key; SHA-256, SHA-384 or SHA-512 with RSA, PKCS#1 v1.5 or
PSS, under an RSA key of 2048 bits or more. Everything else is refused (G-2, G-5).
"""

from dataclasses import dataclass
from functools import lru_cache

from keys import der, rsa, sm2
from keys.algorithms import (
    OID_EC_PUBLIC_KEY,
    OID_RSA_ENCRYPTION,
    OID_RSA_PSS,
    OID_RSA_WITH_SHA256,
    OID_RSA_WITH_SHA384,
    OID_RSA_WITH_SHA512,
    OID_SM2_CURVE,
    OID_SM2_WITH_SM3,
    DigestAlgorithm,
    KeyAlgorithm,
    digest_from_oid,
)
from keys.errors import (
    InvalidKey,
    MalformedCertificate,
    UnsupportedAlgorithm,
    WeakAlgorithm,
)

OID_MGF1 = "1.2.840.113549.1.1.8"
OID_SHA1 = "1.3.14.3.2.26"
WEAK_SIGNATURE_OIDS = {
    "1.2.840.113549.1.1.2": "MD2 with RSA",
    "1.2.840.113549.1.1.3": "MD4 with RSA",
    "1.2.840.113549.1.1.4": "MD5 with RSA",
    "1.2.840.113549.1.1.5": "SHA-1 with RSA",
    "1.2.840.113549.1.1.14": "SHA-224 with RSA",
    "1.3.14.3.2.29": "SHA-1 with RSA",
    "1.2.156.10197.1.502": "SHA-1 with SM2",
    "1.2.840.10045.4.1": "SHA-1 with ECDSA",
}
"""Named only so that they can be called weak (T-SES-11)."""

_RSA_DIGESTS = {
    OID_RSA_WITH_SHA256: DigestAlgorithm.SHA256,
    OID_RSA_WITH_SHA384: DigestAlgorithm.SHA384,
    OID_RSA_WITH_SHA512: DigestAlgorithm.SHA512,
}
_NO_PARAMETERS = (None, der.null())
_MAX_MODULUS_BYTES = rsa.MAX_BITS // 8 + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key as a certificate carries it."""

    algorithm: KeyAlgorithm
    spki: bytes
    """SubjectPublicKeyInfo, the original bytes."""
    point: bytes | None
    """04 || X || Y of an SM2 key, on the curve."""
    bits: int
    weakness: str | None = None
    """Why the key proves nothing (RSA below 2048 bits, exponent 1, even modulus), if so."""


@lru_cache(maxsize=1024)
def parse_public_key(spki: bytes) -> PublicKey:
    """Read a SubjectPublicKeyInfo.

    Raises ``MalformedCertificate``, ``InvalidKey`` (off the curve, compressed, out of range) or
    ``UnsupportedAlgorithm`` (another curve or algorithm). A weak RSA key is read and called weak.
    """
    algorithm, bits = der.read_sequence(der.read_der(spki), at_least=2, at_most=2)
    identifier = der.read_sequence(algorithm, at_least=1, at_most=2)
    oid = der.read_oid(identifier[0])
    if oid == OID_RSA_ENCRYPTION:
        if len(identifier) == 2:
            der.expect(identifier[1], der.NULL)
        return _read_rsa(spki, der.read_bits(bits))
    if oid != OID_EC_PUBLIC_KEY:
        raise UnsupportedAlgorithm(oid, algorithm=oid)
    # Explicit curve parameters and other curves under this OID are refused alike (T-PKI-07).
    curve = identifier[1] if len(identifier) == 2 else None
    if curve is None or curve.tag != der.OID or der.read_oid(curve) != OID_SM2_CURVE:
        raise UnsupportedAlgorithm("not the SM2 curve", algorithm="ec")
    point = der.read_bits(bits)
    sm2.check_point(point)
    return PublicKey(algorithm=KeyAlgorithm.SM2, spki=spki, point=point, bits=256)


def _read_rsa(spki: bytes, key: bytes) -> PublicKey:
    modulus_node, exponent_node = der.read_sequence(der.read_der(key), at_least=2, at_most=2)
    modulus = der.read_integer(modulus_node, max_bytes=_MAX_MODULUS_BYTES)
    exponent = der.read_integer(exponent_node, max_bytes=_MAX_MODULUS_BYTES)
    if modulus <= 0 or exponent <= 0:
        raise InvalidKey("RSA numbers are positive", reason="range")
    if modulus.bit_length() > rsa.MAX_BITS:
        raise InvalidKey("RSA key too long", reason="size")
    return PublicKey(
        algorithm=KeyAlgorithm.RSA,
        spki=spki,
        point=None,
        bits=modulus.bit_length(),
        weakness=rsa.find_weakness(modulus, exponent),
    )


def verify_signature(
    public_key: PublicKey,
    message: bytes,
    signature: bytes,
    oid: str,
    parameters: bytes | None = None,
) -> None:
    """Check ``signature`` over ``message`` by the algorithm ``oid`` names.

    ``parameters`` is the DER of the AlgorithmIdentifier's parameters, where present. Raises
    ``SignatureMismatch``, ``MalformedSignature``, ``InvalidKey``, ``WeakAlgorithm`` or
    ``UnsupportedAlgorithm``; also where algorithm and key do not belong together (T-SES-17).
    """
    if oid in WEAK_SIGNATURE_OIDS:
        raise WeakAlgorithm(oid, algorithm=WEAK_SIGNATURE_OIDS[oid])
    if public_key.weakness is not None:
        raise WeakAlgorithm(public_key.weakness, algorithm=public_key.weakness)
    if oid == OID_RSA_PSS and public_key.algorithm is KeyAlgorithm.RSA:
        algorithm, salt_size = _read_pss(parameters)
        rsa.verify_pss(public_key.spki, message, signature, algorithm, salt_size)
        return
    if parameters not in _NO_PARAMETERS:
        raise UnsupportedAlgorithm("parameters are not allowed", algorithm=oid)
    if public_key.point is not None and oid == OID_SM2_WITH_SM3:
        sm2.verify(public_key.point, message, signature)
    elif public_key.algorithm is KeyAlgorithm.RSA and oid in _RSA_DIGESTS:
        rsa.verify(public_key.spki, message, signature, _RSA_DIGESTS[oid])
    else:
        raise UnsupportedAlgorithm(f"{oid} under this key", algorithm=oid)


def _read_pss(parameters: bytes | None) -> tuple[DigestAlgorithm, int]:
    """Return digest and salt size of RSASSA-PSS-params (RFC 4055, 3.1).

    Every default there is SHA-1, so what is left out is refused as weak by ``digest_from_oid``.
    """
    try:
        fields = {
            node.tag: der.read_explicit(node)
            for node in der.read_sequence(der.read_der(parameters or b""), at_most=4)
        }
        hash_oid = _first_oid(fields[0xA0]) if 0xA0 in fields else OID_SHA1
        mask_oid = OID_SHA1
        if 0xA1 in fields:
            mask = der.read_sequence(fields[0xA1], at_least=2, at_most=2)
            if der.read_oid(mask[0]) != OID_MGF1:
                raise UnsupportedAlgorithm("mask generation", algorithm="RSA-PSS")
            mask_oid = _first_oid(mask[1])
        salt_size = der.read_integer(fields[0xA2], max_bytes=2) if 0xA2 in fields else 20
        trailer = der.read_integer(fields[0xA3], max_bytes=2) if 0xA3 in fields else 1
    except MalformedCertificate as error:
        raise UnsupportedAlgorithm("PSS parameters", algorithm="RSA-PSS") from error
    algorithm = digest_from_oid(hash_oid)
    if digest_from_oid(mask_oid) is not algorithm or trailer != 1:
        raise UnsupportedAlgorithm("PSS parameters", algorithm="RSA-PSS")
    return algorithm, salt_size


def _first_oid(identifier: der.Node) -> str:
    return der.read_oid(der.read_sequence(identifier, at_least=1, at_most=2)[0])
