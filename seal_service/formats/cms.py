"""CMS SignedData: write it, read it, and check one signer's signature over given content.

RFC 5652, RFC 5035, ETSI EN 319 142-1 (RSA); GB/T 35275 (SM2 messages in OFD). The order of checks:

1. Exactly one signer, and its certificate is in the message.
2. Digest and signature algorithm agree with each other and with the list in the message.
3. content-type and message-digest stand in the signed attributes once, and hold.
4. signing-certificate names the certificate used; algorithm protection repeats the algorithms.
5. The signature value holds.

Trust in the certificate, time and revocation are judged elsewhere.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from keys import sm2
from keys.algorithms import (
    OID_RSA_ENCRYPTION,
    OID_RSA_PSS,
    OID_RSA_WITH_SHA256,
    OID_RSA_WITH_SHA384,
    OID_RSA_WITH_SHA512,
    OID_SM2_WITH_SM3,
    DigestAlgorithm,
    KeyAlgorithm,
    digest,
    digest_from_oid,
)
from keys.certificates import Certificate, parse_certificate
from keys.public_key import verify_signature
from seal_service.errors import MalformedDocument, SignedContentChanged, SignedDataFault
from seal_service.formats import asn1
from seal_service.formats.asn1 import Tag
from seal_service.formats.cms_model import (
    OID_ALGORITHM_PROTECTION,
    OID_CONTENT_TYPE,
    OID_MESSAGE_DIGEST,
    OID_SIGNATURE_TIMESTAMP,
    OID_SIGNING_CERTIFICATE,
    OID_SIGNING_CERTIFICATE_V2,
    OID_SIGNING_TIME,
    OID_SM2_SIGN,
    OID_SM2_WITH_SM3_MISSPELT,
    Attribute,
    SignedData,
    SignerInfo,
    VerifiedSigner,
)
from seal_service.formats.cms_reading import parse_signed_data
from seal_service.formats.cms_writing import (
    CMSProfile,
    SignerTemplate,
    assemble,
    issuer_and_serial,
    prepare_signer,
    signed_attributes,
)
from seal_service.formats.notices import Notice

__all__ = [
    "CMSProfile",
    "SignedData",
    "SignerTemplate",
    "VerifiedSigner",
    "assemble",
    "parse_signed_data",
    "prepare_signer",
    "signed_attributes",
    "verify_gbt35275_signer",
    "verify_signer",
]

_RSA_SUITES = {
    OID_RSA_WITH_SHA256: DigestAlgorithm.SHA256,
    OID_RSA_WITH_SHA384: DigestAlgorithm.SHA384,
    OID_RSA_WITH_SHA512: DigestAlgorithm.SHA512,
}
_RSA_OID_BY_DIGEST = {algorithm: oid for oid, algorithm in _RSA_SUITES.items()}
_SM2_OIDS = frozenset({OID_SM2_WITH_SM3, OID_SM2_SIGN, OID_SM2_WITH_SM3_MISSPELT})
_SIGNED_ONCE = frozenset(
    {
        OID_CONTENT_TYPE,
        OID_MESSAGE_DIGEST,
        OID_SIGNING_TIME,
        OID_SIGNING_CERTIFICATE,
        OID_SIGNING_CERTIFICATE_V2,
        OID_ALGORITHM_PROTECTION,
    }
)


@dataclass(frozen=True, slots=True)
class _Signer:
    """The one signer with its certificate and algorithms, after checks 1 and 2."""

    info: SignerInfo
    certificate: Certificate
    digest_algorithm: DigestAlgorithm
    verify_oid: str
    attributes: dict[str, bytes]
    """DER of the single value of each known signed attribute."""


def verify_signer(signed_data: SignedData, content: Iterable[bytes]) -> VerifiedSigner:
    """Check the one signer of a message over detached ``content``, given in pieces.

    Raises ``SignedDataFault`` (the message breaks a rule), ``SignedContentChanged`` (another
    content), ``SignatureMismatch``, ``MalformedSignature``, ``WeakAlgorithm``,
    ``UnsupportedAlgorithm``, ``InvalidKey`` or ``MalformedCertificate``.
    """
    signer = _find_signer(signed_data)
    notices = [*signed_data.notices]
    pieces = list(content)
    message = signer.info.signed_attributes_raw
    if message is None:
        message = b"".join(pieces)
        notices.append(Notice(reason="no-signed-attributes", subject="signerInfo"))
        if message[:1] == b"\x31":
            # Else signed attributes could be passed off as content (RFC 5652, 11; RFC 9882).
            raise SignedDataFault("content looks like attributes", reason="no-signed-attributes")
    else:
        _check_message_digest(signer, _digest_pieces(signer.digest_algorithm, pieces))
        _check_content_type(signer, signed_data)
    if signed_data.content is not None and signed_data.content != b"".join(pieces):
        raise SignedContentChanged("the message holds another content", reason="content")
    return _finish(signed_data, signer, message, notices)


def verify_gbt35275_signer(signed_data: SignedData, original: bytes) -> VerifiedSigner:
    """Check the one signer of an OFD signature of type "Sign" over ``original`` (Signature.xml).

    Three forms are met: A, the digest as content without attributes; B, attributes without
    content; C, the digest in base64 as content. A and C leave a notice. Raises as
    ``verify_signer`` does.
    """
    if signed_data.content is None:
        return verify_signer(signed_data, [original])
    signer = _find_signer(signed_data)
    notices = [*signed_data.notices]
    original_digest = digest(signer.digest_algorithm, original)
    _check_digest_content(signed_data.content, original_digest, notices)
    message = signer.info.signed_attributes_raw
    if message is None:
        notices.append(Notice(reason="no-signed-attributes", subject="signerInfo"))
        message = signed_data.content
    else:
        _check_message_digest(signer, digest(signer.digest_algorithm, signed_data.content))
        _check_content_type(signer, signed_data)
    return _finish(signed_data, signer, message, notices)


def _check_digest_content(content: bytes, expected: bytes, notices: list[Notice]) -> None:
    """Compare a digest that travels as content, plain or in base64."""
    if len(content) != len(expected):
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error:
            raise SignedDataFault("content is no digest", reason="content") from None
        notices.append(Notice(reason="content-base64", subject="encapContentInfo"))
    if not hmac.compare_digest(content, expected):
        raise SignedContentChanged("the digest is of another content", reason="content")


# 1. and 2. Who, and by which algorithms


def _find_signer(signed_data: SignedData) -> _Signer:
    if len(signed_data.signers) != 1:
        raise SignedDataFault("one signer is due", reason="signer-count")
    info = signed_data.signers[0]
    certificate = _find_certificate(info, signed_data.certificates)
    if info.digest_oid not in signed_data.digest_oids:
        raise SignedDataFault("digest algorithm is not announced", reason="digest-algorithm")
    algorithm = digest_from_oid(info.digest_oid)
    return _Signer(
        info=info,
        certificate=certificate,
        digest_algorithm=algorithm,
        verify_oid=_verify_oid(info, algorithm, certificate.public_key.algorithm),
        attributes=_single_values(info.signed_attributes or ()),
    )


def _find_certificate(info: SignerInfo, certificates: tuple[bytes, ...]) -> Certificate:
    """Find the signer's certificate by issuer and serial number, or by key identifier."""
    for der in certificates:
        if info.subject_key_id is not None:
            certificate = parse_certificate(der)
            if certificate.subject_key_id == info.subject_key_id:
                return certificate
        elif issuer_and_serial(der) == (info.issuer_der, info.serial_der):
            return parse_certificate(der)
    raise SignedDataFault("the signer's certificate is missing", reason="signer-certificate")


def _verify_oid(info: SignerInfo, algorithm: DigestAlgorithm, key: KeyAlgorithm) -> str:
    """Name the one suite that digest, signature identifier and key agree on (T-PDF-22)."""
    oid = info.signature_oid
    if key is KeyAlgorithm.SM2:
        if oid not in _SM2_OIDS or algorithm is not DigestAlgorithm.SM3:
            raise _algorithm_mismatch()
        return OID_SM2_WITH_SM3
    if oid in _SM2_OIDS or algorithm is DigestAlgorithm.SM3:
        raise _algorithm_mismatch()
    if oid == OID_RSA_ENCRYPTION:
        return _RSA_OID_BY_DIGEST[algorithm]
    if oid in _RSA_SUITES and _RSA_SUITES[oid] is not algorithm:
        raise _algorithm_mismatch()
    return oid


def _algorithm_mismatch() -> SignedDataFault:
    return SignedDataFault("algorithms disagree", reason="algorithm-mismatch")


# 3. and 4. Signed attributes


def _single_values(attributes: tuple[Attribute, ...]) -> dict[str, bytes]:
    """Return the value of each attribute that may stand only once and with one value."""
    found: dict[str, bytes] = {}
    for attribute in attributes:
        if attribute.oid not in _SIGNED_ONCE:
            continue
        if attribute.oid in found or len(attribute.values) != 1:
            raise SignedDataFault("attribute repeated", reason="attribute-repeated")
        found[attribute.oid] = attribute.values[0]
    return found


def _digest_pieces(algorithm: DigestAlgorithm, pieces: Iterable[bytes]) -> bytes:
    running = hashlib.new(algorithm.value)
    for piece in pieces:
        running.update(piece)
    return running.digest()


def _check_message_digest(signer: _Signer, expected: bytes) -> None:
    value = signer.attributes.get(OID_MESSAGE_DIGEST)
    if value is None:
        raise SignedDataFault("no message digest", reason="message-digest-missing")
    if not hmac.compare_digest(asn1.read_octets(asn1.read_der(value)), expected):
        raise SignedContentChanged("message digest differs", reason="message-digest")


def _check_content_type(signer: _Signer, signed_data: SignedData) -> None:
    value = signer.attributes.get(OID_CONTENT_TYPE)
    if value is None or asn1.read_oid(asn1.read_der(value)) != signed_data.content_type:
        raise SignedDataFault("content type missing or wrong", reason="content-type")


def _check_signing_certificate(signer: _Signer, notices: list[Notice]) -> None:
    """Compare the certificate with what the signer said it is (RFC 5035, 5.4)."""
    value = signer.attributes.get(OID_SIGNING_CERTIFICATE_V2)
    old = signer.attributes.get(OID_SIGNING_CERTIFICATE)
    if value is not None:
        named, actual = _named_certificate(value, signer.certificate.der)
    elif old is not None:
        notices.append(Notice(reason="signing-certificate-weak", subject="signedAttrs"))
        named = asn1.read_octets(asn1.read_sequence(_first_identifier(old), at_least=1)[0])
        actual = hashlib.sha1(signer.certificate.der, usedforsecurity=False).digest()
    else:
        notices.append(Notice(reason="signing-certificate-missing", subject="signedAttrs"))
        return
    if not hmac.compare_digest(named, actual):
        raise SignedDataFault("another certificate is named", reason="signing-certificate")


def _first_identifier(value: bytes) -> asn1.Node:
    """Return the first ESSCertID: it names the certificate of the signer."""
    certs = asn1.read_sequence(asn1.read_der(value), at_least=1, at_most=2)[0]
    return asn1.read_sequence(certs, at_least=1)[0]


def _named_certificate(value: bytes, certificate: bytes) -> tuple[bytes, bytes]:
    """Return the digest in signing-certificate-v2 and the certificate's own, same algorithm."""
    fields = list(asn1.read_sequence(_first_identifier(value), at_least=1, at_most=3))
    algorithm = DigestAlgorithm.SHA256
    if fields[0].tag == Tag.SEQUENCE:
        identifier = asn1.read_sequence(fields.pop(0), at_least=1, at_most=2)
        algorithm = digest_from_oid(asn1.read_oid(identifier[0]))
    if not fields:
        raise SignedDataFault("no certificate digest", reason="signing-certificate")
    return asn1.read_octets(fields[0]), digest(algorithm, certificate)


def _check_algorithm_protection(signer: _Signer) -> None:
    """Compare the algorithms with their signed copy, where there is one (RFC 6211)."""
    value = signer.attributes.get(OID_ALGORITHM_PROTECTION)
    if value is None:
        return
    fields = asn1.read_sequence(asn1.read_der(value), at_least=2, at_most=2)
    digest_oid = asn1.read_oid(asn1.read_sequence(fields[0], at_least=1)[0])
    signature_oid = asn1.read_oid(asn1.expect(fields[1], Tag.EXPLICIT_1).children()[0])
    if (digest_oid, signature_oid) != (signer.info.digest_oid, signer.info.signature_oid):
        raise SignedDataFault("algorithm protection differs", reason="algorithm-protection")


# 5. The value


def _finish(
    signed_data: SignedData, signer: _Signer, message: bytes, notices: list[Notice]
) -> VerifiedSigner:
    if signer.info.signed_attributes is not None:
        _check_signing_certificate(signer, notices)
        _check_algorithm_protection(signer)
    _verify_value(signer, message, notices)
    return VerifiedSigner(
        certificate=signer.certificate,
        certificates=signed_data.certificates,
        signing_time=_signing_time(signer, notices),
        timestamp_tokens=tuple(
            value
            for attribute in signer.info.unsigned_attributes
            if attribute.oid == OID_SIGNATURE_TIMESTAMP
            for value in attribute.values
        ),
        signature=signer.info.signature,
        notices=tuple(notices),
    )


def _verify_value(signer: _Signer, message: bytes, notices: list[Notice]) -> None:
    value = signer.info.signature
    parameters: bytes | None = None
    if signer.verify_oid == OID_SM2_WITH_SM3:
        if signer.info.signature_oid == OID_SM2_WITH_SM3_MISSPELT:
            notices.append(Notice(reason="odd-algorithm", subject="signerInfo"))
        value, remark = sm2.normalise_foreign(value)
        if remark is not None:
            notices.append(Notice(reason="raw-signature", subject="signerInfo"))
    elif signer.verify_oid == OID_RSA_PSS:
        parameters = signer.info.signature_parameters
    verify_signature(signer.certificate.public_key, message, value, signer.verify_oid, parameters)


def _signing_time(signer: _Signer, notices: list[Notice]) -> datetime | None:
    value = signer.attributes.get(OID_SIGNING_TIME)
    if value is None:
        return None
    node = asn1.read_der(value)
    try:
        time = asn1.read_time(node, canonical_tag=node.tag)
    except MalformedDocument:
        notices.append(Notice(reason="odd-time", subject="signingTime"))
        return None
    if not time.is_canonical:
        notices.append(Notice(reason="odd-time", subject="signingTime"))
    return time.at
