"""Change a sealed file anywhere: nothing changed is ever valid, and nothing raises.

One OFD and one PDF of each profile. By default a sample of the bytes is changed in one bit each,
closer where the signature stands; with ``ESEAL_EXHAUSTIVE`` set, every byte is, and those of the
signature in all eight bits (some minutes). No library is asked: the file alone must give itself
away.
"""

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from seal_service.formats.cms import CMSProfile
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.writing import SubFilter
from tests.support.sealed_ofd import SealedSpec, seal_document
from tests.support.sealed_pdf import PDFSpec, sign_pdf
from tests.support.trust import NOW, SM2_TRUST, make_evidence
from verifier.judge import JudgeContext, judge_document
from verifier.verdict import Outcome

IS_EXHAUSTIVE = "ESEAL_EXHAUSTIVE" in os.environ
SIGNATURE_STEP, OTHER_STEP = (1, 1) if IS_EXHAUSTIVE else (11, 37)
CONTEXT = JudgeContext(evidence=make_evidence())
STAMPED = NOW + timedelta(seconds=2)
CLAIM = ("CertificateIdentifier=1.2.156.3005.2.1",)

FILES: dict[str, Callable[[], bytes]] = {
    "ofd-locked-stamped": lambda: seal_document(SealedSpec(stamped_at=STAMPED, lock=True)),
    "ofd-continued": seal_document,
    "pdf-licence": lambda: sign_pdf(PDFSpec(keywords=CLAIM, reserved_bytes=6000)),
    "pdf-foreign": lambda: sign_pdf(PDFSpec(reserved_bytes=6000)),
    "pdf-gm-cms": lambda: sign_pdf(
        PDFSpec(
            profile=CMSProfile.SM2,
            sub_filter=SubFilter.CMS,
            family=SM2_TRUST,
            reserved_bytes=6000,
        )
    ),
    "pdf-gm-seal": lambda: sign_pdf(
        PDFSpec(
            sub_filter=SubFilter.SES,
            family=SM2_TRUST,
            seal=SealedSpec(stamped_at=STAMPED),
            reserved_bytes=6000,
        )
    ),
}


def signature_bytes(document: bytes) -> set[int]:
    """Return where the signature stands: its value and what names, places and lists it."""
    if document.startswith(b"%PDF"):
        (signature,) = read_pdf(document).signatures
        start = document.rindex(b"/ByteRange")
        value = document.index(b"/Contents<", start)
        # What follows the value inside Contents is padding, digit after digit of it.
        return set(range(start, value + len("/Contents<") + 2 * len(signature.contents or b"")))
    with zipfile.ZipFile(io.BytesIO(document)) as package:
        members = package.infolist()
        starts = [member.header_offset for member in members]
        places = zip(members, starts, [*starts[1:], package.start_dir], strict=True)
    return {
        at
        for member, start, end in places
        if member.filename.startswith("Doc_0/Signs/")
        for at in range(start, end)
    }


def changes(document: bytes) -> Iterator[tuple[int, int]]:
    """Yield position and bit."""
    inside = signature_bytes(document)
    for number, at in enumerate(sorted(inside)[::SIGNATURE_STEP]):
        # Bit 5 turns the case of letters, which readers of text are apt to overlook.
        yield from (
            (at, bit) for bit in (range(8) if IS_EXHAUSTIVE else ((0, 5, 3, 7)[number % 4],))
        )
    outside = [at for at in range(len(document)) if at not in inside]
    yield from ((at, (0, 5, 3, 7)[at % 4]) for at in outside[::OTHER_STEP])


def is_valid(data: bytes) -> bool:
    return judge_document(data, CONTEXT).outcome is Outcome.VALID


@pytest.mark.parametrize("name", FILES)
def test_no_flipped_bit_leaves_a_file_valid(name: str) -> None:
    """T-SES-01, T-OFD-15, T-OFD-40, T-PDF-05."""
    original = FILES[name]()
    assert is_valid(original)
    damaged = bytearray(original)
    survivors = []
    for at, bit in changes(original):
        damaged[at] ^= 1 << bit
        if is_valid(bytes(damaged)):
            survivors.append((at, bit))
        damaged[at] ^= 1 << bit
    assert survivors == []


@pytest.mark.parametrize("name", FILES)
def test_no_cut_inserted_or_removed_byte_leaves_a_file_valid(name: str) -> None:
    """T-SES-03, T-OFD-05, T-OFD-06, T-OFD-08, T-PDF-14."""
    original = FILES[name]()
    step = max(1, len(original) // 60)
    for at in range(0, len(original), step):
        assert not is_valid(original[:at]), at
        assert not is_valid(original[:at] + b"\x00" + original[at:]), at
        assert not is_valid(original[:at] + original[at + 1 :]), at
    assert not is_valid(original + b"\x00")
    assert not is_valid(b"\x00" + original)
    assert not is_valid(original + original)
