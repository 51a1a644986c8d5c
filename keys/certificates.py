"""A view of an X.509 certificate, SM2 or RSA, that the deviations of real issuers do not blind.

RFC 5280, GB/T 20518. The original bytes are kept: what was signed is the slice ``tbs_raw``.

Refused: what is not DER, two AlgorithmIdentifiers that differ, serial numbers out of range, keys
that are none. Remarked in ``notices``: explicit defaults, odd text and times. An extension that
cannot be read counts against the certificate (no usage, no CA, unknown where critical), never for
it, and hides no other extension.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from keys import der
from keys.algorithms import OID_SM2_WITH_SM3, sm3
from keys.errors import MalformedCertificate
from keys.extensions import Extensions, read_extensions
from keys.names import parse_name
from keys.public_key import PublicKey, parse_public_key

MAX_CERTIFICATE_BYTES = 64 * 1024
MAX_CERTIFICATES = 1_000
"""In one file of certificates."""
MAX_SERIAL = 2**160 - 1
"""Twenty octets (RFC 5280, 4.1.2.2)."""

_PEM_BLOCK = re.compile(
    rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\s]*)"
    rb"-----END (?:X509 |TRUSTED )?CERTIFICATE-----"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a certificate says. Whether it may be believed is for ``keys.path``."""

    der: bytes
    tbs_raw: bytes
    """What its issuer signed."""
    serial: int
    issuer_der: bytes
    subject_der: bytes
    issuer: str
    """For people; misleading characters are spelt out."""
    subject: str
    common_name: str
    organisation: str
    organisation_code: str | None
    """Unified social credit code, by form; the check character is not judged here."""
    not_before: datetime
    not_after: datetime
    public_key: PublicKey
    signature_oid: str
    signature_parameters: bytes | None
    """DER of the AlgorithmIdentifier's parameters, where present."""
    signature: bytes
    extensions: Extensions
    notices: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """SM3 of the whole certificate in hex."""
        return sm3(self.der).hex()

    @property
    def is_self_issued(self) -> bool:
        """Issuer and subject are the same name."""
        return self.issuer_der == self.subject_der

    @property
    def subject_key_id(self) -> bytes | None:
        """Label of its key."""
        return self.extensions.subject_key_id

    @property
    def authority_key_id(self) -> bytes | None:
        """Label of its issuer's key."""
        return self.extensions.authority_key_id

    @property
    def key_usage(self) -> frozenset[str] | None:
        """Names of RFC 5280, 4.2.1.3; None where the extension is absent."""
        return self.extensions.key_usage

    @property
    def extended_key_usage(self) -> frozenset[str] | None:
        """Object identifiers; None where the extension is absent."""
        return self.extensions.extended_key_usage

    @property
    def is_ca(self) -> bool:
        """It may issue certificates, by basicConstraints."""
        return self.extensions.is_ca

    @property
    def path_length(self) -> int | None:
        """How many CA certificates may stand below it; None for no limit."""
        return self.extensions.path_length

    @property
    def crl_urls(self) -> tuple[str, ...]:
        """Where its issuer publishes CRLs: information only, nothing here connects (G-3)."""
        return self.extensions.crl_urls

    @property
    def ocsp_urls(self) -> tuple[str, ...]:
        """Where its issuer answers for its status: information only, as ``crl_urls``."""
        return self.extensions.ocsp_urls

    @property
    def unknown_critical(self) -> tuple[str, ...]:
        """Critical extensions that are not understood or cannot be read."""
        return self.extensions.unknown_critical


@lru_cache(maxsize=1024)
def parse_certificate(certificate_der: bytes) -> Certificate:
    """Read one certificate.

    Raises ``MalformedCertificate``, ``InvalidKey`` or ``UnsupportedAlgorithm`` (its key is neither
    SM2 nor RSA).
    """
    if len(certificate_der) > MAX_CERTIFICATE_BYTES:
        raise MalformedCertificate("certificate too long", reason="size")
    tbs, algorithm, signature = der.read_sequence(
        der.read_der(certificate_der), at_least=3, at_most=3
    )
    fields = _split_tbs(tbs)
    serial, inner_algorithm, issuer, validity, subject, key = fields[:6]
    if inner_algorithm.raw != algorithm.raw:
        # Only the inner one is signed (RFC 5280, 4.1.1.2).
        raise MalformedCertificate("signature algorithms differ", reason="algorithm-mismatch")
    notices: list[str] = []
    issuer_name, subject_name = parse_name(issuer.raw), parse_name(subject.raw)
    if issuer_name.is_odd or subject_name.is_odd:
        notices.append("odd-name")
    not_before, not_after = _read_validity(validity, notices)
    oid, parameters = _read_algorithm(algorithm, notices)
    return Certificate(
        der=certificate_der,
        tbs_raw=tbs.raw,
        serial=_read_serial(serial),
        issuer_der=issuer.raw,
        subject_der=subject.raw,
        issuer=issuer_name.display,
        subject=subject_name.display,
        common_name=subject_name.common_name,
        organisation=subject_name.organisation,
        organisation_code=subject_name.organisation_code,
        not_before=not_before,
        not_after=not_after,
        public_key=parse_public_key(key.raw),
        signature_oid=oid,
        signature_parameters=parameters,
        signature=der.read_bits(signature),
        extensions=_find_extensions(fields[6:], notices),
        notices=tuple(notices),
    )


def parse_certificates(data: bytes) -> tuple[Certificate, ...]:
    """Read a file of certificates: one or more PEM blocks, or one or more DER in a row.

    Raises as ``parse_certificate``; a file without any certificate is ``MalformedCertificate``.
    """
    ders = _pem_blocks(data) if b"-----BEGIN" in data else _der_blocks(data)
    if not 0 < len(ders) <= MAX_CERTIFICATES:
        raise MalformedCertificate("no certificates, or too many", reason="count")
    return tuple(parse_certificate(block) for block in ders)


def encode_pem(certificate_der: bytes) -> str:
    """Return a certificate as PEM, lines of 64 characters (RFC 7468)."""
    text = base64.b64encode(certificate_der).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def _pem_blocks(data: bytes) -> list[bytes]:
    blocks = _PEM_BLOCK.findall(data)
    if len(blocks) != data.count(b"-----BEGIN"):
        raise MalformedCertificate("something else than certificates in PEM", reason="pem")
    try:
        return [base64.b64decode(b"".join(block.split()), validate=True) for block in blocks]
    except binascii.Error:
        raise MalformedCertificate("no base64", reason="pem") from None


def _der_blocks(data: bytes) -> list[bytes]:
    # One more header around them lets the reader walk a row of elements.
    return [node.raw for node in der.read_der(der.sequence(data)).children()]


def _split_tbs(tbs: der.Node) -> list[der.Node]:
    """Return the fields from the serial number on, six at least.

    The version may be v1 to v3; v1 is the default and may stand there all the same.
    """
    fields = der.read_sequence(tbs, at_least=6)
    if fields[0].tag == 0xA0:
        version = der.read_integer(der.read_explicit(fields.pop(0)))
        if version not in (0, 1, 2):
            raise MalformedCertificate("unknown version", reason="version")
    if len(fields) < 6:
        raise MalformedCertificate("fields are missing", reason="fields")
    return fields


def _read_serial(node: der.Node) -> int:
    """Read a positive number of at most 20 octets (T-PKI-09)."""
    serial = der.read_integer(node)
    if not 0 < serial <= MAX_SERIAL:
        raise MalformedCertificate("serial number out of range", reason="serial")
    return serial


def _read_validity(node: der.Node, notices: list[str]) -> tuple[datetime, datetime]:
    """Read both ends as written (T-PKI-10)."""
    begin, end = der.read_sequence(node, at_least=2, at_most=2)
    not_before, is_plain_begin = der.read_time(begin)
    not_after, is_plain_end = der.read_time(end)
    if not (is_plain_begin and is_plain_end):
        notices.append("odd-time")
    return not_before, not_after


def _read_algorithm(node: der.Node, notices: list[str]) -> tuple[str, bytes | None]:
    fields = der.read_sequence(node, at_least=1, at_most=2)
    oid = der.read_oid(fields[0])
    parameters = fields[1].raw if len(fields) == 2 else None
    if oid == OID_SM2_WITH_SM3 and parameters is not None:
        # Some CAs write NULL; anything else is refused where the signature is checked.
        notices.append("algorithm-parameters")
    return oid, parameters


def _find_extensions(fields: list[der.Node], notices: list[str]) -> Extensions:
    """Read extensions [3]; the unique identifiers [1] and [2] before it are stepped over."""
    tags = [field.tag for field in fields]
    if tags != sorted(set(tags)) or not set(tags) <= {0x81, 0x82, 0xA3}:
        raise MalformedCertificate("unknown fields", reason="fields")
    if not fields or fields[-1].tag != 0xA3:
        return Extensions()
    return read_extensions(der.read_sequence(der.read_explicit(fields[-1])), notices)
