"""Rules on PDF documents: every signature field, whatever its SubFilter, and what came after it.

ISO 32000-1, 12.8; ETSI EN 319 142-1; GB/T 38540-2020 in ``/GM.sm2seal``.

1. Document time stamps first: they prove that earlier signatures existed.
2. Each signature alone: what it leaves out of the file, its value, its certificates, its time.
3. Later revisions by our own rule: after a seal only fields that waited for a signature, validation
   data and document time stamps; after a certification against changes not even another signature.
4. The last signature covers the whole file.

A SubFilter that we do not know is "unsupported", never "unsigned".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from keys.algorithms import DigestAlgorithm, KeyAlgorithm
from keys.certificates import Certificate
from keys.errors import ServiceError
from seal_service.formats.cms import (
    SignedData,
    VerifiedSigner,
    verify_gbt35275_signer,
    verify_signer,
)
from seal_service.formats.pdf.integrity import own_form_problems
from seal_service.formats.pdf.model import ChangeKind, PDFDocument, PDFSignature
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.ses import SealSignature, parse_seal_signature
from verifier.records import IDENTIFIER_ITEM, SealRecord
from verifier.rules.chain import ChainEvidence, read_certificates, shown_name
from verifier.rules.findings import (
    failed,
    finding,
    notice,
    passed,
    refusal,
    unknown,
)
from verifier.rules.ses import SealedOriginal, judge_seal
from verifier.rules.signed_data import SignedOriginal, judge_signed_data
from verifier.rules.timestamp import judge_timestamps
from verifier.verdict import (
    Check,
    Finding,
    Integrity,
    Result,
    SealFacts,
    SignatureVerdict,
    TimeSource,
    in_order,
    integrity_of,
    outcome_of,
    trust_of,
)

CLAUSE = "ISO 32000-1, 12.8"
CMS_FILTERS = frozenset({"ETSI.CAdES.detached", "adbe.pkcs7.detached"})
GM_CMS_FILTER = "GM.sm2cms.detached"
SEAL_FILTER = "GM.sm2seal"
WEAK_FILTERS = frozenset({"adbe.x509.rsa_sha1", "adbe.pkcs7.sha1"})
OWN_HANDLER = "Eseal."


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPDF:
    """A document as read; ``document`` is None where nothing could be read."""

    document: PDFDocument | None = None
    seal_values: Mapping[str, SealSignature | ServiceError] | None = None
    """What the fields with a seal hold, by field name."""
    findings: tuple[Finding, ...] = ()

    @property
    def claims(self) -> Mapping[str, str]:
        """Return the named values that the document carries."""
        return {} if self.document is None else self.document.claims

    @property
    def is_own(self) -> bool:
        """Return whether the document says it is a licence that was made by us."""
        if self.document is None:
            return False
        handlers = [one.filter for one in self.document.signatures]
        return IDENTIFIER_ITEM in self.claims or any(
            handler.startswith(OWN_HANDLER) for handler in handlers
        )

    @property
    def seal_ids(self) -> frozenset[str]:
        """Return the numbers of the seals inside."""
        values = (self.seal_values or {}).values()
        return frozenset(one.seal.seal_id for one in values if isinstance(one, SealSignature))


@dataclass(frozen=True, slots=True, kw_only=True)
class PDFContext:
    """What one document is judged against."""

    evidence: ChainEvidence
    seals: Mapping[str, tuple[SealRecord, ...]] | None = None
    known_since: datetime | None = None

    def seal_records(self, seal_id: str) -> tuple[SealRecord, ...] | None:
        """Return the register's rows for a seal number."""
        return None if self.seals is None else self.seals.get(seal_id, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPDF:
    """What is to be said of a document."""

    signatures: tuple[SignatureVerdict, ...]
    findings: tuple[Finding, ...]
    signers: tuple[Certificate, ...] = ()
    """Certificates whose signatures hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """What judging the value of one signature gave."""

    kind: str
    findings: tuple[Finding, ...]
    signed_at: datetime | None = None
    time_source: TimeSource = TimeSource.NONE
    signer: Certificate | None = None
    seal: SealFacts | None = None


def open_pdf(data: bytes) -> OpenedPDF:
    """Read a document; what refuses to be read is said in ``findings``."""
    try:
        document = read_pdf(data)
    except ServiceError as error:
        return OpenedPDF(findings=(refusal(Check.CONTAINER, error, clause="ISO 32000-1, 7.5"),))
    values = {
        one.field_name: _seal_value(one)
        for one in document.signatures
        if one.sub_filter == SEAL_FILTER
    }
    return OpenedPDF(document=document, seal_values=values)


def _seal_value(signature: PDFSignature) -> SealSignature | ServiceError:
    try:
        return parse_seal_signature(signature.contents or b"")
    except ServiceError as error:
        return error.with_traceback(None)


def judge_pdf(opened: OpenedPDF, context: PDFContext) -> JudgedPDF:
    """Judge every signature of a document that was opened."""
    document = opened.document
    if document is None:
        return JudgedPDF(signatures=(), findings=opened.findings)
    context = replace(context, evidence=_with_validation_data(document, context.evidence))
    stamps = {  # 1
        one.field_name: _judge_document_stamp(one, document, context)
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
            value = _judge_value(signature, opened, document, _proven(context, proof))
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


def _proven_by(stamps: Sequence[_Value]) -> datetime | None:
    times = [
        one.signed_at
        for one in stamps
        if one.signed_at is not None and one.time_source is TimeSource.TIMESTAMP
    ]
    return min(times, default=None)


def _proven(context: PDFContext, proof: datetime | None) -> PDFContext:
    known = [moment for moment in (context.known_since, proof) if moment is not None]
    return replace(context, known_since=min(known, default=None))


# 1. Time stamps over the document


def _judge_document_stamp(
    signature: PDFSignature, document: PDFDocument, context: PDFContext
) -> _Value:
    pieces = b"".join(signature.pieces(document.data))
    tokens = [] if signature.contents is None else [signature.contents]
    judged = judge_timestamps(tokens, pieces, context.evidence, is_own=False)
    findings = list(judged.findings)
    if judged.stamped_at is not None:
        findings.append(passed(Check.SIGNATURE_VALUE, "signature-holds", clause=CLAUSE))
        findings.append(passed(Check.DOCUMENT_DIGEST, "digest-holds", clause=CLAUSE))
    return _Value(
        kind="timestamp",
        findings=tuple(findings),
        signed_at=judged.stamped_at,
        time_source=TimeSource.NONE if judged.stamped_at is None else TimeSource.TIMESTAMP,
    )


# 2. One signature


def _judge_value(
    signature: PDFSignature, opened: OpenedPDF, document: PDFDocument, context: PDFContext
) -> _Value:
    sub_filter = signature.sub_filter
    if sub_filter in WEAK_FILTERS:
        weak = failed(Check.ALGORITHM, "weak-algorithm", sub_filter, clause=CLAUSE)
        return _Value(kind="unsupported", findings=(weak,))
    if sub_filter == SEAL_FILTER:
        return _judge_seal(signature, opened, document, context)
    if sub_filter in CMS_FILTERS or sub_filter == GM_CMS_FILTER:
        return _judge_message(signature, opened, document, context)
    strange = unknown(Check.STRUCTURE, "unsupported-signature", sub_filter[:80], clause=CLAUSE)
    return _Value(kind="unsupported", findings=(strange,))


def _judge_seal(
    signature: PDFSignature, opened: OpenedPDF, document: PDFDocument, context: PDFContext
) -> _Value:
    value = (opened.seal_values or {})[signature.field_name]
    if isinstance(value, ServiceError):
        broken = refusal(Check.STRUCTURE, value, signature.field_name, clause=CLAUSE)
        return _Value(kind="gm-seal", findings=(broken,))
    original = SealedOriginal(
        digest=signature.digest(document.data, DigestAlgorithm.SM3),
        is_own=opened.is_own,
        known_since=context.known_since,
        seals=context.seal_records(value.seal.seal_id),
    )
    judged = judge_seal(value, original, context.evidence)
    findings = list(judged.findings)
    if not any(one.check is Check.DOCUMENT_DIGEST for one in findings):
        findings.append(passed(Check.DOCUMENT_DIGEST, "digest-holds", clause=CLAUSE))
    return _Value(
        kind="gm-seal",
        findings=tuple(findings),
        signed_at=judged.signed_at,
        time_source=judged.time_source,
        signer=judged.signer,
        seal=judged.seal,
    )


def _judge_message(
    signature: PDFSignature, opened: OpenedPDF, document: PDFDocument, context: PDFContext
) -> _Value:
    is_gm = signature.sub_filter == GM_CMS_FILTER
    if signature.contents is None:
        return _Value(kind="gm-cms" if is_gm else "rsa-pades", findings=())
    pieces = signature.pieces(document.data)

    def verify(signed_data: SignedData) -> VerifiedSigner:
        if is_gm:
            # Under this name the digest of the document travels as content (GB/T 35275 form A).
            return verify_gbt35275_signer(signed_data, b"".join(pieces))
        return verify_signer(signed_data, [bytes(piece) for piece in pieces])

    original = SignedOriginal(
        verify=verify,
        is_own=opened.is_own,
        claimed_at=signature.signed_at,
        known_since=context.known_since,
        needs_signing_certificate=signature.sub_filter == "ETSI.CAdES.detached",
    )
    judged = judge_signed_data(signature.contents, original, context.evidence)
    findings = list(judged.findings)
    signer = None if judged.signer is None else judged.signer.certificate
    if signer is not None:
        findings.append(passed(Check.DOCUMENT_DIGEST, "digest-holds", clause=CLAUSE))
        is_gm = signer.public_key.algorithm is KeyAlgorithm.SM2
    return _Value(
        kind="gm-cms" if is_gm else "rsa-pades",
        findings=tuple(findings),
        signed_at=judged.signed_at,
        time_source=judged.time_source,
        signer=signer,
    )


def _conclude(
    signature: PDFSignature, value: _Value, opened: OpenedPDF, document: PDFDocument
) -> SignatureVerdict:
    findings = in_order(
        [
            *_problems(signature),
            *_form(signature, opened),
            *value.findings,
            *_coverage(signature),
            *_later_changes(signature, document),
        ]
    )
    return SignatureVerdict(
        kind=value.kind,
        name=signature.field_name,
        outcome=outcome_of(findings),
        integrity=integrity_of(findings),
        trust=trust_of(findings),
        signed_at=value.signed_at,
        time_source=value.time_source,
        signer=shown_name(value.signer),
        seal=value.seal,
        findings=findings,
    )


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


def _document(document: PDFDocument, opened: OpenedPDF) -> Iterator[Finding]:
    """Report what is odd about the file; what acts in it is listed, never run (T-PDF-13, 17)."""
    check = Check.CONTAINER
    result = Result.FAILED if opened.is_own else Result.UNKNOWN
    for problem in document.problems:
        yield finding(check, result, "ambiguous-structure", problem.subject, detail=problem.reason)
    if opened.is_own and document.signatures:
        for reason in dict.fromkeys(own_form_problems(document)):
            yield failed(check, "own-form", reason, clause="ISO 32000-1, 7.5")
    for kind in dict.fromkeys(one.kind for one in document.active_content):
        yield notice(check, "active-content", kind)
    if not document.problems:
        yield passed(check, "ok", clause="ISO 32000-1, 7.5")
