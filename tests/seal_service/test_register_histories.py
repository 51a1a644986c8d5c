"""Whatever is tried in whatever order, the register keeps one legal history (T-STO-08)."""

from datetime import timedelta
from itertools import count, pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.errors import ServiceError
from seal_service.plumbing.database import Database
from seal_service.seals import lookup, registry
from seal_service.seals.states import MOVES, SealAction, SealState
from tests.support.register import TENANT, apply_for_seal, made_seal, move, order
from tests.support.trust import NOW

_numbers = count()
_STARTS = (
    (),
    (SealAction.APPROVE, SealAction.MAKE),
    (
        SealAction.APPROVE,
        SealAction.MAKE,
        SealAction.FILE,
        SealAction.ISSUE,
        SealAction.ACTIVATE,
    ),
)
_PEOPLE = st.sampled_from(["applicant", "manager", "approver"])


def _attempt(database: Database, seal_id: str, action: SealAction, who: tuple[str, str]) -> None:
    with database.reading() as connection:
        seal = lookup.find(connection, TENANT, seal_id)
    applicant, approver = who
    wanted = order(seal, action, applicant=applicant, approver=approver)
    if action is SealAction.APPROVE:
        with database.transaction() as connection:
            registry.approve(connection, wanted, seal.application.digest)
    elif action is SealAction.MAKE:
        with database.transaction() as connection:
            registry.record_made(connection, wanted, made_seal("SEAL-1", seal.name))
    else:
        move(database, seal, action, applicant=applicant, approver=approver)


@settings(
    max_examples=25,
    deadline=timedelta(seconds=20),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    start=st.sampled_from(_STARTS),
    attempts=st.lists(
        st.tuples(st.sampled_from(SealAction), st.tuples(_PEOPLE, _PEOPLE)), max_size=14
    ),
)
def test_every_sequence_of_attempts_leaves_a_legal_history(
    database: Database,
    start: tuple[SealAction, ...],
    attempts: list[tuple[SealAction, tuple[str, str]]],
) -> None:
    seal_id = f"SEAL-H{next(_numbers)}"
    apply_for_seal(database, seal_id)
    for action in start:
        _attempt(database, seal_id, action, ("applicant", "manager"))
    for action, who in attempts:
        try:
            _attempt(database, seal_id, action, who)
        except ServiceError:
            continue
    with database.reading() as connection:
        seal = lookup.find(connection, TENANT, seal_id)
        events = lookup.history(connection, TENANT, seal_id)
        now = lookup.status_at(connection, seal_id, NOW)
    assert events[0].action is SealAction.APPLY
    for earlier, later in pairwise(events):
        assert later.before is earlier.after
        assert MOVES[earlier.after, later.action] is later.after
        was_stopped = earlier.after is SealState.ACTIVE
        assert later.epoch == earlier.epoch + was_stopped
        assert later.happened_at >= earlier.happened_at
    assert (seal.state, seal.epoch) == (events[-1].after, events[-1].epoch)
    assert now.state is seal.state
    # Whoever applied brought nothing into use, whatever was written beside it.
    assert all(
        event.approver != "applicant"
        for event in events
        if event.action in (SealAction.APPROVE, SealAction.MAKE, SealAction.ACTIVATE)
    )
