"""Change a sealed file anywhere: nothing changed is ever valid, and nothing raises.

By default every seventh byte is changed in one bit; with ``ESEAL_EXHAUSTIVE`` set, every byte in
all eight bits (some minutes). No library is asked: the file alone must give itself away.
"""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from seal_service.formats.cms import CMSProfile
from seal_service.formats.ofd.container import read_container
from seal_service.formats.pdf.writing import SubFilter
from tests.support.sealed_ofd import SealedSpec, seal_document
from tests.support.sealed_pdf import PDFSpec, sign_pdf
from tests.support.trust import NOW, SM2_TRUST, make_evidence
from verifier.judge import JudgeContext, judge_document
from verifier.verdict import Outcome

IS_EXHAUSTIVE = "ESEAL_EXHAUSTIVE" in os.environ
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


def changes(length: int) -> Iterator[tuple[int, int]]:
    """Yield position and bit."""
    if IS_EXHAUSTIVE:
        yield from ((at, bit) for at in range(length) for bit in range(8))
    else:
        # Bit 5 turns the case of letters, which readers of text are apt to overlook.
        yield from ((at, (0, 5, 3, 7)[at // 7 % 4]) for at in range(0, length, 7))


def is_valid(data: bytes) -> bool:
    return judge_document(data, CONTEXT).outcome is Outcome.VALID


@pytest.mark.parametrize("name", FILES)
def test_no_flipped_bit_leaves_a_file_valid(name: str) -> None:
    """T-SES-01, T-OFD-15, T-OFD-40, T-PDF-05."""
    original = FILES[name]()
    assert is_valid(original)
    damaged = bytearray(original)
    survivors = []
    for at, bit in changes(len(damaged)):
        damaged[at] ^= 1 << bit
        if is_valid(bytes(damaged)):
            survivors.append((at, bit))
        damaged[at] ^= 1 << bit
    assert survivors == []


def test_no_flipped_bit_of_the_seal_signature_leaves_a_file_valid() -> None:
    """T-SES-01: every byte of the value, stored plain inside the package."""
    original = FILES["ofd-locked-stamped"]()
    value = read_container(original).entries["Doc_0/Signs/Sign_0/SignedValue.dat"]
    start = original.index(value)
    damaged = bytearray(original)
    for at in range(start, start + len(value)):
        bit = at % 8
        damaged[at] ^= 1 << bit
        assert not is_valid(bytes(damaged)), (at - start, bit)
        damaged[at] ^= 1 << bit


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
