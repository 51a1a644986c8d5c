"""Rules on time: time-stamp tokens, and whether a claimed signing time can be true.

RFC 3161 and GB/T 20520 (token), GB/T 38540-2020 7.3 (signing time). A token is time evidence only
when its signature holds, its imprint is of this signature value, and its authority was trusted,
of the right usage and not revoked. Anything less leaves the signature without time evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from keys.certificates import Certificate
from keys.errors import ServiceError
from keys.path import Usage
from keys.timestamps import VerifiedTimestamp, verify_token
from verifier.rules.chain import (
    ChainEvidence,
    SigningTime,
    judge_chain,
    judge_revocation,
    read_certificates,
)
from verifier.rules.findings import deviations, failed, notice, passed, refusal, unknown
from verifier.rules.message_form import judge_form
from verifier.verdict import Check, Finding, Result

CLAUSE = "RFC 3161, 2.4.2; GB/T 20520"
TIME_CLAUSE = "GB/T 38540-2020, 7.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTimestamp:
    """What the tokens over one signature value prove."""

    stamped_at: datetime | None
    """None where nothing is proven."""
    findings: tuple[Finding, ...]


def judge_timestamps(
    tokens: Sequence[bytes],
    signed_value: bytes,
    evidence: ChainEvidence,
    *,
    is_own: bool,
) -> JudgedTimestamp:
    """Judge the time stamps over a signature value; without any, say that time is only claimed."""
    if not tokens:
        absent = notice(Check.TIMESTAMP, "timestamp-absent", clause=CLAUSE)
        return JudgedTimestamp(stamped_at=None, findings=(absent,))
    if len(tokens) > 1 and is_own:
        doubled = failed(Check.TIMESTAMP, "timestamp-bad", clause=CLAUSE, detail="two tokens")
        return JudgedTimestamp(stamped_at=None, findings=(doubled,))
    judged = [_judge_token(token, signed_value, evidence, is_own=is_own) for token in tokens]
    proven = [one.stamped_at for one in judged if one.stamped_at is not None]
    return JudgedTimestamp(
        stamped_at=min(proven, default=None),
        findings=tuple(finding for one in judged for finding in one.findings),
    )


def _judge_token(
    token: bytes, signed_value: bytes, evidence: ChainEvidence, *, is_own: bool
) -> JudgedTimestamp:
    try:
        verified = verify_token(token, signed_value)
    except ServiceError as error:
        bad = refusal(Check.TIMESTAMP, error, clause=CLAUSE)
        bad = failed(Check.TIMESTAMP, "timestamp-bad", clause=CLAUSE, detail=bad.detail)
        return JudgedTimestamp(stamped_at=None, findings=(bad,))
    findings = deviations(
        Check.TIMESTAMP, verified.notices, verified.certificate.subject, is_own=is_own
    )
    chain = _authority_findings(token, verified, evidence, is_own=is_own)
    findings += chain
    if any(one.result in (Result.FAILED, Result.UNKNOWN) for one in findings):
        return JudgedTimestamp(stamped_at=None, findings=tuple(findings))
    if verified.gen_time > evidence.now + evidence.policy.clock_skew:
        future = failed(Check.TIMESTAMP, "time-in-future", verified.certificate.subject)
        return JudgedTimestamp(stamped_at=None, findings=(*findings, future))
    holds = passed(Check.TIMESTAMP, "timestamp-holds", verified.certificate.subject, clause=CLAUSE)
    return JudgedTimestamp(stamped_at=verified.gen_time, findings=(*findings, holds))


def _authority_findings(
    token: bytes, verified: VerifiedTimestamp, evidence: ChainEvidence, *, is_own: bool
) -> list[Finding]:
    """Judge the authority at the time it stamped; only flaws are reported."""
    others = read_certificates(verified.certificates)
    at = verified.gen_time
    chain = judge_chain(
        Check.TIMESTAMP, verified.certificate, Usage.TIMESTAMP, at, evidence, others
    )
    flaws = [one for one in chain.findings if one.result is not Result.PASSED]
    flaws = [_as_timestamp(one) for one in flaws]
    if not chain.report.problems:
        flaws += judge_form(Check.TIMESTAMP, token, chain.report, evidence, is_own=is_own)
    if chain.report.is_trusted and not flaws:
        time = SigningTime(claimed=at, stamped=at, now=evidence.now)
        flaws += [
            _as_timestamp(one)
            for one in judge_revocation(chain.report, time, evidence)
            if one.result in (Result.FAILED, Result.UNKNOWN)
        ]
    return flaws


def _as_timestamp(one: Finding) -> Finding:
    """Report what a chain gave under the time stamp, whose authority it is."""
    if one.reason == "untrusted":
        return unknown(
            Check.TIMESTAMP, "timestamp-untrusted", one.subject, clause=CLAUSE, detail=one.detail
        )
    if one.result is Result.UNKNOWN:
        return unknown(
            Check.TIMESTAMP, one.reason, one.subject, clause=one.clause, detail=one.detail
        )
    if one.result is Result.NOTICE:
        return notice(Check.TIMESTAMP, one.reason, one.subject, detail=one.detail)
    return failed(
        Check.TIMESTAMP,
        "timestamp-bad",
        one.subject,
        clause=CLAUSE,
        detail=f"{one.reason} {one.detail}".strip(),
    )


def judge_signing_time(
    time: SigningTime,
    evidence: ChainEvidence,
    *,
    signer: Certificate | None,
    seal_made_at: datetime | None = None,
    text: str = "",
) -> list[Finding]:
    """Judge whether the claimed time can be true (T-SES-29); ``text`` is the time as written.

    The claim must not lie in the future, after the time stamp, before the seal was made, or before
    the signer's certificate began.
    """
    if time.claimed is None:
        if time.stamped is not None:
            return [passed(Check.SIGNING_TIME, "time-plausible", clause=TIME_CLAUSE)]
        reason = "time-ambiguous" if text else "time-unknown"
        return [unknown(Check.SIGNING_TIME, reason, text, clause=TIME_CLAUSE)]
    skew = evidence.policy.clock_skew
    wrong = (
        ("time-in-future", time.claimed > evidence.now + skew),
        ("time-after-timestamp", time.stamped is not None and time.claimed > time.stamped + skew),
        ("time-before-seal", seal_made_at is not None and time.claimed < seal_made_at),
        ("time-before-certificate", signer is not None and time.claimed < signer.not_before),
    )
    subject = time.claimed.astimezone(UTC).isoformat()
    findings = [
        failed(Check.SIGNING_TIME, reason, subject, clause=TIME_CLAUSE)
        for reason, is_wrong in wrong
        if is_wrong
    ]
    return findings or [passed(Check.SIGNING_TIME, "time-plausible", subject, clause=TIME_CLAUSE)]
