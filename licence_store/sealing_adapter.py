"""Seals licences with the sealing service: ``LicenceSealer`` of the office, on top of ``Sealer``.

The template says in which box a seal stands; the seal brings its own physical size and is put in
the middle of the box. Only the composition root imports this.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from licence_store.office import LicenceSealing, SealedFile
from licence_store.rendering.manifest import SealBox
from seal_service.sealing import Sealer, Sealing, SealingOrder
from seal_service.seals.model import SealPlace


class LicenceSealingAdapter:
    """Turns the office's orders into the sealer's."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def find_seal(self, authority_code: str, licence_type_code: str) -> str:
        """Return the id of the authority's active seal that is mandated for this type."""
        return self._sealer.find_seal(authority_code, licence_type_code)

    def seal_ofd(self, order: LicenceSealing) -> SealedFile:
        """Seal the OFD of a licence; raises as ``Sealer.seal_ofd``."""
        return _sealed(self._sealer.seal_ofd(to_order(order), order.face.ofd))

    def seal_pdf(self, order: LicenceSealing) -> SealedFile:
        """Seal the PDF of a licence; raises as ``Sealer.seal_pdf``."""
        return _sealed(self._sealer.seal_pdf(to_order(order), order.face.pdf))

    def commit_uses(
        self, connection: Connection, use_ids: Sequence[str], authority_code: str
    ) -> None:
        """Re-check the seal and publish these uses, inside the caller's transaction."""
        self._sealer.commit_uses(connection, use_ids, authority_code)

    def abandon_uses(self, use_ids: Sequence[str], authority_code: str) -> None:
        """Close intents that led to nothing."""
        self._sealer.abandon_uses(use_ids, authority_code)


def to_order(order: LicenceSealing) -> SealingOrder:
    """Say the same in the sealer's words."""
    return SealingOrder(
        caller=order.caller,
        seal_id=order.seal_id,
        case_number=order.case_number,
        licence_type_code=order.licence_type_code,
        subject=order.identifier,
        places=tuple(map(to_place, order.face.seals)),
        matter_code=order.matter_code,
        pdf_profile=order.pdf_profile,
    )


def to_place(box: SealBox) -> SealPlace:
    """Return the middle of a box."""
    return SealPlace(
        page_number=box.page,
        centre_x_mm=box.x_mm + box.width_mm / 2,
        centre_y_mm=box.y_mm + box.height_mm / 2,
    )


def _sealed(sealing: Sealing) -> SealedFile:
    return SealedFile(document=sealing.document, use_id=sealing.use_id)
