"""What has to be done again and again while the service runs, and once when it starts.

Reservations and uses that a crash left behind are closed, revocation lists are published before
they end, certificates of lost keys are revoked, committed uses of seals go into the public log.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from eseal.administration.desk import ServiceDesk
from eseal.outside import Outside
from keys.errors import ServiceError
from keys.pki import PKI
from licence_store.office import LicenceOffice
from seal_service.plumbing.blobs import FolderBlobs
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database
from seal_service.plumbing.logging import log_alarm, log_fact
from seal_service.sealing import Sealer
from seal_service.seals.request_desk import RequestDesk
from seal_service.translog import log
from seal_service.translog.log import LogSigner, SignedCheckpoint

EVERY_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """The recurring work; ``run`` is safe to repeat and to run beside requests."""

    database: Database
    clock: Clock
    office: LicenceOffice
    sealer: Sealer
    requests: RequestDesk
    service_desk: ServiceDesk
    log_signer: LogSigner
    pki: PKI
    outside: Outside

    def run(self) -> None:
        """Do everything once; one failing step does not keep the others from being done."""
        for name, step in self._steps():
            try:
                step()
            except ServiceError as error:
                log_alarm("maintenance_failed", step=name, code=error.code)

    def _steps(self) -> tuple[tuple[str, Callable[[], object]], ...]:
        return (
            ("sweep-uses", self.sealer.sweep),
            ("sweep-licences", self.office.sweep),
            ("finish-compromises", self.requests.finish_compromises),
            ("finish-revocations", self.service_desk.finish),
            ("publish-log", self.publish_log),
            ("refresh-crls", self.refresh_crls),
            # Last: an outside host may take its time.
            ("fetch-outside-lists", lambda: self.outside.refresh_crls(self.clock.now())),
            ("ask-outside-status", lambda: self.outside.refresh_ocsp(self.clock.now())),
        )

    def publish_log(self) -> SignedCheckpoint:
        """Put every committed use into the log; return its checkpoint."""
        size = -1
        while True:
            with self.database.transaction() as connection:
                signed = log.publish(connection, self.log_signer, self.clock.now())
            if signed.checkpoint.size == size:
                return signed
            size = signed.checkpoint.size

    def refresh_crls(self) -> None:
        """Publish revocation lists again that are past half of their period."""
        for name in self.pki.refresh_crls(self.clock.now()):
            log_fact("crl_published", authority=name)


def sweep_files(blobs: FolderBlobs, clock: Clock) -> int:
    """Remove half-written files that a crash left; return how many. For start-up only."""
    return blobs.sweep(clock.now())


class Repeater:
    """Runs a task in a thread, every few seconds, until it is stopped."""

    def __init__(self, task: Callable[[], None], seconds: float = EVERY_SECONDS) -> None:
        self._task = task
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def start(self) -> None:
        """Begin, with a first run at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the run that is under way."""
        self._stopped.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        self._task()
        while not self._stopped.wait(self._seconds):
            self._task()
