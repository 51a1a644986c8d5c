"""What stands in the signature field of a PDF: a CMS message by RSA or SM2, or a seal signature.

ETSI EN 319 142-1, 6.3 (PAdES B-T); GB/T 38540-2020, 7.2 under ``GM.sm2seal``; RFC 5652 with SM2 and
SM3 under ``adbe.pkcs7.detached``. All three carry a time stamp.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from keys.algorithms import DigestAlgorithm
from keys.errors import ServiceError
from keys.timestamps import verify_token
from seal_service.errors import SelfCheckFailed
from seal_service.formats.cms import (
    CMSProfile,
    SignerTemplate,
    assemble,
    parse_signed_data,
    prepare_signer,
    signed_attributes,
    verify_signer,
)
from seal_service.formats.pdf.writing import RESERVED_BYTES, PreparedPDF, SubFilter
from seal_service.seals.model import MadeSeal, PDFProfile, SigningIdentity
from seal_service.seals.seal_value import SealValue

SUB_FILTERS = {
    PDFProfile.RSA_PADES: SubFilter.PADES,
    PDFProfile.GM_SEAL: SubFilter.SES,
    PDFProfile.GM_CMS: SubFilter.CMS,
}


class PDFValue(Protocol):
    """A value that lacks only the signature; ``SealValue`` is one, ``MessageValue`` the other."""

    @property
    def to_sign(self) -> bytes:
        """The message to sign."""
        ...

    def assemble(self, signature: bytes, timestamp: bytes) -> bytes:
        """Return the whole value."""
        ...

    def check(self, value: bytes, pieces: Iterable[bytes | memoryview]) -> None:
        """Read a value back over what is sealed; raises ``SelfCheckFailed``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageValue:
    """A CMS message that lacks only the signature."""

    template: SignerTemplate
    certificate: bytes
    to_sign: bytes
    """The signed attributes."""

    def assemble(self, signature: bytes, timestamp: bytes) -> bytes:
        """Return the whole message."""
        return assemble(self.template, self.to_sign, signature, timestamp_token=timestamp)

    def check(self, value: bytes, pieces: Iterable[bytes | memoryview]) -> None:
        """Read a message back that is in its document; raises ``SelfCheckFailed``."""
        try:
            signer = verify_signer(parse_signed_data(value), map(bytes, pieces))
            for token in signer.timestamp_tokens:
                verify_token(token, signer.signature)
        except ServiceError as error:
            raise SelfCheckFailed("the signature does not hold", reason=error.code) from error
        is_as_ordered = (
            signer.certificate.der == self.certificate and len(signer.timestamp_tokens) == 1
        )
        if not is_as_ordered or signer.notices:
            raise SelfCheckFailed("the signature is not as ordered", reason="signature")


def identity_of(made: MadeSeal, profile: PDFProfile) -> SigningIdentity:
    """Return the key that a profile signs with."""
    return made.rsa if profile is PDFProfile.RSA_PADES else made.sm2


def digest_of(profile: PDFProfile) -> DigestAlgorithm:
    """Return the digest that a profile takes of the document."""
    is_rsa = profile is PDFProfile.RSA_PADES
    return DigestAlgorithm.SHA256 if is_rsa else DigestAlgorithm.SM3


def room_for(made: MadeSeal, profile: PDFProfile) -> int:
    """Return how many bytes to leave for the value: a seal signature carries its seal."""
    is_seal = profile is PDFProfile.GM_SEAL
    return RESERVED_BYTES + (len(made.eseal_der) if is_seal else 0)


def make_value(
    prepared: PreparedPDF, made: MadeSeal, profile: PDFProfile, signed_at: datetime
) -> PDFValue:
    """Fix what is signed over a laid out document."""
    digest = prepared.digest(digest_of(profile))
    if profile is PDFProfile.GM_SEAL:
        # No clause says what propertyInfo is in a PDF; the range is what the digest was taken of.
        covered = " ".join(map(str, prepared.byte_range))
        return SealValue.of(made, digest, f"[{covered}]", signed_at)
    identity = identity_of(made, profile)
    template = _signer(identity.certificate, identity.chain[1:], profile)
    return MessageValue(
        template=template,
        certificate=identity.certificate,
        to_sign=signed_attributes(template, digest),
    )


@lru_cache(maxsize=64)
def _signer(certificate: bytes, chain: tuple[bytes, ...], profile: PDFProfile) -> SignerTemplate:
    """Encode once per seal what every message of it repeats."""
    is_rsa = profile is PDFProfile.RSA_PADES
    cms_profile = CMSProfile.RSA if is_rsa else CMSProfile.SM2
    return prepare_signer(certificate, chain=chain, profile=cms_profile)
