"""Build e-seals and seal signatures; every default is valid, every keyword is a flaw or a choice.

The encoding is spelt out here once more, apart from the product's writer, so that flaws can be
made and the two can be compared. Parties are self-signed: chains belong to ``tests.support.pki``.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from keys import sm2
from seal_service.formats import asn1

NOW = datetime(2026, 11, 24, 4, 0, 0, tzinfo=UTC)
SM2_WITH_SM3 = "1.2.156.10197.1.501"
SEAL_ID = "32050000019999"
SEAL_NAME = "示例市行政审批局"
PATH = "/Doc_0/Signs/Sign_0/Signature.xml"
DATA_HASH = hashlib.new("sm3", b"Signature.xml of a test").digest()
PICTURE = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d"
    b"\x00\x00\x00\x00IEND\xaeB`\x82"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody who signs: a certificate and the means to sign with its key."""

    certificate: bytes
    sign: Callable[[bytes], bytes]


@lru_cache(maxsize=16)
def make_party(name: str) -> Party:
    """Make an SM2 party whose key follows from the name."""
    scalar = hashlib.sha256(f"test party {name}".encode()).digest()
    signer = sm2.SM2Signer(scalar)
    point = sm2.public_point(scalar)
    return Party(certificate=_certificate(name, point, signer.sign), sign=signer.sign)


def _certificate(name: str, point: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    algorithm = asn1.sequence(asn1.oid(SM2_WITH_SM3))
    common_name = asn1.sequence(asn1.oid("2.5.4.3"), asn1.utf8(name))
    names = asn1.sequence(asn1.element(asn1.Tag.SET, common_name))
    key = asn1.sequence(
        asn1.sequence(asn1.oid("1.2.840.10045.2.1"), asn1.oid("1.2.156.10197.1.301")),
        asn1.bit_string(point),
    )
    usage = asn1.sequence(
        asn1.oid("2.5.29.15"), asn1.boolean(True), asn1.octet_string(b"\x03\x02\x06\xc0")
    )
    serial = int.from_bytes(hashlib.sha256(name.encode()).digest()[:15], "big") + 1
    tbs = asn1.sequence(
        asn1.explicit(0, asn1.integer(2)),
        asn1.integer(serial),
        algorithm,
        names,
        asn1.sequence(
            asn1.utc_time(NOW - timedelta(days=365)), asn1.utc_time(NOW + timedelta(days=730))
        ),
        names,
        key,
        asn1.explicit(3, asn1.sequence(usage)),
    )
    return asn1.sequence(tbs, algorithm, asn1.bit_string(sign(tbs)))


def maker() -> Party:
    """Return the seal maker of the defaults."""
    return make_party("示例市印章制作单位")


def holder() -> Party:
    """Return the seal holder of the defaults."""
    return make_party("示例市行政审批局")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealSpec:
    """What a test seal contains. Bytes of whole elements are put in as they are."""

    version: int = 4
    header_id: bytes = field(default_factory=lambda: asn1.ia5("ES"))
    header_version: bytes | None = None
    vendor_id: bytes = field(default_factory=lambda: asn1.ia5("TEST"))
    seal_id: bytes = field(default_factory=lambda: asn1.ia5(SEAL_ID))
    seal_type: int = 1
    name: bytes = field(default_factory=lambda: asn1.utf8(SEAL_NAME))
    list_type: int = 1
    certificate_list: bytes | None = None
    """The whole certList; by default it holds the signer's certificate."""
    created_at: bytes | None = None
    valid_from: bytes | None = None
    valid_until: bytes | None = None
    picture: bytes | None = None
    extensions: bytes = b""
    maker: Party | None = None
    signer: Party | None = None
    signature_oid: str = SM2_WITH_SM3
    value: Callable[[bytes], bytes] = bytes
    """Turns the DER signature value into what is stored."""
    timestamp: bytes = b""
    """Whole element after the value."""


def make_seal(spec: SealSpec | None = None) -> bytes:
    """Build an SESeal."""
    spec = spec or SealSpec()
    party = spec.maker or maker()
    info = _info(spec)
    if spec.version == 1:
        tail = asn1.octet_string(party.certificate), asn1.oid(spec.signature_oid)
        value = spec.value(party.sign(asn1.sequence(info, *tail)))
        return asn1.sequence(info, asn1.sequence(*tail, asn1.bit_string(value)))
    return asn1.sequence(
        info,
        asn1.octet_string(party.certificate),
        asn1.oid(spec.signature_oid),
        asn1.bit_string(spec.value(party.sign(info))),
        spec.timestamp,
    )


def _info(spec: SealSpec) -> bytes:
    time = asn1.utc_time if spec.version == 1 else asn1.generalized_time
    signer = spec.signer or holder()
    certificates = spec.certificate_list or asn1.sequence(asn1.octet_string(signer.certificate))
    header = asn1.sequence(
        spec.header_id, spec.header_version or asn1.integer(spec.version), spec.vendor_id
    )
    properties = asn1.sequence(
        asn1.integer(spec.seal_type),
        spec.name,
        b"" if spec.version == 1 else asn1.integer(spec.list_type),
        certificates,
        spec.created_at or time(NOW - timedelta(days=30)),
        spec.valid_from or time(NOW - timedelta(days=30)),
        spec.valid_until or time(NOW + timedelta(days=335)),
    )
    picture = spec.picture or asn1.sequence(
        asn1.ia5("PNG"), asn1.octet_string(PICTURE), asn1.integer(42), asn1.integer(42)
    )
    return asn1.sequence(header, spec.seal_id, properties, picture, spec.extensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureSpec:
    """What a test seal signature contains; ``seal`` decides the version unless told otherwise."""

    version: int = 4
    seal: bytes | None = None
    tbs_version: int | None = None
    time: bytes | None = None
    """The whole element."""
    data_hash: bytes = field(default_factory=lambda: asn1.bit_string(DATA_HASH))
    property_info: bytes = field(default_factory=lambda: asn1.ia5(PATH))
    extensions: bytes = b""
    signer: Party | None = None
    certificate: bytes | None = None
    """Put in place of the signer's own."""
    signature_oid: str = SM2_WITH_SM3
    value: Callable[[bytes], bytes] = bytes
    timestamp: bytes = b""


def make_seal_signature(spec: SignatureSpec | None = None) -> bytes:
    """Build an SES_Signature."""
    spec = spec or SignatureSpec()
    party = spec.signer or holder()
    version = spec.version if spec.tbs_version is None else spec.tbs_version
    is_v1 = spec.version == 1
    time = asn1.bit_string(asn1.utc_time(NOW)) if is_v1 else asn1.generalized_time(NOW)
    trailer = (
        asn1.octet_string(spec.certificate or party.certificate),
        asn1.oid(spec.signature_oid),
    )
    tbs = asn1.sequence(
        asn1.integer(version),
        spec.seal or make_seal(SealSpec(version=spec.version)),
        spec.time or time,
        spec.data_hash,
        spec.property_info,
        spec.extensions,
        *(trailer if is_v1 else ()),
    )
    value = asn1.bit_string(spec.value(party.sign(tbs)))
    if is_v1:
        return asn1.sequence(tbs, value)
    return asn1.sequence(tbs, *trailer, value, spec.timestamp)
