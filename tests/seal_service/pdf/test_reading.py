"""What is read of a PDF: facts with stable reasons, and nothing raised but our own errors."""

from datetime import UTC, datetime

import pytest

from seal_service.errors import DocumentTooLarge, LimitExceeded, MalformedDocument
from seal_service.formats.limits import Limits
from seal_service.formats.pdf import fields as fields_module
from seal_service.formats.pdf import objects as objects_module
from seal_service.formats.pdf import reading as reading_module
from seal_service.formats.pdf import survey as survey_module
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.integrity import own_form_problems
from seal_service.formats.pdf.model import PDFDocument
from seal_service.formats.pdf.reading import read_pdf
from tests.support.pdf import (
    CATALOG,
    LICENCE,
    METADATA,
    PDFSpec,
    Update,
    append_update,
    approved,
    make_pdf,
    object_text,
    packed,
    seal,
    signature_number,
    stream,
    twice_sealed,
)


def reasons(document: PDFDocument) -> list[str]:
    return [problem.reason for problem in document.problems]


def read_with(**changes: object) -> PDFDocument:
    spec = PDFSpec(**changes)  # type: ignore[arg-type]  # keywords of a test
    return read_pdf(make_pdf(spec))


# Claims


def test_the_claims_name_the_licence() -> None:
    document = read_pdf(seal())
    assert document.claims == {"CertificateIdentifier": LICENCE, "LicenceDataDigest": "0" * 64}
    assert document.information["Creator"] == "Typst 0.15.2"
    assert document.metadata["PDF/A part"] == "2"
    assert document.version == "1.7"
    assert document.page_sizes_mm[0] == pytest.approx((209.9, 297.04), abs=0.01)


def test_keywords_claim_only_what_they_say_once() -> None:
    document = read_with(keywords="a, A=1, B=2; B=3; =4, C")
    assert document.claims == {"A": "1"}


def test_information_and_metadata_that_differ_are_told() -> None:
    """T-PDF-27."""
    document = read_with(metadata_keywords="CertificateIdentifier=other")
    assert reasons(document) == ["metadata-differs"]
    assert own_form_problems(document)[0] == "metadata-differs"


@pytest.mark.parametrize(
    "text",
    [
        stream(b"<x"),
        stream(b"<!DOCTYPE x><x/>"),
        stream(b'<?xml version="1.0" encoding="no-such"?><x/>'),
        stream(b"<x/>", "/Filter/LZWDecode"),
    ],
)
def test_metadata_that_cannot_be_read_is_told(text: bytes) -> None:
    assert reasons(read_with(extra_objects={METADATA: text})) == ["metadata"]


def test_metadata_may_be_packed_or_absent_or_in_attributes() -> None:
    xmp = b'<x xmlns:pdf="http://ns.adobe.com/pdf/1.3/" pdf:Keywords="a" pdf:Other="b"/>'
    document = read_with(extra_objects={METADATA: packed(xmp)}, keywords="a")
    assert document.metadata == {"Keywords": "a"}
    assert read_with(extra_objects={METADATA: b"null"}).metadata == {}


def test_metadata_is_limited() -> None:
    with pytest.raises(LimitExceeded):
        read_with(extra_objects={METADATA: stream(b"<x>" + b" " * 1024 * 1024 + b"</x>")})


# Signatures


def test_every_sub_filter_counts() -> None:
    pdf = seal(certify=None)
    for name in (b"ADBE.Pkcs7.detached", b"GM.sm2cms.detached", b"Unknown"):
        spelt = b"/SubFilter/ETSI.CAdES.detached"
        other = pdf.replace(spelt, (b"/SubFilter/" + name).ljust(len(spelt)))
        (signature,) = read_pdf(other).signatures
        assert signature.sub_filter == name.decode()


def field_with(value: bytes, extra: dict[int, bytes] | None = None) -> PDFDocument:
    return read_with(
        catalog_entries="/AcroForm<</Fields[20 0 R]/SigFlags 3>>",
        extra_objects={20: b"<</FT/Sig/T(Field)" + value + b">>", **(extra or {})},
    )


def test_an_empty_field_is_no_signature() -> None:
    for value in (b"", b"/V null"):
        document = field_with(value)
        assert document.empty_fields == ("Field",)
        assert not document.is_signed


@pytest.mark.parametrize(
    ("value", "extra"),
    [
        (b"/V 21 0 R", {}),
        (b"/V 21 0 R", {21: b"7"}),
        (b"/V 21 0 R", {21: b"22 0 R", 22: b"<</Type/Sig>>"}),
        (b"/V 21 0 R", {21: b"21 0 R"}),
        (b"/V 7", {}),
    ],
)
def test_a_value_that_is_no_signature_is_a_broken_signature(
    value: bytes, extra: dict[int, bytes]
) -> None:
    """T-PDF-01."""
    (signature,) = field_with(value, extra).signatures
    assert signature.problems[0].reason == "value-type"
    assert not signature.covers_file


def test_a_dictionary_inside_its_field_is_held_against_the_bytes() -> None:
    (signature,) = field_with(b"/V<</Type/Sig/ByteRange[0 1 2 3]/Contents<3000>>>").signatures
    assert signature.object_number is None
    assert {"byte-range-hole"} <= {problem.reason for problem in signature.problems}


def test_a_dictionary_in_an_object_stream_is_no_signature() -> None:
    document = read_with(
        is_packed=True,
        catalog_entries="/AcroForm<</Fields[20 0 R]>>",
        extra_objects={
            20: b"<</FT/Sig/T(A)/V 21 0 R>>",
            21: b"<</Type/Sig/ByteRange[0 1 2 3]/Contents<3000>>>",
        },
    )
    assert document.signatures[0].problems[0].reason == "dictionary-packed"


def test_a_signature_that_two_fields_share_is_told() -> None:
    pdf = approved()
    number = signature_number(pdf)
    catalog = object_text(pdf, CATALOG).replace(b"/Fields[", b"/Fields[90 0 R ")
    second = b"<</FT/Sig/T(Seal1)/V %d 0 R>>" % number
    document = read_pdf(append_update(pdf, Update(objects={CATALOG: catalog, 90: second})))
    assert all(
        "value-shared" in [problem.reason for problem in item.problems]
        for item in document.signatures
    )
    assert "field-name-twice" in reasons(document)


def test_a_signature_dictionary_that_no_field_holds_is_told() -> None:
    """T-PDF-26."""
    document = read_with(extra_objects={20: b"<</Type/Sig/Contents<00>>>", 21: b"<</ByteRange 1>>"})
    assert reasons(document) == ["orphan-signature"] * 2
    assert not document.is_signed


def test_signatures_are_limited() -> None:
    pdf = twice_sealed()
    assert len(read_pdf(pdf, Limits(signatures=2)).signatures) == 2
    with pytest.raises(LimitExceeded):
        read_pdf(pdf, Limits(signatures=1))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        (b"D:20261124120000+08'00'", datetime(2026, 11, 24, 4, tzinfo=UTC)),
        (b"D:20261124120000+08'00", datetime(2026, 11, 24, 4, tzinfo=UTC)),
        (b"D:20261124040000Z", datetime(2026, 11, 24, 4, tzinfo=UTC)),
        (b"D:20261124040000Z00'00'", datetime(2026, 11, 24, 4, tzinfo=UTC)),
        (b"D:20261124003000-03'30'", datetime(2026, 11, 24, 4, tzinfo=UTC)),
        (b"D:20261124040000", None),
        (b"D:20261324040000Z", None),
        (b"D:20261124040000+99'00'", None),
        (b"2026", None),
        (b"", None),
    ],
)
def test_the_claimed_time_needs_a_zone(text: bytes, instant: datetime | None) -> None:
    """T-PDF-23."""
    value = b"/V<</Type/Sig/M(%b)>>" % text
    assert field_with(value).signatures[0].signed_at == instant


def test_names_inside_a_tree_of_fields_are_joined() -> None:
    document = read_with(
        catalog_entries="/AcroForm<</Fields[20 0 R]>>",
        extra_objects={
            20: b"<</T(Office)/FT/Sig/Kids[21 0 R 22 0 R]>>",
            21: b"<</T(First)/Parent 20 0 R>>",
            22: b"<</T(Second)/V<</Type/Sig>>/Kids[23 0 R]>>",
            23: b"<</Subtype/Widget/Rect[0 0 1 1]>>",
        },
    )
    assert document.empty_fields == ("Office.First",)
    assert [item.field_name for item in document.signatures] == ["Office.Second"]


def test_fields_that_form_no_tree_are_refused() -> None:
    """T-PDF-16."""
    for extra in (
        {20: b"<</T(A)/Kids[20 0 R]>>"},
        {number: b"<</T(A)/Kids[%d 0 R]>>" % (number + 1) for number in range(20, 60)},
    ):
        with pytest.raises(MalformedDocument) as refusal:
            read_with(catalog_entries="/AcroForm<</Fields[20 0 R]>>", extra_objects=extra)
        assert refusal.value.params["reason"] == "field-tree"


def test_fields_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-PDF-16."""
    monkeypatch.setattr(fields_module, "MAX_FIELDS", 3)
    for count in (4, 5):
        fields = "<</T(A)>>" * count
        with pytest.raises(LimitExceeded):
            read_with(catalog_entries=f"/AcroForm<</Fields[{fields}]>>")


# Certification


def test_the_strictest_certification_counts() -> None:
    """T-PDF-09."""
    document = read_pdf(seal(certify=Permission.FORM_FILLING))
    assert document.certification is not None
    assert document.certification.permission is Permission.FORM_FILLING
    assert document.certification.field_name == "Seal1"
    assert read_pdf(approved()).certification is None


def reference(parameters: bytes, method: bytes = b"DocMDP") -> bytes:
    return b"<</TransformMethod/%b/TransformParams<<%b>>>>" % (method, parameters)


@pytest.mark.parametrize(
    ("references", "permission", "problem"),
    [
        (reference(b""), Permission.FORM_FILLING, None),
        (reference(b"/P 3"), Permission.ANNOTATING, None),
        (reference(b"/P 4"), None, "docmdp"),
        (reference(b"/P true"), None, "docmdp"),
        (reference(b"/P 1") * 2, None, "docmdp"),
        (reference(b"", b"FieldMDP"), None, None),
    ],
)
def test_permissions_are_read_from_the_signature(
    references: bytes, permission: Permission | None, problem: str | None
) -> None:
    value = b"/V<</Type/Sig/Reference[%b]>>" % references
    (signature,) = field_with(value).signatures
    assert signature.permission is permission
    assert ("docmdp" in [item.reason for item in signature.problems]) is (problem is not None)
    assert signature.locks_fields is (b"FieldMDP" in references)


def test_catalogue_and_signatures_must_agree_about_certification() -> None:
    """T-PDF-09."""
    certifying = b"<</Type/Sig/Reference[%b]>>" % reference(b"/P 1")
    form = "/AcroForm<</Fields[20 0 R 21 0 R]>>"
    extra = {
        20: b"<</FT/Sig/T(A)/V 30 0 R>>",
        21: b"<</FT/Sig/T(B)/V 31 0 R>>",
        30: b"<</Type/Sig>>",
        31: certifying,
        32: certifying,
        33: b"<</Type/Sig/Reference[%b]>>" % reference(b"/P 9"),
    }

    def found(perms: str, **changed: bytes) -> tuple[list[str], PDFDocument]:
        more = {int(key[1:]): value for key, value in changed.items()}
        document = read_with(catalog_entries=form + perms, extra_objects={**extra, **more})
        return [r for r in reasons(document) if not r.startswith("orphan")], document

    assert found("/Perms<</DocMDP 31 0 R>>")[0] == ["docmdp-not-first"]
    assert found("")[0] == ["docmdp-without-perms", "docmdp-not-first"]
    assert "perms-dangling" in found("/Perms<</DocMDP 30 0 R>>")[0]
    assert "docmdp-twice" in found("/Perms<</DocMDP 31 0 R>>", n30=certifying)[0]
    alone = found("/Perms<</DocMDP 32 0 R>>", n31=b"<</Type/Sig>>")
    assert alone[0] == ["perms-dangling"]
    assert alone[1].certification is not None
    assert alone[1].certification.permission is Permission.NO_CHANGES
    assert alone[1].certification.field_name == ""
    for named in ("33 0 R", "30 0 R", "<<>>"):
        changed = found(f"/Perms<</DocMDP {named}>>", n31=b"<</Type/Sig>>")
        assert changed[0] == ["perms-dangling"]
        assert changed[1].certification is None


# The survey


@pytest.mark.parametrize(
    ("entries", "extra", "kind"),
    [
        ("/OpenAction 20 0 R", {20: b"<</S/JavaScript/JS(app.alert(1))>>"}, "javascript"),
        ("/OpenAction<</S/GoTo>>", {}, "open-action"),
        ("/AA<</WC 20 0 R>>", {}, "additional-actions"),
        ("", {20: b"<</S/Launch/F(calc)>>"}, "launch"),
        ("", {20: b"<</S/SubmitForm>>"}, "submit-form"),
        ("", {20: b"<</S/ImportData>>"}, "import-data"),
        ("", {20: b"<</S/GoToR>>"}, "remote-goto"),
        ("", {20: b"[[<</S/GoToE>>]]"}, "remote-goto"),
        ("", {20: b"<</Subtype/RichMedia>>"}, "multimedia"),
        ("", {20: stream(b"x", "/Subtype/3D")}, "multimedia"),
        ("/AcroForm<</XFA[]>>", {}, "xfa"),
        ("/Names<</EmbeddedFiles<<>>>>", {}, "embedded-file"),
        ("", {20: b"<</Type/Filespec/EF<<>>>>"}, "embedded-file"),
        ("", {20: stream(b"x", "/F(other.bin)")}, "external-stream"),
        ("", {20: stream(b"x", "/Subtype/Form/Ref<<>>")}, "reference-form"),
        ("/OCProperties<<>>", {}, "optional-content"),
        ("/AcroForm<</NeedAppearances true>>", {}, "need-appearances"),
    ],
)
def test_active_content_is_listed(entries: str, extra: dict[int, bytes], kind: str) -> None:
    """T-PDF-17, T-PDF-18."""
    document = read_with(catalog_entries=entries, extra_objects=extra)
    assert kind in {item.kind for item in document.active_content}
    assert {item.object_number for item in document.active_content} <= {CATALOG, 20}


def test_a_first_view_is_not_active() -> None:
    assert not read_with(catalog_entries="/OpenAction[5 0 R/Fit]").active_content


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"<</Length 3>>\nstream\nlonger\nendstream", "stream-length"),
        (b"<</A 1>> /B", "object-end"),
        (b"(open", "string"),
    ],
)
def test_objects_that_viewers_would_mend_are_told(text: bytes, reason: str) -> None:
    assert reasons(read_with(extra_objects={20: text})) == [reason]


def test_a_few_problems_of_objects_say_enough() -> None:
    broken = dict.fromkeys(range(20, 60), b"(open")
    # One open string swallows the next: each is cut off by a closing one.
    broken = dict.fromkeys(broken, b"<</A 1>> /B")
    assert len(read_with(extra_objects=broken).problems) == survey_module.MAX_REMARKS


def test_filters_are_limited() -> None:
    """T-PDF-16."""
    four = stream(b"x", "/Filter[/A/A/A/A]")
    assert not reasons(read_with(extra_objects={20: four}))
    with pytest.raises(LimitExceeded) as refusal:
        read_with(extra_objects={20: stream(b"x", "/Filter" + "[" + "/A" * 5 + "]")})
    assert refusal.value.params["limit"] == "pdf_filters"


def test_objects_looked_at_are_limited_over_all_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-PDF-16."""
    monkeypatch.setattr(objects_module, "MAX_WORK", 14)
    assert read_with().page_count == 1
    for pdf in (make_pdf(PDFSpec(pages=12)), append_update(approved(), Update(freed=[6]))):
        with pytest.raises(LimitExceeded) as refusal:
            read_pdf(pdf)
        assert refusal.value.params["limit"] == "pdf_work"


# Structure


def test_too_large_files_are_refused() -> None:
    pdf = make_pdf()
    assert read_pdf(pdf, Limits(document_bytes=len(pdf))).page_count == 1
    with pytest.raises(DocumentTooLarge):
        read_pdf(pdf, Limits(document_bytes=len(pdf) - 1))


def test_offsets_that_count_from_the_header_do_not_help_junk_before_it() -> None:
    """T-PDF-14."""
    shifted = make_pdf(PDFSpec(header=b"junk\n" + PDFSpec().header))
    assert reasons(read_pdf(shifted)) == ["junk-before-header"]
    with pytest.raises(MalformedDocument) as refusal:
        read_pdf(b"junk\n" + make_pdf())
    assert refusal.value.params["reason"] == "junk-before-header"


def test_several_ends_of_file_are_told() -> None:
    """T-PDF-13."""
    hidden = make_pdf(PDFSpec(extra_objects={20: stream(b"startxref\n9\n%%EOF\n")}))
    assert reasons(read_pdf(hidden)) == ["stray-startxref"]


def test_an_earlier_state_that_cannot_be_read_is_passed_over() -> None:
    loop = PDFSpec(
        catalog_entries="/AcroForm<</Fields[20 0 R]>>",
        extra_objects={20: b"<</T(A)/Kids[20 0 R]>>"},
    )
    mended = append_update(make_pdf(loop), Update(objects={20: b"<</T(A)>>"}))
    assert not reasons(read_pdf(mended))


@pytest.mark.parametrize("wrong", [b"%010d 00040 n", b"%010d 00000 n"])
def test_entries_that_were_replaced_must_have_been_right(wrong: bytes) -> None:
    """T-PDF-13."""
    pdf = make_pdf()
    place = pdf.index(b"1 0 obj")
    moved = place if b"40" in wrong else place + 1
    bent = pdf.replace(b"%010d 00000 n" % place, wrong % moved)
    mended = append_update(bent, Update(objects={CATALOG: object_text(pdf, CATALOG)}))
    assert reasons(read_pdf(mended)) == ["xref-mismatch"]


def test_objects_beyond_the_size_of_the_file_are_told() -> None:
    """T-PDF-13."""
    pdf = make_pdf()
    assert reasons(read_pdf(pdf.replace(b"/Size 7", b"/Size 6"))) == ["xref-size"]
    for wrong in (b"/Size/7", b"/Sise 7"):
        with pytest.raises(MalformedDocument):
            read_pdf(pdf.replace(b"/Size 7", wrong))


def test_earlier_states_have_the_same_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-PDF-16."""
    form = PDFSpec(
        catalog_entries="/AcroForm 20 0 R", extra_objects={20: b"<</Fields[%b]>>" % (b"<<>>" * 9)}
    )
    pdf = append_update(make_pdf(form), Update(objects={20: b"<</Fields[]>>"}))
    assert not reasons(read_pdf(pdf))
    monkeypatch.setattr(fields_module, "MAX_FIELDS", 8)
    read_pdf.cache_clear()
    with pytest.raises(LimitExceeded):
        read_pdf(pdf)


def test_validation_data_is_read_as_it_is() -> None:
    """T-PDF-25."""
    entries = "/DSS<</Certs[20 0 R 21 0 R]/CRLs[20 0 R]/OCSPs 22 0 R>>"
    extra = {20: stream(b"one"), 21: packed(b"two"), 22: b"[20 0 R 7]"}
    data = read_with(catalog_entries=entries, extra_objects=extra).validation_data
    assert data.certificates == (b"one", b"two")
    assert data.crls == data.ocsp_responses == (b"one",)


def test_validation_data_is_limited() -> None:
    streams = "20 0 R " * (reading_module.MAX_EVIDENCE + 1)
    with pytest.raises(LimitExceeded):
        read_with(catalog_entries=f"/DSS<</Certs[{streams}]>>", extra_objects={20: stream(b"one")})


def test_an_information_dictionary_is_not_needed() -> None:
    assert read_pdf(make_pdf().replace(b"/Info 3 0 R", b"")).information == {}
