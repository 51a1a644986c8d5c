"""The judge: bytes and evidence in, one verdict out. Pure: no storage, no network, no clock.

1. Tell the format by its first bytes; read the document once (``open_document``).
2. Judge every signature by the rule book of its format, alone.
3. Judge the document by our library, where it claims to be ours.
4. Conclude: the worst of all findings decides; authenticity and force are two answers.

What is wrong with a document is a finding. Only faults of our own raise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from keys.algorithms import file_digest
from keys.certificates import Certificate
from keys.errors import ServiceError
from seal_service.formats.ses import SealSignature, parse_seal_signature
from verifier.records import LibraryRecords, SealRecord
from verifier.rules.chain import ChainEvidence
from verifier.rules.findings import refusal, unknown
from verifier.rules.judged import DocumentContext, JudgedValue, conclude
from verifier.rules.licence import (
    Claimant,
    find_record,
    is_library_file,
    judge_licence,
)
from verifier.rules.ofd import judge_ofd
from verifier.rules.ofd_opening import OpenedOFD, open_ofd
from verifier.rules.pades import OpenedPDF, judge_pdf, open_pdf
from verifier.rules.ses import SealedOriginal, judge_seal
from verifier.verdict import (
    FORCE_CHECKS,
    Check,
    Coverage,
    Finding,
    LicenceFacts,
    Outcome,
    Result,
    SignatureVerdict,
    Verdict,
    in_order,
    outcome_of,
    worst,
)

ZIP_MAGIC = b"PK\x03\x04"
PDF_MAGIC = b"%PDF-"
DER_SEQUENCE = b"\x30"
BARE_KIND = "ofd-seal"
HEADER_WINDOW = 1024
"""Readers look for a header within this many bytes (ISO 32000-1, annex H)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeContext:
    """What a document is judged against; everything is handed in."""

    evidence: ChainEvidence
    records: LibraryRecords | None = None
    """What our own library says; None where it was not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedDocument:
    """A document that was read once and not yet judged."""

    kind: str
    """``ofd``, ``pdf``, ``ses`` (a bare seal signature) or ``unknown``."""
    digest: str
    """SM3, hexadecimal."""
    ofd: OpenedOFD | None = None
    pdf: OpenedPDF | None = None
    bare: SealSignature | None = None

    @property
    def claims(self) -> Mapping[str, str]:
        """Return the GB/T 36903 items the document carries; claims, not facts."""
        readable = self.ofd or self.pdf
        return {} if readable is None else readable.claims

    @property
    def seal_ids(self) -> frozenset[str]:
        """Return the numbers of the seals inside, for asking the register."""
        if self.bare is not None:
            return frozenset({self.bare.seal.seal_id})
        readable = self.ofd or self.pdf
        return frozenset() if readable is None else readable.seal_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What the rule book of a format said."""

    signatures: tuple[SignatureVerdict, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    findings: tuple[Finding, ...] = ()
    signers: tuple[Certificate, ...] = ()


def judge_document(data: bytes, context: JudgeContext) -> Verdict:
    """Judge an OFD or PDF file."""
    return judge_opened(open_document(data), context)


def open_document(data: bytes) -> OpenedDocument:
    """Tell the format and read the document; whatever cannot be read is left to the verdict."""
    digest = file_digest(data).hex()
    head = data[:HEADER_WINDOW]
    if data.startswith(PDF_MAGIC) or (PDF_MAGIC in head and not data.startswith(ZIP_MAGIC)):
        return OpenedDocument(kind="pdf", digest=digest, pdf=open_pdf(data))
    if ZIP_MAGIC in head:
        return OpenedDocument(kind="ofd", digest=digest, ofd=open_ofd(data))
    if data.startswith(DER_SEQUENCE):
        try:
            return OpenedDocument(kind="ses", digest=digest, bare=parse_seal_signature(data))
        except ServiceError:
            pass
    return OpenedDocument(kind="unknown", digest=digest)


def judge_opened(opened: OpenedDocument, context: JudgeContext) -> Verdict:
    """Judge a document that was opened; the evidence may have been gathered in between."""
    claimant = Claimant(kind=opened.kind, digest=opened.digest, claims=opened.claims)
    record = find_record(claimant, context.records)
    known_since = None
    if record is not None and is_library_file(claimant, record):
        known_since = record.issued_at
    judged = _judge(opened, context, known_since)  # 2
    claimant = replace(
        claimant,
        is_signed=bool(judged.signatures),
        seals=_own_seals(opened, context.records),
        signers=judged.signers,
    )
    findings = [
        *judged.findings,
        *judge_licence(claimant, context.records, context.evidence.now),  # 3
    ]
    outcome, authentic = _conclude(judged.signatures, findings)  # 4
    is_ours = context.records is not None and context.records.claims_ours(claimant.identifier)
    return Verdict(
        outcome=outcome,
        authentic=authentic,
        in_force=_in_force(findings) if is_ours else None,
        judged_at=context.evidence.now,
        document_digest=opened.digest,
        document_kind=opened.kind,
        coverage=judged.coverage,
        signatures=judged.signatures,
        findings=in_order(findings),
        licence=None if record is None else record.facts,
        judged_at_source=context.evidence.now_source,
        policy_name=context.evidence.policy.name,
    )


def _judge(opened: OpenedDocument, context: JudgeContext, known_since: datetime | None) -> _Judged:
    records = context.records
    document = DocumentContext(
        evidence=context.evidence,
        seals=None if records is None else records.seals,
        known_since=known_since,
    )
    if opened.ofd is not None:
        ofd = judge_ofd(opened.ofd, document)
        return _Judged(
            signatures=ofd.signatures,
            coverage=ofd.coverage,
            findings=ofd.findings,
            signers=ofd.signers,
        )
    if opened.pdf is not None:
        pdf = judge_pdf(opened.pdf, document)
        return _Judged(signatures=pdf.signatures, findings=pdf.findings, signers=pdf.signers)
    if opened.bare is not None:
        return _Judged(signatures=(_judge_bare(opened.bare, context),))
    return _Judged(findings=(unknown(Check.CONTAINER, "unsupported-format"),))


def _own_seals(opened: OpenedDocument, records: LibraryRecords | None) -> tuple[SealRecord, ...]:
    if records is None:
        return ()
    return tuple(one for seal_id in opened.seal_ids for one in records.seals.get(seal_id, ()))


def _conclude(
    signatures: tuple[SignatureVerdict, ...], findings: list[Finding]
) -> tuple[Outcome, bool]:
    """Return the one answer, and whether the document is authentic apart from its force."""
    about_origin = [one for one in findings if one.check not in FORCE_CHECKS]
    outcomes = [signature.outcome for signature in signatures]
    origin = worst([*outcomes, _outcome_beside(about_origin, bool(signatures))])
    force = [one for one in findings if one.check in FORCE_CHECKS]
    overall = worst([origin, _outcome_beside(force, bool(signatures))])
    return overall, origin is Outcome.VALID


def _outcome_beside(findings: list[Finding], is_signed: bool) -> Outcome:
    """Return what findings about the whole document amount to, beside its signatures."""
    results = {one.result for one in findings}
    if Result.FAILED in results:
        return Outcome.INVALID
    if Result.UNKNOWN in results:
        return Outcome.INDETERMINATE
    return Outcome.VALID if is_signed else Outcome.UNSIGNED


def _in_force(findings: list[Finding]) -> bool:
    """Return whether a licence of ours has force: its state and its period both passed."""
    passed = {one.check for one in findings if one.result is Result.PASSED}
    return passed >= FORCE_CHECKS


def judge_record(record_findings: list[Finding], facts: LicenceFacts, now: datetime) -> Verdict:
    """Return the verdict on a licence that is asked for by its code, without any file."""
    outcome, authentic = _conclude_record(record_findings)
    return Verdict(
        outcome=outcome,
        authentic=authentic,
        in_force=_in_force(record_findings),
        judged_at=now,
        document_digest="",
        document_kind="unknown",
        findings=in_order(record_findings),
        licence=facts,
    )


def _conclude_record(findings: list[Finding]) -> tuple[Outcome, bool]:
    about_origin = [one for one in findings if one.check not in FORCE_CHECKS]
    return outcome_of(findings), outcome_of(about_origin) is Outcome.VALID


# A seal signature on its own


def judge_seal_signature(data: bytes, context: JudgeContext) -> SignatureVerdict:
    """Judge a bare SES_Signature, whose original is not at hand (GM/T 0031-2025 sample)."""
    try:
        signature = parse_seal_signature(data)
    except ServiceError as error:
        unread = JudgedValue(kind=BARE_KIND, findings=(refusal(Check.STRUCTURE, error),))
        return conclude(unread, "", unread.findings)
    return _judge_bare(signature, context)


def _judge_bare(signature: SealSignature, context: JudgeContext) -> SignatureVerdict:
    records = context.records
    original = SealedOriginal(
        digest=None,
        seals=None if records is None else records.seals.get(signature.seal.seal_id, ()),
    )
    judged = judge_seal(signature, original, context.evidence)
    value = JudgedValue(
        kind=BARE_KIND,
        findings=judged.findings,
        signed_at=judged.signed_at,
        time_source=judged.time_source,
        signer=judged.signer,
        seal=judged.seal,
    )
    return conclude(value, "", value.findings)
