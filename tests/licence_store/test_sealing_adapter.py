"""The adapter between office and sealer: the same words, the seal in the middle of its box."""

import pytest

from licence_store.office import LicenceSealer, LicenceSealing
from licence_store.rendering.face import RenderedFace
from licence_store.rendering.manifest import SealBox
from licence_store.sealing_adapter import LicenceSealingAdapter, to_order, to_place
from seal_service.errors import SealUseClosed
from seal_service.formats.ofd.container import read_container
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.signatures import read_signatures
from seal_service.formats.pdf.reading import read_pdf
from seal_service.plumbing.database import Database
from seal_service.seals import uses
from seal_service.seals.model import SealPlace
from seal_service.seals.uses import UseState
from tests.seal_service.test_sealing import OFD, PDF
from tests.support.licences import BUSINESS_LICENCE, make_caller
from tests.support.register import TENANT, SealScene

BOX = SealBox(role="issuing_authority", page=1, x_mm=50.5, y_mm=100, width_mm=45, height_mm=50)
FACE = RenderedFace(pdf=PDF, ofd=read_container(OFD), page_size_mm=(210, 297), seals=(BOX,))


def make_order(seal_id: str) -> LicenceSealing:
    return LicenceSealing(
        caller=make_caller(authority_code=TENANT),
        seal_id=seal_id,
        identifier="1.2.156.3005.2.example",
        case_number="YQ-2026-000001",
        licence_type_code=BUSINESS_LICENCE,
        face=FACE,
    )


def test_the_seal_stands_in_the_middle_of_its_box() -> None:
    assert to_place(BOX) == SealPlace(page_number=1, centre_x_mm=73, centre_y_mm=125)


def test_an_order_says_the_same_in_both_words() -> None:
    order = make_order("SEAL-1")
    said = to_order(order)
    assert (said.caller, said.seal_id, said.case_number) == (
        order.caller,
        "SEAL-1",
        "YQ-2026-000001",
    )
    assert (said.licence_type_code, said.subject) == (BUSINESS_LICENCE, order.identifier)
    assert said.places == (to_place(BOX),)


def test_a_licence_is_sealed_in_both_forms_and_committed(database: Database) -> None:
    scene = SealScene(database)
    adapter: LicenceSealer = LicenceSealingAdapter(scene.sealer)
    order = make_order(adapter.find_seal(TENANT, BUSINESS_LICENCE))
    ofd, pdf = adapter.seal_ofd(order), adapter.seal_pdf(order)
    container = read_container(ofd.document, strict=True)
    (signature,) = read_signatures(container, read_document(container))
    assert signature.stamps[0].boundary == (52, 104, 42, 42)
    (field,) = read_pdf(pdf.document).signatures
    assert field.place_mm == pytest.approx((52, 104, 42, 42), abs=0.02)
    with database.transaction() as connection:
        adapter.commit_uses(connection, [ofd.use_id, pdf.use_id], TENANT)
    with database.reading() as connection:
        for use_id in (ofd.use_id, pdf.use_id):
            use = uses.find_use(connection, TENANT, use_id)
            assert use is not None
            assert use.state is UseState.COMMITTED


def test_what_is_given_up_cannot_be_committed(database: Database) -> None:
    scene = SealScene(database)
    adapter = LicenceSealingAdapter(scene.sealer)
    sealed = adapter.seal_ofd(make_order(scene.seal.seal_id))
    adapter.abandon_uses([sealed.use_id], TENANT)
    with pytest.raises(SealUseClosed), database.transaction() as connection:
        adapter.commit_uses(connection, [sealed.use_id], TENANT)
