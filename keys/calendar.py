"""What ends when: certificates, seals, revocation lists, time-stamp authorities. Pure.

Somebody must act before the end, so a warning comes 60, 30 and 7 days ahead. A revocation list is
short-lived and renewed by the service itself: it is due only once that did not happen in time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WARNING_DAYS = (60, 30, 7)
LATE_PART = 4
"""A list with less than a quarter of its life left should have been renewed before."""
_DAY = timedelta(days=1)


class Expiring(StrEnum):
    """Kinds of things that end."""

    CERTIFICATE = "certificate"
    SEAL = "seal"
    CRL = "crl"
    TSA = "tsa"


class Urgency(StrEnum):
    """How soon somebody must act."""

    NONE = "none"
    SOON = "soon"
    """60 days or fewer."""
    NEAR = "near"
    """30 days or fewer."""
    URGENT = "urgent"
    """7 days or fewer, or a list that was not renewed in time."""
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarItem:
    """One thing that ends."""

    kind: Expiring
    name: str
    """What operators know it by: the name of a key, a number, an authority."""
    begins_at: datetime
    ends_at: datetime
    is_renewed_by_service: bool = False
    """Whether the service makes the next one by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """An item as of an instant."""

    item: CalendarItem
    days_left: int
    """Whole days until the end; negative after it."""
    urgency: Urgency


def list_expiring(items: Iterable[CalendarItem], now: datetime) -> tuple[CalendarEntry, ...]:
    """Return all items, the next to end first."""
    entries = (
        CalendarEntry(
            item=item, days_left=(item.ends_at - now) // _DAY, urgency=_urgency(item, now)
        )
        for item in items
    )
    return tuple(sorted(entries, key=lambda entry: (entry.item.ends_at, entry.item.name)))


def _urgency(item: CalendarItem, now: datetime) -> Urgency:
    left = item.ends_at - now
    if left < timedelta():
        return Urgency.OVERDUE
    if item.is_renewed_by_service:
        is_late = left < (item.ends_at - item.begins_at) / LATE_PART
        return Urgency.URGENT if is_late else Urgency.NONE
    soon, near, urgent = (timedelta(days=days) for days in WARNING_DAYS)
    if left <= urgent:
        return Urgency.URGENT
    if left <= near:
        return Urgency.NEAR
    return Urgency.SOON if left <= soon else Urgency.NONE
