"""Judge an uploaded file in a bounded process (threat list 9: 5 s, 512 MiB, killed over it).

The file is opened there and nowhere else; what it claims comes back as a question, is looked up
here, and the answer goes there to be judged. So the process needs neither database nor network.
"""

from collections.abc import Callable

from seal_service.plumbing.bounded import BoundedPool
from seal_service.plumbing.errors import WorkFailed
from verifier.judge import JudgeContext, judge_opened, open_document
from verifier.records import Claimed, LibraryRecords
from verifier.rules.chain import ChainEvidence
from verifier.verdict import Verdict

PRELOAD = ("verifier.bounded_judging", "verifier.comparison.jobs")
"""What the processes of a verifier import before their first call."""


def judge_bounded(
    pool: BoundedPool,
    data: bytes,
    evidence: ChainEvidence,
    look_up: Callable[[Claimed], LibraryRecords],
) -> Verdict:
    """Judge a file; raises ``LimitExceeded`` when it costs too much."""

    def answer(question: object) -> object:
        if not isinstance(question, Claimed):
            raise WorkFailed("a question that is none")
        return look_up(question)

    return pool.converse(judge_apart, data, evidence, answer=answer)


def judge_apart(data: bytes, evidence: ChainEvidence, ask: Callable[[object], object]) -> Verdict:
    """Open, ask for what the library says, judge; called inside the process."""
    opened = open_document(data)
    records = ask(Claimed(kind=opened.kind, claims=dict(opened.claims), seal_ids=opened.seal_ids))
    if not isinstance(records, LibraryRecords):
        raise WorkFailed("an answer that is none")
    return judge_opened(opened, JudgeContext(evidence=evidence, records=records))
