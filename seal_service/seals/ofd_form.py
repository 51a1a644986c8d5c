"""A seal on an OFD package: SES v4 with SM2 and a time stamp.

GB/T 38540-2020; GB/T 33190-2016, 18. A licence is locked, because nothing may follow its seal: the
signature list is protected too, so that every entry is covered (ADR 0010 for the time stamp). On
any other document the order says what may follow, and earlier seals must hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from keys.errors import ServiceError
from keys.timestamps import verify_token
from seal_service.errors import InvalidPlacement, SelfCheckFailed
from seal_service.formats.ofd.container import OFDContainer
from seal_service.formats.ofd.opening import OpenedOFD, open_package
from seal_service.formats.ofd.sealing import (
    PreparedOFD,
    StampPlacement,
    check_integrity,
    finish,
    prepare,
)
from seal_service.formats.ofd.text import find_text
from seal_service.formats.placement import Size, TextPosition
from seal_service.formats.ses import (
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
from seal_service.seals.earlier import check_earlier_ofd
from seal_service.seals.model import MadeSeal, SealPlace
from seal_service.seals.placing import DocumentLayout, SealMode, lay_out


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingOFD:
    """A package that lacks only its seal signature."""

    prepared: PreparedOFD
    made: MadeSeal
    to_sign: bytes
    """TBS_Sign."""

    @property
    def document_digest(self) -> bytes:
        """SM3 of Signature.xml."""
        return self.prepared.data_hash

    def finish(self, signature: bytes, timestamp: bytes) -> bytes:
        """Return the sealed package, checked; raises ``SelfCheckFailed``."""
        signer = SignedPart(
            certificate=self.made.sm2.certificate, value=signature, timestamp=timestamp
        )
        value = encode_seal_signature(self.to_sign, signer)
        package = finish(self.prepared, value)
        self._check(package, value)
        return package

    def _check(self, package: bytes, value: bytes) -> None:
        """Read package and value back; the value is stored plain, so it stands there as it is."""
        check_integrity(package, own_form=self.prepared.own_form)
        if value not in package:
            raise SelfCheckFailed("the value is not in the package", reason="signed-value")
        try:
            _check_seal(self.made.eseal_der)
            sealed = parse_seal_signature(value)
            check_signer_listed(sealed.seal, verify_signature_value(sealed).der)
            verify_token(sealed.timestamp or b"", sealed.signature)
        except ServiceError as error:
            raise SelfCheckFailed("the seal signature does not hold", reason=error.code) from error
        if sealed.notices or not self._is_as_ordered(sealed):
            raise SelfCheckFailed("the seal signature is not as ordered", reason="seal-signature")

    def _is_as_ordered(self, sealed: SealSignature) -> bool:
        prepared = self.prepared
        return (sealed.eseal_raw, sealed.tbs_raw, sealed.data_hash, sealed.property_info) == (
            self.made.eseal_der,
            self.to_sign,
            prepared.data_hash,
            prepared.property_info,
        )


@lru_cache(maxsize=64)
def _check_seal(eseal_der: bytes) -> None:
    """Check the maker's signature once per seal: the same bytes go into every document."""
    verify_seal_value(parse_seal(eseal_der))


def prepare_ofd(
    package: bytes | OFDContainer,
    made: MadeSeal,
    places: Sequence[SealPlace],
    signed_at: datetime,
) -> PendingOFD:
    """Lay the seal of a licence out on a package, in its physical size, and lock it.

    Raises ``AlreadySealed``, ``InvalidPlacement`` or ``MalformedDocument``.
    """
    placements = [_placement(place, made) for place in places]
    return _prepare(package, made, placements, signed_at, lock=True)


def prepare_ofd_document(
    package: bytes, made: MadeSeal, layout: DocumentLayout, signed_at: datetime
) -> PendingOFD:
    """Lay a seal out on any package; what it holds already keeps its bytes.

    Raises ``AlreadySealed`` (reason ``locked``), ``InvalidPlacement`` or ``MalformedDocument``
    (reason ``earlier-signature`` and others).
    """
    if layout.reserved:
        raise InvalidPlacement("only a PDF has fields to leave", reason="field-unknown")
    sheets = OFDSheets.of(package)
    size = (float(made.width_mm), float(made.height_mm))
    placements = lay_out(layout.wishes, size, sheets)
    return _prepare(sheets.opened, made, placements, signed_at, lock=layout.mode is SealMode.LOCK)


def _prepare(
    package: bytes | OFDContainer | OpenedOFD,
    made: MadeSeal,
    placements: Sequence[StampPlacement],
    signed_at: datetime,
    *,
    lock: bool,
) -> PendingOFD:
    prepared = prepare(
        package,
        eseal_der=made.eseal_der,
        placements=placements,
        signed_at=signed_at,
        lock=lock,
    )
    tbs = TBSSign(
        eseal_der=made.eseal_der,
        signed_at=signed_at,
        data_hash=prepared.data_hash,
        property_info=prepared.property_info,
    )
    return PendingOFD(prepared=prepared, made=made, to_sign=encode_tbs_sign(tbs))


@dataclass(frozen=True, slots=True)
class OFDSheets:
    """The pages of a package that may be sealed."""

    opened: OpenedOFD

    @classmethod
    def of(cls, package: bytes) -> "OFDSheets":
        """Open a package; raises as ``prepare_ofd_document`` does."""
        opened = open_package(package)
        check_earlier_ofd(opened.signatures)
        return cls(opened)

    @property
    def pages_mm(self) -> tuple[Size, ...]:
        """Return width and height of each page."""
        return tuple((page.width_mm, page.height_mm) for page in self.opened.document.pages)

    def find_text(self, keyword: str) -> tuple[TextPosition, ...]:
        """Return every place of a keyword."""
        return find_text(self.opened.container, self.opened.document, keyword)


def _placement(place: SealPlace, made: MadeSeal) -> StampPlacement:
    return StampPlacement(
        page_number=place.page_number,
        x_mm=place.centre_x_mm - made.width_mm / 2,
        y_mm=place.centre_y_mm - made.height_mm / 2,
        width_mm=made.width_mm,
        height_mm=made.height_mm,
    )
