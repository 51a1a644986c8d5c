"""Rules on plain signatures: GB/T 35275 messages in OFD (``Type="Sign"``) and CMS in PDF.

The message is checked by ``seal_service.formats.cms``; here its outcome becomes findings, and its
certificate, time and form are judged. RFC 5652; GB/T 35275; ETSI EN 319 142-1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from keys.errors import ServiceError
from keys.path import Usage
from seal_service.errors import SignedContentChanged
from seal_service.formats.cms import SignedData, VerifiedSigner, parse_signed_data
from verifier.rules.chain import (
    ChainEvidence,
    JudgedChain,
    SigningTime,
    judge_chain,
    judge_revocation,
    read_certificates,
)
from verifier.rules.findings import (
    REASON_CODES,
    deviations,
    failed,
    notice,
    passed,
    refusal,
)
from verifier.rules.message_form import judge_form
from verifier.rules.timestamp import judge_signing_time, judge_timestamps
from verifier.verdict import Check, Finding, TimeSource

CLAUSE = "RFC 5652, 5; GB/T 35275, 8"
_WELL_FORMED = passed(Check.STRUCTURE, "ok", clause=CLAUSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOriginal:
    """What a message is compared with."""

    verify: Callable[[SignedData], VerifiedSigner]
    """Checks the one signer over the original; raises as ``cms.verify_signer``."""
    is_own: bool = False
    claimed_at: datetime | None = None
    """The time beside the message (PDF: ``/M``); the message's own goes first."""
    known_since: datetime | None = None
    needs_signing_certificate: bool = False
    """Whether the profile demands the signing-certificate attribute (T-PDF-20)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedMessage:
    """What is to be said of one message."""

    findings: tuple[Finding, ...]
    signed_at: datetime | None = None
    time_source: TimeSource = TimeSource.NONE
    signer: VerifiedSigner | None = None


def judge_signed_data(
    message: bytes, original: SignedOriginal, evidence: ChainEvidence
) -> JudgedMessage:
    """Judge a message and its one signer."""
    try:
        signed_data = parse_signed_data(message)
    except ServiceError as error:
        return JudgedMessage(findings=(refusal(Check.STRUCTURE, error, clause=CLAUSE),))
    try:
        signer = original.verify(signed_data)
    except ServiceError as error:
        return JudgedMessage(findings=(_WELL_FORMED, _broken(error)))
    stamps = judge_timestamps(
        signer.timestamp_tokens, signer.signature, evidence, is_own=original.is_own
    )
    time = SigningTime(
        claimed=signer.signing_time or original.claimed_at,
        stamped=stamps.stamped_at,
        known_since=original.known_since,
        now=evidence.now,
    )
    findings = [
        _WELL_FORMED,
        *_remarks(signer, original),
        passed(Check.ALGORITHM, "ok", signer.certificate.public_key.algorithm.value, clause=CLAUSE),
        passed(Check.SIGNATURE_VALUE, "signature-holds", clause=CLAUSE),
        *stamps.findings,
        *judge_signing_time(time, evidence, signer=signer.certificate),
        *_judge_signer(message, signer, time, evidence, is_own=original.is_own),
    ]
    return JudgedMessage(
        findings=tuple(findings),
        signed_at=stamps.stamped_at or time.claimed,
        time_source=time.source,
        signer=signer,
    )


def _judge_signer(
    message: bytes,
    signer: VerifiedSigner,
    time: SigningTime,
    evidence: ChainEvidence,
    *,
    is_own: bool,
) -> list[Finding]:
    """Judge the signer's chain and status, and what of the message no signature covers."""
    chain = _chain(signer, time, evidence)
    report = chain.report
    findings = [
        *chain.findings,
        *_expired_later(signer, chain, evidence),
        *judge_revocation(report, time, evidence),
    ]
    if not report.problems:
        findings += judge_form(Check.STRUCTURE, message, report, evidence, is_own=is_own)
    return findings


def _broken(error: ServiceError) -> Finding:
    """Say which check a message failed by; what comes after it proves nothing."""
    if isinstance(error, SignedContentChanged):
        return failed(
            Check.DOCUMENT_DIGEST, "data-hash-mismatch", clause=CLAUSE, detail=error.detail
        )
    reason = str(error.params.get("reason", ""))
    if REASON_CODES.get(reason) == "algorithm-mismatch" or error.code in (
        "weak-algorithm",
        "unsupported-algorithm",
    ):
        return refusal(Check.ALGORITHM, error, clause=CLAUSE)
    if error.code in ("signature-mismatch", "malformed-signature"):
        return refusal(Check.SIGNATURE_VALUE, error, clause=CLAUSE)
    if reason == "signer-certificate" or error.code in ("malformed-certificate", "invalid-key"):
        return refusal(Check.SIGNER_CHAIN, error, clause=CLAUSE)
    return refusal(Check.STRUCTURE, error, clause=CLAUSE)


def _remarks(signer: VerifiedSigner, original: SignedOriginal) -> list[Finding]:
    """Report deviations; the signer must be named in what is signed where the profile says so."""
    missing = "signing-certificate-missing"
    remarks = [one for one in signer.notices if one.reason != missing]
    findings = deviations(
        Check.STRUCTURE,
        remarks,
        signer.certificate.subject,
        is_own=original.is_own,
        clause=CLAUSE,
    )
    if len(remarks) != len(signer.notices):
        say = failed if original.needs_signing_certificate else notice
        findings.append(say(Check.STRUCTURE, missing, clause="RFC 5035, 3"))
    return findings


def _chain(signer: VerifiedSigner, time: SigningTime, evidence: ChainEvidence) -> JudgedChain:
    others = read_certificates(signer.certificates)
    return judge_chain(
        Check.SIGNER_CHAIN,
        signer.certificate,
        Usage.DOCUMENT_SIGNER,
        time.judged_at,
        evidence,
        others,
    )


def _expired_later(
    signer: VerifiedSigner, chain: JudgedChain, evidence: ChainEvidence
) -> Sequence[Finding]:
    if chain.report.problems or signer.certificate.not_after >= evidence.now:
        return ()
    return (notice(Check.SIGNER_CHAIN, "expired-later", signer.certificate.subject),)
