"""Cross-references and revisions: nothing is repaired."""

import re

import pytest

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import Limits
from seal_service.formats.pdf.objects import Source
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.revisions import group_revisions
from seal_service.formats.pdf.xref import header_version, read_sections
from tests.support.pdf import PDFSpec, Update, append_update, last_xref, make_pdf, packed


def refusal_of(pdf: bytes, limits: Limits | None = None) -> MalformedDocument:
    with pytest.raises(MalformedDocument) as refusal:
        read_pdf(pdf, limits or Limits())
    return refusal.value


def reason_of(pdf: bytes) -> object:
    return refusal_of(pdf).params["reason"]


@pytest.mark.parametrize("is_packed", [False, True])
def test_each_update_is_a_revision(is_packed: bool) -> None:
    pdf = make_pdf(PDFSpec(is_packed=is_packed))
    document = read_pdf(append_update(append_update(pdf, Update()), Update()))
    assert [item.number for item in document.revisions] == [1, 2, 3]
    assert document.revisions[0].end == len(pdf) == document.revisions[1].start
    assert document.revisions[0].is_stream is is_packed


def test_a_linearised_file_is_one_revision() -> None:
    pdf = make_pdf()
    first_table = last_xref(pdf)
    body, end = pdf[:first_table], pdf[first_table:]
    # The chain begins in a section near the top, whose end names no place (ISO 32000-1, F.3.3).
    top = (
        b"xref\n0 0\ntrailer\n<</Size 7/Root 1 0 R/Info 3 0 R/Prev %010d>>\nstartxref\n0\n%%%%EOF\n"
    )
    shift = len(top % 0)
    header = PDFSpec().header
    moved = re.sub(
        rb"(\d{10})( 00000 n)", lambda found: b"%010d" % (int(found[1]) + shift) + found[2], end
    )
    moved = re.sub(rb"startxref\n\d+", b"startxref\n%d" % len(header), moved)
    linear = header + top % (first_table + shift) + body[len(header) :] + moved
    document = read_pdf(linear)
    assert len(document.revisions) == 1
    assert not document.problems


def test_a_pointer_to_the_line_before_the_section_is_followed() -> None:
    pdf = make_pdf()
    start = last_xref(pdf)
    assert not read_pdf(
        pdf.replace(b"startxref\n%d" % start, b"startxref\n%d" % (start - 1))
    ).problems


@pytest.mark.parametrize(
    ("name", "pdf", "reason"),
    [
        ("empty", b"", "header"),
        ("other", b"PK\x03\x04", "header"),
        ("header only", b"%PDF-1.7\n", "startxref"),
        ("no mark", make_pdf(PDFSpec(ending=b"")), "startxref"),
        ("hybrid", make_pdf(PDFSpec(trailer_entries="/XRefStm 10")), "hybrid-xref"),
        ("previous no number", make_pdf(PDFSpec(trailer_entries="/Prev/A")), "xref"),
        ("previous outside", make_pdf(PDFSpec(trailer_entries="/Prev 99999999")), "xref"),
        ("previous negative", make_pdf(PDFSpec(trailer_entries="/Prev -1")), "xref"),
        ("previous elsewhere", make_pdf(PDFSpec(trailer_entries="/Prev 15")), "xref"),
        ("encrypted", make_pdf(PDFSpec(trailer_entries="/Encrypt 9 0 R")), "encrypted"),
        ("no root", make_pdf().replace(b"/Root 1 0 R", b"/Rood 1 0 R"), "catalog"),
        ("cut table", make_pdf().replace(b"00000 n \n2 1", b"00000 n\n 2 1"), "xref"),
        ("no trailer", make_pdf().replace(b"trailer", b"trailed"), "xref"),
        ("trailer no dictionary", make_pdf().replace(b"trailer\n<<", b"trailer\n1 "), "xref"),
    ],
)
def test_chains_that_do_not_hold_are_refused(name: str, pdf: bytes, reason: str) -> None:
    """T-PDF-13, T-PDF-15."""
    assert reason_of(pdf) == reason, name


def test_encryption_added_later_is_refused() -> None:
    """T-PDF-15."""
    assert reason_of(append_update(make_pdf(), Update(trailer_entries="/Encrypt 9 0 R"))) == (
        "encrypted"
    )


def test_sections_in_a_circle_are_refused() -> None:
    """T-PDF-13."""
    pdf = make_pdf()
    later = append_update(pdf, Update())
    identifiers = b"/ID[(first)(first)]"
    back = b"/Prev %d" % last_xref(later)
    loop = later.replace(identifiers, back.ljust(len(identifiers)))
    assert reason_of(loop) == "xref-loop"


def test_revisions_follow_each_other_in_the_file() -> None:
    """A newer section that lies before an older one would show other things to some readers."""
    pdf = append_update(append_update(make_pdf(), Update()), Update())
    sections = read_sections(Source(pdf))
    for order in ((1, 0, 2), (0, 2, 1)):
        with pytest.raises(MalformedDocument):
            group_revisions(tuple(sections[index] for index in order))


def test_the_end_of_a_revision_names_its_own_section() -> None:
    """T-PDF-13."""
    pdf = make_pdf()
    later = append_update(pdf, Update())
    named = b"startxref\n%d" % last_xref(pdf)
    assert reason_of(later.replace(named, b"startxref\n%d" % 9999)) == "xref-order"
    at = later.index(b"%%EOF\n", len(pdf) - 8)
    assert reason_of(later[:at] + b"%%EOX" + later[at + 5 :]) == "startxref"


def test_entries_of_unknown_kinds_are_no_objects() -> None:
    """ISO 32000-1, 7.5.8.3: they are references to null."""
    body = PDFSpec().header
    entries = packed(bytes([7] * 12), "/Type/XRef/W[1 2 1]/Size 3/Root 1 0 R")
    body += b"9 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (entries, len(body))
    assert reason_of(body) == "catalog"


def test_an_entry_may_not_lead_to_what_was_written_later() -> None:
    """T-PDF-02: signed entries that wait for bytes to come."""
    pdf = make_pdf()
    end = len(pdf)
    spare = make_pdf(PDFSpec(extra_objects={9: b"null"}))
    offset = spare.index(b"9 0 obj")
    bent = spare.replace(b"%010d 00000 n" % offset, b"%010d 00000 n" % (len(spare) + 5))
    assert end > 0
    assert reason_of(append_update(bent, Update(objects={10: b"null"}))) == "entry-beyond-revision"


@pytest.mark.parametrize(
    "entries",
    [
        "/Type/XRef/W[1 2]/Size 3/Root 1 0 R",
        "/Type/XRef/W[0 0 0]/Size 3/Root 1 0 R",
        "/Type/XRef/W[1 9 1]/Size 3/Root 1 0 R",
        "/Type/XRef/W/A/Size 3/Root 1 0 R",
        "/Type/XRef/W[1 2 1]/Root 1 0 R",
        "/Type/XRef/W[1 2 1]/Size 3/Index[0]/Root 1 0 R",
        "/Type/XRef/W[1 2 1]/Size 3/Index[0 -1]/Root 1 0 R",
        "/Type/XRef/W[1 2 1]/Size 3/Index/A/Root 1 0 R",
        "/Type/XRef/W[1 2 1]/Size 3/Index[0 50]/Root 1 0 R",
        "/Type/Other/W[1 2 1]/Size 3/Root 1 0 R",
    ],
)
def test_cross_reference_streams_without_sense_are_refused(entries: str) -> None:
    body = PDFSpec().header
    start = len(body)
    body += b"9 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (packed(bytes(12), entries), start)
    assert reason_of(body) == "xref"


def test_a_cross_reference_stream_needs_a_plain_length_and_an_end() -> None:
    spec = PDFSpec(is_packed=True)
    pdf = make_pdf(spec)
    at = last_xref(pdf)
    length = re.findall(rb"/Length (\d+)", pdf[at:])[0]
    for bad, reason in ((b"/A", "xref"), (b"1", "stream")):
        bent = pdf[:at] + pdf[at:].replace(b"/Length " + length, b"/Length " + bad, 1)
        assert reason_of(bent) == reason
    no_end = pdf[:at] + pdf[at:].replace(b"endstream", b"endstreak")
    assert reason_of(no_end) == "stream-length"


def test_numbers_of_objects_and_revisions_are_limited() -> None:
    """T-PDF-16: limits are inclusive."""
    pdf = make_pdf()
    assert read_pdf(pdf, Limits(pdf_objects=7)).page_count == 1
    assert refusal_of(pdf, Limits(pdf_objects=6)).params["limit"] == "pdf_objects"
    later = append_update(pdf, Update())
    assert read_pdf(later, Limits(pdf_revisions=2)).page_count == 1
    assert refusal_of(later, Limits(pdf_revisions=1)).params["limit"] == "pdf_revisions"
    many = pdf
    for _ in range(3):
        many = append_update(many, Update(offsets=dict.fromkeys(range(1, 7), 0)))
    assert refusal_of(many, Limits(pdf_objects=10)).params["limit"] == "pdf_objects"
    huge = pdf.replace(b"xref\n0 1", b"xref\n0 9999999999")
    assert isinstance(refusal_of(huge), LimitExceeded)
    streamed = make_pdf(PDFSpec(is_packed=True, trailer_entries="/Index[0 999999999]"))
    assert isinstance(refusal_of(streamed), LimitExceeded)


@pytest.mark.parametrize(
    ("header", "version"),
    [(b"%PDF-1.7\n", "1.7"), (b"%PDF-2.0\r", "2.0"), (b"%PDF-17\n", None), (b"\n%PDF-1.7\n", None)],
)
def test_the_version_stands_in_the_first_bytes(header: bytes, version: str | None) -> None:
    assert header_version(header) == version
