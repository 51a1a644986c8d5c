"""Signed PDF files for the verifier: genuine by default; every keyword is a forgery or a choice."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from keys.algorithms import DigestAlgorithm
from seal_service.formats.cms import CMSProfile, assemble, prepare_signer, signed_attributes
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.pages import PDFPlacement
from seal_service.formats.pdf.writing import PreparedPDF, SignatureOrder, SubFilter, finish, prepare
from tests.support.ofd import make_png
from tests.support.sealed_ofd import SealedSpec, seal_of, sign
from tests.support.seals import Party
from tests.support.trust import NOW, RSA_TRUST, Trust

SPOT = PDFPlacement(page_number=1, x_mm=120, y_mm=200, width_mm=42, height_mm=42)


def make_pdf(keywords: Iterable[str] = ()) -> bytes:
    """Make a page with a line of text, without any signature."""
    words = "; ".join(keywords)
    content = b"BT /F1 24 Tf 72 720 Td (Licence) Tj ET"
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title (Licence) /Keywords (%s) >>" % words.encode("ascii"),
    ]
    return write_objects(bodies)


def write_objects(bodies: Iterable[bytes]) -> bytes:
    """Write numbered objects with their cross-reference table; the last one is Info."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(places) + 1,
        len(places),
        start,
    )
    return bytes(out)


@dataclass(frozen=True, slots=True, kw_only=True)
class PDFSpec:
    """One signature on a PDF."""

    pdf: bytes | None = None
    keywords: tuple[str, ...] = ()
    family: Trust = RSA_TRUST
    signer: Party | None = None
    profile: CMSProfile = CMSProfile.RSA
    sub_filter: SubFilter = SubFilter.PADES
    signed_at: datetime = NOW
    stamped_at: datetime | None = NOW
    token: Callable[[bytes], bytes] | None = None
    certify: Permission | None = Permission.NO_CHANGES
    field_name: str = "Seal1"
    seal: SealedSpec = field(default_factory=SealedSpec)
    """For ``GM.sm2seal``."""
    reserved_bytes: int = 8 * 1024
    message: Callable[[bytes], bytes] = bytes
    """Changes the value before it is written."""


def lay_out(spec: PDFSpec) -> PreparedPDF:
    """Prepare the signature of a spec."""
    return prepare(
        spec.pdf or make_pdf(spec.keywords),
        SignatureOrder(
            placement=SPOT,
            picture=make_png(),
            signed_at=spec.signed_at,
            field_name=spec.field_name,
            sub_filter=spec.sub_filter,
            certify=spec.certify,
            reserved_bytes=spec.reserved_bytes,
        ),
    )


def sign_pdf(spec: PDFSpec | None = None) -> bytes:
    """Sign a PDF as a spec says."""
    spec = spec or PDFSpec()
    prepared = lay_out(spec)
    if spec.sub_filter is SubFilter.SES:
        value = _seal_value(spec, prepared)
    else:
        value = _message(spec, prepared)
    return finish(prepared, spec.message(value))


def _message(spec: PDFSpec, prepared: PreparedPDF) -> bytes:
    signer = spec.signer or spec.family.holder()
    template = prepare_signer(
        signer.certificate, chain=(spec.family.authority.der,), profile=spec.profile
    )
    digest = prepared.digest(template.digest_algorithm)
    attributes = signed_attributes(template, digest)
    signature = signer.sign(attributes)
    token = None
    if spec.token is not None:
        token = spec.token(signature)
    elif spec.stamped_at is not None:
        token = spec.family.stamper(spec.stamped_at).stamp(signature)
    return assemble(template, attributes, signature, timestamp_token=token)


def _seal_value(spec: PDFSpec, prepared: PreparedPDF) -> bytes:
    digest = prepared.digest(DigestAlgorithm.SM3)
    return sign(spec.seal, seal_of(spec.seal), digest, "PDF")


# What an attacker adds behind


def append_update(pdf: bytes, objects: dict[int, bytes], *, size: int, root: int = 1) -> bytes:
    """Append a revision with these objects and a proper cross-reference table."""
    out = bytearray(pdf)
    previous = int(pdf.rpartition(b"startxref")[2].split()[0])
    table = bytearray(b"xref\n")
    for number, body in sorted(objects.items()):
        table += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += table
    out += b"trailer\n<< /Size %d /Root %d 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        root,
        previous,
        start,
    )
    return bytes(out)
