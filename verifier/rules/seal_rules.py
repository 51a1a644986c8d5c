"""Rules on the seal itself: its value, its maker, its period (GB/T 38540-2020, 7.2).

What needs nothing but the seal's bytes is done once per seal; dates and status are judged anew at
every verification.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock

from keys.algorithms import sm3
from keys.certificates import Certificate
from keys.errors import ServiceError
from keys.path import Usage
from seal_service.formats.ses import ESeal, verify_seal_value
from verifier.policy import MakerJudgedAt
from verifier.rules.chain import (
    EXPIRED_STATUS,
    ChainEvidence,
    SigningTime,
    judge_chain,
    judge_revocation,
)
from verifier.rules.findings import failed, notice, passed, refusal
from verifier.rules.timestamp import judge_timestamps
from verifier.verdict import Check, Finding, Result, SealFacts

SEAL_CLAUSE = "GB/T 38540-2020, 7.2"
_SEALS_KEPT = 256


def seal_facts(seal: ESeal) -> SealFacts:
    """Return what a report shows of a seal."""
    return SealFacts(id=seal.seal_id, name=seal.name, version=seal.version.value)


@dataclass(slots=True)
class _SealValues:
    """What checking a seal's own value gave: it needs nothing but the seal's bytes."""

    known: dict[bytes, Finding] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def finding(self, seal: ESeal) -> Finding:
        """Return the finding for a seal; the work is done once per seal."""
        key = sm3(seal.raw)
        found = self.known.get(key)
        if found is None:
            found = _seal_value(seal)
            with self.lock:
                while len(self.known) >= _SEALS_KEPT:
                    self.known.pop(next(iter(self.known)))
                self.known[key] = found
        return found


def _seal_value(seal: ESeal) -> Finding:
    try:
        verify_seal_value(seal)
    except ServiceError as error:
        broken = refusal(Check.SEAL_VALUE, error, clause=SEAL_CLAUSE)
        if broken.reason != "signature-mismatch":
            return broken
        return failed(
            Check.SEAL_VALUE, "seal-signature-mismatch", clause=SEAL_CLAUSE, detail=broken.detail
        )
    return passed(Check.SEAL_VALUE, "seal-signature-holds", clause=SEAL_CLAUSE)


_seal_values = _SealValues()


def judge_seal_value(seal: ESeal) -> Finding:
    """Judge the maker's signature over the seal."""
    return _seal_values.finding(seal)


def judge_maker(
    seal: ESeal, maker: Certificate | None, time: SigningTime, evidence: ChainEvidence
) -> Iterator[Finding]:
    """Judge the maker's certificate; by default when the seal was made (GM/T 0031-2025)."""
    if maker is None:
        return
    made = SigningTime(claimed=seal.created_at, now=evidence.now)
    at_creation = evidence.policy.maker_judged_at is MakerJudgedAt.CREATION
    moment = made if at_creation else time
    check = Check.SEAL_MAKER_CHAIN
    chain = judge_chain(check, maker, Usage.SEAL_MAKER, moment.judged_at, evidence)
    yield from chain.findings
    ended = maker.not_after < max(time.judged_at, evidence.now)
    if at_creation and ended and not _has_failed(chain.findings):
        yield notice(check, "expired-later", maker.subject, clause=SEAL_CLAUSE)
    if seal.timestamp is not None:
        yield from _seal_stamp(seal, evidence)
    yield from _maker_revocation(judge_revocation(chain.report, moment, evidence), at_creation)


def _maker_revocation(findings: list[Finding], at_creation: bool) -> Iterator[Finding]:
    """Let what became of a maker after making the seal pass with a notice, as the policy says.

    Not so where the key was compromised: whoever has it can date a seal back.
    """
    for one in findings:
        is_later = one.reason == "revoked-no-proof-of-time" and "compromise" not in one.detail
        if at_creation and (is_later or one.detail.startswith(EXPIRED_STATUS)):
            reason = "revoked-later" if is_later else one.reason
            yield notice(one.check, reason, one.subject, clause=one.clause, detail=one.detail)
        else:
            yield one


def _seal_stamp(seal: ESeal, evidence: ChainEvidence) -> Iterator[Finding]:
    """Judge the time stamp over a seal's own value (v5): the seal was not made after it."""
    judged = judge_timestamps([seal.timestamp or b""], seal.signed_value, evidence, is_own=False)
    yield from (one for one in judged.findings if one.result is not Result.PASSED)
    if judged.stamped_at is not None and seal.created_at > judged.stamped_at:
        yield failed(Check.TIMESTAMP, "time-after-timestamp", seal.seal_id, clause=SEAL_CLAUSE)


def _has_failed(findings: tuple[Finding, ...]) -> bool:
    return any(one.result is Result.FAILED for one in findings)


def judge_period(seal: ESeal, time: SigningTime) -> Iterator[Finding]:
    """Judge the seal's period at the signing time (T-SES-22)."""
    check, at = Check.SEAL_PERIOD, time.judged_at
    period = f"{seal.valid_from.isoformat()}/{seal.valid_until.isoformat()}"
    if at < seal.valid_from:
        yield failed(check, "seal-not-yet-valid", period, clause=SEAL_CLAUSE)
    elif at > seal.valid_until:
        yield failed(check, "seal-expired", period, clause=SEAL_CLAUSE)
    else:
        yield passed(check, "seal-in-period", period, clause=SEAL_CLAUSE)
