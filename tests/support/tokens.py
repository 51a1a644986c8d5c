"""Build time-stamp tokens; every default is what our authority writes, every keyword is a flaw."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest

from keys import der
from keys.algorithms import DigestAlgorithm, KeyAlgorithm, digest
from keys.certificates import Certificate
from keys.errors import TimestampRefused
from keys.timestamp_messages import (
    Imprint,
    TSTInfo,
    encode_digest_algorithm,
    encode_tst_info,
)
from keys.timestamp_tokens import (
    OID_CONTENT_TYPE,
    OID_MESSAGE_DIGEST,
    OID_SIGNING_CERTIFICATE_V2,
    OID_SIGNING_TIME,
    OID_TST_INFO,
)
from keys.timestamps import verify_token
from keys.tsa import TEST_POLICY, TSA
from keys.x509_building import signature_algorithm
from tests.support.pki import NOW, SM2, FixedClock, leaf_key, shared_pki

VALUE = b"signature value that is stamped"
BOTH = pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
NONCE = 0x1234567890ABCDEF
SHA1_OID = "1.3.14.3.2.26"


def authority(algorithm: KeyAlgorithm = SM2, at: datetime = NOW) -> TSA:
    return shared_pki().pki.tsa(algorithm, FixedClock(at))


def imprint_of(value: bytes = VALUE, algorithm: DigestAlgorithm = DigestAlgorithm.SM3) -> Imprint:
    return Imprint(algorithm=algorithm, value=digest(algorithm, value))


def attribute(oid: str, *values: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.set_of(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSpec:
    """What a test token contains; spelt out apart from the product's writer, so that it can lie."""

    algorithm: KeyAlgorithm = SM2
    info: TSTInfo | None = None
    info_der: bytes | None = None
    certificate: Certificate | None = None
    embedded: tuple[bytes, ...] | None = None
    outer_type: str = "1.2.840.113549.1.7.2"
    inner_type: str = OID_TST_INFO
    version: int = 3
    signer_version: int = 1
    identifier: bytes | None = None
    digest_oids: tuple[bytes, ...] | None = None
    attributes: Callable[[list[bytes]], list[bytes]] = list
    sort: Callable[[list[bytes]], list[bytes]] = sorted
    signature_oid: bytes | None = None
    sign: Callable[[bytes], bytes] | None = None
    unsigned: bytes = b""
    crls: bytes = b""
    signers: int = 1


def make_token(spec: TokenSpec | None = None) -> bytes:
    """Build a token; every default is what our authority writes."""
    spec = spec or TokenSpec()
    pki = shared_pki()
    certificate = spec.certificate or pki.pki.certificate(f"{spec.algorithm}-tsa")
    name = f"{spec.algorithm}-tsa" if spec.certificate is None else leaf_key(spec.algorithm)
    hashing = DigestAlgorithm.SM3 if spec.algorithm is SM2 else DigestAlgorithm.SHA256
    info = spec.info_der or encode_tst_info(
        spec.info
        or TSTInfo(policy=TEST_POLICY, imprint=imprint_of(), serial=7, gen_time=NOW, nonce=NONCE)
    )
    entry = der.sequence(
        encode_digest_algorithm(hashing) if hashing is DigestAlgorithm.SM3 else b"",
        der.octet_string(digest(hashing, certificate.der)),
    )
    entries = [
        attribute(OID_CONTENT_TYPE, der.oid(OID_TST_INFO)),
        attribute(OID_SIGNING_TIME, der.time(NOW)),
        attribute(OID_MESSAGE_DIGEST, der.octet_string(digest(hashing, info))),
        attribute(OID_SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(entry))),
    ]
    attributes = der.element(der.SET, *spec.sort(spec.attributes(entries)))
    signer = der.sequence(
        der.integer(spec.signer_version),
        spec.identifier or der.sequence(certificate.issuer_der, der.integer(certificate.serial)),
        encode_digest_algorithm(hashing),
        b"\xa0" + attributes[1:],
        spec.signature_oid or signature_algorithm(spec.algorithm),
        der.octet_string((spec.sign or pki.sign_as(name))(attributes)),
        spec.unsigned,
    )
    embedded = (certificate.der,) if spec.embedded is None else spec.embedded
    signed_data = der.sequence(
        der.integer(spec.version),
        der.element(der.SET, *(spec.digest_oids or (encode_digest_algorithm(hashing),))),
        der.sequence(der.oid(spec.inner_type), der.explicit(0, der.octet_string(info))),
        der.element(0xA0, *embedded) if embedded else b"",
        spec.crls,
        der.element(der.SET, *(signer,) * spec.signers),
    )
    return der.sequence(der.oid(spec.outer_type), der.explicit(0, signed_data))


def refusal(token: bytes, value: bytes = VALUE) -> object:
    with pytest.raises(TimestampRefused) as caught:
        verify_token(token, value)
    return caught.value.params["reason"]


def remarks(spec: TokenSpec) -> list[str]:
    return [notice.reason for notice in verify_token(make_token(spec), VALUE).notices]


def failure_of(answer: bytes) -> frozenset[int]:
    """Return the failure bits of an answer that rejects."""
    status = der.read_sequence(der.read_sequence(der.read_der(answer))[0])
    assert der.read_integer(status[0]) == 2
    return der.read_bit_flags(status[1])
