"""Certificate requests, PKCS#10 (RFC 2986): encode and read.

Signed in two steps as certificates are: ``encode_request_tbs`` gives the bytes, ``assemble_signed``
puts the signature beside them. The signature proves that whoever asks has the key.
"""

import base64
from dataclasses import dataclass

from keys import der
from keys.errors import MalformedCertificate
from keys.extensions import OID_KEY_USAGE
from keys.names import Name, parse_name
from keys.profiles import Profile
from keys.public_key import PublicKey, parse_public_key, verify_signature
from keys.x509_building import Subject, encode_name, extension
from keys.x509_reading import read_algorithm

OID_EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
MAX_REQUEST_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """What is asked of an authority; the signature over it held."""

    subject_der: bytes
    subject: Name
    public_key: PublicKey


def encode_request_tbs(subject: Subject, spki: bytes, profile: Profile) -> bytes:
    """Encode CertificationRequestInfo; the wanted key usage is named as an extension."""
    usage = extension(OID_KEY_USAGE, der.bit_flags(profile.key_usage_bits), is_critical=True)
    wanted = der.sequence(der.oid(OID_EXTENSION_REQUEST), der.set_of([der.sequence(usage)]))
    return der.sequence(
        der.integer(0), encode_name(subject), spki, der.element(0xA0, der.set_of([wanted])[2:])
    )


def parse_certificate_request(data: bytes) -> CertificateRequest:
    """Read a request in DER and check its signature.

    Raises ``MalformedCertificate``, ``SignatureMismatch`` or what the key is refused for.
    """
    if len(data) > MAX_REQUEST_BYTES:
        raise der.malformed("limit")
    tbs, algorithm, value = der.read_sequence(der.read_der(data), at_least=3, at_most=3)
    fields = der.read_sequence(tbs, at_least=3, at_most=4)
    if der.read_integer(der.expect(fields[0], der.INTEGER)) != 0:
        raise MalformedCertificate("unknown version", reason="version")
    public_key = parse_public_key(fields[2].raw)
    oid, parameters = read_algorithm(algorithm)
    verify_signature(public_key, tbs.raw, der.read_bits(value), oid, parameters)
    return CertificateRequest(
        subject_der=fields[1].raw, subject=parse_name(fields[1].raw), public_key=public_key
    )


def encode_request_pem(request: bytes) -> str:
    """Return a request as PEM (RFC 7468, 7)."""
    text = base64.b64encode(request).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    label = "CERTIFICATE REQUEST"
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
