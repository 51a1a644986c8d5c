"""What the page of a receipt shows: what matters first, personal data masked."""

from dataclasses import replace

import pytest

from tests.support.receipts import SOFTWARE, VERIFIER_NAME
from tests.support.verdicts import JUDGED_AT, PERSON, make_facts, make_finding, make_verdict
from verifier.explanations import MEANINGS
from verifier.receipts.model import Receipt
from verifier.receipts.page import LONGEST_TEXT, MISSING, Drawable, Shown, page_data
from verifier.verdict import Check, InstantSource, Result, Verdict

ALL = frozenset(range(0x20, 0x2_0000))


def show(verdict: Verdict, known: frozenset[int] = ALL) -> dict[str, Shown]:
    receipt = Receipt(
        receipt_id="vr-1",
        issued_at=JUDGED_AT,
        verifier=VERIFIER_NAME,
        software=SOFTWARE,
        verdict=verdict,
        sha256="ab" * 32,
        size=1234,
    )
    return page_data(receipt, Drawable(known), ["Song"])


def test_what_speaks_against_a_file_comes_first_and_is_explained() -> None:
    flaw = make_finding(
        Check.VALIDITY_PERIOD, result=Result.FAILED, reason="licence-expired", subject="x"
    )
    first = show(make_verdict(flaw))["findings"][0]  # type: ignore[index]
    assert isinstance(first, dict)
    assert first["check_zh"] == "证照有效期"
    explanation = first["explanation"]
    assert isinstance(explanation, dict)
    assert explanation["meaning_zh"] == MEANINGS[Check.VALIDITY_PERIOD].zh
    assert explanation["who_zh"]
    assert explanation["advice"]


def test_a_person_is_masked_on_a_page_that_is_handed_on() -> None:
    """T-WEB-11."""
    verdict = make_verdict(licence=make_facts(**PERSON))
    text = str(show(verdict))
    assert PERSON["holder_name"] not in text
    assert PERSON["holder_code"] not in text
    assert "欧***" in text


def test_a_forged_file_teaches_nothing_of_the_licence_it_names() -> None:
    flaw = make_finding(Check.DOCUMENT_DIGEST, result=Result.FAILED, reason="digest-changed")
    assert show(make_verdict(flaw))["licence"] == []


@pytest.mark.parametrize(
    ("source", "words"), [(InstantSource.CLOCK, "时钟"), (InstantSource.GIVEN, "指定")]
)
def test_the_page_says_where_its_instant_comes_from(source: InstantSource, words: str) -> None:
    rows = str(show(replace(make_verdict(), judged_at_source=source))["document"])
    assert words in rows
    assert "2026-11-26T02:14:09Z" in rows


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("平安", "平安"),
        ("a\nb\tc", "a b c"),
        ("\u202efdp", f"{MISSING}fdp"),
        ("\x1b[31m", f"{MISSING}[31m"),
        ("\ue000\U000e0001", MISSING * 2),
        ("x" * 999, "x" * (LONGEST_TEXT - 1) + "…"),
    ],
)
def test_any_text_becomes_one_that_can_be_drawn(text: str, shown: str) -> None:
    assert Drawable(ALL)(text) == shown


def test_a_font_without_the_mark_for_missing_characters_shows_a_question_mark() -> None:
    assert Drawable(frozenset(range(0x20, 0x7F)))("平a") == "?a"
