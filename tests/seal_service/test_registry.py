"""The seal register on both databases (T-API-06, 09, 10; T-STO-08)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from seal_service.errors import (
    DualControlRefused,
    InvalidSealOrder,
    SealNotFound,
    SealStateRefused,
)
from seal_service.plumbing.database import Database
from seal_service.seals import lookup, registry
from seal_service.seals.model import SealFace, SealKind, SealStatus
from seal_service.seals.states import MOVES, SealAction, SealState
from tests.support.register import (
    OTHER_TENANT,
    TENANT,
    apply_for_seal,
    bring_into_use,
    made_seal,
    make_application,
    move,
    order,
)
from tests.support.trust import NOW, YEAR

HOUR = timedelta(hours=1)


def status(database: Database, hours: float) -> SealStatus:
    with database.reading() as connection:
        return lookup.status_at(connection, "SEAL-1", NOW + hours * HOUR)


def test_a_seal_comes_back_as_it_was_applied_for_and_made(database: Database) -> None:
    seal = bring_into_use(database, apply_for_seal(database))
    assert (seal.state, seal.epoch) == (SealState.ACTIVE, 1)
    assert seal.application == make_application()
    assert seal.made == made_seal(seal.seal_id, seal.name, seal.application.valid_until)
    assert seal.name.endswith("电子证照专用章")


def test_every_step_leaves_its_event(database: Database) -> None:
    seal = bring_into_use(database, apply_for_seal(database))
    move(database, seal, SealAction.SUSPEND, reason="印章管理员离岗")
    with database.reading() as connection:
        events = lookup.history(connection, TENANT, seal.seal_id)
    assert [event.action.value for event in events] == [
        "apply",
        "approve",
        "make",
        "file",
        "issue",
        "activate",
        "suspend",
    ]
    last = events[-1]
    assert (last.before, last.after, last.epoch) == (SealState.ACTIVE, SealState.SUSPENDED, 2)
    assert (last.applicant, last.approver) == ("applicant", "manager")
    assert (last.reason, last.basis_document) == ("印章管理员离岗", "云栖政办〔2026〕12 号")


def test_nobody_approves_their_own_application(database: Database) -> None:
    # T-API-09: whatever name the order gives for the applicant.
    seal = apply_for_seal(database)
    own = order(seal, SealAction.APPROVE, approver="applicant", applicant="somebody else")
    with pytest.raises(DualControlRefused), database.transaction() as connection:
        registry.approve(connection, own, seal.application.digest)


@pytest.mark.parametrize(
    "changes",
    [
        {"face": SealFace(name="金陵市云栖区行政审批局", line_below="合同专用章")},
        {"valid_until": NOW + 2 * YEAR},
        {"kind": SealKind.OFFICIAL},
    ],
)
def test_an_approval_binds_what_was_read(database: Database, changes: dict[str, object]) -> None:
    # T-API-10
    seal = apply_for_seal(database)
    digest = make_application(**changes).digest
    with pytest.raises(DualControlRefused), database.transaction() as connection:
        registry.approve(connection, order(seal, SealAction.APPROVE), digest)


def test_an_application_cannot_be_approved_by_a_plain_move(database: Database) -> None:
    seal = apply_for_seal(database)
    for action in (SealAction.APPROVE, SealAction.MAKE):
        with pytest.raises(InvalidSealOrder):
            move(database, seal, action)


def test_the_maker_is_not_the_applicant(database: Database) -> None:
    seal = apply_for_seal(database)
    with database.transaction() as connection:
        registry.approve(connection, order(seal, SealAction.APPROVE), seal.application.digest)
    making = order(seal, SealAction.MAKE, approver="applicant")
    with pytest.raises(DualControlRefused), database.transaction() as connection:
        registry.record_made(connection, making, made_seal(seal.seal_id, seal.name))


def test_a_refused_step_leaves_nothing(database: Database) -> None:
    seal = apply_for_seal(database)
    for action in SealAction:
        legal = (SealState.APPLIED, action) in MOVES
        if not legal and action is not SealAction.MAKE:
            with pytest.raises(SealStateRefused):
                move(database, seal, action)
    with database.reading() as connection:
        assert len(lookup.history(connection, TENANT, seal.seal_id)) == 1
        assert lookup.find(connection, TENANT, seal.seal_id) == seal


@pytest.mark.parametrize("field", ["basis_document", "approver"])
def test_a_step_needs_a_basis_and_somebody_who_decides(database: Database, field: str) -> None:
    seal = bring_into_use(database, apply_for_seal(database))
    with pytest.raises(InvalidSealOrder) as refused:
        move(database, seal, SealAction.SUSPEND, **{field: " "})
    assert refused.value.params["field"] == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"face": SealFace(name=" ", line_below="电子证照专用章")}, "name"),
        ({"face": SealFace(name="金陵市数据管理局")}, "line_below"),
        ({"valid_until": NOW - YEAR}, "valid_until"),
    ],
)
def test_an_application_must_make_sense(
    database: Database, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidSealOrder) as refused:
        apply_for_seal(database, **changes)
    assert refused.value.params["field"] == field


def test_another_tenant_finds_nothing(database: Database) -> None:
    # T-API-06: reads, lists and moves alike.
    seal = bring_into_use(database, apply_for_seal(database))
    with database.reading() as connection:
        with pytest.raises(SealNotFound):
            lookup.find(connection, OTHER_TENANT, seal.seal_id)
        assert lookup.list_seals(connection, OTHER_TENANT) == ()
        assert lookup.find_many(connection, OTHER_TENANT, [seal.seal_id]) == ()
        assert lookup.history(connection, OTHER_TENANT, seal.seal_id) == ()
    foreign = replace(order(seal, SealAction.REVOKE), authority_code=OTHER_TENANT)
    with pytest.raises(SealNotFound), database.transaction() as connection:
        registry.move(connection, foreign)
    with pytest.raises(SealNotFound):
        apply_for_seal(
            database, "SEAL-2", authority_code=OTHER_TENANT, predecessor_seal_id=seal.seal_id
        )


def test_the_status_of_any_instant_can_be_asked(database: Database) -> None:
    seal = bring_into_use(database, apply_for_seal(database))
    move(database, seal, SealAction.SUSPEND, NOW + 2 * HOUR, reason="盘点")
    move(database, seal, SealAction.RESUME, NOW + 4 * HOUR)
    move(database, seal, SealAction.REVOKE, NOW + 6 * HOUR, reason="签名密钥疑似泄露")
    states = {hours: status(database, hours).state.value for hours in (0, 1.9, 2, 3, 4, 5, 6, 9)}
    assert states == {
        0: "active",
        1.9: "active",
        2: "suspended",
        3: "suspended",
        4: "active",
        5: "active",
        6: "revoked",
        9: "revoked",
    }
    last = status(database, 9)
    assert (last.since, last.stop_reason) == (NOW + 6 * HOUR, "签名密钥疑似泄露")
    assert status(database, 5).stop_reason == ""


def test_before_the_application_the_seal_is_unknown(database: Database) -> None:
    apply_for_seal(database)
    with pytest.raises(SealNotFound):
        status(database, -1)


def test_a_period_that_ran_out_counts_before_it_is_recorded(database: Database) -> None:
    bring_into_use(database, apply_for_seal(database, valid_until=NOW + HOUR))
    later = status(database, 2)
    assert (later.state, later.since) == (SealState.EXPIRED, NOW + HOUR)
    with database.transaction() as connection:
        assert registry.expire_due(connection, NOW + HOUR) == 0
        assert registry.expire_due(connection, NOW + 3 * HOUR) == 1
        assert registry.expire_due(connection, NOW + 3 * HOUR) == 0
    with database.reading() as connection:
        seal = lookup.find(connection, TENANT, "SEAL-1")
    assert (seal.state, seal.epoch) == (SealState.EXPIRED, 2)


def test_a_clock_that_was_set_back_does_not_reorder_history(database: Database) -> None:
    seal = bring_into_use(database, apply_for_seal(database))
    move(database, seal, SealAction.SUSPEND, NOW + 2 * HOUR)
    move(database, seal, SealAction.RESUME, NOW + HOUR)
    with database.reading() as connection:
        events = lookup.history(connection, TENANT, seal.seal_id)
    assert events[-1].happened_at == NOW + 2 * HOUR


def test_a_changed_face_keeps_the_old_seal_and_its_history(database: Database) -> None:
    old = bring_into_use(database, apply_for_seal(database))
    new = bring_into_use(
        database, apply_for_seal(database, "SEAL-2", predecessor_seal_id=old.seal_id)
    )
    move(database, old, SealAction.CHANGE, reason="机构更名")
    with database.reading() as connection:
        kept = lookup.find(connection, TENANT, old.seal_id)
        assert len(lookup.history(connection, TENANT, old.seal_id)) == 7
        newest = lookup.list_seals(connection, TENANT, limit=1)
        rest = lookup.list_seals(connection, TENANT, after=newest[0].seal_id)
        active = lookup.list_seals(connection, TENANT, state=SealState.ACTIVE)
    assert (kept.state, kept.made) == (SealState.CHANGED, old.made)
    assert new.application.predecessor_seal_id == old.seal_id
    assert [seal.seal_id for seal in (*newest, *rest)] == ["SEAL-2", "SEAL-1"]
    assert [seal.seal_id for seal in active] == ["SEAL-2"]
