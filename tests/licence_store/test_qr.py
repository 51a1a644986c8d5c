"""QR codes: right matrix, right drawing, readable (T-WEB-01)."""

import pytest
import qrcode
import zxingcpp
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M

from licence_store.qr import QUIET_ZONE, qr_matrix, svg_path, terminal_picture
from licence_store.rendering.errors import RenderingFault

LINK = "https://zhengzhao.example.gov.cn/q/1AbCdEfGhIjKlMnOpQrStUv"


def test_the_matrix_has_a_quiet_zone_of_four_modules() -> None:
    matrix = qr_matrix(LINK)
    assert QUIET_ZONE == 4
    assert not any(any(row) for row in (*matrix.rows[:4], *matrix.rows[-4:]))
    assert not any(any(row[:4]) or any(row[-4:]) for row in matrix.rows)
    assert all(len(row) == matrix.size for row in matrix.rows)


def test_the_size_agrees_with_a_second_maker() -> None:
    other = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
    other.add_data(LINK)
    other.make()
    assert len(other.get_matrix()) == qr_matrix(LINK).size


@pytest.mark.parametrize("text", ["1", LINK, "证照" * 20, "x" * 400])
def test_what_is_written_is_read_back(text: str) -> None:
    matrix = qr_matrix(text)
    pixels = b"".join(bytes(0 if module else 255 for module in row) for row in matrix.rows)
    picture = Image.frombytes("L", (matrix.size, matrix.size), pixels)
    picture = picture.resize((matrix.size * 4, matrix.size * 4), Image.Resampling.NEAREST)
    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [text]


@pytest.mark.parametrize("text", ["", "x" * 401, "证" * 134])
def test_a_text_that_would_not_be_readable_in_print_is_refused(text: str) -> None:
    with pytest.raises(RenderingFault):
        qr_matrix(text)


def test_runs_cover_exactly_the_dark_modules() -> None:
    matrix = qr_matrix(LINK)
    dark = {(x, y) for y, row in enumerate(matrix.rows) for x, module in enumerate(row) if module}
    assert {(x, y) for y, start, end in matrix.runs() for x in range(start, end)} == dark
    assert svg_path(matrix).count("Z") == len(list(matrix.runs()))


def test_the_same_text_gives_the_same_code() -> None:
    assert qr_matrix(LINK) == qr_matrix(LINK)


def test_the_terminal_picture_holds_the_whole_code() -> None:
    matrix = qr_matrix(LINK)
    lines = terminal_picture(matrix).split("\n")
    modules = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
    rows = []
    for line in lines:
        rows.append(bytes(modules[block][0] for block in line))
        rows.append(bytes(modules[block][1] for block in line))
    assert tuple(rows[: matrix.size]) == matrix.rows
