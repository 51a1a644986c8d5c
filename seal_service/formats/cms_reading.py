"""Read SignedData of RFC 5652 and of GB/T 35275. Structure only; nothing is verified here."""

from collections.abc import Sequence

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats import asn1
from seal_service.formats.asn1 import Node, Tag
from seal_service.formats.cms_model import (
    OID_GM_SIGNED_DATA,
    OID_SIGNED_DATA,
    Attribute,
    SignedData,
    SignerInfo,
)
from seal_service.formats.limits import DEFAULT_LIMITS, Limits
from seal_service.formats.notices import Notice

MAX_CERTIFICATES = 32
MAX_SIGNERS = 8
MAX_ATTRIBUTES = 32
_SUBJECT_KEY_ID = 0x80
_CONTENT_TAGS = (Tag.OCTET_STRING, Tag.UTF8_STRING, Tag.PRINTABLE_STRING, Tag.IA5_STRING)


def parse_signed_data(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> SignedData:
    """Read a ContentInfo that holds SignedData and fills ``data``.

    Zero padding, as in PDF, is taken off before by ``asn1.strip_zero_padding``. Raises
    ``MalformedDocument``.
    """
    outer = asn1.read_der(data, max_bytes=limits.ses_bytes)
    content_type, wrapped = asn1.read_sequence(outer, at_least=2, at_most=2)
    outer_type = asn1.read_oid(content_type)
    if outer_type not in (OID_SIGNED_DATA, OID_GM_SIGNED_DATA):
        raise MalformedDocument("not SignedData", reason="content-type")
    fields = asn1.read_sequence(
        asn1.read_explicit(asn1.expect(wrapped, Tag.EXPLICIT_0)), at_least=4, at_most=6
    )
    asn1.read_small_integer(fields[0])
    notices: list[Notice] = []
    inner_type, content = _read_content(fields[2], notices)
    middle = fields[3:-1]
    return SignedData(
        is_gbt35275=outer_type == OID_GM_SIGNED_DATA,
        digest_oids=tuple(_read_algorithm(node)[0] for node in asn1.read_set(fields[1])),
        content_type=inner_type,
        content=content,
        certificates=_read_certificates(middle, notices),
        signers=_read_signers(fields[-1], notices),
        raw=outer.raw,
        notices=tuple(notices),
    )


def _read_content(node: Node, notices: list[Notice]) -> tuple[str, bytes | None]:
    fields = asn1.read_sequence(node, at_least=1, at_most=2)
    content_type = asn1.read_oid(fields[0])
    if len(fields) == 1:
        return content_type, None
    inner = asn1.read_explicit(asn1.expect(fields[1], Tag.EXPLICIT_0))
    asn1.expect(inner, *_CONTENT_TAGS)
    if inner.tag != Tag.OCTET_STRING:
        notices.append(Notice(reason="content-not-octets", subject="encapContentInfo"))
    return content_type, inner.content


def _read_certificates(nodes: Sequence[Node], notices: list[Notice]) -> tuple[bytes, ...]:
    """Read certificates [0] and step over crls [1]; other kinds of certificate are remarked."""
    found: list[bytes] = []
    last = -1
    for node in nodes:
        asn1.expect(node, Tag.EXPLICIT_0, Tag.EXPLICIT_1)
        if node.tag <= last:
            raise MalformedDocument("fields out of order", reason="signed-data")
        last = node.tag
        if node.tag == Tag.EXPLICIT_1:
            continue
        children = node.children()
        found = [child.raw for child in children if child.tag == Tag.SEQUENCE]
        if len(found) != len(children):
            notices.append(Notice(reason="odd-certificate", subject="certificates"))
    if len(found) > MAX_CERTIFICATES:
        raise LimitExceeded("too many certificates", reason="limit", limit="cms_certificates")
    return tuple(found)


def _read_signers(node: Node, notices: list[Notice]) -> tuple[SignerInfo, ...]:
    entries = asn1.read_set(node)
    if len(entries) > MAX_SIGNERS:
        raise LimitExceeded("too many signers", reason="limit", limit="cms_signers")
    return tuple(_read_signer(entry, notices) for entry in entries)


def _read_signer(node: Node, notices: list[Notice]) -> SignerInfo:
    fields = list(asn1.read_sequence(node, at_least=5, at_most=7))
    asn1.read_small_integer(fields.pop(0))
    issuer, serial, key_id = _read_signer_identifier(fields.pop(0))
    digest_oid, _ = _read_algorithm(fields.pop(0))
    signed: Node | None = None
    if fields[0].tag == Tag.EXPLICIT_0:
        signed = fields.pop(0)
    if not 2 <= len(fields) <= 3:
        raise MalformedDocument("not a SignerInfo", reason="signer-info")
    signature_oid, parameters = _read_algorithm(fields[0])
    unsigned: tuple[Attribute, ...] = ()
    if len(fields) == 3:
        unsigned = _read_attributes(asn1.expect(fields[2], Tag.EXPLICIT_1))
    if signed is not None and not asn1.is_sorted_set(signed.children()):
        notices.append(Notice(reason="unsorted-set", subject="signedAttrs"))
    return SignerInfo(
        issuer_der=issuer,
        serial_der=serial,
        subject_key_id=key_id,
        digest_oid=digest_oid,
        signature_oid=signature_oid,
        signature_parameters=parameters,
        signature=asn1.read_octets(fields[1]),
        signed_attributes=None if signed is None else _read_attributes(signed),
        signed_attributes_raw=None if signed is None else bytes((Tag.SET,)) + signed.raw[1:],
        unsigned_attributes=unsigned,
    )


def _read_signer_identifier(node: Node) -> tuple[bytes | None, bytes | None, bytes | None]:
    if node.tag == _SUBJECT_KEY_ID:
        return None, None, node.content
    issuer, serial = asn1.read_sequence(node, at_least=2, at_most=2)
    return asn1.expect(issuer, Tag.SEQUENCE).raw, asn1.expect(serial, Tag.INTEGER).raw, None


def _read_algorithm(node: Node) -> tuple[str, bytes | None]:
    """Return identifier and DER of the parameters; NULL and absent are one to the caller."""
    fields = asn1.read_sequence(node, at_least=1, at_most=2)
    parameters = fields[1].raw if len(fields) == 2 and fields[1].tag != Tag.NULL else None
    return asn1.read_oid(fields[0]), parameters


def _read_attributes(node: Node) -> tuple[Attribute, ...]:
    children = node.children()
    if len(children) > MAX_ATTRIBUTES:
        raise LimitExceeded("too many attributes", reason="limit", limit="cms_attributes")
    return tuple(_read_attribute(child) for child in children)


def _read_attribute(node: Node) -> Attribute:
    oid, values = asn1.read_sequence(node, at_least=2, at_most=2)
    return Attribute(
        oid=asn1.read_oid(oid), values=tuple(value.raw for value in asn1.read_set(values))
    )
