"""Our PDFs before other programs: qpdf, poppler, pdfium, pyHanko; and theirs before our reader."""

import asyncio
import io
import shutil
import subprocess
from datetime import timedelta
from functools import cache
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from keys.algorithms import DigestAlgorithm
from licence_store.qr import qr_matrix
from seal_service.formats.cms import parse_signed_data, verify_signer
from seal_service.formats.pdf.archiving import add_validation_data, prepare_timestamp
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.integrity import check_integrity
from seal_service.formats.pdf.model import ChangeKind, ValidationData
from seal_service.formats.pdf.pages import PDFPlacement
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.writing import ReservedField, finish
from seal_service.formats.placement import StraddleOptions, straddle_placements
from tests.licence_store.rendering.samples import FONTS, QR_LINK, make_face, renderer, template
from tests.support import pdf_attacks
from tests.support.messages import rsa_key_der, rsa_party
from tests.support.pdf import PDFSpec, make_pdf, seal, twice_sealed
from tests.support.seals import NOW

QPDF, PDFSIG, CERTUTIL = (shutil.which(name) for name in ("qpdf", "pdfsig", "certutil"))
needs_fonts = pytest.mark.skipif(
    not (FONTS / "fonts.json").exists(), reason="the fonts are not set up"
)


@cache
def licence_pdf() -> bytes:
    """Render a real licence face, unsealed."""
    return renderer().render_pdf(template(), make_face(), qr_matrix(QR_LINK))


@cache
def documents() -> dict[str, bytes]:
    """Return sealed documents of every kind we write."""
    found = {
        "table": seal(),
        "stream": seal(make_pdf(PDFSpec(is_packed=True))),
        "twice": twice_sealed(),
        "straddled": straddled(PDFSpec(pages=3, page_entries="/Rotate 90")),
        "straddled packed": straddled(PDFSpec(pages=3, is_packed=True)),
        "archived": add_validation_data(seal(), ValidationData(certificates=(b"0",))),
    }
    if (FONTS / "fonts.json").exists():
        place = PDFPlacement(page_number=1, x_mm=213, y_mm=139, width_mm=42, height_mm=42)
        found["licence"] = seal(licence_pdf(), placement=place)
        rewritten = io.BytesIO()
        with pikepdf.open(io.BytesIO(licence_pdf())) as pdf:
            pdf.save(rewritten, linearize=True)
        found["linearised"] = seal(rewritten.getvalue(), placement=place)
    return found


def straddled(spec: PDFSpec) -> bytes:
    """Seal over the edges of all pages: one field, and page content."""
    base = make_pdf(spec)
    options = StraddleOptions(width_mm=42, height_mm=42)
    first, *others = straddle_placements(read_pdf(base).page_sizes_mm, options)
    return seal(base, placement=first, drawn=tuple(others))


def run(*arguments: str) -> str:
    result = subprocess.run(arguments, capture_output=True, check=False, timeout=60)
    return (result.stdout + result.stderr).decode("utf-8", "replace")


@pytest.mark.skipif(QPDF is None, reason="the qpdf program is not installed")
def test_qpdf_finds_nothing_to_complain_about(tmp_path: Path) -> None:
    for name, pdf in documents().items():
        path = tmp_path / f"{name}.pdf"
        path.write_bytes(pdf)
        said = run(str(QPDF), "--check", str(path))
        assert "No syntax or stream encoding errors" in said, (name, said)
        assert "WARNING" not in said, (name, said)


@pytest.mark.skipif(PDFSIG is None or CERTUTIL is None, reason="pdfsig or certutil is missing")
def test_poppler_trusts_our_signatures(tmp_path: Path) -> None:
    database, anchor = tmp_path / "nss", tmp_path / "anchor.der"
    database.mkdir()
    anchor.write_bytes(rsa_party().certificate)
    run(str(CERTUTIL), "-N", "-d", f"sql:{database}", "--empty-password")
    trust = ("-A", "-n", "signer", "-t", "CT,C,C", "-i", str(anchor))
    assert not run(str(CERTUTIL), "-d", f"sql:{database}", *trust)
    for name, pdf in documents().items():
        path = tmp_path / f"{name}.pdf"
        path.write_bytes(pdf)
        said = run(str(PDFSIG), "-nssdir", f"sql:{database}", str(path))
        signatures = len(read_pdf(pdf).signatures)
        assert said.count("Signature is Valid") == signatures, (name, said)
        assert said.count("Certificate is Trusted") == signatures, (name, said)
        if name != "archived":
            assert "Total document signed" in said, (name, said)


def statuses(pdf: bytes) -> list[PdfSignatureStatus]:
    """Return what pyHanko finds, strictly, with our signer as trust anchor."""
    anchor = asn1_x509.Certificate.load(rsa_party().certificate)
    context = ValidationContext(trust_roots=[anchor], moment=NOW)
    reader = PdfFileReader(io.BytesIO(pdf), strict=True)
    return [validate_pdf_signature(item, context) for item in reader.embedded_signatures]


def test_pyhanko_finds_our_signatures_valid() -> None:
    for name, pdf in documents().items():
        found = statuses(pdf)
        assert len(found) == len(read_pdf(pdf).signatures), name
        for status in found:
            assert status.intact, name
            assert status.valid, name
            assert status.docmdp_ok, name


def test_what_pyhanko_refuses_we_never_find_whole() -> None:
    """T-PDF-02, T-PDF-06, T-PDF-12: and more than it refuses."""
    accepted_by_pyhanko = []
    for name, pdf in {**pdf_attacks.shadows(), **pdf_attacks.evil_annotations()}.items():
        document = read_pdf(pdf)
        assert document.forbidden_changes(document.signatures[0]), name
        try:
            good = all(status.bottom_line for status in statuses(pdf))
        except Exception:  # noqa: BLE001 - however it refuses
            good = False
        if good:
            accepted_by_pyhanko.append(name)
    # Its default rules take a replaced form field for filling in.
    assert "replace-value" in accepted_by_pyhanko


def pyhanko_signer() -> signers.SimpleSigner:
    return signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(rsa_party().certificate),
        signing_key=asn1_keys.PrivateKeyInfo.load(rsa_key_der()),
        cert_registry=SimpleCertificateStore(),
    )


def pyhanko_signed(pdf: bytes, **options: object) -> bytes:
    metadata = signers.PdfSignatureMetadata(field_name="Theirs", md_algorithm="sha256", **options)
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    signed = signers.sign_pdf(writer, metadata, signer=pyhanko_signer())
    return bytes(signed.getbuffer())


@pytest.mark.parametrize("is_packed", [False, True])
def test_pyhankos_signatures_are_read(is_packed: bool) -> None:
    options = {"certify": True, "subfilter": fields.SigSeedSubFilter.PADES}
    pdf = pyhanko_signed(make_pdf(PDFSpec(is_packed=is_packed)), **options)
    document = read_pdf(pdf)
    (signature,) = document.signatures
    assert not signature.problems
    assert signature.covers_file
    assert signature.sub_filter == "ETSI.CAdES.detached"
    assert signature.permission is Permission.FORM_FILLING
    assert signature.contents is not None
    verify_signer(parse_signed_data(signature.contents), signature.pieces(pdf))


def test_pyhanko_fills_the_field_we_left() -> None:
    spot = PDFPlacement(page_number=1, x_mm=20, y_mm=20, width_mm=42, height_mm=42)
    first = seal(
        certify=Permission.FORM_FILLING,
        reserved_fields=(ReservedField(name="Theirs", placement=spot),),
    )
    document = read_pdf(pyhanko_signed(first))
    ours, theirs = document.signatures
    assert {change.kind for change in ours.later_changes} == {
        ChangeKind.SIGNATURE,
        ChangeKind.DATE,
    }
    assert not document.forbidden_changes(ours)
    assert theirs.covers_file
    assert not document.problems


@cache
def timestamper() -> timestamps.DummyTimeStamper:
    """Return pyHanko's own time-stamp authority with a certificate of ours."""
    key = load_der_private_key(rsa_key_der(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "示例时间戳")])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(9)
        .not_valid_before(NOW - timedelta(days=365))
        .not_valid_after(NOW + timedelta(days=730))
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return timestamps.DummyTimeStamper(
        tsa_cert=asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)),
        tsa_key=asn1_keys.PrivateKeyInfo.load(rsa_key_der()),
        certs_to_embed=SimpleCertificateStore(),
        fixed_dt=NOW,
    )


def long_term_context() -> ValidationContext:
    anchors = [asn1_x509.Certificate.load(rsa_party().certificate), timestamper().tsa_cert]
    return ValidationContext(trust_roots=anchors, moment=NOW, allow_fetching=False)


def test_pyhankos_archived_documents_are_read() -> None:
    """PAdES B-LTA: validation data and a document time stamp after the signature."""
    metadata = signers.PdfSignatureMetadata(
        field_name="Theirs",
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        embed_validation_info=True,
        use_pades_lta=True,
        signer_key_usage=set(),
        validation_context=long_term_context(),
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(make_pdf()))
    signed = signers.sign_pdf(writer, metadata, signer=pyhanko_signer(), timestamper=timestamper())
    document = read_pdf(bytes(signed.getbuffer()))
    theirs, stamp = document.signatures
    assert stamp.is_document_timestamp
    assert not document.forbidden_changes(stamp)
    assert not document.forbidden_changes(theirs)
    kinds = {change.kind for change in theirs.later_changes}
    assert {ChangeKind.VALIDATION_DATA, ChangeKind.DOCUMENT_TIMESTAMP} <= kinds
    assert document.validation_data.certificates
    assert not document.problems


@pytest.mark.parametrize("is_packed", [False, True])
def test_pyhanko_reads_our_archived_documents(is_packed: bool) -> None:
    certificates = (rsa_party().certificate, timestamper().tsa_cert.dump())
    archived = add_validation_data(
        seal(make_pdf(PDFSpec(is_packed=is_packed))), ValidationData(certificates=certificates)
    )
    prepared = prepare_timestamp(archived, field_name="Timestamp")
    digest = prepared.digest(DigestAlgorithm.SHA256)
    token = asyncio.run(timestamper().async_timestamp(digest, "sha256"))
    pdf = finish(prepared, token.dump())
    assert not read_pdf(pdf).forbidden_changes(read_pdf(pdf).signatures[0])
    reader = PdfFileReader(io.BytesIO(pdf), strict=True)
    (ours,) = reader.embedded_regular_signatures
    (stamp,) = reader.embedded_timestamp_signatures
    status = validate_pdf_signature(ours, long_term_context())
    assert status.bottom_line
    assert status.modification_level is ModificationLevel.LTA_UPDATES
    stamped = validate_pdf_timestamp(stamp, long_term_context())
    assert stamped.intact
    assert stamped.valid
    assert stamped.coverage is SignatureCoverageLevel.ENTIRE_FILE


@needs_fonts
def test_the_seal_is_drawn_where_it_was_asked_for() -> None:
    place = PDFPlacement(page_number=1, x_mm=213, y_mm=139, width_mm=42, height_mm=42)
    images = []
    for pdf in (licence_pdf(), documents()["licence"]):
        with pypdfium2.PdfDocument(pdf) as document:
            document.init_forms()
            images.append(document[0].render(scale=1).to_pil().convert("RGB"))
    changed = [
        (x, y)
        for x in range(images[0].width)
        for y in range(images[0].height)
        if images[0].getpixel((x, y)) != images[1].getpixel((x, y))
    ]
    to_pixels = 72 / 25.4
    assert min(x for x, _ in changed) == pytest.approx(place.x_mm * to_pixels, abs=1.5)
    assert max(x for x, _ in changed) == pytest.approx(255 * to_pixels, abs=1.5)
    assert min(y for _, y in changed) == pytest.approx(place.y_mm * to_pixels, abs=1.5)
    assert max(y for _, y in changed) == pytest.approx(181 * to_pixels, abs=1.5)


@needs_fonts
def test_a_sealed_licence_keeps_the_marks_of_pdf_a() -> None:
    """ISO 19005-2, 6.1.3, 6.2.3, 6.3.3 and 6.6: what can be checked without a validator."""
    pdf = documents()["licence"]
    assert check_integrity(pdf).covers_file
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert not document.is_encrypted
        assert document.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert b"<pdfaid:part>2</pdfaid:part>" in document.Root.Metadata.read_bytes()
        identifiers = [bytes(item) for item in document.trailer.ID]
        assert identifiers[0] != identifiers[1]
        assert "/NeedAppearances" not in document.Root.AcroForm
        for annotation in document.pages[0].Annots:
            assert int(annotation.F) & 0b100111 == 0b100
            assert "/N" in annotation.AP
        for item in document.objects:
            if isinstance(item, pikepdf.Stream) and item.get("/Subtype") == "/Image":
                assert "/Interpolate" not in item
