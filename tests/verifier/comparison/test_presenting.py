"""What the public page shows of a comparison: no more than a QR page, masked (T-WEB-11)."""

import pytest

from tests.support.verdicts import PERSON, make_facts
from verifier.comparing import (
    Comparison,
    FieldDifference,
    LineDifference,
    PageDifference,
    Place,
    Side,
    WordDifferences,
)
from verifier.comparison.presenting import (
    MAX_INLINE_BYTES,
    MAX_ROWS,
    PUBLIC_ITEMS,
    ComparisonView,
    present_comparison,
)

LICENCE = make_facts()
ON_THE_FACE = "照面上的秘密"


def _field(item: str, ours: str | None, theirs: str | None, place: Place) -> FieldDifference:
    return FieldDifference(place=place, item=item, label=item, ours=ours, theirs=theirs)


def _comparison(
    *fields: FieldDifference, side: Side = Side.LIBRARY, pages: tuple[PageDifference, ...] = ()
) -> Comparison:
    words = WordDifferences(
        fields=fields,
        lines=(LineDifference(page=1, ours=ON_THE_FACE, theirs="x"),),
        our_pages=1,
        their_pages=1,
    )
    return Comparison(side=side, words=words, pages=pages, compared_pages=1)


def _view(found: Comparison) -> ComparisonView:
    view = present_comparison(found, LICENCE)
    assert view is not None
    return view


def test_nothing_is_shown_where_nothing_was_compared() -> None:
    assert present_comparison(None, LICENCE) is None
    assert present_comparison(_comparison(), None) is None


def test_items_of_the_qr_page_are_shown() -> None:
    view = _view(_comparison(_field("CertificateHolderName", "甲公司", "乙公司", Place.INDEX)))
    assert [(row.ours, row.theirs) for row in view.rows] == [("甲公司", "乙公司")]
    assert view.is_library


def test_a_person_is_masked_as_on_the_qr_page() -> None:
    facts = make_facts(**PERSON)
    found = _comparison(
        _field("CertificateHolderName", facts.holder_name, "别人", Place.INDEX),
        _field("CertificateHolderCode", facts.holder_code, "1", Place.DATA),
        _field("CertificateNumber", facts.holder_code, "1", Place.DATA),
    )
    view = present_comparison(found, facts)
    assert view is not None
    shown = "".join(row.ours for row in view.rows)
    assert facts.holder_name not in shown
    assert facts.holder_code not in shown
    assert "*" in view.rows[0].ours


@pytest.mark.parametrize(
    ("item", "place"),
    [
        ("legal_representative", Place.FACE),
        ("CertificateHolderName", Place.FACE),
        ("RelatedItemCode", Place.INDEX),
        ("LicenceDataDigest", Place.INDEX),
        ("anything", Place.DATA),
    ],
)
def test_other_items_and_lines_of_the_library_are_never_shown(item: str, place: Place) -> None:
    view = _view(_comparison(_field(item, ON_THE_FACE, "x", place)))
    assert view.rows == ()
    assert ON_THE_FACE not in repr(view)
    assert view.is_nothing_seen


def test_one_item_in_two_places_is_one_row() -> None:
    twice = [_field("CertificateNumber", "1", "2", place) for place in (Place.INDEX, Place.DATA)]
    assert len(_view(_comparison(*twice)).rows) == 1


def test_the_librarys_picture_is_never_shown() -> None:
    page = PageDifference(number=1, boxes_mm=((1, 1, 1, 1),), ours=b"OURS", theirs=b"THEIRS")
    (row,) = _view(_comparison(pages=(page,))).pages
    assert row.ours == ""
    assert row.theirs == "data:image/png;base64,VEhFSVJT"
    assert row.areas == 1


def test_both_states_of_a_visitors_pdf_are_shown() -> None:
    page = PageDifference(number=1, boxes_mm=((1, 1, 1, 1),), ours=b"OURS", theirs=b"THEIRS")
    found = _comparison(side=Side.SEALED_REVISION, pages=(page,))
    view = present_comparison(found, None)
    assert view is not None
    assert view.rows[0].ours == ON_THE_FACE
    assert view.pages[0].ours.startswith("data:image/png;base64,")


def test_pictures_beyond_the_cap_are_left_out_with_a_note() -> None:
    large = bytes(MAX_INLINE_BYTES // 2 + 1)
    pages = tuple(PageDifference(number=number, theirs=large) for number in (1, 2, 3))
    view = _view(_comparison(pages=pages))
    assert [bool(row.theirs) for row in view.pages] == [True, False, False]
    assert view.pages[1].note_zh == "本页无法显示图像"


def test_rows_are_few() -> None:
    fields = [_field("CertificateNumber", str(n), "x", Place.INDEX) for n in range(MAX_ROWS + 9)]
    assert len(_view(_comparison(*fields)).rows) == MAX_ROWS


def test_every_public_item_is_on_the_qr_page() -> None:
    """A new item here is a decision about privacy, and so is this list."""
    assert set(PUBLIC_ITEMS) == {
        "CertificateIdentifier", "CertificateName", "CertificateNumber", "CertificateHolderName",
        "CertificateHolderCode", "CertificateIssuingAuthorityName", "CertificateIssuedDate",
        "CertificateEffectiveDate", "CertificateExpiringDate", "CertificateLongTerm",
    }  # fmt: skip
