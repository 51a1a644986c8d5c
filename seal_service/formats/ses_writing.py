"""Write e-seals and seal signatures: GB/T 38540-2020 (v4) and GM/T 0031-2025 (v5).

Two steps each, because a signature stands between them: encode what is signed, sign it elsewhere,
put value and certificate beside it. Times are UTC with Z and whole seconds; strings, defaults and
signature values are strict DER, so that what we write gives our own reader nothing to remark.
"""

from dataclasses import dataclass
from datetime import datetime

from keys.algorithms import OID_SM2_WITH_SM3
from seal_service.errors import MalformedDocument
from seal_service.formats import asn1
from seal_service.formats.ses_model import (
    CertificateListType,
    SealExtension,
    SealPicture,
    SESVersion,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealInfo:
    """What a seal maker signs (SES_SealInfo)."""

    seal_id: str
    name: str
    picture: SealPicture
    seal_type: int
    certificates: tuple[bytes, ...]
    """DER of every certificate that may sign with the seal."""
    created_at: datetime
    valid_from: datetime
    valid_until: datetime
    vendor_id: str
    version: SESVersion = SESVersion.V4
    extensions: tuple[SealExtension, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TBSSign:
    """What a seal holder signs (TBS_Sign)."""

    eseal_der: bytes
    signed_at: datetime
    data_hash: bytes
    """SM3 of what is sealed: 32 bytes."""
    property_info: str
    """Where it is: in OFD the absolute path of Signature.xml."""
    version: SESVersion = SESVersion.V4
    extensions: tuple[SealExtension, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPart:
    """Certificate, algorithm and value that follow the signed bytes."""

    certificate: bytes
    value: bytes
    """DER of r and s."""
    signature_oid: str = OID_SM2_WITH_SM3
    timestamp: bytes | None = None
    """Time-stamp token over ``value``; in a seal only v5 has room for it."""


def encode_seal_info(info: SealInfo) -> bytes:
    """Encode SES_SealInfo: exactly these bytes are to be signed by the seal maker."""
    _refuse_v1(info.version)
    header = asn1.sequence(asn1.ia5("ES"), asn1.integer(info.version), asn1.ia5(info.vendor_id))
    picture = asn1.sequence(
        asn1.ia5(info.picture.format),
        asn1.octet_string(info.picture.data),
        asn1.integer(info.picture.width_mm),
        asn1.integer(info.picture.height_mm),
    )
    return asn1.sequence(
        header,
        asn1.ia5(info.seal_id),
        _encode_property(info),
        picture,
        _encode_extensions(info.extensions),
    )


def encode_seal(
    info_der: bytes, maker: SignedPart, *, version: SESVersion = SESVersion.V4
) -> bytes:
    """Put the maker's signature beside the info."""
    _refuse_v1(version)
    if maker.timestamp is not None and version is SESVersion.V4:
        raise MalformedDocument("a v4 seal has no time stamp", reason="version")
    return asn1.sequence(info_der, _encode_signed_part(maker))


def encode_tbs_sign(tbs: TBSSign) -> bytes:
    """Encode TBS_Sign: exactly these bytes are to be signed by the seal holder."""
    _refuse_v1(tbs.version)
    if len(tbs.data_hash) != 32:
        raise MalformedDocument("a data hash is 32 bytes", reason="data-hash")
    extensions = _encode_extensions(tbs.extensions)
    return asn1.sequence(
        asn1.integer(tbs.version),
        tbs.eseal_der,
        asn1.generalized_time(tbs.signed_at),
        asn1.bit_string(tbs.data_hash),
        asn1.ia5(tbs.property_info),
        asn1.explicit(0, extensions) if extensions else b"",
    )


def encode_seal_signature(tbs_der: bytes, signer: SignedPart) -> bytes:
    """Put the holder's signature, and a time stamp if there is one, beside TBS_Sign."""
    return asn1.sequence(tbs_der, _encode_signed_part(signer))


def _refuse_v1(version: SESVersion) -> None:
    if version is SESVersion.V1:
        raise MalformedDocument("v1 is read, not written", reason="version")


def _encode_property(info: SealInfo) -> bytes:
    return asn1.sequence(
        asn1.integer(info.seal_type),
        asn1.utf8(info.name),
        asn1.integer(CertificateListType.CERTIFICATES),
        asn1.sequence(*(asn1.octet_string(certificate) for certificate in info.certificates)),
        asn1.generalized_time(info.created_at),
        asn1.generalized_time(info.valid_from),
        asn1.generalized_time(info.valid_until),
    )


def _encode_extensions(extensions: tuple[SealExtension, ...]) -> bytes:
    """Encode extDatas without a tag; nothing where there are none."""
    if not extensions:
        return b""
    return asn1.sequence(
        *(
            asn1.sequence(
                asn1.oid(extension.oid),
                asn1.boolean(True) if extension.is_critical else b"",
                asn1.octet_string(extension.value),
            )
            for extension in extensions
        )
    )


def _encode_signed_part(part: SignedPart) -> bytes:
    """Encode certificate, algorithm, value and time stamp as neighbours, without a wrapper."""
    encoded = (
        asn1.octet_string(part.certificate)
        + asn1.oid(part.signature_oid)
        + asn1.bit_string(part.value)
    )
    if part.timestamp is not None:
        encoded += asn1.explicit(0, asn1.bit_string(part.timestamp))
    return encoded
