"""Encode certificates: names, extensions, the part to be signed, the finished whole.

One issuing path for SM2 and RSA. RFC 5280, 4; GB/T 20518. The signature is made elsewhere, over
exactly the bytes that ``encode_tbs`` returned.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from keys import der
from keys.algorithms import OID_RSA_WITH_SHA256, OID_SM2_WITH_SM3, KeyAlgorithm
from keys.extensions import (
    OID_ACCESS_OCSP,
    OID_AUTHORITY_ACCESS,
    OID_AUTHORITY_KEY_ID,
    OID_BASIC_CONSTRAINTS,
    OID_CRL_DISTRIBUTION,
    OID_EXTENDED_KEY_USAGE,
    OID_KEY_USAGE,
    OID_SUBJECT_KEY_ID,
)
from keys.profiles import Profile

SERIAL_BYTES = 16

OID_COUNTRY = "2.5.4.6"
OID_ORGANISATION = "2.5.4.10"
OID_ORGANISATION_IDENTIFIER = "2.5.4.97"
OID_COMMON_NAME = "2.5.4.3"


OID_OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5"
OID_ACCESS_ISSUER = "1.3.6.1.5.5.7.48.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The name in a certificate."""

    common_name: str
    organisation: str
    organisation_code: str = ""
    """The unified social credit code of the organisation, where it has one."""
    country: str = "CN"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityAccess:
    """Where to learn more from the issuer (RFC 5280, 4.2.2.1); empty: nothing is said."""

    ocsp_url: str = ""
    """Where it answers for the status."""
    issuer_url: str = ""
    """Where its own certificate is fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePlan:
    """Everything a certificate says."""

    profile: Profile
    serial: int
    issuer_der: bytes
    subject_der: bytes
    spki: bytes
    authority_key_id: bytes
    not_before: datetime
    not_after: datetime
    issuer_algorithm: KeyAlgorithm
    crl_urls: tuple[str, ...] = ()
    access: AuthorityAccess = AuthorityAccess()


def encode_name(subject: Subject) -> bytes:
    """Encode a Name: country as PrintableString, all else as UTF8String."""
    parts = [(OID_COUNTRY, der.printable(subject.country))]
    parts.append((OID_ORGANISATION, der.utf8(subject.organisation)))
    if subject.organisation_code:
        parts.append((OID_ORGANISATION_IDENTIFIER, der.utf8(subject.organisation_code)))
    parts.append((OID_COMMON_NAME, der.utf8(subject.common_name)))
    return der.sequence(
        *(der.set_of([der.sequence(der.oid(oid), value)]) for oid, value in parts if value)
    )


def key_identifier(spki: bytes) -> bytes:
    """Return SHA-1 of the key bits (RFC 5280, 4.2.1.2): a label, not a proof."""
    bits = der.read_bits(der.read_sequence(der.read_der(spki), at_least=2, at_most=2)[1])
    return hashlib.sha1(bits, usedforsecurity=False).digest()


def serial_number(randomness: bytes) -> int:
    """Return a positive serial number from 16 fresh bytes, every one of them kept."""
    return int.from_bytes(b"\x00" + randomness[:SERIAL_BYTES], "big") or 1


def signature_algorithm(algorithm: KeyAlgorithm) -> bytes:
    """Encode AlgorithmIdentifier: SM2 without parameters, RSA with NULL (RFC 8017, A.2.4)."""
    if algorithm is KeyAlgorithm.SM2:
        return der.sequence(der.oid(OID_SM2_WITH_SM3))
    return der.sequence(der.oid(OID_RSA_WITH_SHA256), der.null())


def extension(oid: str, value: bytes, *, is_critical: bool = False) -> bytes:
    """Encode one Extension; DER leaves a false ``critical`` out."""
    critical = der.boolean(True) if is_critical else b""
    return der.sequence(der.oid(oid), critical, der.octet_string(value))


def authority_key_id(key_id: bytes) -> bytes:
    """Encode the extension that names the issuer's key."""
    return extension(OID_AUTHORITY_KEY_ID, der.sequence(der.implicit(0, key_id)))


def encode_extensions(plan: CertificatePlan) -> tuple[bytes, ...]:
    """Encode the extensions of the plan's profile, in a fixed order."""
    profile = plan.profile
    found = [
        authority_key_id(plan.authority_key_id),
        extension(OID_SUBJECT_KEY_ID, der.octet_string(key_identifier(plan.spki))),
        _basic_constraints(profile),
        extension(OID_KEY_USAGE, der.bit_flags(profile.key_usage_bits), is_critical=True),
    ]
    if profile.extended_key_usage:
        usages = der.sequence(*map(der.oid, profile.extended_key_usage))
        is_critical = profile.is_extended_usage_critical
        found.append(extension(OID_EXTENDED_KEY_USAGE, usages, is_critical=is_critical))
    if plan.crl_urls:
        points = der.sequence(*map(_distribution_point, plan.crl_urls))
        found.append(extension(OID_CRL_DISTRIBUTION, points))
    # A responder does not answer for itself: nobody should be sent to ask it.
    ocsp_url = "" if profile.has_no_revocation_check else plan.access.ocsp_url
    access = ((OID_ACCESS_OCSP, ocsp_url), (OID_ACCESS_ISSUER, plan.access.issuer_url))
    described = [_access_description(oid, url) for oid, url in access if url]
    if described:
        found.append(extension(OID_AUTHORITY_ACCESS, der.sequence(*described)))
    if profile.has_no_revocation_check:
        found.append(extension(OID_OCSP_NO_CHECK, der.null()))
    return tuple(found)


def _basic_constraints(profile: Profile) -> bytes:
    """Say CA:TRUE with a path length, or an empty sequence: CA:FALSE is the default."""
    value = der.sequence()
    if profile.path_length is not None:
        value = der.sequence(der.boolean(True), der.integer(profile.path_length))
    return extension(OID_BASIC_CONSTRAINTS, value, is_critical=True)


def _access_description(oid: str, url: str) -> bytes:
    """Encode one AccessDescription (RFC 5280, 4.2.2.1)."""
    return der.sequence(der.oid(oid), der.implicit(6, url.encode("ascii")))


def _distribution_point(url: str) -> bytes:
    names = der.element(0xA0, der.implicit(6, url.encode("ascii")))
    return der.sequence(der.explicit(0, names))


def encode_tbs(plan: CertificatePlan, extensions: tuple[bytes, ...] | None = None) -> bytes:
    """Encode the part that the issuer signs; ``extensions`` replaces those of the profile."""
    if extensions is None:
        extensions = encode_extensions(plan)
    return der.sequence(
        der.explicit(0, der.integer(2)),
        der.integer(plan.serial),
        signature_algorithm(plan.issuer_algorithm),
        plan.issuer_der,
        der.sequence(der.time(plan.not_before), der.time(plan.not_after)),
        plan.subject_der,
        plan.spki,
        der.explicit(3, der.sequence(*extensions)) if extensions else b"",
    )


def assemble_signed(tbs: bytes, algorithm: KeyAlgorithm, signature: bytes) -> bytes:
    """Put signed part, algorithm and value together: a certificate, CRL or OCSP response."""
    return der.sequence(tbs, signature_algorithm(algorithm), der.bit_string(signature))
