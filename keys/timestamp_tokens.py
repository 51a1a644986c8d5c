"""Time-stamp tokens as CMS SignedData over TSTInfo: write in two steps, read (RFC 3161, RFC 5816).

1. ``prepare_token`` gives the signed attributes: the DER SET OF under tag 31 (RFC 5652, 5.4).
2. The signature over them is made elsewhere: SM2 with SM3 and the default ID, or RSA with SHA-256.
3. ``assemble_token`` puts everything together.

Attributes: content-type, signing-time, message-digest, signing-certificate-v2 (RFC 5035).
"""

from dataclasses import dataclass
from datetime import datetime

from keys import der
from keys.algorithms import DigestAlgorithm, KeyAlgorithm, digest
from keys.certificates import Certificate
from keys.der import Node
from keys.notices import Notice
from keys.timestamp_messages import (
    MAX_MESSAGE_BYTES,
    encode_digest_algorithm,
    read_digest_algorithm,
)
from keys.x509_building import signature_algorithm

OID_SIGNED_DATA = "1.2.840.113549.1.7.2"
OID_TST_INFO = "1.2.840.113549.1.9.16.1.4"
OID_CONTENT_TYPE = "1.2.840.113549.1.9.3"
OID_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
OID_SIGNING_TIME = "1.2.840.113549.1.9.5"
OID_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
OID_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"

MAX_CERTIFICATES = 32
TOKEN_DIGEST = {
    KeyAlgorithm.SM2: DigestAlgorithm.SM3,
    KeyAlgorithm.RSA: DigestAlgorithm.SHA256,
}
"""What our authorities hash with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSigner:
    """The one signer of a token, as read."""

    issuer_der: bytes | None
    serial: int | None
    subject_key_id: bytes | None
    """Instead of issuer and serial number (SignerInfo version 3)."""
    digest_algorithm: DigestAlgorithm
    signed_attributes: tuple[tuple[str, tuple[bytes, ...]], ...]
    """Identifier and DER of the values of each attribute."""
    signed_raw: bytes
    """The SET OF as it was signed: the original bytes under tag 31."""
    signature_oid: str
    signature_parameters: bytes | None
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as read; nothing is verified yet."""

    tst_info_der: bytes
    certificates: tuple[bytes, ...]
    signer: TokenSigner
    notices: tuple[Notice, ...]


# Writing


def prepare_token(certificate: Certificate, tst_info_der: bytes, signing_time: datetime) -> bytes:
    """Return the signed attributes as the SET OF that must be signed."""
    algorithm = TOKEN_DIGEST[certificate.public_key.algorithm]
    return der.set_of(
        (
            _attribute(OID_CONTENT_TYPE, der.oid(OID_TST_INFO)),
            _attribute(OID_SIGNING_TIME, der.time(signing_time)),
            _attribute(OID_MESSAGE_DIGEST, der.octet_string(digest(algorithm, tst_info_der))),
            _attribute(OID_SIGNING_CERTIFICATE_V2, _signing_certificate(certificate, algorithm)),
        )
    )


def assemble_token(
    certificate: Certificate,
    tst_info_der: bytes,
    attributes: bytes,
    signature: bytes,
    *,
    embedded: tuple[bytes, ...],
) -> bytes:
    """Return the token; ``embedded`` are the certificates that travel in it."""
    algorithm = certificate.public_key.algorithm
    digest_algorithm = encode_digest_algorithm(TOKEN_DIGEST[algorithm])
    signer = der.sequence(
        der.integer(1),
        der.sequence(certificate.issuer_der, der.integer(certificate.serial)),
        digest_algorithm,
        b"\xa0" + attributes[1:],
        signature_algorithm(algorithm),
        der.octet_string(signature),
    )
    content = der.sequence(der.oid(OID_TST_INFO), der.explicit(0, der.octet_string(tst_info_der)))
    signed_data = der.sequence(
        der.integer(3),
        der.set_of((digest_algorithm,)),
        content,
        der.element(0xA0, *sorted(set(embedded))) if embedded else b"",
        der.set_of((signer,)),
    )
    return der.sequence(der.oid(OID_SIGNED_DATA), der.explicit(0, signed_data))


def _attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.set_of((value,)))


def _signing_certificate(certificate: Certificate, algorithm: DigestAlgorithm) -> bytes:
    """Encode SigningCertificateV2; SHA-256 is the default and so left out (RFC 5035, 4)."""
    identifier = b""
    if algorithm is not DigestAlgorithm.SHA256:
        identifier = encode_digest_algorithm(algorithm)
    entry = der.sequence(identifier, der.octet_string(digest(algorithm, certificate.der)))
    return der.sequence(der.sequence(entry))


# Reading


def parse_token(data: bytes) -> Token:
    """Read a token in DER; version numbers must be the ones RFC 5652 demands here.

    Raises ``MalformedCertificate``, ``WeakAlgorithm`` or ``UnsupportedAlgorithm``.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise der.malformed("limit")
    outer_type, wrapped = der.read_sequence(der.read_der(data), at_least=2, at_most=2)
    if der.read_oid(outer_type) != OID_SIGNED_DATA:
        raise der.malformed("content-type", outer_type.start)
    signed_data = der.read_explicit(der.expect(wrapped, 0xA0))
    fields = der.read_sequence(signed_data, at_least=4, at_most=6)
    _check_number(fields[0], 3)
    notices: list[Notice] = []
    certificates = _read_certificates(fields[3:-1], notices)
    signers = der.expect(fields[-1], der.SET).children()
    if len(signers) != 1:
        raise der.malformed("signer-count", fields[-1].start)
    signer = _read_signer(signers[0], notices)
    announced = [read_digest_algorithm(node) for node in der.expect(fields[1], der.SET).children()]
    if signer.digest_algorithm not in announced:
        raise der.malformed("digest-algorithm", fields[1].start)
    if len(announced) > 1:
        notices.append(Notice(reason="extra-digest-algorithm", subject="digestAlgorithms"))
    return Token(
        tst_info_der=_read_content(fields[2]),
        certificates=certificates,
        signer=signer,
        notices=tuple(notices),
    )


def _check_number(field: Node, due: int) -> None:
    if der.read_integer(der.expect(field, der.INTEGER)) != due:
        raise der.malformed("version", field.start)


def _read_content(field: Node) -> bytes:
    content_type, content = der.read_sequence(field, at_least=2, at_most=2)
    if der.read_oid(content_type) != OID_TST_INFO:
        raise der.malformed("content-type", content_type.start)
    return der.read_octets(der.read_explicit(der.expect(content, 0xA0)))


def _read_certificates(nodes: list[Node], notices: list[Notice]) -> tuple[bytes, ...]:
    """Read certificates [0]; revocation lists [1] and other kinds are remarked and not used."""
    tags = [node.tag for node in nodes]
    if tags != sorted(set(tags)) or not set(tags) <= {0xA0, 0xA1}:
        raise der.malformed("signed-data")
    if 0xA1 in tags:
        notices.append(Notice(reason="unused-revocation-data", subject="crls"))
    children = nodes[0].children() if 0xA0 in tags else []
    if len(children) > MAX_CERTIFICATES:
        raise der.malformed("limit")
    found = tuple(child.raw for child in children if child.tag == der.SEQUENCE)
    if len(set(found)) != len(children):
        notices.append(Notice(reason="odd-certificate", subject="certificates"))
    return found


def _read_signer(node: Node, notices: list[Notice]) -> TokenSigner:
    fields = der.read_sequence(node, at_least=6, at_most=7)
    version, identifier, digest_field, attributes, algorithm, value = fields[:6]
    issuer, serial, key_id = _read_identifier(identifier)
    _check_number(version, 1 if key_id is None else 3)
    children = der.expect(attributes, 0xA0).children()
    if not der.is_sorted_set(children):
        notices.append(Notice(reason="unsorted-set", subject="signedAttrs"))
    if len(fields) == 7:
        der.expect(fields[6], 0xA1)
        notices.append(Notice(reason="unsigned-attributes", subject="signerInfo"))
    identifiers = der.read_sequence(algorithm, at_least=1, at_most=2)
    has_parameters = len(identifiers) == 2 and identifiers[1].raw != der.null()
    return TokenSigner(
        issuer_der=issuer,
        serial=serial,
        subject_key_id=key_id,
        digest_algorithm=read_digest_algorithm(digest_field),
        signed_attributes=tuple(map(_read_attribute, children)),
        signed_raw=bytes((der.SET,)) + attributes.raw[1:],
        signature_oid=der.read_oid(identifiers[0]),
        signature_parameters=identifiers[1].raw if has_parameters else None,
        signature=der.read_octets(value),
    )


def _read_identifier(field: Node) -> tuple[bytes | None, int | None, bytes | None]:
    if field.tag == 0x80:
        return None, None, field.content
    issuer, serial = der.read_sequence(field, at_least=2, at_most=2)
    return der.expect(issuer, der.SEQUENCE).raw, der.read_integer(serial), None


def _read_attribute(node: Node) -> tuple[str, tuple[bytes, ...]]:
    oid, values = der.read_sequence(node, at_least=2, at_most=2)
    return der.read_oid(oid), tuple(value.raw for value in der.expect(values, der.SET).children())
