"""Build CMS messages; every default is valid, every keyword is a flaw.

Spelt out apart from the product's writer, so that flaws can be made and the two compared.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from seal_service.formats import asn1
from tests.support.seals import NOW, Party, holder

CONTENT = b"%PDF-1.7 what is signed"
RSA_NAME = "示例签名人"
DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
GM_SIGNED_DATA = "1.2.156.10197.6.1.4.2.2"
SHA256 = "2.16.840.1.101.3.4.2.1"
SHA512 = "2.16.840.1.101.3.4.2.3"
SM3 = "1.2.156.10197.1.401"
RSA_SHA256 = "1.2.840.113549.1.1.11"
SM2_SM3 = "1.2.156.10197.1.501"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"


@cache
def _rsa_key(name: str) -> rsa.RSAPrivateKey:
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def rsa_key_der(name: str = RSA_NAME) -> bytes:
    """Return the private key of a party as PKCS#8."""
    return _rsa_key(name).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@lru_cache(maxsize=4)
def rsa_party(name: str = RSA_NAME) -> Party:
    """Make an RSA party with a self-signed certificate."""
    key = _rsa_key(name)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=365))
        .not_valid_after(NOW + timedelta(days=730))
        .add_extension(x509.SubjectKeyIdentifier(b"key of the test signer"), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Party(
        certificate=certificate.public_bytes(Encoding.DER),
        sign=lambda message: key.sign(message, padding.PKCS1v15(), hashes.SHA256()),
    )


def attribute(oid: str, *values: bytes) -> bytes:
    """Encode an attribute."""
    return asn1.sequence(asn1.oid(oid), asn1.element(asn1.Tag.SET, b"".join(values)))


def algorithm(oid: str) -> bytes:
    """Encode an AlgorithmIdentifier without parameters."""
    return asn1.sequence(asn1.oid(oid))


def signing_certificate(certificate: bytes) -> bytes:
    """Encode the value of signing-certificate-v2 with SHA-256."""
    entry = asn1.sequence(asn1.octet_string(hashlib.sha256(certificate).digest()))
    return asn1.sequence(asn1.sequence(entry))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSpec:
    """What a test message contains; by default RSA, detached, over ``CONTENT``."""

    is_sm2: bool = False
    content: bytes = CONTENT
    outer_type: str = SIGNED_DATA
    inner_type: str = DATA
    inner_content: bytes = b""
    """The whole [0] element."""
    announced_digest: str | None = None
    digest_oid: str | None = None
    signature_oid: str | None = None
    attributes: Callable[[list[bytes]], list[bytes]] = list
    """Changes the list of signed attributes: content type, message digest, certificate."""
    sort: Callable[[list[bytes]], list[bytes]] = sorted
    has_attributes: bool = True
    signed_message: bytes | None = None
    """What is signed when there are no attributes."""
    signer_identifier: bytes | None = None
    signers: int = 1
    certificates: tuple[bytes, ...] | None = None
    party: Party | None = None
    unsigned: bytes = b""
    value: Callable[[bytes], bytes] = bytes


def make_message(spec: MessageSpec | None = None) -> bytes:
    """Build a ContentInfo with SignedData."""
    spec = spec or MessageSpec()
    party = spec.party or (holder() if spec.is_sm2 else rsa_party())
    digest_oid = spec.digest_oid or (SM3 if spec.is_sm2 else SHA256)
    certificates = (party.certificate,) if spec.certificates is None else spec.certificates
    signer = _signer(spec, party, digest_oid)
    signed_data = asn1.sequence(
        asn1.integer(1),
        asn1.set_of([algorithm(spec.announced_digest or digest_oid)]),
        asn1.sequence(asn1.oid(spec.inner_type), spec.inner_content),
        asn1.element(0xA0, b"".join(certificates)),
        asn1.element(asn1.Tag.SET, signer * spec.signers),
    )
    return asn1.sequence(asn1.oid(spec.outer_type), asn1.explicit(0, signed_data))


def _signer(spec: MessageSpec, party: Party, digest_oid: str) -> bytes:
    name = "sm3" if spec.is_sm2 else "sha256"
    entries = [
        attribute(CONTENT_TYPE, asn1.oid(DATA)),
        attribute(MESSAGE_DIGEST, asn1.octet_string(hashlib.new(name, spec.content).digest())),
        attribute(SIGNING_CERTIFICATE_V2, signing_certificate(party.certificate)),
    ]
    signed = asn1.element(asn1.Tag.SET, b"".join(spec.sort(spec.attributes(entries))))
    message = signed if spec.has_attributes else spec.signed_message or spec.content
    return asn1.sequence(
        asn1.integer(1),
        spec.signer_identifier or issuer_and_serial(party.certificate),
        algorithm(digest_oid),
        b"\xa0" + signed[1:] if spec.has_attributes else b"",
        algorithm(spec.signature_oid or (SM2_SM3 if spec.is_sm2 else RSA_SHA256)),
        asn1.octet_string(spec.value(party.sign(message))),
        spec.unsigned,
    )


def issuer_and_serial(certificate: bytes) -> bytes:
    """Encode IssuerAndSerialNumber."""
    parsed = x509.load_der_x509_certificate(certificate)
    return asn1.sequence(parsed.issuer.public_bytes(), asn1.integer(parsed.serial_number))
