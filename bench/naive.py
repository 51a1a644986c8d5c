"""What one would write in an afternoon: reportlab, qrcode and pyHanko as their manuals show.

The page has the fields, the QR code and the seal of a real licence, and no border; the key is as
long as ours. Only the PDF, so half of what ``issue`` makes, and nothing is stored.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import qrcode
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


def open_stack(key: Path, certificate: Path, chain: Path, seal: bytes, fonts: Path) -> NaiveStack:
    """Load key (PEM, in the clear), certificates, picture and font once."""
    pdfmetrics.registerFont(TTFont(FONT, str(fonts / "EsealSong-Regular.ttf")))
    signer = signers.SimpleSigner.load(str(key), str(certificate), ca_chain_files=(str(chain),))
    if not isinstance(signer, signers.SimpleSigner):
        raise SystemExit("the naive stack's signer does not load")
    picture = PdfImage(ImageReader(io.BytesIO(seal))._image)  # noqa: SLF001 - Pillow's image
    return NaiveStack(signer=signer, seal_picture=picture)


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
