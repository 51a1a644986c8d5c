"""What no signature of a CMS message covers, so that a change there does not pass unseen.

Version numbers, algorithm parameters, certificates that no chain needs, revocation lists and
unsigned attributes can be changed and every signature still holds. Messages that claim to be ours
must have the very form in which we write them. In foreign messages (RFC 5652, 5) a departure leaves
the question open, except where deployed signers are known for it.
"""

from collections.abc import Iterator

from keys.algorithms import OID_RSA_PSS
from keys.certificates import Certificate
from keys.errors import Kind, ServiceError
from keys.path import PathReport, Usage, check_path
from seal_service.formats import asn1
from seal_service.formats.asn1 import Node, Tag
from seal_service.formats.cms_model import OID_DATA, OID_GM_DATA, OID_SIGNATURE_TIMESTAMP
from verifier.rules.chain import ChainEvidence, read_certificates
from verifier.rules.findings import failed, unknown
from verifier.verdict import Check, Finding

CLAUSE = "RFC 5652, 5"
PLAIN_CONTENT = frozenset({OID_DATA, OID_GM_DATA})
UNUSED, ORDER = "unused-certificate", "certificate-order"
KEY_IDENTIFIER = 0x80
_CADES = "1.2.840.113549.1.9.16.2."
KNOWN_UNSIGNED = frozenset(
    {f"{_CADES}{number}" for number in (14, 21, 22, 23, 24, 25, 26, 27, 48)}
    | {"1.2.840.113549.1.9.6", "1.2.840.113583.1.1.8", "0.4.0.1733.2.4", "0.4.0.1733.2.5"}
)
"""Attributes that foreign signers add beside the time stamp (ETSI EN 319 122)."""


def judge_form(
    check: Check, message: bytes, report: PathReport, evidence: ChainEvidence, *, is_own: bool
) -> list[Finding]:
    """Judge what is outside of every signature; ``report`` is the chain of the signer."""
    try:
        faults = dict.fromkeys(_faults(message, report, is_own=is_own))
        if not is_own:
            faults.pop(ORDER, None)
            if UNUSED in faults and _all_vouched(message, report, evidence):
                faults.pop(UNUSED)
    except ServiceError as error:
        if error.kind is Kind.UNAVAILABLE:
            raise
        faults = {str(error.params.get("reason", error.code)): None}
    say, reason = (failed, "own-form") if is_own else (unknown, "odd-message")
    return [say(check, reason, fault, clause=CLAUSE) for fault in faults]


def _fields(message: bytes) -> list[Node]:
    outer = asn1.read_sequence(asn1.read_der(message), at_least=2, at_most=2)
    return asn1.read_sequence(asn1.read_explicit(outer[1]), at_least=5, at_most=6)


def _faults(message: bytes, report: PathReport, *, is_own: bool) -> Iterator[str]:
    fields = _fields(message)
    version, digests, content, certificates = fields[:4]
    is_plain = asn1.read_oid(content.children()[0]) in PLAIN_CONTENT
    signers = asn1.read_set(fields[-1])
    is_named = all(signer.children()[1].tag != KEY_IDENTIFIER for signer in signers)
    if asn1.read_small_integer(version) != (1 if is_plain and is_named else 3):
        yield "version"
    if len(fields) != 5 or certificates.tag != Tag.EXPLICIT_0:
        yield "revocation-lists"
    known = {certificate.der for certificate in report.chain}
    travelling = [node.raw for node in certificates.children()]
    if len(set(travelling)) != len(travelling) or not known.issuperset(travelling):
        yield UNUSED
    if travelling != sorted(travelling):
        yield ORDER
    for signer in signers:
        yield from _signer_faults(signer, digests, is_own=is_own)


def _signer_faults(signer: Node, digests: Node, *, is_own: bool) -> Iterator[str]:
    fields = list(asn1.read_sequence(signer, at_least=5, at_most=7))
    version, identifier, digest = fields[:3]
    signed = fields.pop(3) if fields[3].tag == Tag.EXPLICIT_0 else None
    if asn1.read_small_integer(version) != (3 if identifier.tag == KEY_IDENTIFIER else 1):
        yield "signer-version"
    if [node.raw for node in asn1.read_set(digests)] != [digest.raw]:
        yield "digest-algorithms"
    if not (_is_plain_algorithm(digest) and _is_plain_algorithm(fields[3])):
        yield "parameters"
    if is_own and (signed is None or not asn1.is_sorted_set(signed.children())):
        yield "signed-attributes"
    known = {OID_SIGNATURE_TIMESTAMP} if is_own else KNOWN_UNSIGNED
    for attribute in fields[5].children() if len(fields) == 6 else ():
        oid, values = asn1.read_sequence(attribute, at_least=2, at_most=2)
        if asn1.read_oid(oid) not in known or len(asn1.read_set(values)) != 1:
            yield "unsigned-attributes"


def _is_plain_algorithm(node: Node) -> bool:
    """Return whether parameters are absent or NULL; PSS has some that its check reads."""
    fields = asn1.read_sequence(node, at_least=1, at_most=2)
    if len(fields) == 1 or fields[1].raw == b"\x05\x00":
        return True
    return asn1.read_oid(fields[0]) == OID_RSA_PSS


def _all_vouched(message: bytes, report: PathReport, evidence: ChainEvidence) -> bool:
    """Return whether every certificate that the chain does not need leads to a root by itself."""
    travelling = [node.raw for node in _fields(message)[3].children()]
    certificates = read_certificates(travelling)
    if len(certificates) != len(travelling) or len(set(travelling)) != len(travelling):
        return False
    needed = {certificate.der for certificate in report.chain}
    others = [one for one in certificates if one.der not in needed]
    return all(_is_vouched(one, certificates, evidence) for one in others)


def _is_vouched(
    certificate: Certificate, others: tuple[Certificate, ...], evidence: ChainEvidence
) -> bool:
    found = check_path(
        certificate,
        usage=Usage.AUTHORITY if certificate.is_ca else Usage.DOCUMENT_SIGNER,
        at=evidence.now,
        trust=evidence.trust,
        intermediates=(*evidence.intermediates, *others),
    )
    return found.is_trusted
