"""The closed list of algorithms: digests, signature suites, and their object identifiers.

Identifiers: GB/T 33560 (SM2, SM3), RFC 8017 and RFC 5754 (RSA, SHA-2). Anything not named here is
unsupported; MD5, SHA-1 and SHA-224 are named only so that they can be called weak.
"""

import hashlib
from enum import StrEnum
from functools import lru_cache

from keys.errors import UnsupportedAlgorithm, WeakAlgorithm

OID_SM2_CURVE = "1.2.156.10197.1.301"
OID_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
OID_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
OID_SM3 = "1.2.156.10197.1.401"
OID_SM2_WITH_SM3 = "1.2.156.10197.1.501"
OID_RSA_WITH_SHA256 = "1.2.840.113549.1.1.11"
OID_RSA_WITH_SHA384 = "1.2.840.113549.1.1.12"
OID_RSA_WITH_SHA512 = "1.2.840.113549.1.1.13"
OID_RSA_PSS = "1.2.840.113549.1.1.10"


class KeyAlgorithm(StrEnum):
    """What kind of key it is."""

    SM2 = "sm2"
    RSA = "rsa"


class SignatureSuite(StrEnum):
    """What this service signs with: key algorithm and digest together."""

    SM2_SM3 = "sm2-sm3"
    RSA_SHA256 = "rsa-sha256"


class DigestAlgorithm(StrEnum):
    """Digests that may prove something."""

    SM3 = "sm3"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


DIGEST_BY_OID = {
    OID_SM3: DigestAlgorithm.SM3,
    "1.2.156.10197.1.401.1": DigestAlgorithm.SM3,
    "2.16.840.1.101.3.4.2.1": DigestAlgorithm.SHA256,
    "2.16.840.1.101.3.4.2.2": DigestAlgorithm.SHA384,
    "2.16.840.1.101.3.4.2.3": DigestAlgorithm.SHA512,
}
OID_BY_DIGEST = {
    DigestAlgorithm.SM3: OID_SM3,
    DigestAlgorithm.SHA256: "2.16.840.1.101.3.4.2.1",
    DigestAlgorithm.SHA384: "2.16.840.1.101.3.4.2.2",
    DigestAlgorithm.SHA512: "2.16.840.1.101.3.4.2.3",
}
WEAK_DIGEST_OIDS = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
DIGEST_SIZE = {
    DigestAlgorithm.SM3: 32,
    DigestAlgorithm.SHA256: 32,
    DigestAlgorithm.SHA384: 48,
    DigestAlgorithm.SHA512: 64,
}


def digest(algorithm: DigestAlgorithm, data: bytes | memoryview) -> bytes:
    """Return the digest of ``data``."""
    return hashlib.new(algorithm.value, data).digest()


def sm3(data: bytes | memoryview) -> bytes:
    """Return the 32-byte SM3 digest of ``data`` (GB/T 32905)."""
    return hashlib.new("sm3", data).digest()


@lru_cache(maxsize=8)
def file_digest(data: bytes) -> bytes:
    """Return the SM3 digest of a whole file; those of the last few files are kept.

    One file is named by its digest in several places while it is made, judged and stored.
    """
    return sm3(data)


def digest_from_oid(oid: str) -> DigestAlgorithm:
    """Name the digest an object identifier stands for.

    Raises ``WeakAlgorithm`` for a digest that is known and too weak, ``UnsupportedAlgorithm`` for
    any other that is not on the list.
    """
    if oid in WEAK_DIGEST_OIDS:
        raise WeakAlgorithm(oid, algorithm=WEAK_DIGEST_OIDS[oid])
    try:
        return DIGEST_BY_OID[oid]
    except KeyError:
        raise UnsupportedAlgorithm(oid, algorithm=oid) from None
