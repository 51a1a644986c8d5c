"""The PDF of a face: typst lays the template out, always as PDF/A-2b, every warning an error.

Data goes in as one JSON text; nothing is spliced into the layout's source. One compiler per thread
(a shared one refuses with "already borrowed"); they share one set of fonts. The time stamp is an
input, so the same face gives the same bytes.
"""

import json
import re
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import typst

from licence_store.rendering.errors import FieldOverflow, RenderingFault
from licence_store.rendering.fonts import FontFolder
from seal_service.errors import GlyphMissing

STANDARD: "typst.PDFStandard" = "a-2b"
_OVERFLOW = re.compile(r"field-overflow:(\w+)")
_NO_GLYPH = re.compile(r"could not be displayed with|the text .* could not", re.IGNORECASE)


class PDFCompiler:
    """Compiles layouts below one template folder. May be shared between threads."""

    def __init__(self, templates: Path, fonts: FontFolder) -> None:
        self._root = templates.resolve()
        self._fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[str(fonts.folder)],
        )
        self._threads = threading.local()

    def compile(self, layout: Path, data: Mapping[str, object], *, at: datetime) -> bytes:
        """Return the PDF of a layout with this data.

        Raises ``FieldOverflow``, ``GlyphMissing`` or ``RenderingFault``.
        """
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        try:
            pdf, warnings = self._compiler().compile_with_warnings(
                input=str(layout),
                format="pdf",
                sys_inputs={"face": text},
                pdf_standards=STANDARD,
                pdf_tags=False,
                timestamp=int(at.timestamp()),
            )
        except typst.TypstError as error:
            raise _translated(error) from error
        if warnings:
            raise RenderingFault("; ".join(warning.message for warning in warnings))
        if not isinstance(pdf, bytes):
            raise RenderingFault("typst made no single PDF")
        return pdf

    def _compiler(self) -> "typst.Compiler":
        known: typst.Compiler | None = getattr(self._threads, "compiler", None)
        if known is None:
            known = typst.Compiler(root=str(self._root), font_paths=self._fonts)
            self._threads.compiler = known
        return known


def _translated(error: "typst.TypstError") -> Exception:
    words = f"{error.message} {getattr(error, 'diagnostic', '')}"
    overflow = _OVERFLOW.search(words)
    if overflow:
        return FieldOverflow(f"{overflow[1]} 超出版面", field=overflow[1])
    if _NO_GLYPH.search(words):
        return GlyphMissing(error.message)
    return RenderingFault(words)
