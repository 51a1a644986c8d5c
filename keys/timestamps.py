"""RFC 3161 time stamps: check that a token is about a value; say by whom and when it was made.

The order of checks (RFC 3161, 2.2 and 2.4.2; RFC 5652, 5.6; GB/T 20520):

1. The token is DER, of the right types and versions, with one signer.
2. The imprint is the digest of the value; what the token says is understood.
3. Exactly the certificate that the signed attributes name is used, and it travels in the token.
4. It is for time stamping alone: extended key usage, critical, nothing else in it.
5. content-type and message-digest stand once, and hold.
6. Algorithms agree with each other and with the key; the signature holds.
7. The time lies within the certificate's validity.

SM2 tokens are signed over SM3(Z || attributes) with the default ID. Some programs sign without Z:
read with a notice. The empty ID is never accepted. The authority's chain and revocation are for
the caller, by ``keys.path`` with ``Usage.TIMESTAMP``. Pure.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from keys import der, sm2
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
)
from keys.certificates import Certificate, parse_certificate
from keys.errors import Kind, ServiceError, SignatureMismatch, TimestampRefused
from keys.extensions import OID_EXTENDED_KEY_USAGE, OID_TIME_STAMPING
from keys.notices import Notice
from keys.public_key import verify_signature
from keys.timestamp_messages import (
    Failure,
    Imprint,
    TimestampRequest,
    TSTInfo,
    check_answer,
    encode_failure,
    encode_request,
    encode_response,
    encode_tst_info,
    parse_request,
    parse_response,
    parse_tst_info,
    read_digest_algorithm,
)
from keys.timestamp_tokens import (
    OID_CONTENT_TYPE,
    OID_MESSAGE_DIGEST,
    OID_SIGNING_CERTIFICATE,
    OID_SIGNING_CERTIFICATE_V2,
    OID_TST_INFO,
    Token,
    TokenSigner,
    assemble_token,
    parse_token,
    prepare_token,
)

__all__ = [
    "Failure",
    "Imprint",
    "TSTInfo",
    "TimestampRequest",
    "VerifiedTimestamp",
    "assemble_token",
    "check_answer",
    "encode_failure",
    "encode_request",
    "encode_response",
    "encode_tst_info",
    "parse_request",
    "parse_response",
    "parse_token",
    "parse_tst_info",
    "prepare_token",
    "verify_token",
]

OID_SM2_SIGN = "1.2.156.10197.1.301.1"
_RSA_DIGESTS = {
    OID_RSA_WITH_SHA256: DigestAlgorithm.SHA256,
    OID_RSA_WITH_SHA384: DigestAlgorithm.SHA384,
    OID_RSA_WITH_SHA512: DigestAlgorithm.SHA512,
}
_RSA_OID_BY_DIGEST = {algorithm: oid for oid, algorithm in _RSA_DIGESTS.items()}
REMEMBERED = 64
"""Tokens that held, kept with what they stamp."""
REMEMBERED_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedTimestamp:
    """What a token that holds says. Chain and revocation of its maker are still to be judged."""

    gen_time: datetime
    accuracy: timedelta | None
    certificate: Certificate
    certificates: tuple[bytes, ...]
    """All certificates of the token, DER, for building the chain."""
    serial: int
    policy: str
    nonce: int | None
    notices: tuple[Notice, ...]


def verify_token(token: bytes, signed_value: bytes) -> VerifiedTimestamp:
    """Check a token over ``signed_value``, the very bytes that were stamped.

    Raises ``TimestampRefused`` with a ``reason`` for whatever does not hold (T-SES-31). The answer
    depends on these bytes alone; that of the last tokens that held is kept.
    """
    try:
        if len(token) + len(signed_value) <= REMEMBERED_BYTES:
            return _verify_remembered(token, signed_value)
        return _verify(token, signed_value)
    except TimestampRefused:
        raise
    except ServiceError as error:
        if error.kind is Kind.UNAVAILABLE:
            # An engine at fault says nothing about the token.
            raise
        reason = str(error.params.get("reason", error.code))
        raise TimestampRefused(str(error), reason=reason) from error


def _verify(data: bytes, signed_value: bytes) -> VerifiedTimestamp:
    token = parse_token(data)
    notices = list(token.notices)
    info = parse_tst_info(token.tst_info_der)
    _check_info(info, signed_value)
    attributes = _single_values(token.signer)
    certificate = _find_certificate(token)
    _check_named(attributes, certificate, notices)
    _check_usage(certificate)
    _check_attributes(attributes, token)
    _check_signature(token.signer, certificate, notices)
    if not certificate.not_before <= info.gen_time <= certificate.not_after:
        raise _refused("stamped outside the certificate's validity", "certificate-period")
    notices += _unused_certificates(token, certificate)
    return VerifiedTimestamp(
        gen_time=info.gen_time,
        accuracy=info.accuracy,
        certificate=certificate,
        certificates=token.certificates,
        serial=info.serial,
        policy=info.policy,
        nonce=info.nonce,
        notices=tuple(notices),
    )


# Only what returns is kept: a refusal raises, and is worked out anew each time.
_verify_remembered = lru_cache(maxsize=REMEMBERED)(_verify)


def _refused(detail: str, reason: str) -> TimestampRefused:
    return TimestampRefused(detail, reason=reason)


# 2. What is stated


def _check_info(info: TSTInfo, signed_value: bytes) -> None:
    expected = digest(info.imprint.algorithm, signed_value)
    if not hmac.compare_digest(info.imprint.value, expected):
        raise _refused("the token is over another value", "imprint")
    if info.has_unknown_critical:
        raise _refused("unknown critical extension", "unknown-critical")


# 3. and 4. Whose token it is


def _find_certificate(token: Token) -> Certificate:
    """Find the signer's certificate by issuer and serial number, or by key identifier."""
    signer = token.signer
    for encoded in token.certificates:
        try:
            certificate = parse_certificate(encoded)
        except ServiceError:
            # Another certificate may be of a kind we do not read; it is not the signer's.
            continue
        if signer.subject_key_id is not None:
            if certificate.subject_key_id == signer.subject_key_id:
                return certificate
        elif (certificate.issuer_der, certificate.serial) == (signer.issuer_der, signer.serial):
            return certificate
    raise _refused("the authority's certificate is not in the token", "signer-certificate")


def _check_named(
    attributes: dict[str, bytes], certificate: Certificate, notices: list[Notice]
) -> None:
    """Compare the certificate with the one that the signature covers (RFC 5035, 5.4)."""
    value = attributes.get(OID_SIGNING_CERTIFICATE_V2)
    old = attributes.get(OID_SIGNING_CERTIFICATE)
    if value is not None:
        fields = _first_identifier(value)
        algorithm = DigestAlgorithm.SHA256
        if fields and fields[0].tag == der.SEQUENCE:
            algorithm = read_digest_algorithm(fields.pop(0))
        actual = digest(algorithm, certificate.der)
    elif old is not None:
        fields = _first_identifier(old)
        actual = hashlib.sha1(certificate.der, usedforsecurity=False).digest()
        notices.append(Notice(reason="signing-certificate-weak", subject="signedAttrs"))
    else:
        raise _refused("no certificate is named", "signing-certificate")
    if not fields or not hmac.compare_digest(der.read_octets(fields[0]), actual):
        raise _refused("another certificate is named", "signing-certificate")


def _first_identifier(value: bytes) -> list[der.Node]:
    """Return the fields of the first ESSCertID: it names the signer's certificate."""
    listed = der.read_sequence(der.read_der(value), at_least=1, at_most=2)[0]
    return der.read_sequence(der.read_sequence(listed, at_least=1)[0], at_least=1, at_most=3)


def _check_usage(certificate: Certificate) -> None:
    """Demand the one extended usage, critical (RFC 3161, 2.3)."""
    if certificate.extended_key_usage != frozenset({OID_TIME_STAMPING}):
        raise _refused("not a time-stamp certificate", "key-usage")
    if OID_EXTENDED_KEY_USAGE not in certificate.extensions.critical:
        raise _refused("extended key usage is not critical", "key-usage")


# 5. Signed attributes


def _single_values(signer: TokenSigner) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for oid, values in signer.signed_attributes:
        if oid in found or len(values) != 1:
            raise _refused("attribute repeated", "attribute-repeated")
        found[oid] = values[0]
    return found


def _check_attributes(attributes: dict[str, bytes], token: Token) -> None:
    content_type = attributes.get(OID_CONTENT_TYPE)
    if content_type != der.oid(OID_TST_INFO):
        raise _refused("content type missing or wrong", "content-type")
    value = attributes.get(OID_MESSAGE_DIGEST)
    expected = digest(token.signer.digest_algorithm, token.tst_info_der)
    if value is None or not hmac.compare_digest(der.read_octets(der.read_der(value)), expected):
        raise _refused("message digest missing or wrong", "message-digest")


# 6. The signature


def _check_signature(signer: TokenSigner, certificate: Certificate, notices: list[Notice]) -> None:
    if certificate.public_key.algorithm is KeyAlgorithm.SM2:
        _check_sm2(signer, certificate, notices)
        return
    oid = signer.signature_oid
    if oid == OID_RSA_ENCRYPTION and signer.digest_algorithm in _RSA_OID_BY_DIGEST:
        oid = _RSA_OID_BY_DIGEST[signer.digest_algorithm]
        notices.append(Notice(reason="generic-signature-algorithm", subject="signerInfo"))
    if oid != OID_RSA_PSS and _RSA_DIGESTS.get(oid) is not signer.digest_algorithm:
        raise _refused("algorithms disagree", "algorithm-mismatch")
    verify_signature(
        certificate.public_key,
        signer.signed_raw,
        signer.signature,
        oid,
        signer.signature_parameters,
    )


def _check_sm2(signer: TokenSigner, certificate: Certificate, notices: list[Notice]) -> None:
    point = certificate.public_key.point
    if (
        point is None
        or signer.signature_oid not in (OID_SM2_WITH_SM3, OID_SM2_SIGN)
        or signer.digest_algorithm is not DigestAlgorithm.SM3
        or signer.signature_parameters is not None
    ):
        raise _refused("algorithms disagree", "algorithm-mismatch")
    if signer.signature_oid == OID_SM2_SIGN:
        notices.append(Notice(reason="generic-signature-algorithm", subject="signerInfo"))
    value, remark = sm2.normalise_foreign(signer.signature)
    if remark is not None:
        notices.append(Notice(reason="raw-signature", subject="signerInfo"))
    try:
        sm2.verify(point, signer.signed_raw, value)
    except SignatureMismatch:
        # The PKCS#7 path of OpenSSL signs SM3 of the attributes, without Z.
        sm2.verify_digest(point, digest(DigestAlgorithm.SM3, signer.signed_raw), value)
        notices.append(Notice(reason="sm2-without-z", subject="signerInfo"))


def _unused_certificates(token: Token, certificate: Certificate) -> list[Notice]:
    """Remark certificates that cannot be in the authority's chain: nothing checks their bytes."""
    subjects: dict[bytes, Certificate] = {}
    unread = 0
    for encoded in token.certificates:
        try:
            parsed = parse_certificate(encoded)
        except ServiceError:
            unread += 1
            continue
        if encoded != certificate.der:
            subjects.setdefault(parsed.subject_der, parsed)
    reached = 1
    issuer = certificate.issuer_der
    while issuer in subjects:
        reached += 1
        issuer = subjects.pop(issuer).issuer_der
    if reached == len(token.certificates) and not unread:
        return []
    return [Notice(reason="unused-certificate", subject="certificates")]
