"""What the page of a PDF receipt shows, as data for its layout (``receipt.typ``). Pure.

A receipt is kept and shown to others, so it shows what the public page shows of a licence: masked.
Text comes from files that nobody vouches for: a character that the fonts cannot draw, or that could
turn the reading order, is shown as 〓 and never keeps a receipt from being made.
"""

import unicodedata
from collections.abc import Iterable, Set
from dataclasses import asdict

from seal_service.plumbing.instants import instant
from verifier.explanations import Explanation, explain
from verifier.presenting import (
    SIGNATURE_KINDS,
    Fact,
    VerdictPage,
    beijing_second,
    present_document,
)
from verifier.receipts.model import Receipt
from verifier.verdict import TRUST_CHECKS, Check, Finding, InstantSource, Result, in_order
from verifier.words import CHECK_NAMES, reason_words

MISSING = "〓"
LONGEST_TEXT = 160
MOST_FINDINGS = 80
MOST_SIGNATURES = 24
MARKS = {Result.PASSED: "✓", Result.FAILED: "✕", Result.UNKNOWN: "?", Result.NOTICE: "!"}
_INSTANT_SOURCES = {
    InstantSource.CLOCK: ("核验方时钟", "the verifier's clock"),
    InstantSource.GIVEN: ("由请求方指定", "named by whoever asked"),
}
_NAMED_CHECKS = TRUST_CHECKS | {Check.REVOCATION}
"""Checks made for several certificates: even what passed says for which."""
_UNDRAWN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")

Shown = str | int | bool | None | list["Shown"] | dict[str, "Shown"]


class Drawable:
    """Makes any text one that these characters can draw."""

    def __init__(self, code_points: Set[int]) -> None:
        self._known = code_points

    def __call__(self, text: str) -> str:
        """Return the text on one line, cut where it is too long."""
        cut = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
        return "".join(map(self._drawn, cut))

    def _drawn(self, character: str) -> str:
        if character in "\n\t\r ":
            return " "
        is_drawn = ord(character) in self._known and (
            unicodedata.category(character) not in _UNDRAWN
        )
        return character if is_drawn else self._missing()

    def _missing(self) -> str:
        return MISSING if ord(MISSING) in self._known else "?"


def page_data(receipt: Receipt, drawable: Drawable, families: Iterable[str]) -> dict[str, Shown]:
    """Return everything the layout needs."""
    verdict = receipt.verdict
    page = present_document(verdict)
    findings = _all_findings(receipt)
    shown = findings[:MOST_FINDINGS]
    data: dict[str, Shown] = {
        "families": list(families),
        "receipt_id": receipt.receipt_id,
        "issued_at": f"{beijing_second(receipt.issued_at)}",
        "issued_at_utc": instant(receipt.issued_at),
        "verifier": receipt.verifier,
        "software": receipt.software,
        "is_test": page.is_test,
        "answer": _answer(page),
        "document": _document_rows(receipt, page),
        "licence": [_row(fact) for fact in page.facts],
        "signatures": _signatures(receipt, page),
        "signatures_left_out": max(0, len(verdict.signatures) - MOST_SIGNATURES),
        "findings": _lines(shown),
        "findings_left_out": len(findings) - len(shown),
        "counts": {
            "all": page.count,
            "failed": page.failed,
            "undecided": page.undecided,
        },
    }
    cleaned = _clean(data, drawable)
    if not isinstance(cleaned, dict):
        raise TypeError("the data of a page is an object")
    return cleaned


def _clean(value: Shown, drawable: Drawable) -> Shown:
    if isinstance(value, str):
        return drawable(value)
    if isinstance(value, list):
        return [_clean(item, drawable) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item, drawable) for key, item in value.items()}
    return value


def _answer(page: VerdictPage) -> Shown:
    answer = page.answer
    return {
        "tone": answer.tone,
        "zh": answer.title,
        "en": answer.en,
        "because_zh": answer.because_zh,
        "because_en": answer.because_en,
        "authentic": asdict(answer.authentic),
        "in_force": asdict(answer.in_force),
    }


def _row(fact: Fact) -> Shown:
    return {
        "zh": fact.zh,
        "en": fact.en,
        "value": fact.value,
        "hint": fact.hint,
        "is_code": fact.is_code,
    }


def _document_rows(receipt: Receipt, page: VerdictPage) -> Shown:
    verdict = receipt.verdict
    source_zh, source_en = _INSTANT_SOURCES[verdict.judged_at_source]
    kind = page.document[0].value if page.document else ""
    judged = f"{beijing_second(verdict.judged_at)}（{instant(verdict.judged_at)}）"
    rows = (
        Fact(zh="文件", en="File", value=f"{kind}，{receipt.size:,} 字节"),
        Fact(zh="SM3 摘要", en="SM3 digest", value=verdict.document_digest, is_code=True),
        Fact(zh="SHA-256 摘要", en="", value=receipt.sha256, is_code=True),
        Fact(zh="核验时刻", en="Judged as of", value=judged, hint=f"{source_zh} {source_en}"),
        Fact(zh="核验策略", en="Policy", value=verdict.policy_name),
    )
    return [_row(row) for row in rows]


def _signatures(receipt: Receipt, page: VerdictPage) -> Shown:
    verdict = receipt.verdict
    groups = page.groups[1:] if verdict.findings else page.groups
    found: list[Shown] = []
    for signature, group in list(zip(verdict.signatures, groups, strict=True))[:MOST_SIGNATURES]:
        found.append(
            {
                "kind": SIGNATURE_KINDS.get(signature.kind, "不支持的签名"),
                "outcome": signature.outcome.value,
                "facts": [_row(fact) for fact in group.facts],
            }
        )
    return found


def _all_findings(receipt: Receipt) -> list[tuple[str, Finding]]:
    """Return the findings with where they belong; what speaks against the file first."""
    verdict = receipt.verdict
    found = [("文件", finding) for finding in in_order(verdict.findings)]
    for number, signature in enumerate(verdict.signatures, start=1):
        found += [(f"签章 {number}", finding) for finding in in_order(signature.findings)]
    weight = {Result.FAILED: 0, Result.UNKNOWN: 1, Result.NOTICE: 2, Result.PASSED: 3}
    return sorted(found, key=lambda item: weight[item[1].result])


def _common_name(subject: str) -> str:
    """Return the name by which people know a certificate; the whole name where it has none."""
    return subject.rpartition("CN=")[2]


def _lines(found: Iterable[tuple[str, Finding]]) -> Shown:
    """Return the findings; what is explained once is not explained again."""
    lines: list[Shown] = []
    explained: set[tuple[Check, str, Result]] = set()
    for where, finding in found:
        kind = (finding.check, finding.reason, finding.result)
        lines.append(_line(where, finding, None if kind in explained else explain(finding)))
        explained.add(kind)
    return lines


def _line(where: str, finding: Finding, explanation: Explanation | None) -> Shown:
    words = reason_words(finding)
    check_zh, check_en = CHECK_NAMES[finding.check]
    subject = finding.subject
    if finding.result is Result.PASSED:
        subject = _common_name(subject) if finding.check in _NAMED_CHECKS else ""
    return {
        "where": where,
        "result": finding.result.value,
        "check_zh": check_zh,
        "check_en": check_en,
        "zh": words.zh,
        "en": words.en,
        "subject": subject,
        "clause": finding.clause,
        "code": f"{finding.check.value}: {finding.reason}",
        "explanation": None if explanation is None else asdict(explanation),
    }
