"""The life table of a seal (T-STO-08, T-API-09)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.errors import DualControlRefused, SealStateRefused
from seal_service.seals.states import (
    MOVES,
    STATE_NAMES,
    TWO_PERSON_ACTIONS,
    SealAction,
    SealEvent,
    SealState,
    check_two_persons,
    next_epoch,
    next_state,
    state_at,
)

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(days=365)


def event(number: int, before: SealState | None, action: SealAction, after: SealState) -> SealEvent:
    return SealEvent(
        happened_at=NOW + timedelta(hours=number),
        action=action,
        before=before,
        after=after,
        epoch=1,
        applicant="applicant",
        approver="approver",
        basis_document="依据",
        reason="",
    )


def test_every_state_has_a_name_and_can_be_reached() -> None:
    reached = {SealState.APPLIED, *MOVES.values()}
    assert reached == set(SealState) == set(STATE_NAMES)


def test_rejected_and_destroyed_are_final() -> None:
    going_on = {before for before, _ in MOVES}
    assert set(SealState) - going_on == {SealState.REJECTED, SealState.DESTROYED}


def test_a_seal_becomes_active_only_by_activating_and_resuming() -> None:
    ways = {(before, action) for (before, action), after in MOVES.items() if after == "active"}
    assert ways == {
        (SealState.ISSUED, SealAction.ACTIVATE),
        (SealState.SUSPENDED, SealAction.RESUME),
    }


def test_nothing_leads_from_an_ended_seal_back_into_use() -> None:
    ended = {
        SealState.LOST,
        SealState.CHANGED,
        SealState.EXPIRED,
        SealState.REVOKED,
        SealState.CANCELLED,
        SealState.DESTROYED,
    }
    assert all(after in ended for (before, _), after in MOVES.items() if before in ended)


def test_stopping_needs_one_person_and_starting_or_ending_two() -> None:
    assert not TWO_PERSON_ACTIONS & {SealAction.SUSPEND, SealAction.REPORT_LOST}
    assert {SealAction.APPROVE, SealAction.ACTIVATE, SealAction.RESUME} <= TWO_PERSON_ACTIONS
    ending = {SealAction.REVOKE, SealAction.COMPROMISE, SealAction.CANCEL, SealAction.DESTROY}
    assert ending <= TWO_PERSON_ACTIONS


def test_nobody_approves_their_own_request() -> None:
    with pytest.raises(DualControlRefused):
        check_two_persons(SealAction.APPROVE, "a", "a")
    check_two_persons(SealAction.APPROVE, "a", "b")
    check_two_persons(SealAction.SUSPEND, "a", "a")


def test_an_illegal_move_says_what_was_tried() -> None:
    with pytest.raises(SealStateRefused) as refused:
        next_state(SealState.REVOKED, SealAction.RESUME)
    assert refused.value.params == {"state": "revoked", "action": "resume"}


@given(st.lists(st.sampled_from(SealAction), max_size=40))
def test_any_sequence_of_actions_leaves_a_legal_history(actions: list[SealAction]) -> None:
    state, epoch = SealState.APPLIED, 1
    events = [event(0, None, SealAction.APPLY, state)]
    for number, action in enumerate(actions, 1):
        try:
            after = next_state(state, action)
        except SealStateRefused:
            assert (state, action) not in MOVES
            continue
        raised = next_epoch(epoch, state, after)
        # Whoever held the seal while it was active can tell that it was stopped.
        assert (raised > epoch) == (state is SealState.ACTIVE)
        events.append(event(number, state, action, after))
        state, epoch = after, raised
    for earlier, later in pairwise(events):
        assert later.before is earlier.after
        assert MOVES[earlier.after, later.action] is later.after
        assert state_at(events, earlier.happened_at, UNTIL) is earlier.after
    assert state_at(events, events[-1].happened_at, UNTIL) is state


def test_a_lost_key_counts_from_when_it_was_lost_whatever_was_done_since() -> None:
    # T-PKI-27
    lost = replace(
        event(9, SealState.ACTIVE, SealAction.COMPROMISE, SealState.REVOKED),
        effective_at=NOW + timedelta(hours=3),
    )
    events = [
        event(1, SealState.ISSUED, SealAction.ACTIVATE, SealState.ACTIVE),
        event(4, SealState.ACTIVE, SealAction.SUSPEND, SealState.SUSPENDED),
        event(5, SealState.SUSPENDED, SealAction.RESUME, SealState.ACTIVE),
        lost,
    ]
    states = [state_at(events, NOW + timedelta(hours=at), UNTIL) for at in (2, 3, 4, 6, 10)]
    assert states == [SealState.ACTIVE, *[SealState.REVOKED] * 4]


def test_before_the_application_there_is_no_state() -> None:
    events = [event(1, None, SealAction.APPLY, SealState.APPLIED)]
    assert state_at(events, NOW, UNTIL) is None


def test_a_usable_seal_counts_as_expired_after_its_last_instant() -> None:
    events = [event(0, SealState.ISSUED, SealAction.ACTIVATE, SealState.ACTIVE)]
    assert state_at(events, UNTIL, UNTIL) is SealState.ACTIVE
    assert state_at(events, UNTIL + timedelta(seconds=1), UNTIL) is SealState.EXPIRED


def test_a_revoked_seal_stays_revoked_after_its_period() -> None:
    events = [event(0, SealState.ACTIVE, SealAction.REVOKE, SealState.REVOKED)]
    assert state_at(events, UNTIL + timedelta(days=1), UNTIL) is SealState.REVOKED
