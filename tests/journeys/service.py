"""Real services for tests: an installation made once, copied for whoever changes or kills it.

``Kit`` is a data folder with keys, certificates, and for each of two authorities a seal in use and
a caller that may do everything. ``Running`` is a service over such a folder, reached over HTTP.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from eseal.installation import make_installation, open_installation
from eseal.main import Service, build_app, build_service
from eseal.settings import Settings
from eseal.trial import CallerAccess, ensure_caller, ensure_seal
from licence_store.model import IssuingAuthority, approval_result_to_json
from seal_service.plumbing.clock import Clock, SystemClock
from seal_service.plumbing.request_signing import RequestSigner
from tests.support.licences import AUTHORITY, OTHER_AUTHORITY, make_approval_result
from tests.support.live import serve

AUTHORITIES = (AUTHORITY, OTHER_AUTHORITY)
PUBLIC_URL = "https://zhengzhao.yunqi.example"
SECONDS = 60

Body = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Kit:
    """A data folder ready to serve, and the callers it knows by the code of their authority."""

    settings: Settings
    accesses: Mapping[str, CallerAccess]

    def copy_to(self, folder: Path) -> "Kit":
        """Copy the folder, to be changed; nothing may be running over this one."""
        shutil.copytree(self.settings.data_folder, folder)
        return Kit(
            settings=self.settings.model_copy(update={"data_folder": folder}),
            accesses=self.accesses,
        )

    def signer(
        self, authority: IssuingAuthority = AUTHORITY, clock: Clock | None = None
    ) -> RequestSigner:
        """Return what signs requests as the caller of an authority."""
        access = self.accesses[authority.code]
        return RequestSigner(access.caller_id, access.secret, clock=clock)


def make_kit(folder: Path, database_url: str = "", ses_version: int = 4) -> Kit:
    """Make what is missing in a data folder, as ``eseal init`` does, for both authorities."""
    settings = Settings.model_validate(
        {
            "data_folder": folder,
            "base_url": PUBLIC_URL,
            "database_url": database_url,
            "ses_version": ses_version,
            # Tests set clocks forward over one database; who seals later must not be stopped.
            "clock_counts_after": 2**40,
        }
    )
    installation = make_installation(settings, SystemClock().now())
    service = build_service(installation)
    accesses = {}
    for authority in AUTHORITIES:
        ensure_seal(service, authority)
        accesses[authority.code] = ensure_caller(service, authority.code, folder / "callers")
    installation.database.close()
    return Kit(settings=settings, accesses=accesses)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service in this process, listening on loopback."""

    kit: Kit
    service: Service
    address: str

    @contextmanager
    def client(
        self, authority: IssuingAuthority = AUTHORITY, *, signer: httpx.Auth | None = None
    ) -> Iterator[httpx.Client]:
        """Open a client whose requests are signed by the caller of an authority."""
        auth = signer or self.kit.signer(authority, self.service.clock)
        with httpx.Client(
            base_url=self.address, auth=auth, timeout=SECONDS, trust_env=False
        ) as client:
            yield client


@contextmanager
def running(kit: Kit, clock: Clock | None = None) -> Iterator[Running]:
    """Serve a kit until the end of the block."""
    with opened(kit, clock) as service, serve(build_app(service)) as address:
        yield Running(kit=kit, service=service, address=address)


@contextmanager
def opened(kit: Kit, clock: Clock | None = None) -> Iterator[Service]:
    """Open the objects of a kit without serving them."""
    installation = open_installation(kit.settings)
    try:
        yield build_service(installation, clock)
    finally:
        installation.database.close()


class LaterClock:
    """The system's clock, set forward: what a test does instead of waiting."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        """Return the instant after the time that is skipped."""
        return SystemClock().now() + self._ahead


def make_body(case_number: str, **changes: object) -> Body:
    """Make a valid request to issue a business licence; keywords replace fields of the result."""
    result = make_approval_result(case_number=case_number, **changes)  # type: ignore[arg-type]
    return approval_result_to_json(result)


def issue(client: httpx.Client, body: Body, key: str = "") -> httpx.Response:
    """Ask for a licence; the key follows from the case when none is given."""
    headers = {"Idempotency-Key": key or f"key-{body['case_number']}"}
    return client.post("/v1/licences", json=body, headers=headers)
