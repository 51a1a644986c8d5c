"""Certificate revocation lists, version 2: encode and read (RFC 5280, 5).

Reading keeps the entries as bytes and walks them for each question, so that a long list costs
memory only once (T-PKI-22). Whether a list may be believed is judged in ``keys.revocation``.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from functools import lru_cache

from keys import der
from keys.algorithms import KeyAlgorithm, sm3
from keys.der import Node
from keys.errors import MalformedCertificate
from keys.extensions import OID_AUTHORITY_KEY_ID
from keys.x509_building import (
    authority_key_id,
    extension,
    signature_algorithm,
)
from keys.x509_reading import (
    Extension,
    read_algorithm,
    read_extensions,
    read_generalized,
    read_instant,
    unknown_critical,
)

MAX_CRL_BYTES = 50 * 1024 * 1024
CACHED_BYTES = 256 * 1024
"""Longer lists are read again each time instead of being kept."""

OID_CRL_NUMBER = "2.5.29.20"
OID_REASON_CODE = "2.5.29.21"
OID_INVALIDITY_DATE = "2.5.29.24"
OID_DELTA_CRL = "2.5.29.27"
OID_ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
_PEM_LIST = re.compile(rb"-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]*)-----END X509 CRL-----")
_KNOWN_CRITICAL = frozenset({OID_CRL_NUMBER, OID_AUTHORITY_KEY_ID, OID_DELTA_CRL})
_KNOWN_CRITICAL_OF_ENTRY = frozenset({OID_REASON_CODE, OID_INVALIDITY_DATE})


class RevocationReason(IntEnum):
    """Reason codes (RFC 5280, 5.3.1)."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    REMOVE_FROM_CRL = 8
    PRIVILEGE_WITHDRAWN = 9
    AA_COMPROMISE = 10

    @property
    def word(self) -> str:
        """The reason as a stable kebab-case word."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedEntry:
    """One revoked certificate."""

    serial: int
    revoked_at: datetime
    reason: RevocationReason = RevocationReason.UNSPECIFIED
    invalidity_at: datetime | None = None
    """Since when the key must be taken for lost; may lie before ``revoked_at``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CRLPlan:
    """Everything a revocation list says."""

    issuer_der: bytes
    authority_key_id: bytes
    number: int
    this_update: datetime
    next_update: datetime
    entries: tuple[RevokedEntry, ...]
    algorithm: KeyAlgorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class CRL:
    """A revocation list as read; nothing is verified yet."""

    der: bytes = field(repr=False)
    digest: bytes
    tbs_raw: bytes = field(repr=False)
    issuer_der: bytes
    this_update: datetime
    next_update: datetime | None
    number: int | None
    authority_key_id: bytes | None
    limited_scope: str
    """Why the list does not speak for all certificates of its issuer; empty where it does."""
    is_indirect: bool
    unknown_critical: tuple[str, ...]
    signature_oid: str
    signature_parameters: bytes | None
    signature: bytes
    entries_raw: Node | None = field(repr=False)


# Writing


def encode_crl_tbs(plan: CRLPlan) -> bytes:
    """Encode the part that the issuer signs; entries stand in the order of their numbers."""
    entries = sorted(plan.entries, key=lambda entry: entry.serial)
    extensions = (
        authority_key_id(plan.authority_key_id),
        extension(OID_CRL_NUMBER, der.integer(plan.number)),
    )
    return der.sequence(
        der.integer(1),
        signature_algorithm(plan.algorithm),
        plan.issuer_der,
        der.time(plan.this_update),
        der.time(plan.next_update),
        der.sequence(*map(_encode_entry, entries)) if entries else b"",
        der.explicit(0, der.sequence(*extensions)),
    )


def _encode_entry(entry: RevokedEntry) -> bytes:
    """Encode one entry; the reason ``unspecified`` is left out (RFC 5280, 5.3.1)."""
    extensions = b""
    if entry.reason is not RevocationReason.UNSPECIFIED:
        extensions += extension(OID_REASON_CODE, der.enumerated(entry.reason))
    if entry.invalidity_at is not None:
        extensions += extension(OID_INVALIDITY_DATE, der.generalized_time(entry.invalidity_at))
    return der.sequence(
        der.integer(entry.serial),
        der.time(entry.revoked_at),
        der.sequence(extensions) if extensions else b"",
    )


# Reading


def parse_crl(data: bytes) -> CRL:
    """Read a list in DER; raise ``MalformedCertificate`` for anything that is not one."""
    if len(data) > MAX_CRL_BYTES:
        raise der.malformed("limit")
    return _parse_cached(data) if len(data) <= CACHED_BYTES else _parse(data)


def _parse(data: bytes) -> CRL:
    tbs, algorithm, value = der.read_sequence(der.read_der(data), at_least=3, at_most=3)
    fields = der.read_sequence(tbs, at_least=3, at_most=7)
    if fields[0].tag != der.INTEGER or der.read_integer(fields.pop(0)) != 1:
        raise der.malformed("version")
    if fields.pop(0).raw != algorithm.raw:
        raise der.malformed("algorithm")
    issuer = der.expect(fields.pop(0), der.SEQUENCE)
    this_update = read_instant(fields.pop(0))
    next_update = entries = None
    if fields and fields[0].tag in (der.UTC_TIME, der.GENERALIZED_TIME):
        next_update = read_instant(fields.pop(0))
    if fields and fields[0].tag == der.SEQUENCE:
        entries = fields.pop(0)
    extensions = (
        read_extensions(der.read_explicit(der.expect(fields.pop(0), 0xA0))) if fields else {}
    )
    if fields:
        raise der.malformed("structure")
    oid, parameters = read_algorithm(algorithm)
    scope, is_indirect, unknown = _scope(extensions)
    number = extensions.get(OID_CRL_NUMBER)
    key = extensions.get(OID_AUTHORITY_KEY_ID)
    return CRL(
        der=data,
        digest=sm3(data),
        tbs_raw=tbs.raw,
        issuer_der=issuer.raw,
        this_update=this_update,
        next_update=next_update,
        number=None if number is None else der.read_integer(der.read_der(number.value)),
        authority_key_id=None if key is None else _key_id(key.value),
        limited_scope=scope,
        is_indirect=is_indirect,
        unknown_critical=unknown,
        signature_oid=oid,
        signature_parameters=parameters,
        signature=der.read_bits(value),
        entries_raw=entries,
    )


_parse_cached = lru_cache(maxsize=64)(_parse)


def _key_id(value: bytes) -> bytes | None:
    """Return keyIdentifier of AuthorityKeyIdentifier, where it has one."""
    for part in der.read_sequence(der.read_der(value)):
        if part.tag == 0x80:
            return part.content
    return None


def _scope(extensions: dict[str, Extension]) -> tuple[str, bool, tuple[str, ...]]:
    """Return limits of the scope, whether the list is indirect, and critical unknowns."""
    scope, is_indirect = "", False
    known = _KNOWN_CRITICAL
    if OID_DELTA_CRL in extensions:
        scope = "delta"
    point = extensions.get(OID_ISSUING_DISTRIBUTION_POINT)
    if point is not None:
        known = known | {OID_ISSUING_DISTRIBUTION_POINT}
        for part in der.read_sequence(der.read_der(point.value)):
            # [0] only names the place; 1 to 3 and 5 choose certificates or reasons, 4 issuers.
            if part.tag == 0x84:
                is_indirect = is_indirect or part.content != b"\x00"
            elif part.tag != 0xA0 and part.content != b"\x00":
                scope = scope or "partial-scope"
    return scope, is_indirect, unknown_critical(extensions, known)


def find_entry(crl: CRL, serial: int) -> RevokedEntry | None:
    """Find the entry of a certificate, None where it is not listed.

    Raises ``MalformedCertificate`` where any entry is broken, names another issuer or has an
    unknown critical extension: such a list says nothing about anybody (RFC 5280, 5.3).
    """
    wanted = der.integer(serial)
    found: RevokedEntry | None = None
    for node in _walk(crl):
        # Cheap first look: critical extensions hold a BOOLEAN, so most entries need no reading.
        raw = node.raw
        is_wanted = raw[node.body - node.start :].startswith(wanted)
        if is_wanted or b"\x01\x01" in raw:
            entry = _read_entry(node)
            found = entry if entry.serial == serial else found
    return found


def read_entries(crl: CRL) -> tuple[RevokedEntry, ...]:
    """Read all entries: for the issuer that publishes again."""
    return tuple(_read_entry(node) for node in _walk(crl))


def _walk(crl: CRL) -> Iterator[Node]:
    if crl.entries_raw is not None:
        for node in crl.entries_raw.walk():
            yield der.expect(node, der.SEQUENCE)


def _read_entry(node: Node) -> RevokedEntry:
    fields = der.read_sequence(node, at_least=2, at_most=3)
    extensions = read_extensions(fields[2]) if len(fields) == 3 else {}
    if unknown_critical(extensions, _KNOWN_CRITICAL_OF_ENTRY):
        raise der.malformed("unknown-critical", node.start)
    reason = extensions.get(OID_REASON_CODE)
    invalidity = extensions.get(OID_INVALIDITY_DATE)
    return RevokedEntry(
        serial=der.read_integer(fields[0]),
        revoked_at=read_instant(fields[1]),
        reason=read_reason(der.read_der(reason.value)) if reason else RevocationReason.UNSPECIFIED,
        invalidity_at=read_generalized(der.read_der(invalidity.value)) if invalidity else None,
    )


def read_reason(found: Node) -> RevocationReason:
    """Read a reason code; raise ``MalformedCertificate`` for one that does not exist."""
    try:
        return RevocationReason(der.read_integer(der.expect(found, der.ENUMERATED)))
    except ValueError:
        raise der.malformed("reason-code") from None


def read_crl_file(data: bytes) -> bytes:
    """Return the list in a file as DER: PEM is taken apart, DER stays as it is.

    Raises ``MalformedCertificate`` for PEM that is not exactly one list. The list itself is judged
    where it is used.
    """
    if not data.lstrip().startswith(b"-----BEGIN"):
        return data
    blocks = _PEM_LIST.findall(data)
    if len(blocks) != 1 or data.count(b"-----BEGIN") != 1:
        raise MalformedCertificate("one revocation list is due", reason="pem")
    try:
        return base64.b64decode(b"".join(blocks[0].split()), validate=True)
    except binascii.Error:
        raise MalformedCertificate("no base64", reason="pem") from None
