"""Open an OFD package for judging: strictly where it claims our form, else as real issuers write.

What cannot be read at all is a finding, never an exception. References protect contents, not how
contents are packed, so a package whose signatures claim our own form must have that form to the
byte (T-OFD-01 to 15); foreign packages are read tolerantly and every deviation leaves a notice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from keys.errors import ServiceError
from seal_service.formats.ofd.container import OFDContainer
from seal_service.formats.ofd.model import EntryKind, OFDDocument, OFDSignature, SignatureKind
from seal_service.formats.ofd.own_form import claims_own_form, own_form_problems
from seal_service.formats.ofd.reading import read_package
from seal_service.formats.ses import SealSignature, parse_seal_signature
from verifier.rules.findings import deviations, failed, notice, refusal, unknown
from verifier.verdict import Check, Finding

CLAUSE = "GB/T 33190-2016, 18"
OPEN_PROBLEMS = frozenset({"several-documents"})
"""Faults that leave the question open in foreign packages; every other one is proof (T-OFD-49)."""
EXTRA = "zip-extra"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedOFD:
    """A package as read; ``container`` is None where nothing could be read."""

    container: OFDContainer | None = None
    document: OFDDocument | None = None
    signatures: tuple[OFDSignature, ...] = ()
    seal_values: Mapping[str, SealSignature | ServiceError] = field(default_factory=dict)
    """What SignedValue.dat holds, by path of Signature.xml, for seals."""
    is_own: bool = False
    """Whether a signature claims our own form."""
    has_extra: bool = False
    """Whether bytes stand before or after the package."""
    findings: tuple[Finding, ...] = ()
    """About the package as a container."""

    @property
    def claims(self) -> Mapping[str, str]:
        """Return the named values that the document carries."""
        return {} if self.document is None else dict(self.document.custom_datas)

    @property
    def seal_ids(self) -> frozenset[str]:
        """Return the numbers of the seals inside."""
        values = self.seal_values.values()
        return frozenset(one.seal.seal_id for one in values if isinstance(one, SealSignature))


def open_ofd(data: bytes) -> OpenedOFD:
    """Read a package; what refuses to be read is said in ``findings``."""
    try:
        return _open(data, strict=True)
    except ServiceError as error:
        departed = refusal(Check.CONTAINER, error, clause=CLAUSE)
    try:
        opened = _open(data, strict=False)
    except ServiceError as error:
        return OpenedOFD(findings=(refusal(Check.CONTAINER, error, clause=CLAUSE),))
    if not opened.is_own:
        return opened
    # Two readers could see two documents: what claims our form must have it to the byte.
    return replace(opened, findings=(*opened.findings, replace(departed, reason="own-form")))


def _open(data: bytes, *, strict: bool) -> OpenedOFD:
    package = read_package(data, strict=strict)
    container, document, signatures = package.container, package.document, package.signatures
    is_own = any(map(claims_own_form, signatures))
    findings: list[Finding] = []
    if is_own and strict:
        findings += _own_form(container, signatures)
    findings += _container_remarks(container, document)
    return OpenedOFD(
        container=container,
        document=document,
        signatures=signatures,
        seal_values={one.path: _seal_value(one) for one in signatures if _is_seal(one)},
        is_own=is_own,
        has_extra=any(one.reason == EXTRA for one in container.notices),
        findings=tuple(findings),
    )


def _own_form(container: OFDContainer, signatures: Sequence[OFDSignature]) -> list[Finding]:
    """Judge a package by the one form in which we write (T-OFD-01 to 15, 51)."""
    problems = own_form_problems(container, signatures)
    if not all(map(claims_own_form, signatures)):
        # Another program added a seal and so wrote the list its own way.
        problems = tuple(one for one in problems if one.reason == "packing")
        own = {one.path for one in signatures if claims_own_form(one)}
        problems = tuple(one for one in problems if one.subject in own)
    return [
        failed(Check.CONTAINER, "own-form", one.subject, clause=CLAUSE, detail=one.reason)
        for one in problems
    ]


def _is_seal(signature: OFDSignature) -> bool:
    return signature.kind is SignatureKind.SEAL and signature.signed_value is not None


def _seal_value(signature: OFDSignature) -> SealSignature | ServiceError:
    try:
        return parse_seal_signature(signature.signed_value or b"")
    except ServiceError as error:
        return error.with_traceback(None)


def _container_remarks(container: OFDContainer, document: OFDDocument) -> list[Finding]:
    check = Check.CONTAINER
    plain = [one for one in container.notices if one.reason != EXTRA]
    findings = deviations(check, [*plain, *document.notices], "", is_own=False, clause=CLAUSE)
    for problem in document.problems:
        say = unknown if problem.reason in OPEN_PROBLEMS else failed
        findings.append(say(check, problem.reason, problem.subject, clause=CLAUSE))
    if document.lists_missing_signatures:
        findings.append(failed(check, "signature-list-missing", clause=CLAUSE))
    findings += [
        notice(check, "entry-missing", entry.path, clause=CLAUSE)
        for entry in document.missing
        if entry.kind is not EntryKind.SIGNATURES
    ]
    findings += [
        unknown(check, "external-resource", entry.path[:255], clause=CLAUSE)
        for entry in document.external
    ]
    return findings
