"""E-seals and seal signatures: read, write, and the checks that need nothing but the bytes.

Clauses: GM/T 0031-2014 (v1), GB/T 38540-2020 (v4), GM/T 0031-2025 (v5). Checks raise. Whether a
chain is trusted, a seal in force, a notice acceptable is judged by the verifier, not here.
"""

import hashlib
import hmac

from keys import sm2
from keys.algorithms import DIGEST_BY_OID, OID_SM2_WITH_SM3, DigestAlgorithm, digest
from keys.certificates import Certificate, parse_certificate
from keys.public_key import verify_signature
from seal_service.errors import SignerNotInSeal
from seal_service.formats.notices import Notice
from seal_service.formats.ses_model import (
    CertificateDigest,
    CertificateListType,
    ESeal,
    SealExtension,
    SealPicture,
    SealSignature,
    SESVersion,
)
from seal_service.formats.ses_reading import parse_seal, parse_seal_signature
from seal_service.formats.ses_writing import (
    SealInfo,
    SignedPart,
    TBSSign,
    encode_seal,
    encode_seal_info,
    encode_seal_signature,
    encode_tbs_sign,
)

__all__ = [
    "CertificateDigest",
    "CertificateListType",
    "ESeal",
    "Notice",
    "SESVersion",
    "SealExtension",
    "SealInfo",
    "SealPicture",
    "SealSignature",
    "SignedPart",
    "TBSSign",
    "check_signer_listed",
    "encode_seal",
    "encode_seal_info",
    "encode_seal_signature",
    "encode_tbs_sign",
    "parse_seal",
    "parse_seal_signature",
    "seal_signed_bytes",
    "verify_seal_value",
    "verify_signature_value",
]

_DIGEST_NAMES = {
    "SM3": DigestAlgorithm.SM3,
    "SHA256": DigestAlgorithm.SHA256,
    "SHA-256": DigestAlgorithm.SHA256,
}


def seal_signed_bytes(seal: ESeal) -> bytes:
    """Return what the seal maker signed: original bytes, never a re-encoding."""
    return seal.signed_bytes


def verify_seal_value(seal: ESeal) -> Certificate:
    """Check the maker's signature with the certificate inside the seal; return the certificate.

    Raises ``SignatureMismatch``, ``MalformedSignature``, ``MalformedCertificate``,
    ``InvalidKey``, ``UnsupportedAlgorithm`` or ``WeakAlgorithm``. Trust is another matter.
    """
    certificate = parse_certificate(seal.maker_certificate)
    _verify(certificate, seal.signed_bytes, seal.signed_value, seal.signature_oid)
    return certificate


def verify_signature_value(signature: SealSignature) -> Certificate:
    """Check the holder's signature over TBS_Sign; return the holder's certificate.

    In v4 and v5 the certificate is outside of what is signed, so this check proves something only
    together with ``check_signer_listed``. Raises as ``verify_seal_value`` does.
    """
    certificate = parse_certificate(signature.certificate)
    _verify(certificate, signature.tbs_raw, signature.signature, signature.signature_oid)
    return certificate


def _verify(certificate: Certificate, message: bytes, value: bytes, oid: str) -> None:
    if oid == OID_SM2_WITH_SM3:
        # Some issuers write 64 raw bytes; the reader has left a notice.
        value, _ = sm2.normalise_foreign(value)
    verify_signature(certificate.public_key, message, value, oid)


def check_signer_listed(seal: ESeal, certificate_der: bytes) -> None:
    """Raise ``SignerNotInSeal`` unless the seal names this certificate, byte for byte or by digest.

    SHA-1 entries prove nothing and match nothing.
    """
    if certificate_der in seal.certificates:
        return
    for entry in seal.certificate_digests:
        algorithm = _list_digest(entry.algorithm)
        if algorithm and hmac.compare_digest(digest(algorithm, certificate_der), entry.value):
            return
    raise SignerNotInSeal(
        "the signer's certificate is not in certList",
        certificate_sha256=hashlib.sha256(certificate_der).hexdigest(),
    )


def _list_digest(spelling: str) -> DigestAlgorithm | None:
    """Name the digest of a list entry: producers write names or object identifiers."""
    return _DIGEST_NAMES.get(spelling.strip().upper()) or DIGEST_BY_OID.get(spelling.strip())
