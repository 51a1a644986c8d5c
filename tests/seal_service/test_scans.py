"""Scans of impressions: cleaned to transparent red, or refused with what to do better."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from seal_service.errors import ScanRefused, UnsafePicture
from seal_service.formats.ses_model import SealPicture
from seal_service.seals.drawing import outline_coverage
from seal_service.seals.faces import face_outline
from seal_service.seals.making import check_png_picture
from seal_service.seals.scans import clean_scan
from tests.golden.seal_faces import FONTS, SEALS
from tests.support.impressions import INK, scan

pytestmark = pytest.mark.skipif(
    not FONTS.text.path.exists(), reason="no fonts: run scripts/setup-fonts"
)


def alpha(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as image:
        return image.convert("RGBA").getchannel("A")


def sheet(colour: tuple[int, int, int], size: int = 700) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(("dpi", "paper"), [(400, (243, 239, 230)), (600, (225, 210, 205))])
def test_a_scan_becomes_the_seal_that_was_pressed(
    kind: str, dpi: int, paper: tuple[int, int, int]
) -> None:
    cleaned = clean_scan(
        scan(kind=kind, dpi=dpi, paper=paper, has_writing=False), width_mm=42, height_mm=42
    )
    assert cleaned.dpi == 400
    ours = alpha(cleaned.png)
    drawn = outline_coverage(face_outline(SEALS["round_12"], FONTS))
    assert ours.size == drawn.size
    difference = ImageChops.difference(ours, drawn)
    wrong = sum(n for value, n in enumerate(difference.histogram()) if value > 160)
    assert wrong / (ours.width * ours.height) < 0.02


def test_the_result_is_a_safe_picture_of_its_physical_size() -> None:
    """T-SES-35."""
    cleaned = clean_scan(scan(), width_mm=42, height_mm=42)
    check_png_picture(SealPicture(format="PNG", data=cleaned.png, width_mm=42, height_mm=42))
    with Image.open(io.BytesIO(cleaned.png)) as image:
        assert image.info["dpi"] == pytest.approx((400, 400), abs=0.1)
        assert image.width == round(42 / 25.4 * 400)


def test_paper_and_black_writing_are_gone_and_edges_stay_soft() -> None:
    covered = alpha(clean_scan(scan(), width_mm=42, height_mm=42).png)
    histogram = covered.histogram()
    assert histogram[0] > 0.6 * covered.width * covered.height
    assert sum(histogram[40:215]) > 1_000
    # Between the rim and the star the line of writing runs over open ground.
    middle = covered.height // 2
    row = covered.crop((covered.width // 4, middle - 4, covered.width // 4 + 40, middle + 4))
    assert row.getextrema() == (0, 0)


def test_an_oval_scan_keeps_its_two_sides() -> None:
    cleaned = clean_scan(scan(face="oval_12"), width_mm=40, height_mm=30)
    assert alpha(cleaned.png).size == (630, 472)


def test_the_same_scan_gives_the_same_bytes() -> None:
    assert clean_scan(scan(), width_mm=42, height_mm=42) == clean_scan(
        scan(), width_mm=42, height_mm=42
    )


@pytest.mark.parametrize(
    ("data", "width", "height", "reason"),
    [
        (lambda: scan(dpi=280), 42, 42, "scan-resolution"),
        (lambda: scan(), 60, 60, "scan-resolution"),
        (lambda: scan(), 42, 30, "scan-shape"),
        (lambda: scan(ink=(40, 60, 200)), 42, 42, "scan-not-red"),
        (lambda: scan(ink=(30, 30, 30)), 42, 42, "scan-not-red"),
        (lambda: scan(paper=(110, 100, 95), ink=(255, 20, 20)), 42, 42, "scan-ground"),
        (lambda: sheet((255, 255, 255)), 42, 42, "scan-not-red"),
        (lambda: sheet(INK), 42, 42, "scan-not-red"),
    ],
)
def test_what_makes_no_seal_is_refused_with_its_reason(
    data: object, width: float, height: float, reason: str
) -> None:
    assert callable(data)
    with pytest.raises(ScanRefused) as caught:
        clean_scan(data(), width_mm=width, height_mm=height)
    assert caught.value.params["reason"] == reason


def test_pictures_too_large_are_refused_before_decoding() -> None:
    """T-SES-35."""
    with pytest.raises(UnsafePicture) as caught:
        clean_scan(sheet((255, 255, 255), 2_500), width_mm=42, height_mm=42)
    assert caught.value.params["reason"] == "picture-pixels"


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg/>", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
def test_other_files_are_refused(data: bytes) -> None:
    """T-SES-35."""
    with pytest.raises(UnsafePicture):
        clean_scan(data, width_mm=42, height_mm=42)


@settings(max_examples=40)
@given(st.data())
def test_damaged_scans_raise_nothing_else(data: st.DataObject) -> None:
    """T-SES-35."""
    damaged = bytearray(scan(face="name_3_relief", kind="PNG"))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        clean_scan(bytes(damaged), width_mm=20, height_mm=20)
    except (UnsafePicture, ScanRefused):
        return
