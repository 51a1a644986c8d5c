"""What later revisions may do after a seal: fill an empty field, add evidence, stamp the time."""

import io
import re

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from seal_service.errors import MalformedDocument
from seal_service.formats.pdf.archiving import add_validation_data, prepare_timestamp
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.integrity import check_integrity
from seal_service.formats.pdf.model import ChangeKind, LaterChange, PDFDocument, ValidationData
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.writing import ReservedField, finish
from tests.support.pdf import (
    CATALOG,
    FIRST_PAGE,
    INFO,
    METADATA,
    SECOND_SPOT,
    PDFSpec,
    Update,
    append_update,
    approved,
    last_xref,
    make_objects,
    make_pdf,
    object_text,
    seal,
    size_of,
    stream,
    with_entries,
)

TOKEN = b"\x30\x03\x02\x01\x07"
EVIDENCE = ValidationData(certificates=(b"one", b"two"), crls=(b"list",), ocsp_responses=(b"ok",))


def stamped(pdf: bytes, name: str = "Timestamp1") -> bytes:
    return finish(prepare_timestamp(pdf, field_name=name), TOKEN)


def kinds(document: PDFDocument, index: int = 0) -> set[ChangeKind]:
    return {change.kind for change in document.signatures[index].later_changes}


def forbidden(pdf: bytes) -> set[ChangeKind]:
    """Return what may not be after the seal that was made first."""
    document = read_pdf(pdf)
    first = next((item for item in document.signatures if item.field_name == "Seal1"), None)
    if first is None:
        return {ChangeKind.UNCLEAR} if document.problems else set()
    return {change.kind for change in document.forbidden_changes(first)}


def reserved() -> bytes:
    """Return a document with an empty field Seal2, sealed without certification."""
    field = ReservedField(name="Seal2", placement=SECOND_SPOT)
    return seal(certify=None, reserved_fields=(field,))


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("certify", [None, *Permission])
def test_validation_data_and_time_stamps_are_no_change(
    is_packed: bool, certify: Permission | None
) -> None:
    """T-PDF-10: allowed even where nothing else is."""
    sealed = seal(make_pdf(PDFSpec(is_packed=is_packed)), certify=certify)
    once = stamped(add_validation_data(sealed, EVIDENCE))
    more = ValidationData(crls=(b"newer list",))
    twice = stamped(add_validation_data(once, more), "Timestamp2")
    document = read_pdf(twice)
    assert not document.problems
    assert kinds(document) == {ChangeKind.VALIDATION_DATA, ChangeKind.DOCUMENT_TIMESTAMP}
    assert kinds(document, 1) == kinds(document)
    for signature in document.signatures:
        assert not signature.problems
        assert not document.forbidden_changes(signature)
    assert [item.is_document_timestamp for item in document.signatures] == [False, True, True]
    assert document.signatures[-1].covers_file
    assert document.validation_data.certificates == (b"one", b"two")
    assert document.validation_data.crls == (b"list", b"newer list")
    assert twice.startswith(sealed)


def test_a_time_stamp_needs_a_name_of_its_own() -> None:
    with pytest.raises(MalformedDocument) as refusal:
        prepare_timestamp(seal(), field_name="Seal1")
    assert refusal.value.params["reason"] == "field-name"


def test_filling_a_field_is_a_change_where_nothing_may_change() -> None:
    """T-PDF-10."""
    field = ReservedField(name="Seal2", placement=SECOND_SPOT)
    sealed = seal(reserved_fields=(field,))
    number = int(re.findall(rb"(\d+) 0 obj\n[^\n]*/T\(Seal2\)", sealed)[-1])
    filled = with_entries(object_text(sealed, number), b"/V 90 0 R")
    document = read_pdf(
        append_update(sealed, Update(objects={number: filled, 90: b"<</Type/Sig>>"}))
    )
    (signature,) = [item for item in document.signatures if item.field_name == "Seal1"]
    assert [change.kind for change in signature.later_changes] == [ChangeKind.SIGNATURE]
    assert signature.later_changes[0].is_allowed
    assert document.forbidden_changes(signature) == signature.later_changes


FORM = stream(b"0 g 0 0 9 9 re f", "/Type/XObject/Subtype/Form/BBox[0 0 9 9]")


def filled(
    entries: bytes = b"", *, keep: bool = True, extra: dict[int, bytes] | None = None
) -> bytes:
    """Fill the reserved field by hand; ``entries`` are added to its widget."""
    pdf = reserved()
    number = int(re.findall(rb"(\d+) 0 obj\n[^\n]*/T\(Seal2\)", pdf)[-1])
    text = re.sub(rb"/AP<<[^>]*>>", b"", object_text(pdf, number))
    widget = with_entries(text, b"/V 91 0 R/AP<</N 92 0 R>>" + entries)
    objects = {number: widget, 91: b"<</Type/Sig>>", 92: FORM, **(extra or {})}
    return append_update(pdf, Update(objects=objects))


def test_filling_a_field_by_hand_is_allowed() -> None:
    assert forbidden(filled(b"/M(D:2026)/MK<<>>")) == set()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/Rect[", b"/Rect[0 "),
        (b"/T(Seal2)", b"/T(Seal3)"),
        (b"/F 132", b"/F 2"),
        (b"/FT/Sig", b"/FT/Tx"),
        (b"/Subtype/Widget", b"/Subtype/Stamp"),
    ],
)
def test_filling_may_change_nothing_else(old: bytes, new: bytes) -> None:
    """T-PDF-08."""
    pdf = filled()
    at = pdf.rindex(old)
    bent = pdf[:at] + new + pdf[at + len(old) :]
    shift = len(new) - len(old)
    for number in (91, 92):
        place = pdf.rindex(b"\n%d 0 obj" % number) + 1
        row = b"%010d 00000 n" % place
        bent = bent.replace(row, b"%010d 00000 n" % (place + shift))
    start = pdf.rindex(b"xref\n", 0, pdf.rindex(b"startxref"))
    bent = bent.replace(b"startxref\n%d" % start, b"startxref\n%d" % (start + shift))
    assert forbidden(bent)


def test_a_locked_flag_may_come_with_the_value() -> None:
    spec = PDFSpec(
        catalog_entries="/AcroForm<</Fields[20 0 R]/SigFlags 3>>",
        page_entries="/Annots[20 0 R]",
        extra_objects={20: b"<</Subtype/Widget/FT/Sig/T(Empty)/F 4/Rect[0 0 9 9]>>"},
    )
    pdf = approved(make_pdf(spec))
    for flags, allowed in ((b"4", True), (b"132", True), (b"6", False)):
        text = b"<</Subtype/Widget/FT/Sig/T(Empty)/F %b/Rect[0 0 9 9]/V 91 0 R>>" % flags
        update = Update(objects={20: text, 91: b"<</Type/Sig>>"})
        assert (not forbidden(append_update(pdf, update))) is allowed, flags


def test_a_prepared_field_over_content_is_not_explained() -> None:
    """T-PDF-08: a field that was there, but whose seal would cover the page."""
    spec = PDFSpec(
        catalog_entries="/AcroForm<</Fields[20 0 R]/SigFlags 3>>",
        page_entries="/Annots[20 0 R]",
        extra_objects={20: b"<</Subtype/Widget/FT/Sig/T(Empty)/Rect[0 0 500 500]>>"},
    )
    text = b"<</Subtype/Widget/FT/Sig/T(Empty)/Rect[0 0 500 500]/V 91 0 R/AP<</N 92 0 R>>>>"
    objects = {20: text, 91: b"<</Type/Sig>>", 92: FORM}
    assert forbidden(append_update(approved(make_pdf(spec)), Update(objects=objects)))


def test_an_existing_object_is_never_part_of_a_filled_field() -> None:
    pdf = filled(extra={6: stream(b"1 0 0 rg 0 0 99 99 re f")})
    assert forbidden(pdf) == {ChangeKind.CONTENT}


def test_further_approvals_in_fields_of_their_own_are_a_kind_of_their_own() -> None:
    """T-PDF-08: for the reader to allow, and only where nothing is certified."""
    pdf = approved()
    for number in range(2, 5):
        pdf = seal(pdf, certify=None, field_name=f"Seal{number}", placement=SECOND_SPOT)
    document = read_pdf(pdf)
    assert len(document.signatures) == 4
    for signature in document.signatures[:-1]:
        (change,) = document.forbidden_changes(signature)
        assert change.kind is ChangeKind.NEW_SIGNATURE
        assert not document.forbidden_changes(signature, may_add_signatures=True)
    assert check_integrity(pdf).field_name == "Seal4"
    certified = seal(certify=Permission.FORM_FILLING)
    catalog, page = object_text(certified, CATALOG), object_text(certified, FIRST_PAGE)
    objects = {
        CATALOG: catalog.replace(b"/Fields[", b"/Fields[").replace(b"0 R]", b"0 R 90 0 R]", 1),
        FIRST_PAGE: page.replace(b"0 R]>>", b"0 R 90 0 R]>>"),
        90: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(New)/Rect[0 0 9 9]/V 91 0 R>>",
        91: b"<</Type/Sig>>",
    }
    changed = read_pdf(append_update(certified, Update(objects=objects)))
    first = next(item for item in changed.signatures if item.field_name == "Seal1")
    (change,) = changed.forbidden_changes(first, may_add_signatures=True)
    assert change.kind is ChangeKind.NEW_SIGNATURE


# Stores that are more than stores


def store_of(pdf: bytes) -> int:
    return int(re.findall(rb"/DSS (\d+) 0 R", pdf)[-1])


def test_a_store_that_is_used_elsewhere_too_is_not_explained() -> None:
    """T-PDF-06: a list of evidence that is also what a page draws with."""
    spec = PDFSpec(
        catalog_entries="/DSS 20 0 R",
        page_entries="/Resources 20 0 R",
        extra_objects={20: b"<</Type/DSS/Certs[]>>", 21: b"<<>>"},
    )
    base = make_pdf(spec).replace(b"/Resources<<>>", b"              ")
    evil = {20: b"<</Type/DSS/Certs[]/XObject<</Im0 92 0 R>>>>", 92: FORM}
    found = forbidden(append_update(approved(base), Update(objects=evil)))
    assert found == {ChangeKind.OBJECT, ChangeKind.CONTENT}


def test_a_stream_of_the_store_may_not_be_rewritten() -> None:
    pdf = stamped(add_validation_data(seal(), EVIDENCE))
    number = int(re.findall(rb"/CRLs\[(\d+) 0 R", pdf)[-1])
    changed = append_update(pdf, Update(objects={number: stream(b"other")}))
    document = read_pdf(changed)
    last = document.signatures[-1]
    assert {item.kind for item in document.forbidden_changes(last)} == {ChangeKind.CONTENT}


def test_a_new_entry_of_the_catalogue_is_a_change() -> None:
    pdf = approved()
    for entries, kind in (
        (b"/OpenAction<</S/JavaScript>>", ChangeKind.CATALOG),
        (b"/Perms<</UR3 5 0 R>>", ChangeKind.CERTIFICATION),
    ):
        catalog = with_entries(object_text(pdf, CATALOG), entries)
        assert kind in forbidden(append_update(pdf, Update(objects={CATALOG: catalog})))
    harmless = with_entries(object_text(pdf, CATALOG), b"/Extensions<</ESIC<<>>>>")
    assert not forbidden(append_update(pdf, Update(objects={CATALOG: harmless})))


def test_another_information_dictionary_is_a_change() -> None:
    """T-PDF-27."""
    pdf = approved()
    update = Update(objects={90: b"<</Title(Other)>>"}, info=90)
    assert ChangeKind.INFORMATION in forbidden(append_update(pdf, update))


def test_other_words_in_the_metadata_are_a_change() -> None:
    """T-PDF-27."""
    for body in (b"<x/>", b"<x", b"no XML"):
        update = Update(objects={METADATA: stream(body, "/Type/Metadata/Subtype/XML")})
        assert forbidden(append_update(approved(), update)) & {
            ChangeKind.INFORMATION,
            ChangeKind.UNCLEAR,
        }
    moved = with_entries(
        object_text(approved(), CATALOG).replace(b"/Metadata 4 0 R", b""), b"/Metadata 90 0 R"
    )
    update = Update(objects={CATALOG: moved, 90: make_objects(PDFSpec())[METADATA]})
    assert ChangeKind.CATALOG in forbidden(append_update(approved(), update))


def test_the_date_of_the_last_change_may_change() -> None:
    """Not after a certification against every change, though (T-PDF-10)."""
    information = make_objects(PDFSpec())[INFO]
    dated = with_entries(information, b"/ModDate(D:20270101)/Producer(Other)")
    metadata = make_objects(PDFSpec())[METADATA].replace(b"\nendstream", b" \nendstream")
    length = re.findall(rb"/Length (\d+)", metadata)[0]
    longer = metadata.replace(b"/Length " + length, b"/Length %d" % (int(length) + 1))
    update = Update(objects={INFO: dated, METADATA: longer})
    assert not forbidden(append_update(approved(), update))
    assert forbidden(append_update(seal(), update)) == {ChangeKind.DATE}
    titled = dated.replace(b"/Title(Test)", b"/Title(Fest)")
    changed = append_update(approved(), Update(objects={INFO: titled}))
    assert forbidden(changed) == {ChangeKind.INFORMATION}


@pytest.mark.parametrize(
    ("form", "page"),
    [
        ("/AcroForm 20 0 R", "/Annots 21 0 R"),
        ("/AcroForm<</Fields 22 0 R/SigFlags 3>>", ""),
        ("/AcroForm<</Fields[]/SigFlags 3>>", "/Annots[]"),
    ],
)
def test_time_stamps_enter_any_kind_of_list(form: str, page: str) -> None:
    spec = PDFSpec(
        catalog_entries=form,
        page_entries=page,
        extra_objects={20: b"<</Fields[]>>", 21: b"[]", 22: b"[]"},
    )
    assert not forbidden(stamped(seal(make_pdf(spec))))


def test_lists_that_lose_or_gain_something_else_are_changes() -> None:
    spec = PDFSpec(
        catalog_entries="/AcroForm 20 0 R",
        page_entries="/Annots 21 0 R",
        extra_objects={20: b"<</Fields 22 0 R/SigFlags 3>>", 21: b"[]", 22: b"[]"},
    )
    pdf = approved(make_pdf(spec))
    for objects in (
        {20: with_entries(object_text(pdf, 20), b"/NeedAppearances true")},
        {21: b"[]"},
        {22: b"[]"},
        {21: object_text(pdf, 21).replace(b"]", b" 6 0 R]")},
    ):
        assert forbidden(append_update(pdf, Update(objects=objects)))


def test_a_time_stamp_that_is_seen_is_a_change() -> None:
    """T-PDF-08."""
    pdf = stamped(approved())
    for old, new in (
        (b"/Rect[0 0 0 0]", b"/Rect[0 0 9 9]"),
        (b"/DocTimeStamp/F", b"/DocTimeStxmp/F"),
        (
            b"/Type/Annot/Subtype/Widget/FT/Sig/T(Time",
            b"/AA<<>>    /Subtype/Widget/FT/Sig/T(Time",
        ),
    ):
        assert forbidden(pdf.replace(old, new)), old


def test_data_behind_the_last_revision_is_told_beside_other_changes() -> None:
    """T-PDF-14."""
    document = read_pdf(stamped(seal()) + b"PK")
    assert kinds(document) == {ChangeKind.DOCUMENT_TIMESTAMP, ChangeKind.TRAILING}


def test_a_signed_state_that_cannot_be_read_is_unclear() -> None:
    """T-PDF-12: what was shown when it was signed cannot be known."""
    spec = PDFSpec(
        catalog_entries="/AcroForm<</Fields[20 0 R]/SigFlags 3>>",
        extra_objects={20: b"<</T(A)/Kids[21 0 R]>>", 21: b"<</T(B)>>"},
    )
    looping = approved(make_pdf(spec)).replace(b"<</T(B)>>", b"%20 0 R  ")
    broken = looping.replace(b"%20 0 R  ", b"<<(B) 1>>")
    mended = append_update(broken, Update(objects={21: b"<</T(B)>>"}))
    assert forbidden(mended) == {ChangeKind.UNCLEAR}


def test_a_change_is_told_with_its_objects() -> None:
    pdf = approved()
    fresh = size_of(pdf)
    document = read_pdf(append_update(pdf, Update(objects={fresh: b"<<>>", fresh + 1: b"7"})))
    assert document.signatures[0].later_changes == (
        LaterChange(kind=ChangeKind.OBJECT, object_numbers=(fresh, fresh + 1)),
    )
    freed = read_pdf(append_update(pdf, Update(freed=[FIRST_PAGE + 1])))
    assert freed.signatures[0].later_changes[0].object_numbers == (FIRST_PAGE + 1,)


def test_object_streams_of_later_revisions_are_containers() -> None:
    """A revision written with streams over a file that has them, too."""
    pdf = approved(make_pdf(PDFSpec(is_packed=True)))
    data = io.BytesIO()
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    stream_of_objects = writer.prepare_object_stream()
    writer.add_object(generic.NumberObject(7), obj_stream=stream_of_objects)
    writer.add_object(generic.NumberObject(8))
    writer.write(data)
    document = read_pdf(data.getvalue())
    (signature,) = document.signatures
    (change,) = document.forbidden_changes(signature)
    assert change.kind is ChangeKind.OBJECT
    assert len(change.object_numbers) == 2


def test_a_field_inside_its_parent_and_a_page_that_is_new_are_passed_over() -> None:
    spec = PDFSpec(catalog_entries="/AcroForm<</Fields[<</FT/Tx/T(In)>>]/SigFlags 3>>")
    pdf = approved(make_pdf(spec))
    tree = b"<</Type/Pages/Count 2/Kids[5 0 R 90 0 R]>>"
    update = Update(objects={2: tree, 90: object_text(pdf, FIRST_PAGE)})
    assert forbidden(append_update(pdf, update)) == {ChangeKind.PAGE}


def test_a_field_with_its_widget_apart_is_filled_by_its_value_alone() -> None:
    spec = PDFSpec(
        catalog_entries="/AcroForm<</Fields[20 0 R]/SigFlags 3>>",
        page_entries="/Annots[21 0 R]",
        extra_objects={
            20: b"<</FT/Sig/T(Empty)/Kids[21 0 R]>>",
            21: b"<</Subtype/Widget/Parent 20 0 R/Rect[0 0 9 9]>>",
        },
    )
    filled_field = b"<</FT/Sig/T(Empty)/Kids[21 0 R]/V 91 0 R>>"
    update = Update(objects={20: filled_field, 91: b"<</Type/Sig>>"})
    assert not forbidden(append_update(approved(make_pdf(spec)), update))


def test_another_list_of_annotations_is_a_change() -> None:
    spec = PDFSpec(page_entries="/Annots 21 0 R", extra_objects={21: b"[]", 22: b"[]"})
    pdf = approved(make_pdf(spec))
    page = object_text(pdf, FIRST_PAGE).replace(b"/Annots 21 0 R", b"/Annots 22 0 R")
    update = Update(objects={FIRST_PAGE: page, 22: object_text(pdf, 21)})
    assert forbidden(append_update(pdf, update)) == {ChangeKind.OBJECT}


def test_lists_of_a_store_may_be_shared_inside_it_only_once() -> None:
    spec = PDFSpec(
        catalog_entries="/DSS<</Certs 20 0 R/CRLs 20 0 R/OCSPs 21 0 R/VRI 22 0 R>>",
        extra_objects={20: b"[]", 21: b"[]", 22: stream(b"x")},
    )
    pdf = approved(make_pdf(spec))
    for number, found in ((20, {ChangeKind.OBJECT}), (21, set()), (22, {ChangeKind.CONTENT})):
        text = b"[90 0 R]" if number != 22 else stream(b"y")
        update = Update(objects={number: text, 90: stream(b"evidence")})
        assert forbidden(append_update(pdf, update)) - {ChangeKind.CONTENT} == (
            found - {ChangeKind.CONTENT}
        ), number


def test_an_entry_that_points_into_an_older_object_stream_is_unclear() -> None:
    """T-PDF-13: an object that its stream does not hold."""
    pdf = approved(make_pdf(PDFSpec(is_packed=True)))
    holder = int(re.findall(rb"(\d+) 0 obj\n<<[^\n]*/ObjStm", pdf)[0])
    own, start = 91, len(pdf)
    rows = b"\x02" + holder.to_bytes(4, "big") + b"\0\0"
    rows += b"\x01" + start.to_bytes(4, "big") + b"\0\0"
    entries = "/Type/XRef/W[1 4 2]/Size 92/Index[90 2]/Root 1 0 R/Info 3 0 R"
    entries += f"/Prev {last_xref(pdf)}"
    pdf += b"%d 0 obj\n%b\nendobj\n" % (own, stream(rows, entries))
    document = read_pdf(pdf + b"startxref\n%d\n%%%%EOF\n" % start)
    assert [problem.reason for problem in document.problems] == ["xref-mismatch"]
    assert kinds(document) == {ChangeKind.UNCLEAR}
