"""The big words: what a verdict amounts to, in one sentence, Chinese first, English second.

Authenticity (真伪) and force (效力) are two answers. The headline names both: a genuine licence
without force is never called invalid but, for example, 真实，但已于2026年11月24日吊销. Whatever is
contradictory or in doubt is never shown as valid (T-WEB-04).
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, auto

from licence_store.states import day_in_china
from verifier.verdict import (
    FORCE_CHECKS,
    Check,
    Finding,
    Integrity,
    LicenceFacts,
    Outcome,
    Result,
    Verdict,
)
from verifier.words import CHECK_NAMES, reason_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One short answer and the tone it is shown in: ``good``, ``bad`` or ``open``."""

    zh: str
    en: str
    tone: str
    because_zh: str = ""
    because_en: str = ""


OUTCOME_WORDS = {
    Outcome.VALID: Words(zh="有效", en="Valid", tone="good"),
    Outcome.INVALID: Words(zh="无效", en="Invalid", tone="bad"),
    Outcome.INDETERMINATE: Words(zh="无法确认", en="Cannot be confirmed", tone="open"),
    Outcome.UNSIGNED: Words(zh="未签章", en="Not sealed", tone="open"),
}

_PLAIN_BECAUSE = {
    Outcome.VALID: (
        "印章可信，内容自盖章后未被改动。",
        "The seal is trusted and nothing was changed since.",
    ),
    Outcome.INVALID: ("没有通过核验。", "It did not pass the checks."),
    Outcome.INDETERMINATE: ("缺少判断所需的依据。", "Evidence is missing."),
    Outcome.UNSIGNED: (
        "文件里没有电子签章，无法判断出自何处、是否改动。",
        "There is no electronic seal, so origin and content cannot be checked.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a licence lost its force: the verb, and what the verb means in law."""

    zh: str
    en: str
    meaning_zh: str
    meaning_en: str


ENDINGS = {
    "suspended": Ending(
        zh="暂扣",
        en="suspended",
        meaning_zh="暂扣期间不得使用，发还后恢复效力。",
        meaning_en="No force until it is given back.",
    ),
    "replaced": Ending(
        zh="被新版本取代",
        en="replaced by a newer one",
        meaning_zh="请以新换发的证照为准。",
        meaning_en="The newer licence counts.",
    ),
    "cancelled": Ending(
        zh="注销",
        en="cancelled",
        meaning_zh="依申请或因法定情形终止。",
        meaning_en="Ended on request or by law.",
    ),
    "withdrawn": Ending(
        zh="撤销",
        en="withdrawn",
        meaning_zh="原许可决定被依法撤销，自始无效。",
        meaning_en="The decision was unlawful; void from the start.",
    ),
    "revoked": Ending(
        zh="吊销",
        en="revoked",
        meaning_zh="作为行政处罚，取消证照效力。",
        meaning_en="Ended as a penalty.",
    ),
    "voided": Ending(
        zh="作废",
        en="voided",
        meaning_zh="因制发有误而作废。",
        meaning_en="It was issued in error.",
    ),
    "transferred": Ending(
        zh="转出",
        en="transferred",
        meaning_zh="已转由其他机构管理。",
        meaning_en="It is kept by another authority now.",
    ),
}
"""Keys are the states of the library; 吊销, 撤销 and 注销 differ in law and are never merged."""

_NAMED_CHECKS = frozenset(
    {Check.STRUCTURE, Check.SEAL_MAKER_CHAIN, Check.SIGNER_CHAIN, Check.TIMESTAMP}
)

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def day_zh(day: date) -> str:
    """Write a day as people in China do: 2026年11月24日."""
    return f"{day.year}年{day.month}月{day.day}日"


def day_en(day: date) -> str:
    """Write a day in English: 24 November 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def read_day(text: str) -> date | None:
    """Read ``YYYY-MM-DD``; None when there is no day."""
    return date.fromisoformat(text) if text else None


class Force(Enum):
    """What a licence's force amounts to at the instant of judging."""

    HELD = auto()
    ENDED = auto()
    EXPIRED = auto()
    NOT_YET = auto()
    NONE = auto()
    UNKNOWN = auto()


def force_of(verdict: Verdict, licence: LicenceFacts) -> Force:
    """Return what became of a licence's force; every doubt says it has none."""
    if licence.state in ENDINGS:
        return Force.ENDED
    today = day_in_china(verdict.judged_at)
    first, last = read_day(licence.valid_from), read_day(licence.valid_until)
    if last is not None and today > last:
        return Force.EXPIRED
    if first is not None and today < first:
        return Force.NOT_YET
    if verdict.in_force is None:
        return Force.UNKNOWN
    return Force.HELD if verdict.in_force and licence.state == "in_force" else Force.NONE


def headline_words(verdict: Verdict) -> Words:
    """Return the sentence in big letters."""
    if verdict.authentic and verdict.licence is not None:
        return _licence_words(verdict, verdict.licence)
    outcome = verdict.outcome
    if outcome is Outcome.VALID and not verdict.authentic:
        outcome = Outcome.INDETERMINATE
    because = _PLAIN_BECAUSE[outcome]
    cause = verdict.headline()
    if cause is not None and outcome is not Outcome.UNSIGNED:
        because = _cause(cause, is_intact=outcome is not Outcome.INVALID and _is_intact(verdict))
    return replace(OUTCOME_WORDS[outcome], because_zh=because[0], because_en=because[1])


def _is_intact(verdict: Verdict) -> bool:
    """Tell whether every seal still holds over what it protects."""
    found = {signature.integrity for signature in verdict.signatures}
    return found == {Integrity.HOLDS}


def _cause(finding: Finding, *, is_intact: bool) -> tuple[str, str]:
    """Return why, naming what was looked at when the reason alone would leave that open."""
    words = reason_words(finding)
    zh, en = words.zh, words.en
    if finding.check in _NAMED_CHECKS:
        check_zh, check_en = CHECK_NAMES[finding.check]
        zh, en = f"{check_zh}{zh}", f"{check_en}: {en}"
    if is_intact:
        zh, en = f"内容自盖章后未被改动，但{zh}", f"Unchanged since sealing. {_capital(en)}"
    return f"{zh}。", f"{_capital(en)}."


def _licence_words(verdict: Verdict, licence: LicenceFacts) -> Words:
    force = force_of(verdict, licence)
    if force is Force.ENDED:
        return _ended_words(licence, ENDINGS[licence.state])
    if force is Force.EXPIRED:
        last = date.fromisoformat(licence.valid_until)
        return Words(
            zh=f"真实，但已于{day_zh(last)}到期",
            en=f"Genuine, but its period ended on {day_en(last)}",
            tone="bad",
            because_zh="已过有效期，持证主体可向颁发机构申请延续。",
            because_en="Past its period; the holder may apply to renew it.",
        )
    if force is Force.NOT_YET:
        first = date.fromisoformat(licence.valid_from)
        return Words(
            zh=f"真实，但{day_zh(first)}才生效",
            en=f"Genuine, but not in force before {day_en(first)}",
            tone="open",
            because_zh="尚未到生效日期。",
            because_en="Its period has not begun.",
        )
    return _PLAIN_FORCE[force]


_PLAIN_FORCE = {
    Force.HELD: Words(zh="真实，现行有效", en="Genuine and in force", tone="good"),
    Force.NONE: Words(zh="真实，但不在有效状态", en="Genuine, but not in force", tone="bad"),
    Force.UNKNOWN: Words(
        zh="真实，效力无法确认", en="Genuine; its force cannot be confirmed", tone="open"
    ),
}


def _ended_words(licence: LicenceFacts, ending: Ending) -> Words:
    zh, en = f"真实，但已{ending.zh}", f"Genuine, but {ending.en}"
    if licence.state_since is not None:
        since = day_in_china(licence.state_since)
        zh, en = f"真实，但已于{day_zh(since)}{ending.zh}", f"{en} on {day_en(since)}"
    reason = licence.state_reason
    return Words(
        zh=zh,
        en=en,
        tone="bad",
        because_zh=f"原因：{reason}" if reason else ending.meaning_zh,
        because_en=ending.meaning_en,
    )


def authentic_words(verdict: Verdict) -> Words:
    """Return the answer to 真伪."""
    if verdict.authentic:
        return Words(zh="真实", en="Genuine", tone="good")
    about_truth = [f for f in verdict.all_findings() if f.check not in FORCE_CHECKS]
    if any(finding.result is Result.FAILED for finding in about_truth):
        return Words(zh="不真实", en="Not genuine", tone="bad")
    if verdict.outcome is Outcome.UNSIGNED:
        return Words(zh="无从判断", en="Nothing to judge by", tone="open")
    return Words(zh="无法确认", en="Cannot be confirmed", tone="open")


def in_force_words(verdict: Verdict) -> Words:
    """Return the answer to 效力; of a file that is not proven genuine none is given."""
    licence = verdict.licence
    if not verdict.authentic:
        return Words(zh="不作判断", en="Not judged", tone="open")
    if licence is None:
        return Words(zh="请向颁发机构查询", en="Ask the issuer", tone="open")
    force = force_of(verdict, licence)
    if force is Force.ENDED:
        ending = ENDINGS[licence.state]
        return Words(zh=f"已{ending.zh}", en=_capital(ending.en), tone="bad")
    return _FORCE_ANSWERS[force]


_FORCE_ANSWERS = {
    Force.HELD: Words(zh="现行有效", en="In force", tone="good"),
    Force.EXPIRED: Words(zh="已到期", en="Past its period", tone="bad"),
    Force.NOT_YET: Words(zh="尚未生效", en="Not yet in force", tone="open"),
    Force.NONE: Words(zh="不在有效状态", en="Not in force", tone="bad"),
    Force.UNKNOWN: Words(zh="无法确认", en="Cannot be confirmed", tone="open"),
}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
