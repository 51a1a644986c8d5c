"""Our own verdict over both forms of a licence before it is released.

What this verifier would not call valid must never leave the house. The library does not know the
licence yet, so each file is judged by itself, as a stranger without our library would judge it;
then both must speak of the same licence (T-PDF-30).
"""

from collections.abc import Mapping

from licence_store.metadata import DATA_DIGEST
from seal_service.errors import SelfCheckFailed
from verifier.judge import JudgeContext, judge_opened, open_document
from verifier.records import IDENTIFIER_ITEM
from verifier.rules.chain import ChainEvidence
from verifier.verdict import Outcome, Verdict

SHARED_ITEMS = (IDENTIFIER_ITEM, DATA_DIGEST)
"""What the PDF repeats of the OFD's metadata; the digest covers every other item."""


def check_release(ofd: bytes, pdf: bytes, evidence: ChainEvidence) -> None:
    """Judge both sealed forms; raises ``SelfCheckFailed`` unless both are valid and agree.

    Parameters of the error: ``form`` and ``reason`` (code of the first finding that speaks against
    it). Never the content.
    """
    context = JudgeContext(evidence=evidence)
    claims: dict[str, Mapping[str, str]] = {}
    for form, data in (("ofd", ofd), ("pdf", pdf)):
        opened = open_document(data)
        claims[form] = opened.claims
        if opened.kind != form:
            raise SelfCheckFailed("not the form it should be", form=form, reason="format")
        _check(judge_opened(opened, context), form)
    for item in SHARED_ITEMS:
        here, there = claims["ofd"].get(item), claims["pdf"].get(item)
        if not here or here != there:
            raise SelfCheckFailed("the two forms differ", form="pdf", reason="content", item=item)


def _check(verdict: Verdict, form: str) -> None:
    if verdict.outcome is Outcome.VALID:
        return
    headline = verdict.headline()
    raise SelfCheckFailed(
        "our own verifier does not accept it",
        form=form,
        outcome=verdict.outcome.value,
        check="" if headline is None else headline.check.value,
        reason="unsigned" if headline is None else headline.reason,
    )
