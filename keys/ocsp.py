"""Online certificate status: requests and basic responses, encode and read (RFC 6960, 4). Pure.

A response is signed in two steps: ``encode_ocsp_tbs`` gives the bytes, ``assemble_ocsp`` puts the
signature beside them. Whether a response may be believed is judged in ``keys.revocation``.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from keys import der
from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate
from keys.crl import OID_INVALIDITY_DATE, RevocationReason, read_reason
from keys.der import Node
from keys.errors import MalformedCertificate, StatusRolledBack
from keys.x509_building import extension, key_identifier, signature_algorithm
from keys.x509_reading import (
    Extension,
    read_algorithm,
    read_extensions,
    read_generalized,
    unknown_critical,
)

MAX_OCSP_BYTES = 256 * 1024
OID_BASIC_RESPONSE = "1.3.6.1.5.5.7.48.1.1"
OID_NONCE = "1.3.6.1.5.5.7.48.1.2"
_KNOWN_CRITICAL = frozenset({OID_NONCE, OID_INVALIDITY_DATE})
_ID_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "1.2.156.10197.1.401": "sm3",
}
"""Hashes that only name an issuer; SHA-1 is what everybody uses here (RFC 5019, 2.1.1)."""
_SHA1 = der.sequence(der.oid("1.3.14.3.2.26"), der.null())


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateID:
    """Names a certificate by digests of its issuer and its serial number."""

    hash_name: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int

    def is_for(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Tell whether this names ``certificate``, issued by ``issuer``."""
        return self.serial == certificate.serial and self.is_of(issuer)

    def is_of(self, issuer: Certificate) -> bool:
        """Tell whether this names a certificate of ``issuer``, whatever its number."""
        return (self.issuer_name_hash, self.issuer_key_hash) == (
            _hash(self.hash_name, issuer.subject_der),
            _hash(self.hash_name, _key_bits(issuer)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedInfo:
    """Since when and why."""

    revoked_at: datetime
    reason: RevocationReason = RevocationReason.UNSPECIFIED
    invalidity_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleStatus:
    """The status of one certificate as the responder states it."""

    certificate_id: CertificateID
    is_known: bool = True
    revoked: RevokedInfo | None = None
    this_update: datetime
    next_update: datetime | None = None
    unknown_critical: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OCSPPlan:
    """Everything a response says."""

    responder_spki: bytes
    produced_at: datetime
    statuses: tuple[SingleStatus, ...]
    nonce: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OCSPResponse:
    """A basic response as read; nothing is verified yet."""

    tbs_raw: bytes
    responder_name: bytes | None
    responder_key_hash: bytes | None
    produced_at: datetime
    statuses: tuple[SingleStatus, ...]
    nonce: bytes | None
    unknown_critical: tuple[str, ...]
    signature_oid: str
    signature_parameters: bytes | None
    signature: bytes
    certificates: tuple[bytes, ...]


def certificate_id(certificate: Certificate, issuer: Certificate) -> CertificateID:
    """Name a certificate with SHA-1, which every responder understands."""
    return CertificateID(
        hash_name="sha1",
        issuer_name_hash=_hash("sha1", issuer.subject_der),
        issuer_key_hash=key_identifier(issuer.public_key.spki),
        serial=certificate.serial,
    )


def _hash(name: str, data: bytes) -> bytes:
    return hashlib.new(name, data, usedforsecurity=False).digest()


def _key_bits(issuer: Certificate) -> bytes:
    fields = der.read_sequence(der.read_der(issuer.public_key.spki), at_least=2, at_most=2)
    return der.read_bits(fields[1])


# Requests


def encode_ocsp_request(wanted: CertificateID, nonce: bytes | None = None) -> bytes:
    """Ask for the status of one certificate."""
    extensions = der.explicit(2, der.sequence(_nonce(nonce))) if nonce is not None else b""
    listed = der.sequence(der.sequence(_encode_id(wanted)))
    return der.sequence(der.sequence(listed, extensions))


def parse_ocsp_request(data: bytes) -> tuple[tuple[CertificateID, ...], bytes | None]:
    """Return which certificates are asked for, and the nonce."""
    if len(data) > MAX_OCSP_BYTES:
        raise der.malformed("limit")
    request = der.read_sequence(der.read_der(data), at_least=1, at_most=2)[0]
    fields = der.read_sequence(request, at_least=1, at_most=4)
    while fields and fields[0].tag in (0xA0, 0xA1):
        fields.pop(0)
    if not fields:
        raise der.malformed("ocsp-request")
    wanted = tuple(
        _read_id(der.read_sequence(node, at_least=1, at_most=2)[0])
        for node in der.read_sequence(fields[0], at_least=1)
    )
    extensions = _read_optional(fields[1:], 0xA2)
    return wanted, _read_nonce(extensions)


# Responses


def encode_ocsp_tbs(plan: OCSPPlan) -> bytes:
    """Encode the part that the responder signs; it names itself by its key."""
    key_hash = der.octet_string(key_identifier(plan.responder_spki))
    extensions = der.explicit(1, der.sequence(_nonce(plan.nonce))) if plan.nonce else b""
    return der.sequence(
        der.explicit(2, key_hash),
        der.generalized_time(plan.produced_at),
        der.sequence(*map(_encode_status, plan.statuses)),
        extensions,
    )


def assemble_ocsp(
    tbs: bytes, algorithm: KeyAlgorithm, signature: bytes, certificates: tuple[bytes, ...] = ()
) -> bytes:
    """Return the whole response; ``certificates`` is the responder's own, where delegated."""
    basic = der.sequence(
        tbs,
        signature_algorithm(algorithm),
        der.bit_string(signature),
        der.explicit(0, der.sequence(*certificates)) if certificates else b"",
    )
    wrapped = der.sequence(der.oid(OID_BASIC_RESPONSE), der.octet_string(basic))
    return der.sequence(der.enumerated(0), der.explicit(0, wrapped))


def encode_ocsp_error(status: int) -> bytes:
    """Encode a response without an answer: 1 malformed, 2 internal, 3 try later, 6 unauthorised."""
    return der.sequence(der.enumerated(status))


def parse_ocsp(data: bytes) -> OCSPResponse:
    """Read a successful basic response; raise ``MalformedCertificate`` for anything else."""
    if len(data) > MAX_OCSP_BYTES:
        raise der.malformed("limit")
    fields = der.read_sequence(der.read_der(data), at_least=1, at_most=2)
    status = der.read_integer(der.expect(fields[0], der.ENUMERATED))
    if status != 0 or len(fields) != 2:
        raise der.malformed("ocsp-not-successful")
    wrapped = der.read_explicit(der.expect(fields[1], 0xA0))
    kind, content = der.read_sequence(wrapped, at_least=2, at_most=2)
    if der.read_oid(kind) != OID_BASIC_RESPONSE:
        raise der.malformed("ocsp-type")
    basic = der.read_der(der.read_octets(content))
    parts = der.read_sequence(basic, at_least=3, at_most=4)
    oid, parameters = read_algorithm(parts[1])
    certificates: tuple[bytes, ...] = ()
    if len(parts) == 4:
        listed = der.read_explicit(der.expect(parts[3], 0xA0))
        certificates = tuple(node.raw for node in der.read_sequence(listed))
    return _read_data(parts[0], oid, parameters, der.read_bits(parts[2]), certificates)


def read_answer(data: bytes, certificate: Certificate, issuer: Certificate) -> SingleStatus:
    """Return what a response says of a certificate; nothing is verified.

    Raises ``MalformedCertificate`` where it cannot be read or speaks of others only.
    """
    for status in parse_ocsp(data).statuses:
        if status.certificate_id.is_for(certificate, issuer):
            return status
    raise der.malformed("certificate-id")


def check_answer_not_older(
    new: bytes, known: bytes, certificate: Certificate, issuer: Certificate
) -> None:
    """Raise ``StatusRolledBack`` where a response is older than the one in use (T-PKI-21).

    Both were checked before; raises as ``read_answer``.
    """
    fresh = read_answer(new, certificate, issuer)
    if fresh.this_update < read_answer(known, certificate, issuer).this_update:
        raise StatusRolledBack("older than the response in use", reason="older")


def _read_data(
    tbs: Node,
    oid: str,
    parameters: bytes | None,
    signature: bytes,
    certificates: tuple[bytes, ...],
) -> OCSPResponse:
    fields = der.read_sequence(tbs, at_least=3, at_most=5)
    if fields[0].tag == 0xA0 and der.read_integer(der.read_explicit(fields.pop(0))) != 0:
        raise der.malformed("version")
    if len(fields) < 3:
        raise der.malformed("ocsp-response")
    responder = der.read_explicit(der.expect(fields[0], 0xA1, 0xA2))
    is_by_name = fields[0].tag == 0xA1
    extensions = _read_optional(fields[3:], 0xA1)
    return OCSPResponse(
        tbs_raw=tbs.raw,
        responder_name=der.expect(responder, der.SEQUENCE).raw if is_by_name else None,
        responder_key_hash=None if is_by_name else der.read_octets(responder),
        produced_at=read_generalized(fields[1]),
        statuses=tuple(map(_read_status, der.read_sequence(fields[2]))),
        nonce=_read_nonce(extensions),
        unknown_critical=unknown_critical(extensions, _KNOWN_CRITICAL),
        signature_oid=oid,
        signature_parameters=parameters,
        signature=signature,
        certificates=certificates,
    )


def _encode_id(found: CertificateID) -> bytes:
    oid = next(oid for oid, name in _ID_HASHES.items() if name == found.hash_name)
    return der.sequence(
        _SHA1 if found.hash_name == "sha1" else der.sequence(der.oid(oid)),
        der.octet_string(found.issuer_name_hash),
        der.octet_string(found.issuer_key_hash),
        der.integer(found.serial),
    )


def _read_id(node: Node) -> CertificateID:
    algorithm, name, key, serial = der.read_sequence(node, at_least=4, at_most=4)
    oid, _ = read_algorithm(algorithm)
    if oid not in _ID_HASHES:
        raise der.malformed("certificate-id", node.start)
    return CertificateID(
        hash_name=_ID_HASHES[oid],
        issuer_name_hash=der.read_octets(name),
        issuer_key_hash=der.read_octets(key),
        serial=der.read_integer(serial),
    )


def _encode_status(status: SingleStatus) -> bytes:
    revoked = status.revoked
    if revoked is not None:
        has_reason = revoked.reason is not RevocationReason.UNSPECIFIED
        value = der.element(
            0xA1,
            der.generalized_time(revoked.revoked_at),
            der.explicit(0, der.enumerated(revoked.reason)) if has_reason else b"",
        )
    else:
        value = der.implicit(0 if status.is_known else 2, b"")
    next_update = b""
    if status.next_update is not None:
        next_update = der.explicit(0, der.generalized_time(status.next_update))
    extensions = b""
    if revoked is not None and revoked.invalidity_at is not None:
        date = der.generalized_time(revoked.invalidity_at)
        extensions = der.explicit(1, der.sequence(extension(OID_INVALIDITY_DATE, date)))
    return der.sequence(
        _encode_id(status.certificate_id),
        value,
        der.generalized_time(status.this_update),
        next_update,
        extensions,
    )


def _read_status(node: Node) -> SingleStatus:
    fields = der.read_sequence(node, at_least=3, at_most=5)
    value = der.expect(fields[1], 0x80, 0xA1, 0x82)
    if value.tag != 0xA1 and value.content:
        raise der.malformed("ocsp-status", value.start)
    rest = fields[3:]
    next_update = None
    if rest and rest[0].tag == 0xA0:
        next_update = read_generalized(der.read_explicit(rest.pop(0)))
    extensions = _read_optional(rest, 0xA1)
    return SingleStatus(
        certificate_id=_read_id(fields[0]),
        is_known=value.tag != 0x82,
        revoked=_read_revoked(value, extensions) if value.tag == 0xA1 else None,
        this_update=read_generalized(fields[2]),
        next_update=next_update,
        unknown_critical=unknown_critical(extensions, _KNOWN_CRITICAL),
    )


def _read_revoked(value: Node, extensions: dict[str, Extension]) -> RevokedInfo:
    fields = value.children()
    if not 1 <= len(fields) <= 2:
        raise der.malformed("ocsp-status", value.start)
    reason = RevocationReason.UNSPECIFIED
    if len(fields) == 2:
        reason = read_reason(der.read_explicit(der.expect(fields[1], 0xA0)))
    date = extensions.get(OID_INVALIDITY_DATE)
    return RevokedInfo(
        revoked_at=read_generalized(fields[0]),
        reason=reason,
        invalidity_at=None if date is None else read_generalized(der.read_der(date.value)),
    )


def _read_optional(fields: list[Node], tag: int) -> dict[str, Extension]:
    """Read explicitly tagged Extensions, which must be all that is left."""
    if not fields:
        return {}
    if len(fields) != 1:
        raise der.malformed("ocsp-response", fields[0].start)
    return read_extensions(der.read_explicit(der.expect(fields[0], tag)))


def _nonce(value: bytes | None) -> bytes:
    return extension(OID_NONCE, der.octet_string(value or b""))


def _read_nonce(extensions: dict[str, Extension]) -> bytes | None:
    """Return the nonce; some programs leave out the OCTET STRING inside (RFC 8954, 2.1)."""
    found = extensions.get(OID_NONCE)
    if found is None:
        return None
    try:
        return der.read_octets(der.read_der(found.value))
    except MalformedCertificate:
        return found.value
