"""Sealing, from the mandate to the log (ADR 0005, ADR 0010), for both forms of a document."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from keys.algorithms import KeyAlgorithm
from keys.errors import InvalidKey, KeyNotFound, KeyStoreUnavailable, ServiceError
from keys.timestamps import verify_token
from seal_service.errors import (
    AlreadySealed,
    ClockWentBack,
    InvalidPlacement,
    MandateMissing,
    SealExpired,
    SealNotFound,
    SealRevoked,
    SealSuspended,
    SealUseClosed,
    SelfCheckFailed,
    TSAUnavailable,
)
from seal_service.formats.cms import parse_signed_data, verify_signer
from seal_service.formats.ofd.container import read_container
from seal_service.formats.ofd.coverage import coverage
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.model import OFDSignature
from seal_service.formats.ofd.sealing import StampPlacement, check_integrity, prepare
from seal_service.formats.ofd.signatures import read_signatures
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.ses import SESVersion, parse_seal_signature
from seal_service.plumbing.database import Database
from seal_service.sealing import Sealing
from seal_service.seals import uses
from seal_service.seals.model import MadeSeal, SealPlace
from seal_service.seals.states import SealAction
from seal_service.seals.uses import DocumentFormat, SealUse, UseState
from seal_service.translog import log
from tests.support.licences import BUSINESS_LICENCE, FOOD_PERMIT
from tests.support.ofd import make_ofd
from tests.support.register import (
    OTHER_TENANT,
    PLACE,
    TENANT,
    SealScene,
    apply_for_seal,
    bring_into_use,
    grant,
    identity,
    made_seal,
    move,
)
from tests.support.trust import NOW, RSA_TRUST, YEAR, make_key

OFD = make_ofd()


def make_pdf() -> bytes:
    """Return a PDF of one empty A4 page."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>>",
    )
    data, offsets = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 4\n0000000000 65535 f \n"
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"<</Size 4/Root 1 0 R/ID[<00112233445566778899aabbccddeeff>"
    trailer += b"<00112233445566778899aabbccddeeff>]>>"
    return data + b"trailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (trailer, start)


PDF = make_pdf()


@pytest.fixture
def scene(database: Database) -> SealScene:
    return SealScene(database)


def seal_ofd(scene: SealScene, **changes: str) -> Sealing:
    return scene.sealer.seal_ofd(scene.order(**changes), OFD)


def seal_pdf(scene: SealScene, **changes: str) -> Sealing:
    return scene.sealer.seal_pdf(scene.order(**changes), PDF)


BOTH = pytest.mark.parametrize("seal", [seal_ofd, seal_pdf])
Seal = Callable[[SealScene], Sealing]


def all_uses(scene: SealScene) -> tuple[SealUse, ...]:
    with scene.database.reading() as connection:
        return uses.list_uses(connection, TENANT, scene.seal.seal_id, since=NOW - YEAR)


def commit(scene: SealScene, *sealings: Sealing, tenant: str = TENANT) -> None:
    with scene.database.transaction() as connection:
        scene.sealer.commit_uses(connection, [item.use_id for item in sealings], tenant)


def leaves(scene: SealScene) -> int:
    with scene.database.transaction() as connection:
        return sum(
            log.prove_use(connection, TENANT, use.intent.use_id) is not None
            or use.state is UseState.COMMITTED
            for use in uses.list_uses(connection, TENANT, scene.seal.seal_id, since=NOW - YEAR)
        )


def only_signature(package: bytes) -> OFDSignature:
    container = read_container(package, strict=True)
    document = read_document(container, strict=True)
    signatures = read_signatures(container, document, strict=True)
    assert len(signatures) == 1
    return signatures[0]


# What comes out: OFD


def test_an_ofd_carries_the_seal_of_the_register_with_a_time_stamp(scene: SealScene) -> None:
    sealing = seal_ofd(scene)
    container = read_container(sealing.document, strict=True)
    signature = only_signature(sealing.document)
    sealed = parse_seal_signature(container.entries[signature.signed_value_path or ""])
    made = scene.seal.made
    assert made is not None
    assert sealed.version is SESVersion.V4
    assert sealed.eseal_raw == made.eseal_der == container.entries[signature.seal_path or ""]
    assert (sealed.signed_at, sealed.certificate) == (NOW, made.sm2.certificate)
    assert sealed.notices == ()
    assert verify_token(sealed.timestamp or b"", sealed.signature).gen_time == NOW


def test_every_entry_of_the_ofd_is_covered_and_nothing_may_follow(scene: SealScene) -> None:
    # T-OFD-60: the signature list is protected as well.
    document = seal_ofd(scene).document
    container = read_container(document, strict=True)
    signature = only_signature(document)
    covered = coverage(
        container,
        read_document(container, strict=True),
        signatures=[signature],
        holding=[signature],
    )
    own_files = {signature.path, signature.signed_value_path}
    assert (covered.is_complete, set(covered.exempt)) == (True, own_files)
    assert signature.locks_list
    check_integrity(document)
    spot = StampPlacement(page_number=1, x_mm=10, y_mm=10, width_mm=42, height_mm=42)
    with pytest.raises(AlreadySealed):
        prepare(document, eseal_der=b"x", placements=[spot], signed_at=NOW)


def test_the_seal_on_the_ofd_has_its_physical_size(scene: SealScene) -> None:
    stamp = only_signature(seal_ofd(scene).document).stamps[0]
    assert stamp.boundary == (PLACE.centre_x_mm - 21, PLACE.centre_y_mm - 21, 42, 42)


# What comes out: PDF


def test_a_pdf_is_certified_against_every_change(scene: SealScene) -> None:
    document = seal_pdf(scene).document
    read = read_pdf(document)
    (signature,) = read.signatures
    assert (signature.sub_filter, signature.permission) == (
        "ETSI.CAdES.detached",
        Permission.NO_CHANGES,
    )
    assert (signature.covers_file, signature.problems) == (True, ())
    assert signature.name == scene.seal.name
    assert document.startswith(PDF.rstrip(b"\n"))


def test_a_pdf_is_signed_with_the_rsa_key_and_time_stamped(scene: SealScene) -> None:
    document = seal_pdf(scene).document
    (signature,) = read_pdf(document).signatures
    message = parse_signed_data(signature.contents or b"")
    signer = verify_signer(message, map(bytes, signature.pieces(document)))
    made = scene.seal.made
    assert made is not None
    assert signer.certificate.der == made.rsa.certificate
    assert signer.signing_time is None
    (token,) = signer.timestamp_tokens
    assert verify_token(token, signer.signature).gen_time == NOW
    assert RSA_TRUST.authority.der in signer.certificates


def test_the_seal_on_the_pdf_has_its_physical_size(scene: SealScene) -> None:
    (signature,) = read_pdf(seal_pdf(scene).document).signatures
    assert signature.place_mm == pytest.approx(
        (PLACE.centre_x_mm - 21, PLACE.centre_y_mm - 21, 42, 42), abs=0.02
    )


def test_both_forms_can_be_sealed_in_several_places(scene: SealScene) -> None:
    places = [PLACE, SealPlace(page_number=1, centre_x_mm=150, centre_y_mm=200)]
    ofd = scene.sealer.seal_ofd(scene.order(places), OFD)
    pdf = scene.sealer.seal_pdf(scene.order(places), PDF)
    assert len(only_signature(ofd.document).stamps) == 2
    assert pdf.document.count(b"/Subtype/Stamp") == 1


@pytest.mark.parametrize(
    "seal",
    [
        lambda scene, places: scene.sealer.seal_ofd(scene.order(places), OFD),
        lambda scene, places: scene.sealer.seal_pdf(scene.order(places), PDF),
    ],
)
def test_a_seal_that_would_not_be_seen_is_not_used(
    scene: SealScene, seal: Callable[[SealScene, list[SealPlace]], Sealing]
) -> None:
    outside = [SealPlace(page_number=2, centre_x_mm=60, centre_y_mm=70)]
    for places in (outside, []):
        with pytest.raises(InvalidPlacement):
            seal(scene, places)
    assert scene.keys.signed == []
    assert all_uses(scene) == ()


# 1. and 2. Refusals, before anything is written or signed


@BOTH
def test_without_a_mandate_nothing_is_sealed(
    scene: SealScene, seal: Callable[..., Sealing]
) -> None:
    with pytest.raises(MandateMissing) as refused:
        seal(scene, licence_type_code=FOOD_PERMIT)
    assert refused.value.params["rule"] == "licence-type"
    assert (scene.keys.signed, all_uses(scene)) == ([], ())


def test_a_mandate_for_one_caller_serves_no_other(scene: SealScene) -> None:
    grant(scene.database, scene.seal, caller_id="food-office", licence_type_code=FOOD_PERMIT)
    seal_ofd(scene, licence_type_code=FOOD_PERMIT, caller_id="food-office")
    with pytest.raises(MandateMissing) as refused:
        seal_ofd(scene, licence_type_code=FOOD_PERMIT)
    assert refused.value.params["rule"] == "caller"


def test_another_tenants_seal_cannot_be_used(scene: SealScene) -> None:
    # T-API-07
    with pytest.raises(SealNotFound):
        scene.sealer.seal_ofd(scene.order(tenant=OTHER_TENANT), OFD)
    with pytest.raises(MandateMissing):
        scene.sealer.find_seal(OTHER_TENANT, BUSINESS_LICENCE)


@BOTH
@pytest.mark.parametrize(
    ("action", "error"),
    [
        (SealAction.SUSPEND, SealSuspended),
        (SealAction.REPORT_LOST, SealSuspended),
        (SealAction.REVOKE, SealRevoked),
        (SealAction.CANCEL, SealRevoked),
        (SealAction.CHANGE, SealRevoked),
        (SealAction.EXPIRE, SealExpired),
    ],
)
def test_a_stopped_seal_is_not_used(
    scene: SealScene, seal: Seal, action: SealAction, error: type[ServiceError]
) -> None:
    # T-KEY-07
    move(scene.database, scene.seal, action)
    with pytest.raises(error):
        seal(scene)
    with pytest.raises(error):
        scene.sealer.find_seal(TENANT, BUSINESS_LICENCE)
    assert scene.keys.signed == []


@BOTH
def test_a_seal_is_not_used_after_its_period(scene: SealScene, seal: Seal) -> None:
    grant(scene.database, scene.seal, valid_until=NOW + 3 * YEAR)
    scene.clock.move(YEAR + timedelta(seconds=1))
    with pytest.raises(SealExpired) as refused:
        seal(scene)
    assert refused.value.params["rule"] == "seal-period"


@BOTH
def test_a_seal_is_not_used_after_its_certificate(database: Database, seal: Seal) -> None:
    # T-KEY-07
    scene = SealScene(database)
    late = apply_for_seal(database, "SEAL-2", valid_until=NOW + 9 * YEAR)
    scene.seal = bring_into_use(database, late)
    grant(database, scene.seal, valid_until=NOW + 9 * YEAR)
    scene.clock.move(3 * YEAR)
    with pytest.raises(SealExpired) as refused:
        seal(scene)
    assert refused.value.params["rule"] == "certificate-period"


@BOTH
def test_a_key_that_is_not_the_certificates_is_not_used(scene: SealScene, seal: Seal) -> None:
    # T-KEY-04
    for name, algorithm in (("seal-sm2", KeyAlgorithm.SM2), ("seal-rsa", KeyAlgorithm.RSA)):
        scene.keys.keys[name] = make_key("another holder", algorithm)
    with pytest.raises(InvalidKey):
        seal(scene)
    assert scene.keys.signed == []


@BOTH
def test_a_missing_key_is_named(scene: SealScene, seal: Seal) -> None:
    scene.keys.keys.clear()
    with pytest.raises(KeyNotFound):
        seal(scene)


# 3. to 6. The intent, and what becomes of it


@BOTH
def test_the_intent_is_on_disk_before_the_key_is_used(scene: SealScene, seal: Seal) -> None:
    seen: list[tuple[SealUse, ...]] = []
    scene.keys.before_sign = lambda name: seen.append(all_uses(scene))
    sealing = seal(scene)
    ((intent,),) = seen
    assert intent.state is UseState.OPEN
    assert intent.intent.use_id == sealing.use_id
    assert intent.intent.caller_id == "approval"
    assert intent.intent.case_number == "YQ-2026-000001"
    assert intent.intent.key_name == scene.keys.signed[0]


def test_a_clock_behind_the_last_use_seals_nothing(scene: SealScene) -> None:
    """T-PKI-31, T-STO-17: but minutes between two machines do not matter."""
    seal_ofd(scene)
    signed = len(scene.keys.signed)
    scene.clock.move(timedelta(seconds=-299))
    seal_ofd(scene)
    scene.clock.move(timedelta(seconds=-2))
    with pytest.raises(ClockWentBack) as refusal:
        seal_pdf(scene)
    assert len(scene.keys.signed) == signed + 1
    with scene.database.reading() as connection:
        ahead = int(str(refusal.value.params["serial"]))
        uses.check_clock(connection, NOW - timedelta(seconds=590), after=ahead)
    scene.clock.move(timedelta(seconds=2))
    seal_pdf(scene)


def test_the_intent_names_what_the_signature_binds(scene: SealScene) -> None:
    ofd, pdf = seal_ofd(scene), seal_pdf(scene)
    first, second = all_uses(scene)
    container = read_container(ofd.document, strict=True)
    value = container.entries[only_signature(ofd.document).signed_value_path or ""]
    assert first.intent.format is DocumentFormat.OFD
    assert first.intent.document_digest == parse_seal_signature(value).data_hash
    (signature,) = read_pdf(pdf.document).signatures
    message = parse_signed_data(signature.contents or b"")
    assert second.intent.format is DocumentFormat.PDF
    assert second.intent.document_digest in (message.signers[0].signed_attributes_raw or b"")


@BOTH
@pytest.mark.parametrize("place", ["key", "time stamp", "signature", "token"])
def test_a_failed_step_closes_the_intent(scene: SealScene, seal: Seal, place: str) -> None:
    # T-STO-18, T-STO-15, T-KEY-05, T-KEY-10

    def fail(*_: object) -> None:
        raise KeyStoreUnavailable

    def no_stamp(value: bytes) -> bytes:
        raise TSAUnavailable

    def wrong_stamp(value: bytes) -> bytes:
        return (RSA_TRUST.stamper(NOW)).stamp(b"another value")

    errors: dict[str, type[ServiceError]] = {
        "key": KeyStoreUnavailable,
        "time stamp": TSAUnavailable,
        "signature": SelfCheckFailed,
        "token": SelfCheckFailed,
    }
    if place == "key":
        scene.keys.before_sign = fail
    elif place == "signature":
        scene.keys.change_signature = lambda value: value[:-1] + bytes([value[-1] ^ 1])
    else:
        stamp = no_stamp if place == "time stamp" else wrong_stamp
        scene.stamp_sm2 = scene.stamp_rsa = stamp
    with pytest.raises(errors[place]):
        seal(scene)
    (use,) = all_uses(scene)
    assert (use.state, use.closed_at) == (UseState.ABANDONED, NOW)


def test_another_certificate_than_the_listed_one_is_not_released(database: Database) -> None:
    # The seal in the register was exchanged: its certificate list does not name the signer.
    scene = SealScene(database)
    listed = made_seal("SEAL-2", scene.seal.name)
    renewed = identity(KeyAlgorithm.SM2, serial=4711)
    made = MadeSeal(
        eseal_der=listed.eseal_der,
        picture_png=listed.picture_png,
        width_mm=42,
        height_mm=42,
        sm2=renewed,
        rsa=listed.rsa,
    )
    scene.seal = bring_into_use(database, apply_for_seal(database, "SEAL-2"), made)
    grant(database, scene.seal)
    with pytest.raises(SelfCheckFailed) as refused:
        seal_ofd(scene)
    assert refused.value.params["reason"] == "signer-not-in-seal"


# 7. Commit


def test_committed_uses_become_leaves(scene: SealScene) -> None:
    ofd, pdf = seal_ofd(scene), seal_pdf(scene)
    commit(scene, ofd, pdf)
    assert {use.state for use in all_uses(scene)} == {UseState.COMMITTED}
    assert leaves(scene) == 2


def _commit_twice_at_once(scene: SealScene, sealing: Sealing) -> None:
    with scene.database.transaction() as connection:
        for _ in range(2):
            scene.sealer.commit_uses(connection, [sealing.use_id], TENANT)


def test_a_rolled_back_commit_leaves_neither_use_nor_leaf(scene: SealScene) -> None:
    sealing = seal_ofd(scene)
    with pytest.raises(SealUseClosed):
        _commit_twice_at_once(scene, sealing)
    assert all_uses(scene)[0].state is UseState.OPEN
    assert leaves(scene) == 0


@pytest.mark.parametrize(
    ("actions", "error"),
    [
        ((SealAction.SUSPEND,), SealSuspended),
        ((SealAction.SUSPEND, SealAction.RESUME), SealSuspended),
        ((SealAction.REVOKE,), SealRevoked),
        ((SealAction.EXPIRE,), SealExpired),
    ],
)
def test_a_seal_stopped_after_signing_wins(
    scene: SealScene, actions: tuple[SealAction, ...], error: type[ServiceError]
) -> None:
    # T-STO-07: even where it has been resumed since.
    sealing = seal_ofd(scene)
    for action in actions:
        move(scene.database, scene.seal, action)
    with pytest.raises(error):
        commit(scene, sealing)
    assert (all_uses(scene)[0].state, leaves(scene)) == (UseState.OPEN, 0)


def test_a_seal_stopped_between_check_and_intent_signs_nothing(scene: SealScene) -> None:
    def stop(places: object) -> None:
        move(scene.database, scene.seal, SealAction.SUSPEND)

    real = scene.keys.public_key
    scene.keys.public_key = lambda name: (stop(name), real(name))[1]  # type: ignore[method-assign, func-returns-value]
    with pytest.raises(SealSuspended):
        seal_ofd(scene)
    assert (scene.keys.signed, all_uses(scene)) == ([], ())


def test_a_seal_whose_period_ran_out_since_is_not_committed(scene: SealScene) -> None:
    sealing = seal_ofd(scene)
    scene.clock.move(YEAR + timedelta(seconds=1))
    with pytest.raises(SealExpired):
        commit(scene, sealing)


def test_a_use_commits_once(scene: SealScene) -> None:
    sealing = seal_ofd(scene)
    commit(scene, sealing)
    with pytest.raises(SealUseClosed):
        commit(scene, sealing)
    assert leaves(scene) == 1


def test_a_use_of_another_tenant_or_none_cannot_be_committed(scene: SealScene) -> None:
    sealing = seal_ofd(scene)
    with pytest.raises(SealUseClosed):
        commit(scene, sealing, tenant=OTHER_TENANT)
    with pytest.raises(SealUseClosed):
        commit(scene, sealing, Sealing(document=b"", use_id="su-none", format=DocumentFormat.OFD))
    assert all_uses(scene)[0].state is UseState.OPEN


def test_giving_up_closes_open_uses_only(scene: SealScene) -> None:
    first, second = seal_ofd(scene), seal_pdf(scene)
    commit(scene, first)
    scene.sealer.abandon_uses([first.use_id, second.use_id], OTHER_TENANT)
    assert all_uses(scene)[1].state is UseState.OPEN
    scene.sealer.abandon_uses([first.use_id, second.use_id], TENANT)
    assert [use.state for use in all_uses(scene)] == [UseState.COMMITTED, UseState.ABANDONED]
    with pytest.raises(SealUseClosed):
        commit(scene, second)


def test_the_sweep_closes_what_a_crash_left_open(scene: SealScene) -> None:
    # T-STO-18: not what may still be under way.
    old, new = seal_ofd(scene), seal_ofd(scene)
    commit(scene, new)
    scene.clock.move(timedelta(seconds=3600))
    assert scene.sealer.sweep() == 0
    scene.clock.move(timedelta(seconds=1))
    assert scene.sealer.sweep() == 1
    states = {use.intent.use_id: use.state for use in all_uses(scene)}
    assert states == {old.use_id: UseState.ABANDONED, new.use_id: UseState.COMMITTED}


# Choosing a seal


def test_the_newest_usable_seal_is_chosen(scene: SealScene) -> None:
    assert scene.sealer.find_seal(TENANT, BUSINESS_LICENCE) == "SEAL-1"
    newer = bring_into_use(scene.database, apply_for_seal(scene.database, "SEAL-2"))
    assert scene.sealer.find_seal(TENANT, BUSINESS_LICENCE) == "SEAL-1"
    grant(scene.database, newer)
    assert scene.sealer.find_seal(TENANT, BUSINESS_LICENCE) == "SEAL-2"
    move(scene.database, newer, SealAction.SUSPEND)
    assert scene.sealer.find_seal(TENANT, BUSINESS_LICENCE) == "SEAL-1"


def test_no_seal_is_chosen_for_a_type_without_mandate(scene: SealScene) -> None:
    with pytest.raises(MandateMissing):
        scene.sealer.find_seal(TENANT, FOOD_PERMIT)
