"""Seals and seal signatures (GM/T 0031, GB/T 38540)."""

from keys.errors import ServiceError
from seal_service.formats.ses import (
    check_signer_listed,
    parse_seal,
    parse_seal_signature,
    verify_seal_value,
    verify_signature_value,
)
from tests.support.seals import SealSpec, SignatureSpec, make_seal, make_seal_signature


def seeds() -> list[bytes]:
    """Return a seal and a signature of each generation."""
    versions = (1, 4, 5)
    signatures = [
        make_seal_signature(
            SignatureSpec(version=version, seal=make_seal(SealSpec(version=version)))
        )
        for version in versions
    ]
    return [*signatures, *(make_seal(SealSpec(version=version)) for version in versions)]


def check(data: bytes) -> None:
    """Read as signature and as seal; what is read is all of the input."""
    try:
        if parse_seal(data).raw != data:
            raise AssertionError("part of a seal was left out")
    except ServiceError:
        pass
    try:
        signature = parse_seal_signature(data)
        if signature.raw != data or signature.seal.raw not in data:
            raise AssertionError("part of a signature was left out")
        check_signer_listed(signature.seal, signature.certificate)
        verify_seal_value(signature.seal)
        verify_signature_value(signature)
    except ServiceError:
        return
