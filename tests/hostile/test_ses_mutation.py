"""Damage a seal signature at every bit and every length; nothing damaged may verify."""

import time

import pytest

from keys.errors import ServiceError
from seal_service.formats.ses import (
    check_signer_listed,
    parse_seal_signature,
    verify_seal_value,
    verify_signature_value,
)
from tests.support.seals import SignatureSpec, make_seal_signature


def holds(data: bytes) -> bool:
    """Tell whether all checks pass that need nothing but the bytes."""
    try:
        signed = parse_seal_signature(data)
        check_signer_listed(signed.seal, signed.certificate)
        verify_signature_value(signed)
        verify_seal_value(signed.seal)
    except ServiceError:
        return False
    return True


@pytest.mark.parametrize("version", [1, 4])
def test_no_flipped_bit_verifies(version: int) -> None:
    """T-SES-01: exhaustive over the file."""
    original = make_seal_signature(SignatureSpec(version=version))
    assert holds(original)
    damaged = bytearray(original)
    for at in range(len(damaged)):
        for bit in range(8):
            damaged[at] ^= 1 << bit
            assert not holds(bytes(damaged)), (at, bit)
            damaged[at] ^= 1 << bit


@pytest.mark.parametrize("octet", [0x00, 0xFF, 0x80, 0x84])
def test_no_overwritten_byte_verifies_or_costs_much(octet: int) -> None:
    """T-SES-05: lengths and tags set to extremes."""
    original = make_seal_signature()
    started = time.process_time()
    for at in range(0, len(original), 3):
        if original[at] != octet:
            assert not holds(original[:at] + bytes((octet,)) + original[at + 1 :]), at
    assert time.process_time() - started < 30


def test_inserted_and_removed_bytes_do_not_verify() -> None:
    original = make_seal_signature()
    for at in range(0, len(original), 7):
        assert not holds(original[:at] + b"\x00" + original[at:]), at
        assert not holds(original[:at] + original[at + 1 :]), at
