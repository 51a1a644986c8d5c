"""Read e-seals and seal signatures of all three generations.

GM/T 0031-2014 (v1), GB/T 38540-2020 (v4), GM/T 0031-2025 (v5). The version is decided by
header.version and by the shape, and both must agree. Deviations that real issuers are known for
are read and remarked as notices; whether a notice is acceptable is the caller's decision: none is
in a document that claims to be ours. Anything else raises ``MalformedDocument``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats import asn1
from seal_service.formats.asn1 import Node, Tag
from seal_service.formats.asn1_time import TimeValue, parse_compact_time
from seal_service.formats.limits import DEFAULT_LIMITS
from seal_service.formats.ses_model import (
    CertificateDigest,
    CertificateListType,
    ESeal,
    SealExtension,
    SealPicture,
    SealSignature,
    SESVersion,
)
from seal_service.formats.ses_parts import (
    NoticeList,
    decode_text,
    malformed,
    read_extensions,
    read_signed_value,
    read_text,
    read_timestamp,
)

MAX_CERTIFICATES = 200
"""Signers one seal may name; real seals name one to a handful."""
MAX_SIDE_MM = 1_000


def parse_seal(data: bytes) -> ESeal:
    """Read an SESeal from its DER encoding, which must fill ``data``.

    Raises ``MalformedDocument``; its ``reason`` is ``version`` where version and shape disagree.
    """
    return _read_seal(asn1.read_der(data))


def parse_seal_signature(data: bytes) -> SealSignature:
    """Read an SES_Signature from its DER encoding, which must fill ``data``.

    Raises ``MalformedDocument`` as ``parse_seal`` does. No signature is checked here.
    """
    outer = asn1.read_der(data)
    parts = asn1.read_sequence(outer, at_least=2, at_most=5)
    if len(parts) == 2:
        return _read_signature_v1(outer, parts)
    if len(parts) == 3:
        raise malformed("version", "SES_Signature")
    return _read_signature_v4(outer, parts)


# The seal signature


def _read_signature_v1(outer: Node, parts: Sequence[Node]) -> SealSignature:
    to_sign, value = parts
    fields = asn1.read_sequence(to_sign, at_least=7, at_most=7)
    notices = NoticeList()
    seal = _read_seal(fields[1])
    if seal.version is not SESVersion.V1:
        raise malformed("version", "SES_Signature")
    _check_tbs_version(fields[0], seal)
    signed_at, text, token = _read_time_v1(_bits(fields[2], "timeInfo"), notices)
    certificate, oid = asn1.read_octets(fields[5]), asn1.read_oid(fields[6])
    signature = read_signed_value(value, notices, "signature")
    return SealSignature(
        version=SESVersion.V1,
        seal=seal,
        signed_at=signed_at,
        time_text=text,
        time_token=token,
        data_hash=_read_data_hash(fields[3], (20, 32), notices),
        property_info=read_text(fields[4], notices, "propertyInfo"),
        extensions=(),
        certificate=certificate,
        signature_oid=oid,
        signature=signature,
        timestamp=None,
        raw=outer.raw,
        tbs_raw=to_sign.raw,
        notices=(*seal.notices, *notices.found),
    )


def _read_signature_v4(outer: Node, parts: Sequence[Node]) -> SealSignature:
    to_sign = parts[0]
    fields = asn1.read_sequence(to_sign, at_least=5, at_most=6)
    notices = NoticeList()
    seal = _read_seal(fields[1])
    if seal.version is SESVersion.V1:
        raise malformed("version", "SES_Signature")
    _check_tbs_version(fields[0], seal)
    signed_at, text = _read_time_v4(fields[2], notices)
    return SealSignature(
        version=seal.version,
        seal=seal,
        signed_at=signed_at,
        time_text=text,
        time_token=None,
        data_hash=_read_data_hash(fields[3], (32,), notices),
        property_info=read_text(fields[4], notices, "propertyInfo"),
        extensions=_read_tagged_extensions(fields[5:], notices),
        certificate=asn1.read_octets(parts[1]),
        signature_oid=asn1.read_oid(parts[2]),
        signature=read_signed_value(parts[3], notices, "signature"),
        timestamp=read_timestamp(parts[4:]),
        raw=outer.raw,
        tbs_raw=to_sign.raw,
        notices=(*seal.notices, *notices.found),
    )


def _check_tbs_version(node: Node, seal: ESeal) -> None:
    if asn1.read_small_integer(node) != seal.header_version:
        raise malformed("version", "TBS_Sign")


def _read_time_v4(node: Node, notices: NoticeList) -> tuple[datetime | None, str]:
    value = asn1.read_time(node, canonical_tag=Tag.GENERALIZED_TIME)
    if value.at is None:
        notices.add("time-without-zone", "timeInfo", value.text)
    elif not value.is_canonical:
        notices.add("odd-time", "timeInfo", value.text)
    return value.at, value.text


def _read_time_v1(content: bytes, notices: NoticeList) -> tuple[datetime | None, str, bytes | None]:
    """Read v1's timeInfo: a time-stamp token, a UTCTime, or plain text as vendors write it."""
    if content[:1] == b"\x30":
        return None, "", content
    if content[:1] in (b"\x17", b"\x18"):
        value = asn1.read_time(asn1.read_der(content), canonical_tag=Tag.UTC_TIME)
    else:
        text = decode_text(content, "timeInfo", notices)
        parsed = _parse_plain_time(text)
        if parsed is None:
            raise malformed("time", "timeInfo")
        value = parsed._replace(is_canonical=False)
    if value.at is None:
        notices.add("time-without-zone", "timeInfo", value.text)
    elif not value.is_canonical:
        notices.add("odd-time", "timeInfo", value.text)
    return value.at, value.text, None


def _parse_plain_time(text: str) -> TimeValue | None:
    """Read "2020-01-25T07:31:56.377Z", "2020-01-25 07:31:56" and the compact forms."""
    if len(text) >= 19 and (text[4], text[7], text[13], text[16]) == ("-", "-", ":", ":"):
        if text[10] not in "T ":
            return None
        digits = text[:4] + text[5:7] + text[8:10] + text[11:13] + text[14:16] + text[17:19]
        value = parse_compact_time(digits + text[19:], 4)
        return value and value._replace(text=text)
    return parse_compact_time(text, 4) or parse_compact_time(text, 2)


def _read_data_hash(node: Node, sizes: tuple[int, ...], notices: NoticeList) -> bytes:
    content = _bits(node, "data-hash")
    if len(content) not in sizes:
        raise malformed("data-hash", "dataHash")
    if len(content) == 20:
        notices.add("weak-digest", "dataHash", "sha1")
    return content


def _bits(node: Node, reason: str) -> bytes:
    try:
        return asn1.read_bits(node)
    except MalformedDocument:
        raise malformed(reason, "TBS_Sign") from None


def _read_tagged_extensions(rest: Sequence[Node], notices: NoticeList) -> tuple[SealExtension, ...]:
    """Read TBS_Sign's extDatas [0] EXPLICIT; a missing tag is remarked."""
    if not rest:
        return ()
    if rest[0].tag == Tag.SEQUENCE:
        notices.add("extensions-not-tagged", "TBS_Sign")
        return read_extensions(rest[0], notices, "TBS_Sign")
    tagged = asn1.read_explicit(asn1.expect(rest[0], Tag.EXPLICIT_0))
    return read_extensions(tagged, notices, "TBS_Sign")


# The seal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    version: int
    vendor_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Property:
    seal_type: int
    name: str
    list_type: CertificateListType
    certificates: tuple[bytes, ...]
    digests: tuple[CertificateDigest, ...]
    created_at: datetime
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    certificate: bytes
    signature_oid: str
    signed_value: bytes
    timestamp: bytes | None
    signed_bytes: bytes


def _read_seal(outer: Node) -> ESeal:
    parts = asn1.read_sequence(outer, at_least=2, at_most=5)
    info = parts[0]
    fields = asn1.read_sequence(info, at_least=4, at_most=5)
    notices = NoticeList()
    header = _read_header(fields[0], notices)
    version = _decide_version(header.version, len(parts), notices)
    read_maker = _read_maker_v1 if version is SESVersion.V1 else _read_maker_v4
    maker = read_maker(info, parts, notices)
    seal_id = read_text(fields[1], notices, "esID")
    properties = _read_property(fields[2], version, notices)
    picture = _read_picture(fields[3], notices)
    extensions = _read_info_extensions(fields[4:], notices)
    return ESeal(
        version=version,
        header_version=header.version,
        vendor_id=header.vendor_id,
        seal_id=seal_id,
        seal_type=properties.seal_type,
        name=properties.name,
        list_type=properties.list_type,
        certificates=properties.certificates,
        certificate_digests=properties.digests,
        created_at=properties.created_at,
        valid_from=properties.valid_from,
        valid_until=properties.valid_until,
        picture=picture,
        extensions=extensions,
        maker_certificate=maker.certificate,
        signature_oid=maker.signature_oid,
        signed_value=maker.signed_value,
        timestamp=maker.timestamp,
        raw=outer.raw,
        info_raw=info.raw,
        signed_bytes=maker.signed_bytes,
        notices=tuple(notices.found),
    )


def _read_header(node: Node, notices: NoticeList) -> _Header:
    fields = asn1.read_sequence(node, at_least=3, at_most=3)
    if asn1.expect(fields[0], Tag.IA5_STRING).content != b"ES":
        raise malformed("version", "header")
    try:
        version = asn1.read_small_integer(fields[1])
    except MalformedDocument:
        raise malformed("version", "header") from None
    return _Header(version=version, vendor_id=read_text(fields[2], notices, "Vid"))


def _decide_version(header_version: int, parts: int, notices: NoticeList) -> SESVersion:
    """Two elements are v1, four or five are v4 or v5 by number; v4 has no time stamp."""
    if parts == 2 and header_version not in (SESVersion.V4, SESVersion.V5):
        # The text of v1 does not fix the number; its own example prints 11.
        if header_version != SESVersion.V1:
            notices.add("odd-version", "header", str(header_version))
        return SESVersion.V1
    if parts == 4 and header_version in (SESVersion.V4, SESVersion.V5):
        return SESVersion(header_version)
    if parts == 5 and header_version == SESVersion.V5:
        return SESVersion.V5
    raise malformed("version", "header")


def _read_maker_v1(info: Node, parts: Sequence[Node], notices: NoticeList) -> _Maker:
    cert, oid, value = asn1.read_sequence(parts[1], at_least=3, at_most=3)
    return _Maker(
        certificate=asn1.read_octets(cert),
        signature_oid=asn1.read_oid(oid),
        signed_value=read_signed_value(value, notices, "seal-signature"),
        timestamp=None,
        signed_bytes=asn1.sequence(info.raw, cert.raw, oid.raw),
    )


def _read_maker_v4(info: Node, parts: Sequence[Node], notices: NoticeList) -> _Maker:
    return _Maker(
        certificate=asn1.read_octets(parts[1]),
        signature_oid=asn1.read_oid(parts[2]),
        signed_value=read_signed_value(parts[3], notices, "seal-signature"),
        timestamp=read_timestamp(parts[4:]),
        signed_bytes=info.raw,
    )


def _read_property(node: Node, version: SESVersion, notices: NoticeList) -> _Property:
    count = 6 if version is SESVersion.V1 else 7
    fields = asn1.read_sequence(node, at_least=count, at_most=count)
    list_type = CertificateListType.CERTIFICATES
    if version is not SESVersion.V1:
        list_type = _read_list_type(fields[2])
    certificates, digests = _read_certificate_list(fields[-4], list_type, notices)
    tag = Tag.UTC_TIME if version is SESVersion.V1 else Tag.GENERALIZED_TIME
    created_at, valid_from, valid_until = (
        _read_seal_time(field_node, tag, subject, notices)
        for field_node, subject in zip(
            fields[-3:], ("createDate", "validStart", "validEnd"), strict=True
        )
    )
    return _Property(
        seal_type=asn1.read_small_integer(fields[0]),
        name=read_text(fields[1], notices, "name"),
        list_type=list_type,
        certificates=certificates,
        digests=digests,
        created_at=created_at,
        valid_from=valid_from,
        valid_until=valid_until,
    )


def _read_list_type(node: Node) -> CertificateListType:
    try:
        return CertificateListType(asn1.read_small_integer(node))
    except ValueError:
        raise malformed("certificate-list-type", "property") from None


def _read_certificate_list(
    node: Node, list_type: CertificateListType, notices: NoticeList
) -> tuple[tuple[bytes, ...], tuple[CertificateDigest, ...]]:
    """Read certList. What is no list entry names no signer, so it is remarked and left out."""
    entries = asn1.read_sequence(node)
    if len(entries) > MAX_CERTIFICATES:
        raise LimitExceeded("too many certificates", reason="limit", limit="seal_certificates")
    if list_type is CertificateListType.CERTIFICATES:
        good = [entry for entry in entries if entry.tag == Tag.OCTET_STRING]
        if len(good) != len(entries):
            notices.add("certificate-list", "certList")
        return tuple(entry.content for entry in good), ()
    return (), tuple(_read_certificate_digest(entry) for entry in entries)


def _read_certificate_digest(node: Node) -> CertificateDigest:
    algorithm, value = asn1.read_sequence(node, at_least=2, at_most=2)
    text = asn1.expect(algorithm, Tag.PRINTABLE_STRING, Tag.IA5_STRING, Tag.UTF8_STRING)
    return CertificateDigest(
        algorithm=decode_text(text.content, "certList", NoticeList()), value=asn1.read_octets(value)
    )


def _read_seal_time(node: Node, tag: Tag, subject: str, notices: NoticeList) -> datetime:
    value = asn1.read_time(node, canonical_tag=tag)
    if value.at is None:
        raise malformed("time", subject)
    if not value.is_canonical:
        notices.add("odd-time", subject, value.text)
    return value.at


def _read_picture(node: Node, notices: NoticeList) -> SealPicture:
    kind, data, width, height = asn1.read_sequence(node, at_least=4, at_most=4)
    content = asn1.read_octets(data)
    if len(content) > DEFAULT_LIMITS.picture_bytes:
        raise LimitExceeded("picture too large", reason="limit", limit="picture_bytes")
    width_mm, height_mm = asn1.read_small_integer(width), asn1.read_small_integer(height)
    if not (0 < width_mm <= MAX_SIDE_MM and 0 < height_mm <= MAX_SIDE_MM):
        raise malformed("picture-size", "picture")
    return SealPicture(
        format=read_text(kind, notices, "picture").upper(),
        data=content,
        width_mm=width_mm,
        height_mm=height_mm,
    )


def _read_info_extensions(rest: Sequence[Node], notices: NoticeList) -> tuple[SealExtension, ...]:
    """Read SES_SealInfo's extDatas: real seals carry no tag, the text of v1 prints one."""
    if not rest:
        return ()
    node = rest[0]
    if node.tag == Tag.EXPLICIT_0:
        notices.add("extensions-tagged", "SES_SealInfo")
        node = asn1.read_explicit(node)
    return read_extensions(node, notices, "SES_SealInfo")
