"""Rules on certificates: does the chain reach a configured root, and was it revoked.

Steps: GB/T 38540-2020 7.2 and 7.3 (maker and signer certificate), RFC 5280 6. A certificate that
does not lead to a configured root leaves the question open (``untrusted``), and so do its dates,
which nobody vouches for; every other flaw of a chain is proof that the signer may not sign.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from keys.certificates import Certificate, parse_certificate
from keys.errors import ServiceError
from keys.path import PathProblem, PathReason, PathReport, TrustStore, Usage, check_path
from keys.revocation import (
    CertificateStatus,
    RevocationEvidence,
    RevocationState,
    check_revocation,
)
from verifier.policy import DEFAULT_POLICY, Policy
from verifier.rules.findings import (
    SEVERITY_RESULT,
    failed,
    finding,
    notice,
    passed,
    unknown,
)
from verifier.verdict import Check, Finding, InstantSource, Result, TimeSource

CLAUSE = "RFC 5280, 6; GB/T 20518"
UNVOUCHED = frozenset({PathReason.EXPIRED, PathReason.NOT_YET_VALID, PathReason.CHAIN_SIGNATURE})
"""What says nothing more about a chain that reaches no root anyway (T-PKI-05)."""
EXPIRED_STATUS = "expired-before-status"
"""The certificate had expired when its status was stated, so the statement says nothing of it."""
REVOCATION_CLAUSE = "RFC 5280, 6.3; GB/T 38540-2020, 7.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEvidence:
    """What chains are judged against: handed in beforehand, never fetched."""

    trust: TrustStore
    now: datetime
    intermediates: tuple[Certificate, ...] = ()
    revocation: RevocationEvidence = field(default_factory=RevocationEvidence)
    policy: Policy = DEFAULT_POLICY
    now_source: InstantSource = InstantSource.CLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningTime:
    """What is known of when a signature was made, and from where (G-8)."""

    claimed: datetime | None
    """What the signer wrote; no evidence."""
    stamped: datetime | None = None
    """Time of a time stamp that holds and is trusted."""
    known_since: datetime | None = None
    """When our own library had the file, byte for byte."""
    now: datetime

    @property
    def judged_at(self) -> datetime:
        """Return the instant at which periods are judged."""
        return self.stamped or self.claimed or self.now

    @property
    def existed_by(self) -> datetime | None:
        """Return the earliest instant by which the signature is proven to have existed."""
        proofs = [moment for moment in (self.stamped, self.known_since) if moment is not None]
        return min(proofs, default=None)

    @property
    def source(self) -> TimeSource:
        """Return where ``judged_at`` comes from."""
        if self.stamped is not None:
            return TimeSource.TIMESTAMP
        return TimeSource.NONE if self.claimed is None else TimeSource.CLAIMED


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedChain:
    """A chain as built, and what is to be said of it."""

    report: PathReport
    findings: tuple[Finding, ...]


def judge_chain(
    check: Check,
    certificate: Certificate,
    usage: Usage,
    at: datetime,
    evidence: ChainEvidence,
    others: Sequence[Certificate] = (),
) -> JudgedChain:
    """Build the chain of a certificate and judge it at an instant.

    ``others`` are certificates that travelled with the signature; they help to build the chain and
    are trusted no more than the leaf.
    """
    report = check_path(
        certificate,
        usage=usage,
        at=at,
        trust=evidence.trust,
        intermediates=(*evidence.intermediates, *others),
    )
    findings = [_problem(check, problem, report) for problem in report.problems]
    if not findings:
        findings = [passed(check, "trusted", certificate.subject, clause=CLAUSE)]
    return JudgedChain(report=report, findings=tuple(findings))


def _problem(check: Check, problem: PathProblem, report: PathReport) -> Finding:
    result = Result.FAILED
    is_unvouched = problem.reason in UNVOUCHED and not report.is_trusted
    if is_unvouched or problem.reason is PathReason.UNTRUSTED:
        result = Result.UNKNOWN
    return finding(
        check, result, problem.reason.value, problem.subject, clause=CLAUSE, detail=problem.detail
    )


def shown_name(certificate: Certificate | None) -> str:
    """Return the name by which people know the holder of a certificate."""
    return "" if certificate is None else certificate.common_name or certificate.subject


def read_certificates(ders: Iterable[bytes]) -> tuple[Certificate, ...]:
    """Parse what can be parsed; a certificate that cannot helps no chain."""
    found = []
    for der in ders:
        try:
            found.append(parse_certificate(der))
        except ServiceError:
            continue
    return tuple(found)


# Revocation


def judge_revocation(
    report: PathReport, time: SigningTime, evidence: ChainEvidence
) -> list[Finding]:
    """Judge the status of every certificate of a chain below its root.

    The hard rule: no status is no answer. Revoked before the signature was made is invalid;
    revoked later is a notice where evidence proves that the signature came first, and open where
    nothing does. A compromised key counts from its invalidity date on (T-PKI-02, T-PKI-27).
    """
    if not report.is_trusted:
        subject = report.certificate.subject
        return [_status_unknown(subject, "no-issuer", evidence)]
    findings: list[Finding] = []
    for certificate, issuer in zip(report.chain, report.chain[1:], strict=False):
        state = check_revocation(
            certificate,
            issuer,
            evidence.revocation,
            at=time.existed_by or evidence.now,
            now=evidence.now,
        )
        findings.append(_revocation_finding(certificate, state, time, evidence))
    return findings or [passed(Check.REVOCATION, "not-revoked", report.certificate.subject)]


def _revocation_finding(
    certificate: Certificate, state: RevocationState, time: SigningTime, evidence: ChainEvidence
) -> Finding:
    subject = certificate.subject
    if state.status is CertificateStatus.GOOD:
        return passed(Check.REVOCATION, "not-revoked", subject, clause=REVOCATION_CLAUSE)
    if state.status is CertificateStatus.UNKNOWN or state.revoked_at is None:
        detail = f"{state.reason}: {state.detail}"
        if state.reason == EXPIRED_STATUS and time.known_since is not None:
            # Lists drop what has expired; our own library saw the file while it could be asked.
            return notice(Check.REVOCATION, "status-unknown", subject, detail=detail)
        return _status_unknown(subject, detail, evidence)
    bad_from = min(filter(None, (state.revoked_at, state.invalidity_at)))
    detail = f"revoked {state.revoked_at.isoformat()} {state.reason}".strip()
    return judge_end(Check.REVOCATION, "revoked", subject, bad_from, time, detail)


def judge_end(
    check: Check, reason: str, subject: str, bad_from: datetime, time: SigningTime, detail: str = ""
) -> Finding:
    """Judge something that lost its force: before the signature, after it, or nobody knows."""
    if time.claimed is not None and bad_from <= time.claimed:
        return failed(check, reason, subject, clause=REVOCATION_CLAUSE, detail=detail)
    proof = time.existed_by
    if proof is None:
        return unknown(
            check, "revoked-no-proof-of-time", subject, clause=REVOCATION_CLAUSE, detail=detail
        )
    if bad_from <= proof:
        # The claim says earlier, the evidence only later: nothing proves that signing came first.
        result = failed if time.stamped is not None else unknown
        open_reason = reason if time.stamped is not None else "revoked-no-proof-of-time"
        return result(check, open_reason, subject, clause=REVOCATION_CLAUSE, detail=detail)
    return notice(check, "revoked-later", subject, clause=REVOCATION_CLAUSE, detail=detail)


def _status_unknown(subject: str, detail: str, evidence: ChainEvidence) -> Finding:
    result = SEVERITY_RESULT[evidence.policy.revocation_unknown]
    return finding(
        Check.REVOCATION, result, "status-unknown", subject, clause=REVOCATION_CLAUSE, detail=detail
    )
