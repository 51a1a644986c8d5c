"""PDF bytes that somebody bent: nothing but our own errors, and nothing passes for untouched."""

import io
import random

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.algorithms import DigestAlgorithm
from keys.errors import ServiceError
from seal_service.formats.pdf.integrity import own_form_problems
from seal_service.formats.pdf.model import PDFDocument
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.writing import prepare
from tests.support import pdf_attacks
from tests.support.pdf import PDFSpec, make_order, make_pdf, seal, twice_sealed

SMALL = seal(reserved_bytes=1400)
PACKED = seal(make_pdf(PDFSpec(is_packed=True)), reserved_bytes=1400)
SEEDS = (SMALL, PACKED, twice_sealed(), pdf_attacks.shadows()["hide"])


def read_or_none(pdf: bytes) -> PDFDocument | None:
    try:
        return read_pdf(pdf)
    except ServiceError:
        return None


def facts(pdf: bytes) -> tuple[object, ...] | None:
    """Return what a verifier checks against the signature value; None if it is refused."""
    document = read_or_none(pdf)
    if document is None or not document.signatures or own_form_problems(document):
        return None
    last = document.signatures[-1]
    return last.contents, last.digest(pdf, DigestAlgorithm.SHA256)


@pytest.mark.parametrize(("pdf", "step"), [(SMALL, 1), (PACKED, 3)], ids=["table", "stream"])
def test_no_changed_byte_passes_for_untouched(pdf: bytes, step: int) -> None:
    """Every byte is covered by the digest, or is the value itself, or breaks our form."""
    untouched = facts(pdf)
    assert untouched is not None
    start = pdf.rindex(b"/ByteRange")
    whole = range(start, pdf.index(b"/Contents<", start) + 12)
    chooser = random.Random(20261124)  # noqa: S311 - a fixed choice, not a secret
    for at in sorted({*range(0, len(pdf), step), *whole}):
        for bit in range(8) if at in whole else (chooser.randrange(8),):
            bent = bytearray(pdf)
            bent[at] ^= 1 << bit
            assert facts(bytes(bent)) != untouched, (at, bit)


@given(st.binary(max_size=400))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    read_or_none(data)
    read_or_none(b"%PDF-1.7\n" + data + b"\nstartxref\n9\n%%EOF\n")
    read_or_none(b"%PDF-1.7\nxref\n0 0\ntrailer\n" + data + b"\nstartxref\n9\n%%EOF\n")


TOKENS = st.sampled_from(
    [
        *(b"<<", b">>", b"[", b"]", b"(", b")", b"<", b">", b"/", b"%", b"\n", b"null", b"true"),
        *(b" 0 R", b"1 0 R", b"9 0 R", b"-1", b"0", b"99999999999", b"1.5", b"/Type", b"/Kids"),
        *(b"/Parent", b"/V 5 0 R", b"/Length 5", b"/Prev 9", b"/Size 1", b"/Root 5 0 R"),
        *(b"stream\n", b"endstream", b"endobj", b"obj", b"xref", b"trailer", b"startxref\n9"),
        *(b"/ByteRange[0 1 2 3]", b"/Contents<00>", b"/Filter/FlateDecode", b"/FT/Sig", b"%%EOF"),
    ]
)
EDITS = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.integers(0, 40), TOKENS), min_size=1, max_size=6
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(SEEDS), EDITS)
def test_bent_files_raise_nothing_else(pdf: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    bent = pdf
    for at, length, token in edits:
        place = at % (len(bent) + 1)
        bent = bent[:place] + token + bent[place + length :]
    read_or_none(bent)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(SEEDS), EDITS)
def test_files_bent_in_place_raise_nothing_else(
    pdf: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    """Offsets stay right, so the edits reach behind the cross-reference."""
    bent = bytearray(pdf)
    for at, _, token in edits:
        place = at % (len(bent) - len(token))
        bent[place : place + len(token)] = token
    read_or_none(bytes(bent))


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(SEEDS), EDITS)
def test_what_we_read_without_problems_qpdf_reads_alike(
    pdf: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    """T-PDF-13: two readers, one view."""
    bent = bytearray(pdf)
    for at, _, token in edits:
        place = at % (len(bent) - len(token))
        bent[place : place + len(token)] = token
    document = read_or_none(bytes(bent))
    if document is None or document.problems:
        return
    with pikepdf.open(io.BytesIO(bytes(bent)), attempt_recovery=False) as other:
        assert len(other.pages) == document.page_count
        assert not other.is_encrypted


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(1, 30), st.binary(max_size=60))
def test_sealing_bent_documents_raises_nothing_else(number: int, text: bytes) -> None:
    pdf = make_pdf(PDFSpec(extra_objects={number: text}))
    try:
        prepare(pdf, make_order())
    except ServiceError:
        return
