"""``GET /metrics`` for Prometheus, off unless ``ESEAL_METRICS`` is set.

Numbers only: what ends when, whether keys answer, what signing costs. No name of a person, no
document, no licence. The calendar is counted again once in five minutes, since it reads the whole
register.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from eseal.expiry import collect_items
from eseal.installation import Installation
from eseal.outside import build_outside
from keys.calendar import CalendarEntry, Expiring, Urgency, list_expiring
from keys.clock import Clock
from keys.signers import ServiceKeys

CALENDAR_SECONDS = 300.0


class Calendar:
    """The calendar, counted again when it is old."""

    def __init__(
        self,
        collect: Callable[[], tuple[CalendarEntry, ...]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collect = collect
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._entries: tuple[CalendarEntry, ...] = ()
        self._until = float("-inf")

    def entries(self) -> tuple[CalendarEntry, ...]:
        """Return the calendar, at most five minutes old."""
        with self._guard:
            if self._monotonic() >= self._until:
                self._entries = self._collect()
                self._until = self._monotonic() + CALENDAR_SECONDS
            return self._entries


def build_calendar(installation: Installation, clock: Clock) -> Calendar:
    """Build the calendar of an installation."""
    pki, database = installation.pki, installation.database
    outside = build_outside(installation, clock)
    return Calendar(lambda: list_expiring(collect_items(pki, outside, database), clock.now()))


class ServiceMetrics:
    """Collects when it is asked; keeps nothing."""

    def __init__(self, store: ServiceKeys, calendar: Calendar) -> None:
        self._store = store
        self._calendar = calendar

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        yield from self._expiry()
        yield from self._keys()

    def _expiry(self) -> Iterator[Metric]:
        entries = self._calendar.entries()
        days = GaugeMetricFamily(
            "eseal_expiry_days", "Whole days until it ends.", labels=("kind", "name", "urgency")
        )
        for entry in entries:
            # Seals are many: one by one only when somebody must act.
            if entry.item.kind is not Expiring.SEAL or entry.urgency is not Urgency.NONE:
                labels = (entry.item.kind, entry.item.name, entry.urgency)
                days.add_metric(labels, entry.days_left)
        yield days
        counted = GaugeMetricFamily(
            "eseal_expiry_items", "Things that end, by urgency.", labels=("kind", "urgency")
        )
        counts = Counter((entry.item.kind, entry.urgency) for entry in entries)
        for kind in Expiring:
            for urgency in Urgency:
                counted.add_metric((kind, urgency), counts[kind, urgency])
        yield counted

    def _keys(self) -> Iterator[Metric]:
        health = self._store.health()
        yield GaugeMetricFamily(
            "eseal_key_store_ready", "1 while keys can sign.", value=float(health.is_ready)
        )
        yield GaugeMetricFamily("eseal_keys", "Keys in the store.", value=health.keys)
        signed = CounterMetricFamily("eseal_signatures", "Signatures made.", labels=("key",))
        failed = CounterMetricFamily(
            "eseal_signature_failures", "Signatures that failed.", labels=("key", "last_error")
        )
        spent = CounterMetricFamily(
            "eseal_signature_seconds", "Time of all signatures together.", labels=("key",)
        )
        for stats in self._store.stats():
            signed.add_metric((stats.name,), stats.signatures)
            failed.add_metric((stats.name, stats.last_error), stats.failures)
            spent.add_metric((stats.name,), stats.seconds)
        yield from (signed, failed, spent)


def build_metrics_router(installation: Installation, clock: Clock) -> APIRouter:
    """Build ``GET /metrics``; keep it from the public at the proxy."""
    router = APIRouter(include_in_schema=False)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceMetrics(installation.store, build_calendar(installation, clock)))

    @router.get("/metrics")
    def show_metrics() -> Response:
        """Answer all numbers in the text form."""
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})

    return router
