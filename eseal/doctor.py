"""``eseal doctor``: look at everything the service rests on, one by one.

Each look is taken by itself: what is broken does not keep the rest from being told. Nothing is
changed, nothing outside is asked.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from eseal.errors import NotInitialised, TestKeysRefused
from eseal.expiry import collect_items
from eseal.key_source import KeySource
from eseal.migrations.runner import SchemaMismatch, current_revision, latest_revision
from eseal.outside import Outside
from eseal.settings import Environment, Settings
from keys.calendar import CalendarEntry, Urgency, list_expiring
from keys.clock import Clock
from keys.crl import parse_crl
from keys.errors import ServiceError
from keys.path import Usage, check_path
from keys.pki import PKI, load_pki
from keys.pki_making import SEAL_MAKER_KEY, authority_names
from keys.signers import ServiceKeys
from keys.sm2 import engine
from licence_store.rendering.fonts import MANIFEST
from seal_service.plumbing.database import Database

GIB = 1024**3
LITTLE_DISK = 5 * GIB
NO_DISK = GIB // 2


class Health(StrEnum):
    """How one thing is."""

    GOOD = "good"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one look showed."""

    name: str
    health: Health
    detail: str
    advice: str = ""


class Patient:
    """An installation, opened as far as it can be."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._store: ServiceKeys | None = None
        self._pki: PKI | None = None
        self._outside: Outside | None = None

    @property
    def now(self) -> datetime:
        """The present."""
        return self._clock.now()

    def store(self) -> ServiceKeys:
        """Open the keys; raises what refuses."""
        if self._store is None:
            self._store = KeySource(settings=self.settings).open_keys()
        return self._store

    def pki(self) -> PKI:
        """Read the certificates; raises what refuses."""
        if self._pki is None:
            self._pki = load_pki(self.settings.data_folder / "pki", self.store())
        return self._pki

    def outside(self) -> Outside:
        """Read what came from outside; raises what refuses."""
        if self._outside is None:
            self._outside = Outside(self.settings, self.pki(), self.store(), self._clock)
        return self._outside


def examine(settings: Settings, clock: Clock) -> tuple[Finding, ...]:
    """Take every look; raises ``NotInitialised`` where there is nothing to look at."""
    folder = settings.data_folder
    if not (folder / "pki" / "trust.pem").exists():
        raise NotInitialised(f"{folder} 中没有安装数据", folder=str(folder))
    patient = Patient(settings, clock)
    return tuple(finding for name, look in _LOOKS for finding in _take(name, look, patient))


Look = Callable[[Patient], Iterator[Finding]]


def _take(name: str, look: Look, patient: Patient) -> Iterator[Finding]:
    try:
        yield from look(patient)
    except ServiceError as error:
        yield Finding(
            name=name,
            health=Health.BROKEN,
            detail=f"{error.title} ({error.code}) {error.detail}".strip(),
            advice=error.advice,
        )
    except OSError as error:
        yield Finding(name=name, health=Health.BROKEN, detail=type(error).__name__)


def _good(name: str, detail: str) -> Finding:
    return Finding(name=name, health=Health.GOOD, detail=detail)


def _look_at_profile(patient: Patient) -> Iterator[Finding]:
    environment = patient.settings.environment
    if environment is Environment.PRODUCTION:
        raise TestKeysRefused
    yield _good("profile", environment.value)


def _look_at_engine(_patient: Patient) -> Iterator[Finding]:
    found = engine()
    yield _good("engine", f"{found.version}, {found.path}")


def _look_at_keys(patient: Patient) -> Iterator[Finding]:
    health = patient.store().health()
    is_good = health.is_ready
    yield Finding(
        name="key-store",
        health=Health.GOOD if is_good else Health.BROKEN,
        detail=f"{health.keys} keys" if is_good else health.problem,
    )


def _look_at_chains(patient: Patient) -> Iterator[Finding]:
    pki = patient.pki()
    usages = {SEAL_MAKER_KEY: Usage.SEAL_MAKER, "sm2-tsa": Usage.TIMESTAMP}
    usages["rsa-tsa"] = Usage.TIMESTAMP
    for name, usage in usages.items():
        report = check_path(
            pki.certificate(name),
            usage=usage,
            at=patient.now,
            trust=pki.trust,
            intermediates=pki.intermediates,
        )
        problems = ", ".join(f"{one.reason}: {one.detail}" for one in report.problems)
        yield Finding(
            name=f"chain {name}",
            health=Health.GOOD if report.is_good else Health.BROKEN,
            detail=problems or f"{len(report.chain)} certificates to a trusted root",
        )
    imported = len(patient.outside().certificates.all_chains())
    yield _good("outside certificates", f"{imported} imported")


def _look_at_lists(patient: Patient) -> Iterator[Finding]:
    for name in authority_names():
        crl = parse_crl(patient.pki().crl(name))
        is_ended = crl.next_update is None or crl.next_update < patient.now
        is_future = crl.this_update > patient.now
        until = "no end" if crl.next_update is None else f"until {crl.next_update:%Y-%m-%d %H:%M}Z"
        yield Finding(
            name=f"crl {name}",
            health=Health.BROKEN if is_ended or is_future else Health.GOOD,
            detail=f"no. {crl.number} of {crl.this_update:%Y-%m-%d %H:%M}Z, {until}",
            advice="请确认服务正在运行，或执行 eseal ca publish-crl。" if is_ended else "",
        )


def _look_at_database(patient: Patient) -> Iterator[Finding]:
    database = Database(patient.settings.database())
    try:
        with database.reading() as connection:
            found = current_revision(connection)
    finally:
        database.close()
    if found != latest_revision():
        raise SchemaMismatch(found or "none", found=found or "none", expected=latest_revision())
    yield _good("database", f"revision {latest_revision()}")


def _look_at_calendar(patient: Patient) -> Iterator[Finding]:
    entries = expiring(patient)
    for entry in entries:
        if entry.urgency is not Urgency.NONE:
            yield _calendar_finding(entry)
    yield _good("calendar", f"{len(entries)} items")


def expiring(patient: Patient) -> tuple[CalendarEntry, ...]:
    """Return the calendar of an installation as of now."""
    database = Database(patient.settings.database())
    try:
        items = collect_items(patient.pki(), patient.outside(), database)
    finally:
        database.close()
    return list_expiring(items, patient.now)


def _calendar_finding(entry: CalendarEntry) -> Finding:
    is_over = entry.urgency is Urgency.OVERDUE
    ends = f"{entry.item.ends_at:%Y-%m-%d}"
    words = f"ended on {ends}" if is_over else f"ends on {ends}, {entry.days_left} days left"
    return Finding(
        name=f"end of {entry.item.kind} {entry.item.name}",
        health=Health.BROKEN if is_over else Health.WARNING,
        detail=words,
    )


def _look_at_fonts(patient: Patient) -> Iterator[Finding]:
    folder = patient.settings.fonts_folder
    is_there = (folder / MANIFEST).is_file()
    yield Finding(
        name="fonts",
        health=Health.GOOD if is_there else Health.BROKEN,
        detail=str(folder),
        advice="" if is_there else "请运行 scripts/setup-fonts，或设置 ESEAL_FONTS_FOLDER。",
    )


def _look_at_disk(patient: Patient) -> Iterator[Finding]:
    free = _free_bytes(patient.settings.data_folder)
    health = Health.GOOD
    if free < LITTLE_DISK:
        health = Health.BROKEN if free < NO_DISK else Health.WARNING
    yield Finding(name="disk", health=health, detail=f"{free / GIB:.1f} GiB free")


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


_LOOKS: tuple[tuple[str, Look], ...] = (
    ("profile", _look_at_profile),
    ("engine", _look_at_engine),
    ("key-store", _look_at_keys),
    ("chain", _look_at_chains),
    ("crl", _look_at_lists),
    ("database", _look_at_database),
    ("calendar", _look_at_calendar),
    ("fonts", _look_at_fonts),
    ("disk", _look_at_disk),
)
