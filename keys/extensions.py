"""Certificate extensions, each read by itself. RFC 5280, 4.2. Pure.

An extension that cannot be read or stands twice is remarked. It then grants nothing: no usage, no
right to issue; and if it is critical it joins the unknown ones, which a path may not have (G-2).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from keys import der
from keys.errors import MalformedCertificate

OID_SUBJECT_KEY_ID = "2.5.29.14"
OID_KEY_USAGE = "2.5.29.15"
OID_SUBJECT_ALT_NAME = "2.5.29.17"
OID_BASIC_CONSTRAINTS = "2.5.29.19"
OID_CRL_DISTRIBUTION = "2.5.29.31"
OID_CERTIFICATE_POLICIES = "2.5.29.32"
OID_AUTHORITY_KEY_ID = "2.5.29.35"
OID_EXTENDED_KEY_USAGE = "2.5.29.37"
OID_AUTHORITY_ACCESS = "1.3.6.1.5.5.7.1.1"
OID_ACCESS_OCSP = "1.3.6.1.5.5.7.48.1"

OID_TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OID_OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"

KEY_USAGE_NAMES = (
    "digital_signature",
    "non_repudiation",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
"""By bit number."""

_UNDERSTOOD = frozenset(
    {
        OID_SUBJECT_KEY_ID,
        OID_KEY_USAGE,
        OID_SUBJECT_ALT_NAME,
        OID_BASIC_CONSTRAINTS,
        OID_CRL_DISTRIBUTION,
        OID_CERTIFICATE_POLICIES,
        OID_AUTHORITY_KEY_ID,
        OID_EXTENDED_KEY_USAGE,
    }
)
"""Name and policy constraints are missing on purpose: nothing here enforces them."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What the extensions of one certificate say; the defaults are those of a bare certificate."""

    subject_key_id: bytes | None = None
    authority_key_id: bytes | None = None
    key_usage: frozenset[str] | None = None
    extended_key_usage: frozenset[str] | None = None
    is_ca: bool = False
    path_length: int | None = None
    crl_urls: tuple[str, ...] = ()
    ocsp_urls: tuple[str, ...] = ()
    unknown_critical: tuple[str, ...] = ()
    critical: frozenset[str] = frozenset()
    """Object identifiers of every critical extension."""


def read_extensions(nodes: list[der.Node], notices: list[str]) -> Extensions:
    """Read every extension; what is odd goes to ``notices`` and never raises.

    Raises ``MalformedCertificate`` only where an element is no Extension at all.
    """
    values: dict[str, bytes] = {}
    critical: set[str] = set()
    unreadable: set[str] = set()
    for node in nodes:
        oid, is_critical, value = _read_extension(node, notices)
        if is_critical:
            critical.add(oid)
        if oid in values:
            notices.append(f"repeated-extension {oid}")
            unreadable.add(oid)
        values[oid] = value
    reader = _Reader(values, unreadable, notices)
    nothing: frozenset[str] = frozenset()
    no_ca: tuple[bool, int | None] = (False, None)
    is_ca, path_length = reader.read(OID_BASIC_CONSTRAINTS, _basic_constraints, no_ca)
    urls: tuple[str, ...] = reader.read(OID_CRL_DISTRIBUTION, _crl_urls, ())
    ocsp_urls: tuple[str, ...] = reader.read(OID_AUTHORITY_ACCESS, _ocsp_urls, ())
    subject_key_id = reader.read(OID_SUBJECT_KEY_ID, _octets, None)
    authority_key_id = reader.read(OID_AUTHORITY_KEY_ID, _authority_key_id, None)
    key_usage = reader.read(OID_KEY_USAGE, _key_usage, nothing)
    extended_key_usage = reader.read(OID_EXTENDED_KEY_USAGE, _extended_key_usage, nothing)
    return Extensions(
        subject_key_id=subject_key_id,
        authority_key_id=authority_key_id,
        key_usage=key_usage if OID_KEY_USAGE in values else None,
        extended_key_usage=extended_key_usage if OID_EXTENDED_KEY_USAGE in values else None,
        is_ca=is_ca,
        path_length=path_length,
        crl_urls=urls,
        ocsp_urls=ocsp_urls,
        critical=frozenset(critical),
        unknown_critical=tuple(sorted((critical - _UNDERSTOOD) | (critical & unreadable))),
    )


def _read_extension(node: der.Node, notices: list[str]) -> tuple[str, bool, bytes]:
    """Return identifier, criticality and value of one Extension."""
    fields = der.read_sequence(node, at_least=2, at_most=3)
    oid = der.read_oid(fields[0])
    is_critical = False
    if len(fields) == 3:
        try:
            is_critical = der.read_boolean(fields[1])
            remark = None if is_critical else "explicit-default"
        except MalformedCertificate:
            is_critical, remark = True, "odd-boolean"
        if remark is not None:
            notices.append(f"{remark} {oid}")
    return oid, is_critical, der.read_octets(fields[-1])


class _Reader:
    """Reads one extension at a time; a failure stays with the extension."""

    def __init__(self, values: dict[str, bytes], unreadable: set[str], notices: list[str]) -> None:
        self.values = values
        self.unreadable = unreadable
        self.notices = notices

    def read(self, oid: str, read: Callable[[der.Node, list[str]], _T], default: _T) -> _T:
        """Return what ``read`` makes of the extension, else ``default``."""
        value = self.values.get(oid)
        if value is None or oid in self.unreadable:
            return default
        try:
            return read(der.read_der(value), self.notices)
        except MalformedCertificate:
            self.unreadable.add(oid)
            self.notices.append(f"odd-extension {oid}")
            return default


def _octets(node: der.Node, _notices: list[str]) -> bytes | None:
    return der.read_octets(node)


def _authority_key_id(node: der.Node, _notices: list[str]) -> bytes | None:
    """Return keyIdentifier [0]; issuer and serial number are not used."""
    return next((field.content for field in der.read_sequence(node) if field.tag == 0x80), None)


def _key_usage(node: der.Node, _notices: list[str]) -> frozenset[str]:
    numbers = der.read_bit_flags(node)
    return frozenset(KEY_USAGE_NAMES[number] for number in numbers if number < len(KEY_USAGE_NAMES))


def _extended_key_usage(node: der.Node, _notices: list[str]) -> frozenset[str]:
    return frozenset(der.read_oid(field) for field in der.read_sequence(node, at_least=1))


def _basic_constraints(node: der.Node, notices: list[str]) -> tuple[bool, int | None]:
    """Return cA and pathLenConstraint; provincial CAs write the default FALSE out."""
    fields = der.read_sequence(node, at_most=2)
    is_ca = False
    if fields and fields[0].tag == der.BOOLEAN:
        is_ca = der.read_boolean(fields.pop(0))
        if not is_ca:
            notices.append(f"explicit-default {OID_BASIC_CONSTRAINTS}")
    if not fields:
        return is_ca, None
    path_length = der.read_integer(fields.pop(0), max_bytes=4)
    if path_length < 0 or fields:
        raise der.malformed("path-length", node.start)
    return is_ca, path_length


def _crl_urls(node: der.Node, _notices: list[str]) -> tuple[str, ...]:
    """Return the URIs of all distribution points, as far as they are plain ASCII."""
    urls: list[str] = []
    for point in der.read_sequence(node):
        for place in (field for field in der.read_sequence(point) if field.tag == 0xA0):
            for full_name in (field for field in place.children() if field.tag == 0xA0):
                urls.extend(_plain_urls(full_name.children()))
    return tuple(urls)


def _ocsp_urls(node: der.Node, _notices: list[str]) -> tuple[str, ...]:
    """Return the URIs of all responders (RFC 5280, 4.2.2.1), as far as they are plain ASCII."""
    pairs = [der.read_sequence(one, at_least=2, at_most=2) for one in der.read_sequence(node)]
    places = [place for method, place in pairs if der.read_oid(method) == OID_ACCESS_OCSP]
    return _plain_urls(places)


def _plain_urls(names: list[der.Node]) -> tuple[str, ...]:
    return tuple(
        name.content.decode("ascii")
        for name in names
        if name.tag == 0x86 and name.content.isascii()
    )
