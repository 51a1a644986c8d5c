"""The values in PDF signature fields: CMS, seals, time stamps, each by the rules of its kind.

``verifier.rules.pades`` judges what surrounds them: byte ranges, coverage, later revisions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keys.algorithms import DigestAlgorithm, KeyAlgorithm
from keys.errors import ServiceError
from seal_service.formats.cms import (
    SignedData,
    VerifiedSigner,
    verify_gbt35275_signer,
    verify_signer,
)
from seal_service.formats.pdf.model import PDFDocument, PDFSignature
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.ses import SealSignature, parse_seal_signature
from verifier.records import IDENTIFIER_ITEM
from verifier.rules.findings import failed, passed, refusal, unknown
from verifier.rules.judged import DocumentContext, JudgedValue
from verifier.rules.ses import SealedOriginal, judge_seal
from verifier.rules.signed_data import SignedOriginal, judge_signed_data
from verifier.rules.timestamp import judge_timestamps
from verifier.verdict import Check, Finding, TimeSource

CLAUSE = "ISO 32000-1, 12.8"
CMS_FILTERS = frozenset({"ETSI.CAdES.detached", "adbe.pkcs7.detached"})
GM_CMS_FILTER = "GM.sm2cms.detached"
SEAL_FILTER = "GM.sm2seal"
WEAK_FILTERS = frozenset({"adbe.x509.rsa_sha1", "adbe.pkcs7.sha1"})
OWN_HANDLER = "Eseal."
READ_TWO_WAYS = frozenset({"junk-before-header", "hybrid-xref"})
"""What two readers read differently, and honest programs write: proof of nothing (T-PDF-13, 14)."""


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


def open_pdf(data: bytes) -> OpenedPDF:
    """Read a document; what refuses to be read is said in ``findings``."""
    try:
        document = read_pdf(data)
    except ServiceError as error:
        return OpenedPDF(findings=(_refused(data, error),))
    values = {
        one.field_name: _seal_value(one)
        for one in document.signatures
        if one.sub_filter == SEAL_FILTER
    }
    return OpenedPDF(document=document, seal_values=values)


def _refused(data: bytes, error: ServiceError) -> Finding:
    """Say why a document was not read; ours have one form, so whatever names us must have it."""
    reason, clause = str(error.params.get("reason", "")), "ISO 32000-1, 7.5"
    names_us = IDENTIFIER_ITEM.encode() in data or f"/{OWN_HANDLER}".encode() in data
    if reason in READ_TWO_WAYS and not names_us:
        return unknown(Check.CONTAINER, "ambiguous-structure", clause=clause, detail=reason)
    return refusal(Check.CONTAINER, error, clause=clause)


def _seal_value(signature: PDFSignature) -> SealSignature | ServiceError:
    try:
        return parse_seal_signature(signature.contents or b"")
    except ServiceError as error:
        return error.with_traceback(None)


def judge_document_stamp(
    signature: PDFSignature, document: PDFDocument, context: DocumentContext
) -> JudgedValue:
    """Judge a time stamp over the whole document (ETSI.RFC3161)."""
    pieces = b"".join(signature.pieces(document.data))
    tokens = [] if signature.contents is None else [signature.contents]
    judged = judge_timestamps(tokens, pieces, context.evidence, is_own=False)
    findings = list(judged.findings)
    if judged.stamped_at is not None:
        findings.append(passed(Check.SIGNATURE_VALUE, "signature-holds", clause=CLAUSE))
        findings.append(passed(Check.DOCUMENT_DIGEST, "digest-holds", clause=CLAUSE))
    return JudgedValue(
        kind="timestamp",
        findings=tuple(findings),
        signed_at=judged.stamped_at,
        time_source=TimeSource.NONE if judged.stamped_at is None else TimeSource.TIMESTAMP,
    )


def judge_value(
    signature: PDFSignature, opened: OpenedPDF, document: PDFDocument, context: DocumentContext
) -> JudgedValue:
    """Judge the value of one signature by its SubFilter."""
    sub_filter = signature.sub_filter
    if sub_filter in WEAK_FILTERS:
        weak = failed(Check.ALGORITHM, "weak-algorithm", sub_filter, clause=CLAUSE)
        return JudgedValue(kind="unsupported", findings=(weak,))
    if sub_filter == SEAL_FILTER:
        return _judge_seal(signature, opened, document, context)
    if sub_filter in CMS_FILTERS or sub_filter == GM_CMS_FILTER:
        return _judge_message(signature, opened, document, context)
    strange = unknown(Check.STRUCTURE, "unsupported-signature", sub_filter[:80], clause=CLAUSE)
    return JudgedValue(kind="unsupported", findings=(strange,))


def _judge_seal(
    signature: PDFSignature, opened: OpenedPDF, document: PDFDocument, context: DocumentContext
) -> JudgedValue:
    value = (opened.seal_values or {})[signature.field_name]
    if isinstance(value, ServiceError):
        broken = refusal(Check.STRUCTURE, value, signature.field_name, clause=CLAUSE)
        return JudgedValue(kind="gm-seal", findings=(broken,))
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
    return JudgedValue(
        kind="gm-seal",
        findings=tuple(findings),
        signed_at=judged.signed_at,
        time_source=judged.time_source,
        signer=judged.signer,
        seal=judged.seal,
    )


def _judge_message(
    signature: PDFSignature, opened: OpenedPDF, document: PDFDocument, context: DocumentContext
) -> JudgedValue:
    is_gm = signature.sub_filter == GM_CMS_FILTER
    if signature.contents is None:
        return JudgedValue(kind="gm-cms" if is_gm else "rsa-pades", findings=())
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
    return JudgedValue(
        kind="gm-cms" if is_gm else "rsa-pades",
        findings=tuple(findings),
        signed_at=judged.signed_at,
        time_source=judged.time_source,
        signer=signer,
    )
