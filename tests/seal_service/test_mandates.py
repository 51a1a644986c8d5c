"""Who may use which seal for what (T-API-07, T-API-09; T-KEY-04, T-KEY-07)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keys.algorithms import KeyAlgorithm
from keys.errors import InvalidKey
from seal_service.errors import (
    DualControlRefused,
    InvalidSealOrder,
    MandateMissing,
    SealExpired,
    SealNotFound,
    SealRevoked,
    SealStateRefused,
    SealSuspended,
)
from seal_service.plumbing.database import Database
from seal_service.seals import mandates
from seal_service.seals.model import NO_LIMITS, Mandate, MandateGrant, MandateLimits
from seal_service.seals.policy import (
    WantedUse,
    check_identity,
    check_mandate,
    check_state,
    day_start,
)
from seal_service.seals.states import SealState
from tests.support.licences import BUSINESS_LICENCE, FOOD_PERMIT
from tests.support.ofd import make_ofd
from tests.support.register import (
    OTHER_TENANT,
    TENANT,
    SealScene,
    apply_for_seal,
    grant,
    identity,
    memory_keys,
)
from tests.support.trust import NOW, YEAR, make_key

DAY = timedelta(days=1)
MATTER = "000116003000"
WANTED = WantedUse(caller_id="approval", licence_type_code=BUSINESS_LICENCE, matter_code=MATTER)
NOON = 12 * 60
"""``NOW`` in Asia/Shanghai, minutes of the day."""


def make_mandate(
    *,
    caller_id: str | None = None,
    licence_type_code: str | None = BUSINESS_LICENCE,
    valid_from: datetime = NOW - DAY,
    valid_until: datetime = NOW + DAY,
    withdrawn_at: datetime | None = None,
    limits: MandateLimits = NO_LIMITS,
) -> Mandate:
    return Mandate(
        mandate_id=1,
        grant=MandateGrant(
            authority_code=TENANT,
            seal_id="SEAL-1",
            caller_id=caller_id,
            licence_type_code=licence_type_code,
            valid_from=valid_from,
            valid_until=valid_until,
            applicant="a",
            approver="b",
            basis_document="用章授权书",
            limits=limits,
        ),
        granted_at=NOW - DAY,
        withdrawn_at=withdrawn_at,
    )


@pytest.mark.parametrize(
    "mandate",
    [
        make_mandate(),
        make_mandate(caller_id="approval"),
        make_mandate(licence_type_code=None),
        make_mandate(valid_from=NOW),
        make_mandate(valid_until=NOW),
        make_mandate(withdrawn_at=NOW + timedelta(seconds=1)),
        make_mandate(limits=MandateLimits(matter_codes=("000116004000", MATTER))),
        make_mandate(limits=MandateLimits(hours=(NOON, NOON + 1))),
        make_mandate(
            licence_type_code=None,
            limits=MandateLimits(type_codes=(FOOD_PERMIT, BUSINESS_LICENCE)),
        ),
    ],
)
def test_a_mandate_covers_its_use(mandate: Mandate) -> None:
    assert check_mandate([mandate], WANTED, NOW) is mandate


@pytest.mark.parametrize(
    ("mandate", "rule"),
    [
        (None, "no-mandate"),
        (make_mandate(licence_type_code=FOOD_PERMIT), "licence-type"),
        (make_mandate(caller_id="another"), "caller"),
        (make_mandate(withdrawn_at=NOW), "withdrawn"),
        (make_mandate(valid_from=NOW + DAY, valid_until=NOW + 2 * DAY), "not-yet"),
        (make_mandate(valid_until=NOW - timedelta(seconds=1)), "over"),
        (make_mandate(limits=MandateLimits(matter_codes=("000116004000",))), "matter"),
        (make_mandate(limits=MandateLimits(hours=(NOON - 60, NOON))), "hours"),
        (make_mandate(limits=MandateLimits(hours=(NOON + 1, NOON + 60))), "hours"),
        (
            make_mandate(
                licence_type_code=None, limits=MandateLimits(type_codes=(FOOD_PERMIT, "letter"))
            ),
            "licence-type",
        ),
    ],
)
def test_a_refusal_names_the_rule(mandate: Mandate | None, rule: str) -> None:
    with pytest.raises(MandateMissing) as refused:
        check_mandate([mandate] if mandate else [], WANTED, NOW)
    assert refused.value.params["rule"] == rule


def test_among_several_the_one_that_came_closest_is_named() -> None:
    several = [make_mandate(licence_type_code=FOOD_PERMIT), make_mandate(withdrawn_at=NOW)]
    with pytest.raises(MandateMissing) as refused:
        check_mandate(several, WANTED, NOW)
    assert refused.value.params["rule"] == "withdrawn"


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (SealState.APPLIED, SealStateRefused),
        (SealState.ISSUED, SealStateRefused),
        (SealState.SUSPENDED, SealSuspended),
        (SealState.LOST, SealSuspended),
        (SealState.CHANGED, SealRevoked),
        (SealState.EXPIRED, SealExpired),
        (SealState.REVOKED, SealRevoked),
        (SealState.CANCELLED, SealRevoked),
        (SealState.DESTROYED, SealRevoked),
    ],
)
def test_only_an_active_seal_may_be_used(state: SealState, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_state(state, "SEAL-1")
    check_state(SealState.ACTIVE, "SEAL-1")


def test_a_key_is_not_used_beyond_its_certificate() -> None:
    # T-KEY-07
    key = memory_keys().public_key("seal-sm2")
    check_identity(identity(KeyAlgorithm.SM2), key, NOW)
    for at in (NOW - 2 * YEAR, NOW + 3 * YEAR):
        with pytest.raises(SealExpired) as refused:
            check_identity(identity(KeyAlgorithm.SM2), key, at)
        assert refused.value.params["rule"] == "certificate-period"


def test_a_key_that_is_not_the_certificates_is_refused() -> None:
    # T-KEY-04
    with pytest.raises(InvalidKey):
        check_identity(identity(KeyAlgorithm.SM2), make_key("another").public_key, NOW)


def test_mandates_stay_in_the_register_when_withdrawn(database: Database) -> None:
    seal = apply_for_seal(database)
    grant(database, seal, caller_id="approval")
    grant(database, seal, licence_type_code=None)
    grant(database, seal, licence_type_code=FOOD_PERMIT)
    with database.transaction() as connection:
        found = mandates.mandates_of(connection, TENANT, seal.seal_id)
        mandates.withdraw_mandate(connection, TENANT, found[0].mandate_id, actor="manager", now=NOW)
    with database.reading() as connection:
        kept = mandates.mandates_of(connection, TENANT, seal.seal_id)
        business = mandates.mandates_for_type(connection, TENANT, BUSINESS_LICENCE)
    assert [mandate.withdrawn_at for mandate in kept] == [NOW, None, None]
    assert kept[0].grant == found[0].grant
    assert [mandate.mandate_id for mandate in business] == [kept[0].mandate_id, kept[1].mandate_id]


def test_a_mandate_of_another_tenant_cannot_be_seen_or_ended(database: Database) -> None:
    # T-API-06, T-API-07
    seal = apply_for_seal(database)
    grant(database, seal)
    with pytest.raises(SealNotFound):
        grant(database, seal, authority_code=OTHER_TENANT)
    with database.transaction() as connection:
        mandate = mandates.mandates_of(connection, TENANT, seal.seal_id)[0]
        assert mandates.mandates_of(connection, OTHER_TENANT, seal.seal_id) == ()
        assert mandates.mandates_for_type(connection, OTHER_TENANT, BUSINESS_LICENCE) == ()
        with pytest.raises(MandateMissing):
            mandates.withdraw_mandate(
                connection, OTHER_TENANT, mandate.mandate_id, actor="x", now=NOW
            )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"approver": "applicant"}, DualControlRefused),
        ({"valid_until": NOW - YEAR}, InvalidSealOrder),
        ({"basis_document": " "}, InvalidSealOrder),
        ({"limits": MandateLimits(hours=(600, 600))}, InvalidSealOrder),
        ({"limits": MandateLimits(hours=(0, 1441))}, InvalidSealOrder),
        ({"limits": MandateLimits(daily_count=0)}, InvalidSealOrder),
    ],
)
def test_a_mandate_needs_two_persons_a_period_and_a_basis(
    database: Database, changes: dict[str, object], error: type[Exception]
) -> None:
    seal = apply_for_seal(database)
    with pytest.raises(error):
        grant(database, seal, **changes)


def test_a_use_of_no_matter_needs_a_mandate_for_all() -> None:
    narrow = make_mandate(limits=MandateLimits(matter_codes=(MATTER,)))
    nothing = WantedUse(caller_id="approval", licence_type_code=BUSINESS_LICENCE, matter_code="")
    with pytest.raises(MandateMissing):
        check_mandate([narrow], nothing, NOW)
    assert check_mandate([narrow, make_mandate()], nothing, NOW) == make_mandate()


def test_a_day_is_one_of_shanghai() -> None:
    evening = datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)
    assert day_start(evening) == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert day_start(evening + timedelta(seconds=1)) == datetime(2026, 11, 24, 16, tzinfo=UTC)


def _scene(database: Database, **limits: object) -> SealScene:
    """Return a seal in use whose only mandate has these limits."""
    scene = SealScene(database)
    with database.transaction() as connection:
        (free,) = mandates.mandates_of(connection, TENANT, scene.seal.seal_id)
        mandates.withdraw_mandate(connection, TENANT, free.mandate_id, actor="manager", now=NOW)
    grant(database, scene.seal, limits=MandateLimits(**limits))  # type: ignore[arg-type]
    return scene


def test_a_daily_count_is_a_hard_limit_until_midnight(database: Database) -> None:
    scene = _scene(database, daily_count=2)
    document = make_ofd()
    used = [scene.sealer.seal_ofd(scene.order(), document) for _ in range(2)]
    for _ in range(2):
        with pytest.raises(MandateMissing) as refused:
            scene.sealer.seal_ofd(scene.order(), document)
        assert refused.value.params["rule"] == "daily-count"
    # A use that was given up gives its place back.
    scene.sealer.abandon_uses([used[0].use_id], TENANT)
    scene.sealer.seal_ofd(scene.order(), document)
    # NOW is noon in Shanghai; the next day begins twelve hours later.
    scene.clock.move(12 * timedelta(hours=1))
    scene.sealer.seal_ofd(scene.order(), document)


def test_a_second_mandate_takes_over_where_the_first_is_used_up(database: Database) -> None:
    scene = _scene(database, daily_count=1)
    grant(database, scene.seal, limits=MandateLimits(daily_count=1))
    document = make_ofd()
    for _ in range(2):
        scene.sealer.seal_ofd(scene.order(), document)
    with pytest.raises(MandateMissing):
        scene.sealer.seal_ofd(scene.order(), document)


def test_a_mandate_withdrawn_after_the_check_is_noticed_at_the_intent(database: Database) -> None:
    scene = SealScene(database)
    with database.transaction() as connection:
        (mandate,) = mandates.mandates_of(connection, TENANT, scene.seal.seal_id)
        mandates.withdraw_mandate(connection, TENANT, mandate.mandate_id, actor="manager", now=NOW)
        with pytest.raises(MandateMissing) as refused:
            mandates.claim(connection, [mandate], NOW)
    assert refused.value.params["rule"] == "withdrawn"


def test_a_matter_is_part_of_an_order(database: Database) -> None:
    scene = _scene(database, matter_codes=(MATTER,))
    document = make_ofd()
    scene.sealer.seal_ofd(replace(scene.order(), matter_code=MATTER), document)
    with pytest.raises(MandateMissing):
        scene.sealer.seal_ofd(scene.order(), document)
