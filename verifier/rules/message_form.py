"""The one form of a CMS message that we write: nothing in it may change without a trace.

A CMS signature leaves bytes unprotected: version numbers, algorithm parameters, certificates that
no chain needs, revocation lists, unsigned attributes. A reader ignores most of them, so a change
there would pass unseen. Messages that claim to be ours are held to the form in which we write them
(RFC 5652, 5); foreign messages are not judged here.
"""

from collections.abc import Iterator

from keys.errors import ServiceError
from keys.path import PathReport
from seal_service.formats import asn1
from seal_service.formats.asn1 import Node, Tag
from seal_service.formats.cms_model import OID_DATA, OID_GM_DATA, OID_SIGNATURE_TIMESTAMP

PLAIN_CONTENT = frozenset({OID_DATA, OID_GM_DATA})


def message_faults(message: bytes, report: PathReport) -> list[str]:
    """Say where a message departs from our form; ``report`` is the chain of its signer."""
    try:
        return list(_faults(message, report))
    except ServiceError as error:
        return [str(error.params.get("reason", error.code))]


def _faults(message: bytes, report: PathReport) -> Iterator[str]:
    outer = asn1.read_sequence(asn1.read_der(message), at_least=2, at_most=2)
    fields = list(asn1.read_sequence(asn1.read_explicit(outer[1]), at_least=5, at_most=5))
    version, digests, content, certificates, signers = fields
    is_plain = asn1.read_oid(content.children()[0]) in PLAIN_CONTENT
    if asn1.read_small_integer(version) != (1 if is_plain else 3):
        yield "version"
    if certificates.tag != Tag.EXPLICIT_0:
        yield "certificates"
    known = {certificate.der for certificate in report.chain}
    travelling = [node.raw for node in certificates.children()]
    if len(set(travelling)) != len(travelling) or not known.issuperset(travelling):
        yield "unused-certificate"
    if travelling != sorted(travelling):
        yield "certificate-order"
    for signer in asn1.read_set(signers):
        yield from _signer_faults(signer, digests)


def _signer_faults(signer: Node, digests: Node) -> Iterator[str]:
    fields = asn1.read_sequence(signer, at_least=6, at_most=7)
    version, _, digest, signed, algorithm = fields[:5]
    if asn1.read_small_integer(version) != 1:
        yield "signer-version"
    if [node.raw for node in asn1.read_set(digests)] != [digest.raw]:
        yield "digest-algorithms"
    if not (_is_plain_algorithm(digest) and _is_plain_algorithm(algorithm)):
        yield "parameters"
    if signed.tag != Tag.EXPLICIT_0 or not asn1.is_sorted_set(signed.children()):
        yield "signed-attributes"
    for attribute in fields[6].children() if len(fields) == 7 else ():
        oid, values = asn1.read_sequence(attribute, at_least=2, at_most=2)
        is_known = asn1.read_oid(oid) == OID_SIGNATURE_TIMESTAMP
        if not is_known or len(asn1.read_set(values)) != 1:
            yield "unsigned-attributes"


def _is_plain_algorithm(node: Node) -> bool:
    """Return whether parameters are absent or NULL."""
    fields = asn1.read_sequence(node, at_least=1, at_most=2)
    return len(fields) == 1 or fields[1].raw == b"\x05\x00"
