"""Write SignedData: RSA for PAdES, SM2 under the identifiers of RFC 5652 or of GB/T 35275.

1. ``prepare_signer`` encodes once what depends on the certificate alone.
2. ``signed_attributes`` gives the bytes to sign: the DER SET OF under tag 31 (RFC 5652, 5.4).
3. The signature is made elsewhere, by whoever holds the key.
4. ``assemble`` puts message, signature and time-stamp token together.

Attributes: content-type, message-digest, signing-certificate-v2; signing-time only when asked for
(PAdES forbids it, ETSI EN 319 142-1, 6.3). GB/T 35275 messages take form B: attributes and no
content, which deployed readers accept.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keys.algorithms import (
    OID_BY_DIGEST,
    OID_RSA_WITH_SHA256,
    OID_SM2_WITH_SM3,
    DigestAlgorithm,
    digest,
)
from seal_service.errors import MalformedDocument
from seal_service.formats import asn1
from seal_service.formats.asn1 import Tag
from seal_service.formats.cms_model import (
    OID_CONTENT_TYPE,
    OID_DATA,
    OID_GM_SIGNED_DATA,
    OID_MESSAGE_DIGEST,
    OID_SIGNATURE_TIMESTAMP,
    OID_SIGNED_DATA,
    OID_SIGNING_CERTIFICATE_V2,
    OID_SIGNING_TIME,
)


class CMSProfile(StrEnum):
    """Algorithms and content types of a message."""

    RSA = "rsa"
    """RSA PKCS#1 v1.5 with SHA-256 (PAdES)."""
    SM2 = "sm2"
    """SM2 with SM3 under the content types of RFC 5652."""
    GBT_35275 = "gbt-35275"
    """SM2 with SM3 under the content types of GB/T 35275."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerTemplate:
    """All parts that are the same for every message of one signer, already encoded."""

    digest_algorithm: DigestAlgorithm
    signed_data_type: bytes
    head: bytes
    """Version, digest algorithms, content info, certificates."""
    signer_head: bytes
    """Version, issuer and serial, digest algorithm."""
    signature_algorithm: bytes
    content_type_attribute: bytes
    certificate_attribute: bytes


def prepare_signer(
    certificate: bytes, *, chain: tuple[bytes, ...] = (), profile: CMSProfile = CMSProfile.RSA
) -> SignerTemplate:
    """Encode what depends on the signer alone; keep the result, it serves any number of messages.

    ``certificate`` and ``chain`` are DER; the chain goes along for readers that build paths.
    """
    is_rsa = profile is CMSProfile.RSA
    algorithm = DigestAlgorithm.SHA256 if is_rsa else DigestAlgorithm.SM3
    digest_identifier = asn1.sequence(asn1.oid(OID_BY_DIGEST[algorithm]))
    content = asn1.sequence(asn1.oid(OID_DATA))
    certificates = asn1.element(Tag.EXPLICIT_0, b"".join(sorted({certificate, *chain})))
    issuer, serial = issuer_and_serial(certificate)
    return SignerTemplate(
        digest_algorithm=algorithm,
        signed_data_type=asn1.oid(
            OID_GM_SIGNED_DATA if profile is CMSProfile.GBT_35275 else OID_SIGNED_DATA
        ),
        head=asn1.integer(1) + asn1.set_of([digest_identifier]) + content + certificates,
        signer_head=asn1.integer(1) + asn1.sequence(issuer, serial) + digest_identifier,
        signature_algorithm=(
            asn1.sequence(asn1.oid(OID_RSA_WITH_SHA256), asn1.null())
            if is_rsa
            else asn1.sequence(asn1.oid(OID_SM2_WITH_SM3))
        ),
        content_type_attribute=_attribute(OID_CONTENT_TYPE, asn1.oid(OID_DATA)),
        certificate_attribute=_certificate_attribute(certificate, algorithm),
    )


def issuer_and_serial(certificate: bytes) -> tuple[bytes, bytes]:
    """Return the DER of issuer and serial number as they stand in a certificate."""
    tbs = asn1.read_sequence(asn1.read_der(certificate), at_least=3, at_most=3)[0]
    fields = asn1.read_sequence(tbs, at_least=6)
    first = 1 if fields[0].tag == Tag.EXPLICIT_0 else 0
    serial = asn1.expect(fields[first], Tag.INTEGER)
    issuer = asn1.expect(fields[first + 2], Tag.SEQUENCE)
    return issuer.raw, serial.raw


def signed_attributes(
    template: SignerTemplate, content_digest: bytes, *, signing_time: datetime | None = None
) -> bytes:
    """Return the attributes as the SET OF that must be signed.

    ``content_digest`` is made with ``template.digest_algorithm``. Time that is not backed by a
    time stamp is left out unless given.
    """
    if len(content_digest) != 32:
        raise MalformedDocument("not a digest of this profile", reason="message-digest")
    attributes = [
        template.content_type_attribute,
        _attribute(OID_MESSAGE_DIGEST, asn1.octet_string(content_digest)),
        template.certificate_attribute,
    ]
    if signing_time is not None:
        attributes.append(_attribute(OID_SIGNING_TIME, asn1.utc_time(signing_time)))
    return asn1.set_of(attributes)


def assemble(
    template: SignerTemplate,
    attributes: bytes,
    signature: bytes,
    *,
    timestamp_token: bytes | None = None,
) -> bytes:
    """Return the whole message (ContentInfo).

    ``attributes`` is what ``signed_attributes`` returned, ``signature`` what was made over it,
    ``timestamp_token`` an RFC 3161 token over ``signature``.
    """
    unsigned = b""
    if timestamp_token is not None:
        unsigned = asn1.element(
            Tag.EXPLICIT_1, _attribute(OID_SIGNATURE_TIMESTAMP, timestamp_token)
        )
    signer = asn1.sequence(
        template.signer_head,
        bytes((Tag.EXPLICIT_0,)) + attributes[1:],
        template.signature_algorithm,
        asn1.octet_string(signature),
        unsigned,
    )
    signed_data = asn1.sequence(template.head, asn1.element(Tag.SET, signer))
    return asn1.sequence(template.signed_data_type, asn1.explicit(0, signed_data))


def _attribute(oid: str, value: bytes) -> bytes:
    return asn1.sequence(asn1.oid(oid), asn1.element(Tag.SET, value))


def _certificate_attribute(certificate: bytes, algorithm: DigestAlgorithm) -> bytes:
    """Encode signing-certificate-v2 (RFC 5035, 4): SHA-256 is the default and so left out."""
    identifier = b""
    if algorithm is not DigestAlgorithm.SHA256:
        identifier = asn1.sequence(asn1.oid(OID_BY_DIGEST[algorithm]))
    entry = asn1.sequence(identifier, asn1.octet_string(digest(algorithm, certificate)))
    return _attribute(OID_SIGNING_CERTIFICATE_V2, asn1.sequence(asn1.sequence(entry)))
