"""The states of a licence: only legal moves (T-STO-08), expiry derived, last day inclusive."""

from datetime import UTC, date, datetime

import pytest

from licence_store.errors import LicenceStateRefused
from licence_store.states import (
    STATE_NAMES,
    TRANSITIONS,
    LicenceState,
    RevocationKind,
    Standing,
    Validity,
    check_transition,
    day_in_china,
    standing_on,
    states_before,
)

PERIOD = Validity(valid_from=date(2026, 1, 1), valid_until=date(2026, 12, 31))


def test_every_pair_of_states_is_either_in_the_table_or_refused() -> None:
    for before in LicenceState:
        for after in LicenceState:
            if after in TRANSITIONS[before]:
                check_transition(before, after)
            else:
                with pytest.raises(LicenceStateRefused):
                    check_transition(before, after)


def test_every_state_has_a_chinese_name() -> None:
    assert set(STATE_NAMES) == set(LicenceState) == set(TRANSITIONS)


def test_the_three_endings_are_distinct_states() -> None:
    assert {kind.state for kind in RevocationKind} == {
        LicenceState.REVOKED,
        LicenceState.WITHDRAWN,
        LicenceState.CANCELLED,
    }


def test_a_revoked_licence_never_comes_back() -> None:
    assert TRANSITIONS[LicenceState.REVOKED] == frozenset()


def test_states_before_lists_every_legal_origin() -> None:
    assert states_before(LicenceState.REVOKED) == {LicenceState.IN_FORCE, LicenceState.SUSPENDED}


@pytest.mark.parametrize(
    ("day", "standing"),
    [
        (date(2025, 12, 31), Standing.NOT_YET),
        (date(2026, 1, 1), Standing.IN_FORCE),
        (date(2026, 12, 31), Standing.IN_FORCE),
        (date(2027, 1, 1), Standing.EXPIRED),
    ],
)
def test_first_and_last_day_are_inclusive(day: date, standing: Standing) -> None:
    assert standing_on(LicenceState.IN_FORCE, PERIOD, day) is standing


def test_a_long_term_licence_does_not_expire() -> None:
    period = Validity(valid_from=date(2026, 1, 1), valid_until=None)
    assert standing_on(LicenceState.IN_FORCE, period, date(9999, 1, 1)) is Standing.IN_FORCE


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        (LicenceState.ISSUING, Standing.NOT_ISSUED),
        (LicenceState.ABANDONED, Standing.NOT_ISSUED),
        (LicenceState.SUSPENDED, Standing.SUSPENDED),
        (LicenceState.REVOKED, Standing.ENDED),
        (LicenceState.CANCELLED, Standing.ENDED),
    ],
)
def test_other_states_have_no_force(state: LicenceState, standing: Standing) -> None:
    assert standing_on(state, PERIOD, date(2026, 6, 1)) is standing


def test_the_day_changes_at_midnight_in_china() -> None:
    assert day_in_china(datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC)) == date(2026, 12, 31)
    assert day_in_china(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) == date(2027, 1, 1)
