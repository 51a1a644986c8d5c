"""Short looks at a verdict for the tests of the judge."""

from tests.support.trust import EvidenceSpec, make_evidence
from verifier.judge import JudgeContext, judge_document
from verifier.records import LibraryRecords
from verifier.verdict import Result, Verdict


def judge(
    data: bytes, spec: EvidenceSpec | None = None, records: LibraryRecords | None = None
) -> Verdict:
    """Judge a document with the test PKI trusted."""
    return judge_document(data, JudgeContext(evidence=make_evidence(spec), records=records))


def faults(verdict: Verdict) -> set[tuple[str, str]]:
    """Return check and reason of every finding that failed."""
    return {
        (one.check.value, one.reason)
        for one in verdict.all_findings()
        if one.result is Result.FAILED
    }


def doubts(verdict: Verdict) -> set[tuple[str, str]]:
    """Return check and reason of every finding that stayed open."""
    return {
        (one.check.value, one.reason)
        for one in verdict.all_findings()
        if one.result is Result.UNKNOWN
    }


def notices(verdict: Verdict) -> set[tuple[str, str]]:
    """Return check and reason of every notice."""
    return {
        (one.check.value, one.reason)
        for one in verdict.all_findings()
        if one.result is Result.NOTICE
    }


def subjects(verdict: Verdict, reason: str) -> list[str]:
    """Return what a reason was found on."""
    return [one.subject for one in verdict.all_findings() if one.reason == reason]
