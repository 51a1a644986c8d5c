"""The seal bureau: from application to use, with the picture drawn and the maker's key."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from keys.algorithms import KeyAlgorithm
from keys.certificates import parse_certificate
from keys.errors import InvalidKey
from seal_service.errors import (
    DualControlRefused,
    GlyphMissing,
    InvalidSealOrder,
    SealExpired,
    SealNotFound,
    SealStateRefused,
)
from seal_service.formats.ses import parse_seal, verify_seal_value
from seal_service.plumbing.callers import NewCaller, change_scopes, disable, register_caller
from seal_service.plumbing.database import Database
from seal_service.plumbing.secret_box import SecretBox
from seal_service.seals.bureau import BureauParts, People, SealBureau, Step, make_seal_id
from seal_service.seals.faces import SealFonts
from seal_service.seals.glyphs import SealFont
from seal_service.seals.making import LICENCE_SEAL_TYPE
from seal_service.seals.model import Seal, SealFace, SigningIdentity
from seal_service.seals.preview import SealPainter
from seal_service.seals.request_desk import RequestDesk, RequestParts
from seal_service.seals.states import SealAction, SealState
from tests.support.licences import BUSINESS_LICENCE, FOOD_PERMIT, MovingClock, make_randomness
from tests.support.register import (
    OTHER_TENANT,
    TENANT,
    MemoryKeys,
    identity,
    make_application,
    memory_keys,
)
from tests.support.trust import MAKER_NAME, NOW, SM2_TRUST, YEAR, make_key

FONT = SealFont(path=Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc"), face=2)
PEOPLE = People(applicant="applicant", approver="approver", maker="maker", manager="manager")
STEP = Step(applicant="applicant", approver="approver", basis_document="云栖政办〔2026〕12 号")
MAKING = replace(STEP, approver="maker")

pytestmark = pytest.mark.skipif(not FONT.path.exists(), reason="Noto Serif CJK is not installed")


class Scene:
    """A bureau whose source of keys can be exchanged."""

    def __init__(self, database: Database) -> None:
        self.keys: MemoryKeys = memory_keys()
        self.keys.keys["seal-maker"] = make_key(MAKER_NAME)
        self.clock = MovingClock(NOW)
        self.identity: SigningIdentity | None = None
        self.bureau = SealBureau(
            BureauParts(
                database=database,
                clock=self.clock,
                randomness=make_randomness(5),
                keys=self.keys,
                maker=lambda: SigningIdentity(
                    key_name="seal-maker", chain=(SM2_TRUST.maker().certificate,)
                ),
                painter=SealPainter(database, SealFonts(text=FONT, name=FONT)),
                identities=lambda seal, algorithm: self.identity or identity(algorithm),
            )
        )

        self.revoked: list[tuple[bytes, datetime, datetime]] = []
        self.desk = RequestDesk(
            RequestParts(
                database=database,
                clock=self.clock,
                randomness=make_randomness(6),
                revoke_certificate=lambda *words: self.revoked.append(words),
            )
        )

    def approved(self, **changes: object) -> Seal:
        application = make_application(**changes)
        seal = self.bureau.apply(application, applicant="applicant", basis_document="申请表")
        return self.bureau.approve(TENANT, seal.seal_id, STEP, application.digest)


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.mark.parametrize("lapse", ["disabled", "expired", "scope", "none"])
def test_what_somebody_approved_who_may_approve_no_more_is_not_made(
    database: Database, lapse: str
) -> None:
    # T-API-09: the checker's authority ended between approval and use.
    scene = Scene(database)
    new = NewCaller(
        caller_id="approver",
        authority_code=TENANT,
        scopes=frozenset({"seals:approve"}),
        expires_at=NOW + timedelta(hours=1) if lapse == "expired" else None,
    )
    with database.transaction() as connection:
        box = SecretBox(bytes(32))
        register_caller(connection, new, box=box, randomness=make_randomness(1), now=NOW)
    seal = scene.approved()
    scene.clock.move(timedelta(hours=2))
    with database.transaction() as connection:
        if lapse == "disabled":
            disable(connection, "approver", now=scene.clock.now())
        if lapse == "scope":
            change_scopes(connection, "approver", frozenset({"seals:read"}))
    if lapse == "none":
        assert scene.bureau.make(TENANT, seal.seal_id, MAKING).made is not None
        return
    with pytest.raises(DualControlRefused) as refusal:
        scene.bureau.make(TENANT, seal.seal_id, MAKING)
    assert refusal.value.params["rule"] == "approver-lapsed"


def test_a_seal_goes_all_the_legal_way_into_use(scene: Scene) -> None:
    seal = scene.bureau.register_made_seal(
        make_application(),
        PEOPLE,
        basis_document="云栖政办〔2026〕12 号",
        licence_type_codes=[BUSINESS_LICENCE, FOOD_PERMIT],
    )
    assert seal.state is SealState.ACTIVE
    events = scene.bureau.history(TENANT, seal.seal_id)
    assert [event.approver for event in events] == [
        "",
        "approver",
        "maker",
        "manager",
        "manager",
        "manager",
    ]
    mandates = scene.bureau.mandates(TENANT, seal.seal_id)
    assert [mandate.grant.licence_type_code for mandate in mandates] == [
        BUSINESS_LICENCE,
        FOOD_PERMIT,
    ]
    assert scene.bureau.status(TENANT, seal.seal_id).state is SealState.ACTIVE


def test_a_made_seal_is_signed_by_the_maker_and_names_its_signer(scene: Scene) -> None:
    seal = scene.bureau.make(TENANT, scene.approved().seal_id, MAKING)
    made = seal.made
    assert made is not None
    eseal = parse_seal(made.eseal_der)
    assert verify_seal_value(eseal).der == SM2_TRUST.maker().certificate
    assert (eseal.seal_id, eseal.name) == (seal.seal_id, seal.name)
    assert eseal.seal_type == LICENCE_SEAL_TYPE
    assert eseal.certificates == (identity(KeyAlgorithm.SM2).certificate,)
    assert (eseal.picture.data, eseal.picture.width_mm) == (made.picture_png, 42)
    assert (eseal.valid_from, eseal.valid_until) == (NOW - timedelta(days=1), NOW + YEAR)
    assert scene.keys.signed == ["seal-maker"]


def test_making_waits_for_the_approval(scene: Scene) -> None:
    seal = scene.bureau.apply(make_application(), applicant="applicant", basis_document="申请表")
    with pytest.raises(SealStateRefused):
        scene.bureau.make(TENANT, seal.seal_id, MAKING)
    assert scene.keys.signed == []


def test_the_applicant_does_not_make_the_seal(scene: Scene) -> None:
    # T-API-09
    seal = scene.approved()
    with pytest.raises(DualControlRefused):
        scene.bureau.make(TENANT, seal.seal_id, replace(MAKING, approver="applicant"))


@pytest.mark.parametrize("twin", ["applicant", "approver", "maker"])
def test_one_person_does_not_play_two_parts(scene: Scene, twin: str) -> None:
    people = replace(PEOPLE, manager=twin)
    with pytest.raises(InvalidSealOrder):
        scene.bureau.register_made_seal(make_application(), people, basis_document="依据")
    assert scene.bureau.list_seals(TENANT, state=None, after=None, limit=9) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        replace(identity(KeyAlgorithm.SM2), key_name="seal-maker"),
        identity(KeyAlgorithm.RSA),
        identity(KeyAlgorithm.SM2, organisation_code=OTHER_TENANT),
    ],
    ids=["key of another certificate", "another algorithm", "another unit"],
)
def test_a_certificate_that_is_not_the_holders_is_refused(
    scene: Scene, wrong: SigningIdentity
) -> None:
    """T-KEY-04, T-PKI-12: another key, another algorithm, the certificate of another organ."""
    scene.identity = wrong
    seal = scene.approved()
    with pytest.raises(InvalidKey):
        scene.bureau.make(TENANT, seal.seal_id, MAKING)
    assert scene.bureau.show(TENANT, seal.seal_id).state is SealState.APPROVED


def test_a_maker_whose_certificate_ran_out_makes_nothing(scene: Scene) -> None:
    scene.clock.move(3 * YEAR)
    seal = scene.approved(valid_until=NOW + 9 * YEAR)
    with pytest.raises(SealExpired):
        scene.bureau.make(TENANT, seal.seal_id, MAKING)


def test_a_name_the_font_cannot_draw_is_named(scene: Scene) -> None:
    face = SealFace(name="金陵市\U000f0000局", line_below="电子证照专用章")
    seal = scene.approved(face=face)
    with pytest.raises(GlyphMissing) as refused:
        scene.bureau.make(TENANT, seal.seal_id, MAKING)
    assert refused.value.params["character"] == "\U000f0000"


def test_another_tenant_reaches_nothing(scene: Scene) -> None:
    # T-API-06
    seal = scene.approved()
    for reach in (
        lambda: scene.bureau.show(OTHER_TENANT, seal.seal_id),
        lambda: scene.bureau.history(OTHER_TENANT, seal.seal_id),
        lambda: scene.bureau.status(OTHER_TENANT, seal.seal_id),
        lambda: scene.bureau.mandates(OTHER_TENANT, seal.seal_id),
        lambda: scene.bureau.make(OTHER_TENANT, seal.seal_id, MAKING),
        lambda: scene.bureau.move(OTHER_TENANT, seal.seal_id, SealAction.CANCEL, STEP),
    ):
        with pytest.raises(SealNotFound):
            reach()


def test_a_seal_identifier_is_fresh_and_ascii() -> None:
    assert make_seal_id(TENANT, b"\x01\xab" * 4) == f"{TENANT}01AB01AB01AB01AB"


def test_the_holder_of_the_certificate_is_the_owner() -> None:
    certificate = parse_certificate(identity(KeyAlgorithm.SM2).certificate)
    assert certificate.organisation_code == TENANT
