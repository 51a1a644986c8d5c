"""A seal on an OFD package: a seal signature with SM2 and a time stamp.

GB/T 38540-2020; GB/T 33190-2016, 18. A licence is locked, because nothing may follow its seal: the
signature list is protected too, so that every entry is covered (ADR 0010 for the time stamp). On
any other document the order says what may follow, and earlier seals must hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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
from seal_service.seals.earlier import check_earlier_ofd
from seal_service.seals.model import MadeSeal, SealPlace
from seal_service.seals.placing import DocumentLayout, SealMode, lay_out
from seal_service.seals.seal_value import SealValue


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingOFD:
    """A package that lacks only its seal signature."""

    prepared: PreparedOFD
    value: SealValue

    @property
    def document_digest(self) -> bytes:
        """SM3 of Signature.xml."""
        return self.prepared.data_hash

    @property
    def to_sign(self) -> bytes:
        """TBS_Sign."""
        return self.value.to_sign

    def finish(self, signature: bytes, timestamp: bytes) -> bytes:
        """Return the sealed package, checked; raises ``SelfCheckFailed``."""
        value = self.value.assemble(signature, timestamp)
        package = finish(self.prepared, value)
        check_integrity(package, own_form=self.prepared.own_form)
        # The value is stored plain, so it stands there as it is.
        if value not in package:
            raise SelfCheckFailed("the value is not in the package", reason="signed-value")
        self.value.check(value, [self.prepared.signature_xml])
        return package


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
    value = SealValue.of(made, prepared.data_hash, prepared.property_info, signed_at)
    return PendingOFD(prepared=prepared, value=value)


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
