"""The parts of a CMS SignedData message, and the object identifiers they use.

RFC 5652 (CMS), RFC 5035 (signing certificate), RFC 3161 (time stamp), RFC 6211 (algorithm
protection); GB/T 35275 has the same structure under its own content types.
"""

from dataclasses import dataclass
from datetime import datetime

from keys.certificates import Certificate
from seal_service.formats.notices import Notice

OID_DATA = "1.2.840.113549.1.7.1"
OID_SIGNED_DATA = "1.2.840.113549.1.7.2"
OID_GM_DATA = "1.2.156.10197.6.1.4.2.1"
OID_GM_SIGNED_DATA = "1.2.156.10197.6.1.4.2.2"

OID_CONTENT_TYPE = "1.2.840.113549.1.9.3"
OID_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
OID_SIGNING_TIME = "1.2.840.113549.1.9.5"
OID_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
OID_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
OID_SIGNATURE_TIMESTAMP = "1.2.840.113549.1.9.16.2.14"
OID_ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"

OID_SM2_SIGN = "1.2.156.10197.1.301.1"
"""SM2 signature, as GB/T 35275 messages name it; the digest stands beside it."""
OID_SM2_WITH_SM3_MISSPELT = "1.2.156.10197.501"
"""A spelling that a common library once wrote; read with a notice, never written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute with the DER of each of its values."""

    oid: str
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerInfo:
    """One signer: who, by which algorithms, over which attributes."""

    issuer_der: bytes | None
    serial_der: bytes | None
    subject_key_id: bytes | None
    """Instead of issuer and serial (SignerInfo version 3)."""
    digest_oid: str
    signature_oid: str
    signature_parameters: bytes | None
    """DER of the AlgorithmIdentifier's parameters, where present."""
    signature: bytes
    signed_attributes: tuple[Attribute, ...] | None
    signed_attributes_raw: bytes | None
    """The SET OF as it was signed: the original bytes under tag 31 (RFC 5652, 5.4)."""
    unsigned_attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedData:
    """A SignedData message as read; nothing is verified yet."""

    is_gbt35275: bool
    """Under the content type of GB/T 35275 and not that of RFC 5652."""
    digest_oids: tuple[str, ...]
    content_type: str
    content: bytes | None
    """The signed content where it travels inside; None where it is detached."""
    certificates: tuple[bytes, ...]
    signers: tuple[SignerInfo, ...]
    raw: bytes
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSigner:
    """What a signature that holds says. Chain, time and revocation are still to be judged."""

    certificate: Certificate
    certificates: tuple[bytes, ...]
    """All certificates of the message, for building the chain."""
    signing_time: datetime | None
    """What the signer claims; no evidence."""
    timestamp_tokens: tuple[bytes, ...]
    """Unsigned time-stamp tokens over ``signature``; more than one is for the caller to judge."""
    signature: bytes
    notices: tuple[Notice, ...]
