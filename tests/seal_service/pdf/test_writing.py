"""Sealing a PDF: append-only, whole-file coverage, the picture where it was asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from keys.algorithms import DigestAlgorithm, digest
from seal_service.errors import (
    AlreadySealed,
    DocumentTooLarge,
    InvalidPlacement,
    LimitExceeded,
    MalformedDocument,
    UnsafePicture,
)
from seal_service.formats.limits import DEFAULT_LIMITS
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.integrity import check_integrity, own_form_problems
from seal_service.formats.pdf.model import ChangeKind
from seal_service.formats.pdf.pages import PDFPlacement
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.writing import ReservedField, SubFilter, finish, prepare
from tests.support.pdf import (
    CATALOG,
    FIRST_PAGE,
    SECOND_SPOT,
    SPOT,
    PDFSpec,
    Update,
    append_update,
    hole,
    make_order,
    make_pdf,
    object_text,
    rsa_message,
    seal,
    sm2_message,
    twice_sealed,
)
from tests.support.seals import NOW

PACKED = PDFSpec(is_packed=True)


@pytest.mark.parametrize(
    "spec", [PDFSpec(), PACKED, PDFSpec(ending=b"%%EOF"), PDFSpec(ending=b"%%EOF\r\n\n")]
)
def test_a_seal_covers_the_whole_file_and_changes_no_earlier_byte(spec: PDFSpec) -> None:
    base = make_pdf(spec)
    sealed = seal(base)
    assert sealed.startswith(base)
    document = read_pdf(sealed)
    (signature,) = document.signatures
    assert signature.covers_file
    assert signature.revision == 2
    assert not signature.problems
    assert not signature.later_changes
    assert not document.problems
    assert document.certification is not None
    assert document.certification.permission is Permission.NO_CHANGES
    assert document.revisions[1].is_stream is spec.is_packed
    assert not own_form_problems(document)


def test_what_is_signed_is_everything_but_the_value() -> None:
    prepared = prepare(make_pdf(), make_order())
    value = rsa_message(prepared)
    sealed = finish(prepared, value)
    start, end = hole(sealed)
    assert prepared.pieces == (sealed[:start], sealed[end:])
    signature = check_integrity(sealed)
    assert signature.contents == value
    assert signature.byte_range == prepared.byte_range
    for algorithm in DigestAlgorithm:
        expected = digest(algorithm, sealed[:start] + sealed[end:])
        assert prepared.digest(algorithm) == expected
        assert signature.digest(sealed, algorithm) == expected


def test_the_signature_says_who_when_and_why() -> None:
    sealed = seal(name="示例市行政审批局", reason="(颁发) 证照")
    signature = read_pdf(sealed).signatures[0]
    assert signature.name == "示例市行政审批局"
    assert signature.reason == "(颁发) 证照"
    assert signature.signed_at == NOW
    assert b"/M(D:20261124120000+08'00')" in sealed
    assert signature.dictionary_type == "Sig"
    assert not signature.is_document_timestamp


@pytest.mark.parametrize(
    ("sub_filter", "text"),
    [
        (SubFilter.PADES, "ETSI.CAdES.detached"),
        (SubFilter.CMS, "adbe.pkcs7.detached"),
        (SubFilter.SES, "GM.sm2seal"),
    ],
)
def test_each_profile_has_its_sub_filter(sub_filter: SubFilter, text: str) -> None:
    signature = check_integrity(seal(sub_filter=sub_filter, signer=sm2_message))
    assert signature.sub_filter == text


def test_the_seal_is_where_it_was_asked_for() -> None:
    for rotation in (0, 90, 180, 270):
        entries = f"/Rotate {rotation}/CropBox[20 30 500 800]"
        base = make_pdf(PDFSpec(pages=3, page_entries=entries, media_box="-9 -9 595 842"))
        placement = PDFPlacement(page_number=2, x_mm=31, y_mm=57, width_mm=42, height_mm=40)
        signature = check_integrity(seal(base, placement=placement))
        assert signature.page_number == 2
        assert signature.place_mm == pytest.approx((31, 57, 42, 40), abs=0.001)


def test_a_widget_prints_and_cannot_be_moved() -> None:
    sealed = seal()
    page = object_text(sealed, FIRST_PAGE)
    number = int(page.split(b"/Annots[")[1].split()[0])
    widget = object_text(sealed, number)
    assert b"/F 132" in widget
    assert b"/FT/Sig" in widget
    assert b"/SigFlags 3" in object_text(sealed, CATALOG)
    assert b"/Perms<</DocMDP" in object_text(sealed, CATALOG)


def test_the_second_identifier_changes_and_the_first_stays() -> None:
    first, second = (seal(field_name=name) for name in ("A", "B"))
    identifiers = [text.rsplit(b"/ID[", 1)[1].split(b"]>>")[0] for text in (first, second)]
    assert all(text.startswith(b"(first) (") for text in identifiers)
    assert identifiers[0] != identifiers[1]
    without = make_pdf().replace(b"/ID[(first)(first)]", b"")
    assert check_integrity(seal(without)).covers_file


def test_the_same_order_gives_the_same_bytes() -> None:
    assert prepare(make_pdf(), make_order()) == prepare(make_pdf(), make_order())


@pytest.mark.parametrize("spec", [PDFSpec(), PACKED])
def test_a_locked_document_takes_no_second_seal(spec: PDFSpec) -> None:
    sealed = seal(make_pdf(spec))
    for certify in (None, Permission.NO_CHANGES):
        with pytest.raises(AlreadySealed) as refusal:
            seal(sealed, certify=certify, field_name="Other")
        assert refusal.value.params["reason"] == "locked"


def test_a_field_left_for_it_takes_a_second_seal() -> None:
    document = read_pdf(twice_sealed())
    first, second = document.signatures
    assert (first.field_name, second.field_name) == ("Seal1", "Seal2")
    assert [change.kind for change in first.later_changes] == [ChangeKind.SIGNATURE]
    assert not document.forbidden_changes(first)
    assert second.covers_file
    assert second.place_mm == pytest.approx((20, 200, 42, 42), abs=0.001)
    assert not document.problems
    assert not document.empty_fields


def test_a_certified_document_takes_no_new_field() -> None:
    """ISO 32000-1, table 254: filling in is allowed, adding fields is not."""
    certified = seal(certify=Permission.FORM_FILLING)
    with pytest.raises(AlreadySealed) as refusal:
        seal(certified, certify=None, field_name="New")
    assert refusal.value.params["reason"] == "no-free-field"


@pytest.mark.parametrize("is_packed", [False, True])
def test_an_approved_document_takes_no_certification_but_further_approvals(
    is_packed: bool,
) -> None:
    approved = seal(make_pdf(PDFSpec(is_packed=is_packed)), certify=None)
    with pytest.raises(AlreadySealed) as refusal:
        seal(approved, field_name="Second")
    assert refusal.value.params["reason"] == "not-first"
    again = seal(approved, certify=None, field_name="Second", placement=SECOND_SPOT)
    assert check_like_verifier(again) == ["Seal1", "Second"]


def check_like_verifier(pdf: bytes) -> list[str]:
    document = read_pdf(pdf)
    assert document.signatures[-1].covers_file
    assert not document.problems
    return [item.field_name for item in document.signatures]


def test_a_filled_field_is_not_filled_again() -> None:
    approved = seal(certify=None)
    with pytest.raises(AlreadySealed) as refusal:
        seal(approved, certify=None)
    assert refusal.value.params["reason"] == "field-filled"


def test_what_was_changed_after_a_seal_is_not_sealed_again() -> None:
    changed = append_update(seal(certify=None), Update(freed=[6]))
    with pytest.raises(MalformedDocument) as refusal:
        seal(changed, certify=None, field_name="Second")
    assert refusal.value.params["reason"] == "earlier-signature"


@pytest.mark.parametrize(
    "form",
    [
        "/AcroForm 20 0 R",
        "/AcroForm<</Fields 21 0 R>>",
        "/AcroForm<</Fields[22 0 R]/SigFlags 3>>",
        "/AcroForm<<>>",
    ],
)
@pytest.mark.parametrize("annotations", ["", "/Annots[22 0 R]", "/Annots 23 0 R"])
def test_forms_and_annotations_that_are_there_stay(form: str, annotations: str) -> None:
    text_field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(Text)/Rect[1 1 9 9]>>"
    extra = {
        20: b"<</Fields[22 0 R]/DA(/F 0 Tf)>>",
        21: b"[22 0 R]",
        22: text_field,
        23: b"[22 0 R]",
    }
    spec = PDFSpec(catalog_entries=form, page_entries=annotations, extra_objects=extra)
    sealed = seal(make_pdf(spec))
    assert check_integrity(sealed).page_number == 1
    assert object_text(sealed, 22) == text_field


EMPTY = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal1)/Rect[50 60 170 180]/F 4>>"


@pytest.mark.parametrize(
    ("extra", "page", "place"),
    [
        ({20: EMPTY}, "/Annots[20 0 R]", (17.64, 233.54, 42.33, 42.33)),
        ({20: EMPTY}, "", None),
        (
            {
                20: b"<</FT/Sig/T(Seal1)/Kids[21 0 R]>>",
                21: b"<</Type/Annot/Subtype/Widget/Parent 20 0 R/Rect[50 60 170 180]>>",
            },
            "/Annots[21 0 R]",
            (17.64, 233.54, 42.33, 42.33),
        ),
        ({20: EMPTY.replace(b"50 60 170 180", b"0 0 0 0")}, "/Annots[20 0 R]", None),
    ],
)
def test_an_empty_field_is_filled_where_it_is(
    extra: dict[int, bytes], page: str, place: tuple[float, ...] | None
) -> None:
    spec = PDFSpec(
        catalog_entries="/AcroForm<</Fields[20 0 R]/SigFlags 3>>",
        page_entries=page,
        extra_objects=extra,
    )
    signature = check_integrity(seal(make_pdf(spec)))
    if place is None:
        assert signature.place_mm is None
    else:
        assert signature.place_mm == pytest.approx(place, abs=0.01)


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (b"<</FT/Tx/T(Seal1)>>", "field-type"),
        (b"<</FT/Sig/T(Seal1)/Kids[21 0 R 22 0 R]>>", "field-type"),
    ],
)
def test_fields_that_cannot_hold_a_seal_are_refused(field: bytes, reason: str) -> None:
    spec = PDFSpec(
        catalog_entries="/AcroForm<</Fields[20 0 R]>>",
        extra_objects={20: field, 21: b"<<>>", 22: b"<<>>"},
    )
    with pytest.raises(MalformedDocument) as refusal:
        seal(make_pdf(spec))
    assert refusal.value.params["reason"] == reason


def test_a_name_is_reserved_once() -> None:
    for name in ("Seal1", "Seal2"):
        fields = (ReservedField(name=name, placement=SECOND_SPOT),) * 2
        with pytest.raises(MalformedDocument) as refusal:
            seal(reserved_fields=fields)
        assert refusal.value.params["reason"] == "field-name"


def test_further_stamps_show_the_same_picture_once_stored() -> None:
    """A seal across the edges of several pages (骑缝章)."""
    strips = tuple(
        PDFPlacement(
            page_number=number,
            x_mm=209.9 - 14 * number,
            y_mm=100,
            width_mm=42,
            height_mm=42,
            clip=(14 * (number - 1), 0, 14, 42),
        )
        for number in (1, 2, 3)
    )
    sealed = seal(make_pdf(PDFSpec(pages=3)), further_stamps=strips)
    assert check_integrity(sealed).covers_file
    assert sealed.count(b"/Subtype/Stamp") == 3
    assert sealed.count(b"/Subtype/Image") == 2
    assert sealed.count(b"/F 708") == 3


@pytest.mark.parametrize(
    ("pdf", "reason"),
    [
        (b"\n" + make_pdf(), "header"),
        (make_pdf() + b"PK", "trailing-data"),
        (make_pdf(PDFSpec(trailer_entries="/Encrypt 9 0 R")), "encrypted"),
        (make_pdf(PDFSpec(trailer_entries="/XRefStm 9")), "hybrid-xref"),
        (make_pdf(PDFSpec(catalog_entries="/AcroForm<</XFA[]>>")), "xfa"),
        (make_pdf().replace(b"/Size 7", b"/Size/7"), "xref"),
        (make_pdf().replace(b"/Size 7", b"/Size 999999"), "xref"),
        (make_pdf().replace(b"/Root 1 0 R", b"/Root<</Pages 2 0 R>>"), "catalog"),
    ],
)
def test_documents_that_are_not_sound_are_not_sealed(pdf: bytes, reason: str) -> None:
    """T-PDF-13, T-PDF-14, T-PDF-15."""
    with pytest.raises(MalformedDocument) as refusal:
        seal(pdf)
    assert refusal.value.params["reason"] == reason


def test_sizes_are_limited() -> None:
    with pytest.raises(DocumentTooLarge):
        seal(make_pdf() + bytes(DEFAULT_LIMITS.document_bytes))
    for wrong in (0, 5 * 1024 * 1024):
        with pytest.raises(LimitExceeded):
            seal(reserved_bytes=wrong)


def test_a_value_must_fit_its_room() -> None:
    prepared = prepare(make_pdf(), make_order(reserved_bytes=64))
    assert len(finish(prepared, bytes([48, 62, *bytes(62)]))) > 64
    for wrong in (b"", bytes(65)):
        with pytest.raises(LimitExceeded):
            finish(prepared, wrong)


def test_places_outside_and_pictures_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidPlacement):
        seal(placement=PDFPlacement(page_number=2, x_mm=1, y_mm=1, width_mm=9, height_mm=9))
    with pytest.raises(InvalidPlacement):
        seal(
            further_stamps=(
                SPOT,
                PDFPlacement(page_number=1, x_mm=-5, y_mm=1, width_mm=9, height_mm=9),
            )
        )
    with pytest.raises(UnsafePicture):
        seal(picture=b"GIF89a")


def test_instants_of_any_zone_are_written_in_beijing_time() -> None:
    assert read_pdf(seal(name="")).signatures[0].name == ""
    for at in (datetime(2026, 12, 31, 20, tzinfo=UTC), NOW + timedelta(days=40)):
        assert read_pdf(seal(signed_at=at)).signatures[0].signed_at == at
