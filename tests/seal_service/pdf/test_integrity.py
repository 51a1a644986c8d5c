"""Our own output is read back; what claims to be ours must look like it."""

import pytest

from seal_service.errors import SelfCheckFailed
from seal_service.formats.pdf.archiving import add_validation_data, prepare_timestamp
from seal_service.formats.pdf.integrity import check_integrity, own_form_problems
from seal_service.formats.pdf.model import ValidationData
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.writing import finish
from tests.support.pdf import PDFSpec, Update, append_update, make_pdf, seal, twice_sealed


@pytest.mark.parametrize(
    ("pdf", "reason"),
    [
        (b"no PDF", "header"),
        (make_pdf(), "unsigned"),
        (append_update(seal(), Update()), "uncovered"),
        (seal() + b" ", "uncovered"),
        (seal(signer=lambda _: b"\x30\x84"), "contents-form"),
    ],
)
def test_what_does_not_hold_is_not_released(pdf: bytes, reason: str) -> None:
    with pytest.raises(SelfCheckFailed) as refusal:
        check_integrity(pdf)
    assert refusal.value.params["reason"] == reason


def test_a_document_that_had_problems_before_is_not_released() -> None:
    """T-PDF-27."""
    with pytest.raises(SelfCheckFailed) as refusal:
        check_integrity(seal(make_pdf(PDFSpec(metadata_keywords="other"))))
    assert refusal.value.params["reason"] == "metadata-differs"


def test_sealed_and_archived_documents_have_our_form() -> None:
    for pdf in (seal(), twice_sealed()):
        assert check_integrity(pdf).covers_file
        archived = add_validation_data(pdf, ValidationData(certificates=(b"x",)))
        stamped = finish(prepare_timestamp(archived, field_name="T"), b"\x30\x03\x02\x01\x07")
        assert check_integrity(stamped).is_document_timestamp
        assert own_form_problems(read_pdf(stamped)) == ()


def test_deviations_from_our_form_are_named() -> None:
    assert own_form_problems(read_pdf(make_pdf())) == ("unsigned",)
    assert "uncovered" in own_form_problems(read_pdf(append_update(seal(), Update())))
    script = PDFSpec(catalog_entries="/AA<<>>")
    assert own_form_problems(read_pdf(seal(make_pdf(script)))) == ("active-content",)
    foreign = seal().replace(b"/SubFilter/ETSI.CAdES.detached", b"/SubFilter/adbe.x509.rsa_sha1 ")
    assert own_form_problems(read_pdf(foreign)) == ("sub-filter",)
