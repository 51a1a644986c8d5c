"""The seal signature that goes onto a document: what is signed, the whole value, and its check.

GB/T 38540-2020, 7.2; GM/T 0031-2025. The seal says which generation it is of, and the signature is
of the same (ADR 0010 for the time stamp).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from keys.algorithms import sm3
from keys.errors import ServiceError
from keys.timestamps import verify_token
from seal_service.errors import SelfCheckFailed
from seal_service.formats.ses import (
    ESeal,
    SealSignature,
    SignedPart,
    TBSSign,
    check_signer_listed,
    encode_seal_signature,
    encode_tbs_sign,
    parse_seal,
    parse_seal_signature,
    verify_seal_value,
    verify_signature_value,
)
from seal_service.seals.model import MadeSeal


@dataclass(frozen=True, slots=True, kw_only=True)
class SealValue:
    """A seal signature that lacks only the signature itself."""

    made: MadeSeal
    data_hash: bytes
    """SM3 of what is sealed: of Signature.xml, or of both pieces of a PDF."""
    property_info: str
    to_sign: bytes
    """TBS_Sign."""

    @classmethod
    def of(
        cls, made: MadeSeal, data_hash: bytes, property_info: str, signed_at: datetime
    ) -> "SealValue":
        """Fix everything that is signed."""
        tbs = TBSSign(
            version=_known_seal(made.eseal_der).version,
            eseal_der=made.eseal_der,
            signed_at=signed_at,
            data_hash=data_hash,
            property_info=property_info,
        )
        return cls(
            made=made,
            data_hash=data_hash,
            property_info=property_info,
            to_sign=encode_tbs_sign(tbs),
        )

    def assemble(self, signature: bytes, timestamp: bytes) -> bytes:
        """Return the whole value: certificate, signature and time stamp beside what was signed."""
        signer = SignedPart(
            certificate=self.made.sm2.certificate, value=signature, timestamp=timestamp
        )
        return encode_seal_signature(self.to_sign, signer)

    def check(self, value: bytes, pieces: Iterable[bytes | memoryview]) -> None:
        """Read a value back that is on its document; ``pieces`` is what is sealed.

        Raises ``SelfCheckFailed``.
        """
        try:
            sealed = parse_seal_signature(value)
            check_signer_listed(sealed.seal, verify_signature_value(sealed).der)
            verify_token(sealed.timestamp or b"", sealed.signature)
        except ServiceError as error:
            raise SelfCheckFailed("the seal signature does not hold", reason=error.code) from error
        is_over_this = sealed.data_hash == sm3(b"".join(pieces))
        if sealed.notices or not is_over_this or not self._is_as_ordered(sealed):
            raise SelfCheckFailed("the seal signature is not as ordered", reason="seal-signature")

    def _is_as_ordered(self, sealed: SealSignature) -> bool:
        return (sealed.eseal_raw, sealed.tbs_raw, sealed.data_hash, sealed.property_info) == (
            self.made.eseal_der,
            self.to_sign,
            self.data_hash,
            self.property_info,
        )


@lru_cache(maxsize=64)
def _known_seal(eseal_der: bytes) -> ESeal:
    """Read a seal and check its maker's signature, once: the same bytes go into every document."""
    try:
        seal = parse_seal(eseal_der)
        verify_seal_value(seal)
    except ServiceError as error:
        raise SelfCheckFailed("the seal does not hold", reason=error.code) from error
    return seal
