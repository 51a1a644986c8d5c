"""Render a licence's face: the unsealed PDF, and the same page as OFD.

1. Turn face data and metadata into display values, by the template's schema.
2. Choose fonts for each value; refuse a character that no font draws, naming it.
3. Let typst make the PDF (``pdf``).
4. Make the OFD from that PDF's page content (``ofd``), with metadata and data attachment.

Pure but for the font files and compilers that a ``FaceRenderer`` holds: same input, same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from licence_store.model import canonical_json
from licence_store.qr import QRMatrix, qr_matrix, svg_path
from licence_store.rendering.fields import shown_date, shown_label, shown_value
from licence_store.rendering.fonts import FontFolder
from licence_store.rendering.manifest import (
    FieldSpec,
    FieldType,
    LicenceTemplate,
    SealBox,
    load_templates,
)
from licence_store.rendering.ofd import OFDOrder, OFDWriter
from licence_store.rendering.ofd_xml import DocumentInfo
from licence_store.rendering.pdf import PDFCompiler
from licence_store.states import SHANGHAI
from seal_service.formats.ofd.container import OFDContainer

CREATOR = "eseal"
CREATOR_VERSION = "1"
LONG_TERM = "长期"
KEYWORDS = ("CertificateIdentifier", "LicenceDataDigest")
"""Metadata items that the PDF repeats as keywords: typst writes no XMP of our own."""
CODE_TYPES = (FieldType.USCC, FieldType.CITIZEN_ID, FieldType.USCC_OR_CITIZEN_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceInput:
    """What a face is rendered from. ``face_data`` was checked by ``fields.check_face_data``."""

    face_data: Mapping[str, str]
    metadata: Mapping[str, str]
    """GB/T 36903 items by their English names, as written into the OFD's CustomDatas."""
    qr_link: str
    is_test: bool
    doc_id: str
    """32 hexadecimal characters."""
    rendered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedFace:
    """Both forms of an unsealed licence, and where its seals go."""

    pdf: bytes
    ofd: OFDContainer
    page_size_mm: tuple[float, float]
    seals: tuple[SealBox, ...]

    @property
    def ofd_entries(self) -> Mapping[str, bytes]:
        """Return the entries of the OFD package, by path."""
        return self.ofd.entries


class FaceRenderer:
    """Templates, fonts, compilers and caches of one process. May be shared between threads."""

    def __init__(self, *, templates: Path, fonts: Path) -> None:
        self.templates = load_templates(templates)
        self._root = templates.resolve()
        self._fonts = FontFolder(fonts)
        self._compiler = PDFCompiler(templates, self._fonts)
        self._writer = OFDWriter(self._fonts)

    def render_face(self, template: LicenceTemplate, face: FaceInput) -> RenderedFace:
        """Render both forms.

        Raises ``GlyphMissing``, ``FieldOverflow`` or ``RenderingFault``.
        """
        qr = qr_matrix(face.qr_link)
        pdf = self.render_pdf(template, face, qr)
        return RenderedFace(
            pdf=pdf,
            ofd=self.pdf_to_ofd(template, face, pdf, qr),
            page_size_mm=template.page_size_mm,
            seals=template.seals,
        )

    def render_pdf(self, template: LicenceTemplate, face: FaceInput, qr: QRMatrix) -> bytes:
        """Render the PDF alone."""
        data = {
            "fields": self._fields(template, face),
            "texts": dict(template.texts),
            "keywords": [
                f"{name}={face.metadata[name]}" for name in KEYWORDS if name in face.metadata
            ],
            "assets": {
                name: f"/{(template.folder / path).relative_to(self._root).as_posix()}"
                for name, path in template.assets.items()
            },
            "qr": {"path": svg_path(qr), "size": qr.size, "host": urlsplit(face.qr_link).netloc},
            "is_test": face.is_test,
        }
        return self._compiler.compile(template.layout, data, at=face.rendered_at)

    def pdf_to_ofd(
        self, template: LicenceTemplate, face: FaceInput, pdf: bytes, qr: QRMatrix
    ) -> OFDContainer:
        """Make the OFD from a PDF that ``render_pdf`` made."""
        local = face.rendered_at.astimezone(SHANGHAI)
        info = DocumentInfo(
            doc_id=face.doc_id,
            title=template.name,
            author=face.metadata["CertificateIssuingAuthorityName"],
            created_on=local.date(),
            creator=CREATOR,
            creator_version=CREATOR_VERSION,
            custom_data={**face.metadata, "TemplateVersion": template.version},
        )
        data = {
            "version": 1,
            "metadata": dict(face.metadata),
            "face_data": dict(face.face_data),
            "qr_link": face.qr_link,
            "is_test": face.is_test,
        }
        order = OFDOrder(info=info, data_json=canonical_json(data), created_at=local, qr=qr)
        return self._writer.write(pdf, order)

    def _fields(self, template: LicenceTemplate, face: FaceInput) -> dict[str, object]:
        role = template.fonts["value"]
        shown: dict[str, object] = {}
        for field in template.fields:
            value = face.face_data.get(field.name, "")
            if value:
                text = shown_value(field, value)
                label = shown_label(field, face.face_data)
                shown[field.name] = self._field(text, label, _role(field, role), field.type)
        metadata = face.metadata
        authority = metadata["CertificateIssuingAuthorityName"]
        shown["issuing_authority"] = self._field(authority, "发证机关", "song", FieldType.TEXT)
        issued_on = shown_date(metadata["CertificateIssuedDate"])
        shown["issued_on"] = self._field(issued_on, "发证日期", "song", FieldType.DATE)
        until = metadata.get("CertificateExpiringDate")
        text = shown_date(until) if until else LONG_TERM
        shown["valid_until"] = self._field(text, "有效期至", role, FieldType.DATE)
        return shown

    def _field(self, text: str, label: str, role: str, kind: FieldType) -> dict[str, object]:
        as_one = kind is not FieldType.MULTI_LINE
        return {
            "text": text,
            "label": label,
            "fonts": self._fonts.families_for(text, role, as_one=as_one),
        }


def _role(field: FieldSpec, role: str) -> str:
    """Codes are set in 宋体, where 0 and O, 1 and I are easy to tell apart."""
    return "song" if field.type in CODE_TYPES else role
