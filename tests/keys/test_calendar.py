"""What ends when, and how early it is told."""

from datetime import timedelta

import pytest

from keys.calendar import CalendarItem, Expiring, Urgency, list_expiring
from tests.support.pki import NOW

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def item(left: timedelta, name: str = "seal-maker", *, is_list: bool = False) -> CalendarItem:
    return CalendarItem(
        kind=Expiring.CRL if is_list else Expiring.CERTIFICATE,
        name=name,
        begins_at=NOW + left - 8 * DAY,
        ends_at=NOW + left,
        is_renewed_by_service=is_list,
    )


@pytest.mark.parametrize(
    ("left", "days", "urgency"),
    [
        (61 * DAY, 61, Urgency.NONE),
        (60 * DAY + SECOND, 60, Urgency.NONE),
        (60 * DAY, 60, Urgency.SOON),
        (30 * DAY + SECOND, 30, Urgency.SOON),
        (30 * DAY, 30, Urgency.NEAR),
        (7 * DAY + SECOND, 7, Urgency.NEAR),
        (7 * DAY, 7, Urgency.URGENT),
        (SECOND, 0, Urgency.URGENT),
        (timedelta(), 0, Urgency.URGENT),
        (-SECOND, -1, Urgency.OVERDUE),
        (-3 * DAY, -3, Urgency.OVERDUE),
    ],
)
def test_warnings_come_60_30_and_7_days_ahead(left: timedelta, days: int, urgency: Urgency) -> None:
    (entry,) = list_expiring([item(left)], NOW)
    assert (entry.days_left, entry.urgency) == (days, urgency)


@pytest.mark.parametrize(
    ("left", "urgency"),
    [
        (7 * DAY, Urgency.NONE),
        (2 * DAY, Urgency.NONE),
        (2 * DAY - SECOND, Urgency.URGENT),
        (-SECOND, Urgency.OVERDUE),
    ],
)
def test_a_list_is_due_when_the_service_did_not_renew_it(left: timedelta, urgency: Urgency) -> None:
    (entry,) = list_expiring([item(left, is_list=True)], NOW)
    assert entry.urgency is urgency


def test_the_next_to_end_comes_first() -> None:
    found = list_expiring([item(9 * DAY, "b"), item(-DAY, "c"), item(9 * DAY, "a")], NOW)
    assert [entry.item.name for entry in found] == ["c", "a", "b"]
