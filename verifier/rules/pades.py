"""Rules on PDF documents: every signature field, whatever its SubFilter, and what came after it.

ISO 32000-1, 12.8; ETSI EN 319 142-1; GB/T 38540-2020 in ``/GM.sm2seal``.

1. Document time stamps first: they prove that earlier signatures existed.
2. Each signature alone: what it leaves out of the file, its value, its certificates, its time.
3. Later revisions by our own rule: after a seal only fields that waited for a signature, validation
   data and document time stamps; after a certification against changes not even another signature.
4. The last signature covers the whole file.

A SubFilter that we do not know is "unsupported", never "unsigned".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from keys.certificates import Certificate
from seal_service.formats.notices import Notice
from seal_service.formats.pdf.integrity import own_form_problems
from seal_service.formats.pdf.model import ChangeKind, PDFDocument, PDFSignature
from verifier.rules.chain import ChainEvidence, read_certificates
from verifier.rules.findings import failed, notice, passed, unknown
from verifier.rules.judged import DocumentContext, JudgedValue, conclude
from verifier.rules.pdf_values import (
    CLAUSE,
    OpenedPDF,
    judge_document_stamp,
    judge_value,
    open_pdf,
)
from verifier.verdict import (
    Check,
    Finding,
    Integrity,
    SignatureVerdict,
    TimeSource,
    in_order,
)

__all__ = ["JudgedPDF", "OpenedPDF", "judge_pdf", "open_pdf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPDF:
    """What is to be said of a document."""

    signatures: tuple[SignatureVerdict, ...]
    findings: tuple[Finding, ...]
    signers: tuple[Certificate, ...] = ()
    """Certificates whose signatures hold."""


def judge_pdf(opened: OpenedPDF, context: DocumentContext) -> JudgedPDF:
    """Judge every signature of a document that was opened."""
    document = opened.document
    if document is None:
        return JudgedPDF(signatures=(), findings=opened.findings)
    context = replace(context, evidence=_with_validation_data(document, context.evidence))
    stamps = {  # 1
        one.field_name: judge_document_stamp(one, document, context)
        for one in document.signatures
        if one.is_document_timestamp
    }
    verdicts: list[SignatureVerdict] = []
    signers: list[Certificate] = []
    for number, signature in enumerate(document.signatures):  # 2
        value = stamps.get(signature.field_name)
        if value is None:
            later = document.signatures[number + 1 :]
            proof = _proven_by(
                [stamps[one.field_name] for one in later if one.field_name in stamps]
            )
            value = judge_value(signature, opened, document, _proven(context, proof))
        verdicts.append(_conclude(signature, value, opened, document))
        if value.signer is not None and verdicts[-1].integrity is Integrity.HOLDS:
            signers.append(value.signer)
    findings = [*_document(document, opened)]
    if verdicts:
        findings += _whole_file(document, is_own=opened.is_own)  # 4
    return JudgedPDF(
        signatures=tuple(verdicts), findings=in_order(findings), signers=tuple(signers)
    )


def _with_validation_data(document: PDFDocument, evidence: ChainEvidence) -> ChainEvidence:
    """Add what travels in the file: judged as any other evidence, never trusted for being there."""
    data = document.validation_data
    given = evidence.revocation
    return replace(
        evidence,
        intermediates=(*evidence.intermediates, *read_certificates(data.certificates)),
        revocation=replace(
            given,
            crls=(*given.crls, *data.crls),
            ocsp_responses=(*given.ocsp_responses, *data.ocsp_responses),
        ),
    )


def _proven_by(stamps: Sequence[JudgedValue]) -> datetime | None:
    times = [
        one.signed_at
        for one in stamps
        if one.signed_at is not None and one.time_source is TimeSource.TIMESTAMP
    ]
    return min(times, default=None)


def _proven(context: DocumentContext, proof: datetime | None) -> DocumentContext:
    known = [moment for moment in (context.known_since, proof) if moment is not None]
    return replace(context, known_since=min(known, default=None))


def _conclude(
    signature: PDFSignature, value: JudgedValue, opened: OpenedPDF, document: PDFDocument
) -> SignatureVerdict:
    findings = [
        *_problems(signature),
        *_form(signature, opened),
        *value.findings,
        *_coverage(signature),
        *_later_changes(signature, document),
    ]
    return conclude(value, signature.field_name, findings)


def _problems(signature: PDFSignature) -> Iterator[Finding]:
    """Report what is wrong with the field itself (T-PDF-01 to 05)."""
    for problem in signature.problems:
        if problem.reason.startswith(("byte-range", "dictionary-outside")):
            yield failed(
                Check.COVERAGE,
                "byte-range",
                signature.field_name,
                clause=CLAUSE,
                detail=problem.reason,
            )
        else:
            yield failed(
                Check.STRUCTURE,
                "malformed",
                signature.field_name,
                clause=CLAUSE,
                detail=problem.reason,
            )


def _form(signature: PDFSignature, opened: OpenedPDF) -> Iterator[Finding]:
    """Judge how Contents is spelt: no signature covers the case of its digits."""
    if signature.byte_range is None or opened.document is None:
        return
    start, length, second, _ = signature.byte_range
    digits = opened.document.data[start + length : second]
    is_mixed = digits != digits.lower() and digits != digits.upper()
    if is_mixed or (opened.is_own and not signature.has_own_form):
        yield failed(Check.STRUCTURE, "own-form", signature.field_name, detail="contents")


def _coverage(signature: PDFSignature) -> Iterator[Finding]:
    if any(one.reason.startswith(("byte-range", "dictionary")) for one in signature.problems):
        return
    if signature.covers_file:
        yield passed(Check.COVERAGE, "covered", clause=CLAUSE)
    elif signature.byte_range is not None:
        yield notice(Check.COVERAGE, "covers-revision", signature.field_name, clause=CLAUSE)


# 3. and 4. What came later


def _later_changes(signature: PDFSignature, document: PDFDocument) -> Iterator[Finding]:
    """Judge later revisions by our own rule and the document's certification (T-PDF-02, 06-10)."""
    check = Check.LATER_CHANGES
    bad = document.forbidden_changes(signature)
    for change in bad:
        yield failed(
            check, "modified-after-signing", change.kind.value, clause=CLAUSE, detail=change.detail
        )
    if not bad:
        later = bool(signature.later_changes)
        reason = "allowed-later-changes" if later else "no-later-changes"
        yield passed(check, reason, clause=CLAUSE)


def _whole_file(document: PDFDocument, *, is_own: bool) -> Iterator[Finding]:
    """Demand that the last signature covers the whole file (T-PDF-11)."""
    last = document.signatures[-1]
    if last.covers_file:
        yield passed(Check.COVERAGE, "covered", clause=CLAUSE)
    elif is_own:
        yield failed(Check.COVERAGE, "uncovered", last.field_name, clause=CLAUSE)
    elif last.later_changes and all(
        one.kind is ChangeKind.VALIDATION_DATA for one in last.later_changes
    ):
        yield notice(Check.COVERAGE, "covers-revision", last.field_name, clause=CLAUSE)
    else:
        yield unknown(Check.COVERAGE, "uncovered", last.field_name, clause=CLAUSE)


def _is_taken_off(problem: Notice, document: PDFDocument) -> bool:
    """Return whether a certification was taken off, or the only signature was (T-PDF-09)."""
    was_certified = any(one.reason == "perms-dangling" for one in document.problems)
    return problem.reason == "signature-removed" and (was_certified or not document.signatures)


def _document(document: PDFDocument, opened: OpenedPDF) -> Iterator[Finding]:
    """Report what is odd about the file; what acts in it is listed, never run (T-PDF-13, 17)."""
    check = Check.CONTAINER
    for problem in document.problems:
        is_proof = opened.is_own or _is_taken_off(problem, document)
        say = failed if is_proof else unknown
        yield say(check, "ambiguous-structure", problem.subject, detail=problem.reason)
    if opened.is_own and document.signatures:
        for reason in dict.fromkeys(own_form_problems(document)):
            yield failed(check, "own-form", reason, clause="ISO 32000-1, 7.5")
    for kind in dict.fromkeys(one.kind for one in document.active_content):
        yield notice(check, "active-content", kind)
    if not document.problems:
        yield passed(check, "ok", clause="ISO 32000-1, 7.5")
