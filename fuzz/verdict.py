"""Whole documents: judging never raises, and nobody forges one without keys."""

from functools import lru_cache

from tests.support.sealed_ofd import FOREIGN, SealedSpec, seal_document
from tests.support.sealed_pdf import PDFSpec, sign_pdf
from tests.support.trust import make_evidence
from verifier.judge import JudgeContext, judge_document
from verifier.verdict import Outcome


@lru_cache(maxsize=1)
def seeds() -> list[bytes]:
    """Return an own package, a foreign one, and a signed PDF."""
    foreign = seal_document(SealedSpec(provider=FOREIGN))
    return [seal_document(), foreign, sign_pdf(PDFSpec(reserved_bytes=6000))]


@lru_cache(maxsize=1)
def _context() -> JudgeContext:
    return JudgeContext(evidence=make_evidence())


def check(data: bytes) -> None:
    """Judge: never an exception, and no green mark beside something that no seal covers."""
    verdict = judge_document(data, _context())
    if verdict.outcome is not Outcome.VALID or data in seeds():
        return
    if data.startswith(b"%PDF") or verdict.coverage.uncovered or verdict.coverage.unreferenced:
        # A package of others may be packed otherwise, as long as its entries are the same.
        raise AssertionError("a forged document is valid")
