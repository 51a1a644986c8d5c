"""What one would write in an afternoon: reportlab, qrcode and pyHanko as their manuals show.

The page has the fields, the QR code and the seal of a real licence, and no border; the key is as
long as ours. Only the PDF, so half of what ``issue`` makes, and nothing is stored.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import qrcode
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.stamp import StaticStampStyle
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONT = "Song"
KEY_BITS = 3072


@dataclass(frozen=True, slots=True, kw_only=True)
class NaiveStack:
    """A signer and a seal picture; ``make`` renders and signs one page."""

    signer: signers.SimpleSigner
    seal_picture: PdfImage

    def make(self, face_data: Mapping[str, str], link: str) -> bytes:
        """Return a signed PDF."""
        return self._sign(render(face_data, link))

    def _sign(self, pdf: bytes) -> bytes:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        field = fields.SigFieldSpec("Seal", box=(600, 80, 719, 199), on_page=0)
        meta = signers.PdfSignatureMetadata(
            field_name="Seal", certify=True, subfilter=fields.SigSeedSubFilter.PADES
        )
        style = StaticStampStyle(background=self.seal_picture, border_width=0)
        signer = signers.PdfSigner(meta, self.signer, stamp_style=style, new_field_spec=field)
        return bytes(signer.sign_pdf(writer).getbuffer())


def open_stack(seal_png: bytes, fonts: Path, folder: Path, now: datetime) -> NaiveStack:
    """Make a key as long as ours and a certificate; load both, picture and font once."""
    pdfmetrics.registerFont(TTFont(FONT, str(fonts / "EsealSong-Regular.ttf")))
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    key_path, certificate_path = folder / "naive-key.pem", folder / "naive-certificate.pem"
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate_path.write_bytes(_certificate(key, now).public_bytes(Encoding.PEM))
    signer = signers.SimpleSigner.load(str(key_path), str(certificate_path))
    with Image.open(io.BytesIO(seal_png)) as picture:
        return NaiveStack(signer=signer, seal_picture=PdfImage(picture.convert("RGBA")))


def _certificate(key: rsa.RSAPrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "naive")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )


def render(face_data: Mapping[str, str], link: str) -> bytes:
    """Draw one A4 page."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=landscape(A4))
    canvas.setFont(FONT, 36)
    canvas.drawCentredString(148.5 * mm, 170 * mm, "营业执照")
    canvas.setFont(FONT, 12)
    for row, (name, value) in enumerate(face_data.items()):
        canvas.drawString(30 * mm, (150 - 9 * row) * mm, name)
        for line, start in enumerate(range(0, len(value), 40)):
            canvas.drawString(75 * mm, (150 - 9 * row - 5 * line) * mm, value[start : start + 40])
    code = qrcode.make(link, error_correction=qrcode.constants.ERROR_CORRECT_M)
    picture = io.BytesIO()
    code.save(picture)
    canvas.drawImage(ImageReader(picture), 225 * mm, 160 * mm, 25 * mm, 25 * mm)
    canvas.showPage()
    canvas.save()
    return out.getvalue()
