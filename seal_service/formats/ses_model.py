"""The parts of an e-seal and of a seal signature, as values.

Three generations share them: GM/T 0031-2014 (v1), GB/T 38540-2020 (v4), GM/T 0031-2025 (v5). The
slices named ``*raw`` are the original bytes; signatures and digests are computed over these only.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from seal_service.formats.notices import Notice


class SESVersion(IntEnum):
    """Generation of the format; the value is the version number that stands in new files."""

    V1 = 1
    V4 = 4
    V5 = 5


class CertificateListType(IntEnum):
    """How a seal names the certificates that may sign with it (v4 and v5)."""

    CERTIFICATES = 1
    DIGESTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPicture:
    """The seal's impression: ``format`` in capitals (PNG, OFD ...), size in whole millimetres."""

    format: str
    data: bytes
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealExtension:
    """A vendor's own data. A critical one that is not understood must be shown and judged."""

    oid: str
    is_critical: bool
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateDigest:
    """Digest of a whole DER certificate, with the algorithm as the seal spells it."""

    algorithm: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ESeal:
    """An e-seal (SESeal) as read."""

    version: SESVersion
    header_version: int
    vendor_id: str
    seal_id: str
    seal_type: int
    name: str
    list_type: CertificateListType
    certificates: tuple[bytes, ...]
    """DER of every certificate that may sign with the seal (list type 1)."""
    certificate_digests: tuple[CertificateDigest, ...]
    created_at: datetime
    valid_from: datetime
    valid_until: datetime
    picture: SealPicture
    extensions: tuple[SealExtension, ...]
    maker_certificate: bytes
    signature_oid: str
    signed_value: bytes
    """Content of the BIT STRING as stored: DER, or 64 raw bytes in some foreign seals."""
    timestamp: bytes | None
    """Time-stamp token over ``signed_value`` (v5 only)."""
    raw: bytes
    info_raw: bytes
    signed_bytes: bytes
    """What the seal maker signed (v1: info, certificate and algorithm; v4, v5: info alone)."""
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealSignature:
    """A seal signature (SES_Signature) as read."""

    version: SESVersion
    seal: ESeal
    signed_at: datetime | None
    """timeInfo. None where it names no zone or, in v1, is a time-stamp token."""
    time_text: str
    time_token: bytes | None
    """v1 only: a time-stamp token in the place of the time."""
    data_hash: bytes
    property_info: str
    extensions: tuple[SealExtension, ...]
    certificate: bytes
    signature_oid: str
    signature: bytes
    """Content of the BIT STRING as stored: DER, or 64 raw bytes in some foreign files."""
    timestamp: bytes | None
    """Time-stamp token over ``signature`` (v4 and v5)."""
    raw: bytes
    tbs_raw: bytes
    notices: tuple[Notice, ...]
    """The seal's notices included."""

    @property
    def eseal_raw(self) -> bytes:
        """The seal inside, byte for byte."""
        return self.seal.raw
