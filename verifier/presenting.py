"""Turn a verdict into what a page shows (pure): big words, two answers, masked facts, findings.

What the public may see is the masked minimum (T-WEB-11): names of persons and their codes are
masked, and so is a licence number that is a citizen number; organisations and their codes are
public. The page behind a QR code names no certificate and no path inside a file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from licence_store.codes import HOLDER_CODE_TYPE_NAMES, HolderCodeType, mask_code
from licence_store.states import SHANGHAI
from verifier.answers import (
    ENDINGS,
    Force,
    Words,
    authentic_words,
    day_zh,
    force_of,
    headline_words,
    in_force_words,
    read_day,
)
from verifier.verdict import (
    Check,
    Finding,
    LicenceFacts,
    Outcome,
    Result,
    SignatureVerdict,
    TimeSource,
    Verdict,
    in_order,
)
from verifier.words import CHECK_NAMES, MARKS, WHO_EN, reason_words

_ORGANISATIONS = (HolderCodeType.USCC, HolderCodeType.OTHER_ORGANISATION)
_LAST_DAY_OF_CALENDAR = date.max
_CITIZEN_NUMBER = re.compile(r"[0-9]{17}[0-9Xx]|[0-9]{15}", re.ASCII)
_LONG_TITLE = 12
_PHRASE = re.compile(r"(?<=[，日；：])")

SIGNATURE_KINDS = {
    "ofd-seal": "OFD 电子签章",
    "ofd-sign": "OFD 数字签名",
    "rsa-pades": "PDF 数字签名（RSA）",
    "gm-seal": "PDF 电子签章（国密）",
    "gm-cms": "PDF 数字签名（国密）",
}
_TIME_SOURCES = {
    TimeSource.TIMESTAMP: "由时间戳证明",
    TimeSource.CLAIMED: "由签章方声明",
    TimeSource.NONE: "",
}
_RESULT_WORDS = {
    Result.PASSED: "通过",
    Result.FAILED: "未通过",
    Result.UNKNOWN: "无法确认",
    Result.NOTICE: "提示",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The big words and the two answers below them."""

    tone: str
    title: str
    phrases: tuple[str, ...]
    """The Chinese sentence in pieces that should not be torn apart at a line's end."""
    is_long: bool
    en: str
    because_zh: str
    because_en: str
    authentic: Words
    in_force: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of facts; ``hint`` is small print below the value."""

    zh: str
    en: str
    value: str
    hint: str = ""
    is_code: bool = False
    is_whole: bool = False
    """Break the line between dates, not inside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """One finding in words."""

    result: str
    mark: str
    result_zh: str
    check_zh: str
    zh: str
    en: str
    """Check and reason in English."""
    who: str
    who_en: str
    advice: str
    subject: str
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingGroup:
    """The findings of the document, or of one seal, in the fixed order."""

    zh: str
    en: str
    facts: tuple[Fact, ...]
    lines: tuple[FindingLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictPage:
    """Everything a page shows of a verdict."""

    answer: Answer
    is_test: bool
    facts: tuple[Fact, ...]
    document: tuple[Fact, ...]
    groups: tuple[FindingGroup, ...]
    count: int
    failed: int
    undecided: int
    is_all_passed: bool
    """Not of an unsigned file: that its few checks passed would say too much."""
    is_open: bool
    """Whether the list of findings is unfolded: not when the big words say it all."""


def present_licence(verdict: Verdict) -> VerdictPage:
    """Return the page behind a QR code: no subjects of findings, no signers."""
    return _page(verdict, is_public=True)


def present_document(verdict: Verdict) -> VerdictPage:
    """Return the page for an uploaded file.

    The library's record is shown for a genuine file only: who holds a forged one, or has made up
    an identifier, learns nothing from us.
    """
    return _page(verdict, is_public=False)


def _page(verdict: Verdict, *, is_public: bool) -> VerdictPage:
    findings = verdict.all_findings()
    licence = verdict.licence
    is_shown = licence is not None and (is_public or verdict.authentic)
    return VerdictPage(
        answer=_answer(verdict),
        is_test=licence is not None and licence.test,
        facts=licence_facts(verdict, licence) if licence is not None and is_shown else (),
        document=() if is_public else _document_facts(verdict),
        groups=_groups(verdict, is_public=is_public),
        count=len(findings),
        failed=sum(finding.result is Result.FAILED for finding in findings),
        undecided=sum(finding.result is Result.UNKNOWN for finding in findings),
        is_all_passed=verdict.outcome is Outcome.VALID,
        is_open=not verdict.authentic,
    )


def _answer(verdict: Verdict) -> Answer:
    words = headline_words(verdict)
    return Answer(
        tone=words.tone,
        title=words.zh,
        phrases=tuple(phrase for phrase in _PHRASE.split(words.zh) if phrase),
        is_long=len(words.zh) > _LONG_TITLE,
        en=words.en,
        because_zh=words.because_zh,
        because_en=words.because_en,
        authentic=authentic_words(verdict),
        in_force=in_force_words(verdict),
    )


# Facts


def mask_name(name: str, code_type: str) -> str:
    """Show an organisation's name; of a person's, the first character only (张**).

    A holder of unknown type is masked like a person.
    """
    if code_type in _ORGANISATIONS:
        return name
    return name[:1] + "*" * max(1, len(name) - 1)


def mask_holder_code(code: str, code_type: str) -> str:
    """Mask a holder's code by its type; of an unknown type, as any other person's."""
    try:
        known = HolderCodeType(code_type)
    except ValueError:
        known = HolderCodeType.OTHER_PERSON
    return mask_code(code, known) if code else ""


def mask_number(number: str, licence: LicenceFacts) -> str:
    """Mask a licence number that is a person's own: the holder's code, or a citizen number."""
    if licence.holder_code_type in _ORGANISATIONS:
        return number
    if number == licence.holder_code:
        return mask_holder_code(number, licence.holder_code_type)
    if _CITIZEN_NUMBER.fullmatch(number):
        return mask_code(number, HolderCodeType.CITIZEN_ID)
    return number


def licence_facts(verdict: Verdict, licence: LicenceFacts) -> tuple[Fact, ...]:
    """Return what the library says of a licence, masked, in the order of the paper."""
    code_type = licence.holder_code_type
    code_name = "持证主体代码"
    if code_type in list(HolderCodeType):
        code_name = HOLDER_CODE_TYPE_NAMES[HolderCodeType(code_type)]
    number = mask_number(licence.licence_number, licence)
    code = mask_holder_code(licence.holder_code, code_type)
    facts = (
        Fact(zh="证照名称", en="Licence", value=licence.name),
        Fact(zh="证照编号", en="Number", value=number, is_code=True),
        Fact(zh="持证主体", en="Holder", value=mask_name(licence.holder_name, code_type)),
        # A business licence is numbered by its holder's code: one line is enough.
        Fact(zh=code_name, en="Holder code", value="" if code == number else code, is_code=True),
        Fact(zh="颁发机构", en="Issued by", value=licence.issuing_authority_name),
        Fact(zh="颁发日期", en="Issued on", value=_day(licence.issued_on)),
        Fact(zh="有效期", en="Validity", value=_validity(licence), is_whole=True),
        _state_fact(verdict, licence),
        Fact(zh="电子证照标识", en="Identifier", value=licence.identifier, is_code=True),
    )
    return tuple(fact for fact in facts if fact.value)


def _day(text: str) -> str:
    day = read_day(text)
    return "" if day is None else day_zh(day)


def _validity(licence: LicenceFacts) -> str:
    first, last = _day(licence.valid_from), read_day(licence.valid_until)
    if last is None or last == _LAST_DAY_OF_CALENDAR:
        return f"{first} 起，长期有效" if first else "长期有效"
    return f"{first} 至 {day_zh(last)}"


def _state_fact(verdict: Verdict, licence: LicenceFacts) -> Fact:
    if force_of(verdict, licence) is not Force.ENDED:
        words = in_force_words(verdict)
        return Fact(zh="当前状态", en="State", value=words.zh)
    ending = ENDINGS[licence.state]
    since = licence.state_since
    when = "" if since is None else f"（{beijing_minute(since)}）"
    parts = (licence.state_reason and f"原因：{licence.state_reason}", ending.meaning_zh)
    return Fact(
        zh="当前状态",
        en="State",
        value=f"已{ending.zh}{when}",
        hint="。".join(part.rstrip("。") for part in parts if part) + "。",
    )


def _document_facts(verdict: Verdict) -> tuple[Fact, ...]:
    kinds = {"ofd": "OFD 版式文件", "pdf": "PDF 文件"}
    return (
        Fact(zh="文件类型", en="Kind", value=kinds.get(verdict.document_kind, "无法识别")),
        Fact(
            zh="文件摘要",
            en="SM3 digest",
            value=verdict.document_digest,
            hint="用于确认核验的就是这一份文件。",
            is_code=True,
        ),
    )


def beijing_minute(moment: datetime) -> str:
    """Write an instant in Beijing time to the minute."""
    local = moment.astimezone(SHANGHAI)
    return f"{day_zh(local.date())} {local:%H:%M}"


def beijing_second(moment: datetime) -> str:
    """Write an instant in Beijing time to the second."""
    local = moment.astimezone(SHANGHAI)
    return f"{day_zh(local.date())} {local:%H:%M:%S}"


# Findings


def _groups(verdict: Verdict, *, is_public: bool) -> tuple[FindingGroup, ...]:
    groups = []
    if verdict.findings:
        lines = _lines(verdict.findings, is_public=is_public)
        groups.append(FindingGroup(zh="文件与证照", en="File and licence", facts=(), lines=lines))
    for position, signature in enumerate(verdict.signatures, start=1):
        kind = SIGNATURE_KINDS.get(signature.kind, "不支持的签名")
        groups.append(
            FindingGroup(
                zh=f"签章 {position} · {kind}",
                en=f"Seal {position}",
                facts=_signature_facts(signature, is_public=is_public),
                lines=_lines(signature.findings, is_public=is_public),
            )
        )
    return tuple(groups)


def _signature_facts(signature: SignatureVerdict, *, is_public: bool) -> tuple[Fact, ...]:
    seal, moment = signature.seal, signature.signed_at
    source = _TIME_SOURCES[signature.time_source]
    facts = (
        Fact(zh="印章名称", en="Seal", value="" if seal is None else seal.name),
        Fact(zh="印章编号", en="Seal number", value="" if seal is None else seal.id, is_code=True),
        Fact(zh="签章人", en="Signer", value="" if is_public else signature.signer),
        Fact(
            zh="盖章时间",
            en="Sealed at",
            value="" if moment is None else beijing_second(moment),
            is_whole=True,
            hint=source if moment is not None else "",
        ),
    )
    return tuple(fact for fact in facts if fact.value)


def _lines(findings: Iterable[Finding], *, is_public: bool) -> tuple[FindingLine, ...]:
    return tuple(_line(finding, is_public=is_public) for finding in in_order(findings))


def _line(finding: Finding, *, is_public: bool) -> FindingLine:
    words = reason_words(finding)
    check_zh, check_en = CHECK_NAMES[Check(finding.check)]
    is_fine = finding.result is Result.PASSED
    return FindingLine(
        result=finding.result.value,
        mark=MARKS[finding.result],
        result_zh=_RESULT_WORDS[finding.result],
        check_zh=check_zh,
        zh=words.zh,
        en=_joined(check_en, words.en),
        who="" if is_fine else words.who,
        who_en="" if is_fine else WHO_EN.get(words.who, ""),
        advice="" if is_fine else words.advice,
        subject="" if is_public else finding.subject,
        clause=finding.clause,
    )


def _joined(check: str, reason: str) -> str:
    """Join two English phrases, once if they say the same."""
    return check if check.casefold() == reason.casefold() else f"{check}: {reason}"
