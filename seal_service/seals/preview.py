"""Draw a seal before it is made, and keep uploaded pictures: what is shown is what is made.

The same painter draws the preview and the seal. What depends on the installation, the national
emblem and the uploaded pictures, enters a face as a digest when it is applied for, and must still
be the same when the seal is made.
"""

from dataclasses import replace

from PIL import Image

from seal_service.errors import InvalidSealOrder, UnsafePicture
from seal_service.formats.ses_model import SealPicture
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database
from seal_service.seals import lookup
from seal_service.seals.design import Emblem, SealShape
from seal_service.seals.drawing import (
    DPI,
    MM_PER_INCH,
    outline_coverage,
    outline_svg,
    palette_png,
    sized_picture,
)
from seal_service.seals.emblems import EmblemAsset
from seal_service.seals.faces import SealFonts, check_face, face_height, face_outline
from seal_service.seals.model import SealFace, SealKind
from seal_service.seals.picture import EMBLEM_RADIUS
from seal_service.seals.picture_store import KeptPicture, find_picture, keep_picture
from seal_service.seals.scans import clean_scan


class SealPainter:
    """Draws faces with the fonts, emblem and uploaded pictures of an installation."""

    def __init__(
        self, database: Database, fonts: SealFonts, emblem: EmblemAsset | None = None
    ) -> None:
        self._database = database
        self._fonts = fonts
        self._emblem = emblem

    def complete(self, authority_code: str, face: SealFace) -> SealFace:
        """Return the face with the digest of the emblem it would carry, its picture looked up.

        Raises ``InvalidSealOrder`` or ``SealPictureNotFound``.
        """
        design = face.design
        if design.centre is Emblem.NATIONAL and not design.emblem_sha256:
            if self._emblem is None:
                raise InvalidSealOrder("未配置国徽图样文件", field="centre")
            design = replace(design, emblem_sha256=self._emblem.sha256)
        if design.shape is SealShape.SCAN and design.picture_sha256:
            self._kept(authority_code, face)
        return replace(face, design=design)

    def paint(self, authority_code: str, face: SealFace) -> SealPicture:
        """Draw a completed face as the picture that goes into an e-seal, in its physical size.

        Raises ``GlyphMissing``, ``UnsafePicture``, ``InvalidSealOrder``, ``SealPictureNotFound``
        or ``SelfCheckFailed``.
        """
        height = face_height(face)
        if face.design.shape is SealShape.SCAN:
            png = self._kept(authority_code, face).scan.png
            return sized_picture(png, face.diameter_mm, height)
        coverage = outline_coverage(face_outline(face, self._fonts))
        if face.design.centre is Emblem.NATIONAL:
            coverage = self._with_emblem(coverage, face)
        return sized_picture(palette_png(coverage), face.diameter_mm, height)

    def preview(self, authority_code: str, kind: SealKind, face: SealFace) -> SealPicture:
        """Draw a face that may be applied for; raises as ``complete`` and ``paint`` do."""
        completed = self.complete(authority_code, face)
        check_face(kind, completed)
        return self.paint(authority_code, completed)

    def svg(self, kind: SealKind, face: SealFace) -> str:
        """Draw a face as SVG; raises ``InvalidSealOrder`` for one that is no drawing of ours."""
        if face.design.shape is SealShape.SCAN or face.design.centre is Emblem.NATIONAL:
            raise InvalidSealOrder("含上传图像或国徽的印章只能输出 PNG", field="format")
        check_face(kind, face)
        return outline_svg(face_outline(face, self._fonts))

    def _kept(self, authority_code: str, face: SealFace) -> KeptPicture:
        with self._database.reading() as connection:
            kept = find_picture(connection, authority_code, face.design.picture_sha256)
        if (kept.scan.width_mm, kept.scan.height_mm) != (face.diameter_mm, face_height(face)):
            raise InvalidSealOrder("尺寸与上传的印模不同", field="diameter_mm")
        return kept

    def _with_emblem(self, coverage: Image.Image, face: SealFace) -> Image.Image:
        emblem = self._emblem
        if emblem is None or emblem.sha256 != face.design.emblem_sha256:
            raise UnsafePicture("another emblem than was approved", reason="emblem")
        side = round(face.diameter_mm * EMBLEM_RADIUS / MM_PER_INCH * DPI)
        drawn = coverage.copy()
        at = ((coverage.width - side) // 2, (coverage.height - side) // 2)
        drawn.paste(emblem.coverage(side), at)
        return drawn


class PictureDesk:
    """Previews and uploads, for one tenant at a time."""

    def __init__(self, painter: SealPainter, database: Database, clock: Clock) -> None:
        self.painter = painter
        self._database = database
        self._clock = clock

    def preview_seal(self, authority_code: str, seal_id: str) -> SealPicture:
        """Return the picture of a seal: as made, or as it would be made of what is applied for.

        Raises ``SealNotFound`` and as ``SealPainter.paint``.
        """
        with self._database.reading() as connection:
            seal = lookup.find(connection, authority_code, seal_id)
        made = seal.made
        if made is None:
            return self.painter.paint(authority_code, seal.application.face)
        return SealPicture(
            format="PNG",
            data=made.picture_png,
            width_mm=made.width_mm,
            height_mm=made.height_mm,
        )

    def upload(
        self, authority_code: str, data: bytes, size_mm: tuple[float, float], *, by: str
    ) -> KeptPicture:
        """Clean a scan and keep it; raises ``UnsafePicture`` or ``ScanRefused``."""
        scan = clean_scan(data, width_mm=size_mm[0], height_mm=size_mm[1])
        with self._database.transaction() as connection:
            return keep_picture(connection, authority_code, scan, by=by, now=self._clock.now())

    def uploaded(self, authority_code: str, digest: str) -> KeptPicture:
        """Return an uploaded picture; raises ``SealPictureNotFound``."""
        with self._database.reading() as connection:
            return find_picture(connection, authority_code, digest)
