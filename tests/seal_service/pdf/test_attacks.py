"""Every known class of forged PDF is refused, or told by its facts (T-PDF-01 to T-PDF-14)."""

from collections.abc import Callable

import pytest

from keys.algorithms import DigestAlgorithm
from seal_service.errors import MalformedDocument
from seal_service.formats.pdf.integrity import own_form_problems
from seal_service.formats.pdf.model import ChangeKind, LaterChange, PDFDocument
from seal_service.formats.pdf.reading import read_pdf
from tests.support import pdf_attacks as attacks
from tests.support.pdf import approved, make_pdf, seal

CONTENT_CHANGES = {ChangeKind.CONTENT, ChangeKind.PAGE, ChangeKind.OBJECT, ChangeKind.DANGLING}


def read_or_none(pdf: bytes) -> PDFDocument | None:
    """Return what is read, or None for a file that is refused as malformed."""
    try:
        return read_pdf(pdf)
    except MalformedDocument:
        return None


def is_told(pdf: bytes) -> bool:
    """Return whether no signature of a file could be taken for good."""
    document = read_or_none(pdf)
    if document is None:
        return True
    if not document.signatures:
        return bool(document.problems)
    last = document.signatures[-1]
    return bool(document.problems or last.problems or document.forbidden_changes(last)) and bool(
        own_form_problems(document)
    )


GENERATORS: list[Callable[[], attacks.Variants]] = [
    attacks.universal_forgeries,
    attacks.padded_contents,
    attacks.wrappings,
    attacks.shadows,
    attacks.evil_annotations,
    attacks.sneaky_signatures,
    attacks.lowered_permissions,
    attacks.framed,
    lambda: attacks.incremental_savings(seal()),
    lambda: attacks.incremental_savings(approved()),
]


@pytest.mark.parametrize("generator", GENERATORS)
def test_no_forged_file_passes_for_good(generator: Callable[[], attacks.Variants]) -> None:
    """T-PDF-01, 02, 03, 05, 06, 07, 08, 09, 10, 11, 12, 14."""
    for name, pdf in generator().items():
        assert is_told(pdf), name


def test_the_untouched_file_passes() -> None:
    for pdf in (seal(), approved()):
        assert not is_told(pdf)


def test_a_universal_forgery_stays_a_signature_with_problems() -> None:
    """T-PDF-01: never unsigned, never a signature without problems."""
    for name, pdf in attacks.universal_forgeries().items():
        (signature,) = read_pdf(pdf).signatures
        assert signature.problems, name
        assert (
            signature.byte_range is None
            or signature.contents is None
            or not (signature.covers_file)
        ), name


def test_a_bent_range_is_told_by_its_reason() -> None:
    """T-PDF-04."""
    reasons = {
        name: {problem.reason for problem in read_pdf(pdf).signatures[0].problems}
        for name, pdf in attacks.bent_ranges().items()
    }
    assert reasons.pop("not-to-the-end") == set()
    assert reasons.pop("not-to-any-end") == set()
    expected = {
        "not-from-zero": "byte-range-start",
        "hole-larger": "byte-range-hole",
        "hole-larger-behind": "byte-range-hole",
        "hole-smaller": "byte-range-hole",
        "hole-none": "byte-range-hole",
        "overlap": "byte-range-order",
        "out-of-file": "byte-range-end",
        "three-numbers": "byte-range-form",
        "six-numbers": "byte-range-form",
        "nothing-behind": "byte-range-order",
    }
    assert reasons.keys() == expected.keys()
    for name, reason in expected.items():
        assert reason in reasons[name], name


def test_a_range_that_ends_too_early_covers_no_file() -> None:
    """T-PDF-11."""
    variants = attacks.bent_ranges()
    signature = read_pdf(variants["not-to-the-end"]).signatures[0]
    assert not signature.covers_file
    signature = read_pdf(variants["not-to-any-end"]).signatures[0]
    assert not signature.covers_file
    assert signature.later_changes == (LaterChange(kind=ChangeKind.UNCLEAR),)


def test_padding_and_form_of_the_value_are_told_apart() -> None:
    """T-PDF-05."""
    variants = attacks.padded_contents()
    reasons = {
        name: [problem.reason for problem in read_pdf(pdf).signatures[0].problems]
        for name, pdf in variants.items()
    }
    assert reasons["byte-behind"] == ["contents-padding"]
    assert reasons["space"] == reasons["line-end"] == ["contents-form"]
    assert "value-type" in reasons["letter"]


def test_upper_case_digits_are_not_our_form() -> None:
    pdf = seal()
    start = pdf.index(b"/Contents<") + 10
    shouted = pdf[:start] + pdf[start : start + 600].upper() + pdf[start + 600 :]
    document = read_pdf(shouted)
    assert not document.signatures[0].problems
    assert own_form_problems(document) == ("contents-form",)


def test_a_shadow_keeps_its_digest_and_is_told_by_the_change() -> None:
    """T-PDF-06, T-PDF-12: the signed bytes are whole, what is shown is not."""
    for name, pdf in attacks.shadows().items():
        document = read_pdf(pdf)
        (signature,) = document.signatures
        assert not signature.problems, name
        assert not signature.covers_file, name
        assert document.forbidden_changes(signature), name
        assert signature.digest(pdf, DigestAlgorithm.SHA256), name


def test_what_fills_a_dangling_reference_is_never_explained() -> None:
    """T-PDF-06: as validation data or not."""
    variants = attacks.shadows()
    for name in ("fill-dangling", "fill-dangling-as-evidence"):
        document = read_pdf(variants[name])
        kinds = {change.kind for change in document.forbidden_changes(document.signatures[0])}
        assert ChangeKind.DANGLING in kinds, name


def test_annotations_and_pages_are_named() -> None:
    """T-PDF-07."""
    for name, pdf in attacks.evil_annotations().items():
        document = read_pdf(pdf)
        kinds = {change.kind for change in document.forbidden_changes(document.signatures[0])}
        assert {ChangeKind.ANNOTATION, ChangeKind.PAGE, ChangeKind.CONTENT} <= kinds, name


def test_a_seal_whose_appearance_changed_is_told() -> None:
    """T-PDF-29."""
    document = read_pdf(attacks.shadows()["seal-appearance"])
    assert [c.kind for c in document.forbidden_changes(document.signatures[0])] == [
        ChangeKind.CONTENT
    ]


def test_a_stripped_document_is_not_merely_unsigned() -> None:
    """T-PDF-09, T-PDF-26."""
    variants = attacks.lowered_permissions()
    for name in ("form-removed", "value-removed"):
        document = read_pdf(variants[name])
        reasons = {problem.reason for problem in document.problems}
        assert not document.signatures
        assert {"signature-removed", "orphan-signature", "perms-dangling"} <= reasons, name


def test_a_drawn_seal_makes_no_signature() -> None:
    """T-PDF-26."""
    document = read_pdf(make_pdf())
    assert not document.is_signed
    assert not document.problems
