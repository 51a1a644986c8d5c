"""Administration over an installation: the desk and its routes."""

import secrets
from collections.abc import Callable

from fastapi import APIRouter

from eseal.administration.api import ServiceRoutes, build_router
from eseal.administration.certificates import CertificateShelf
from eseal.administration.desk import ServiceDesk, ServiceDeskParts
from eseal.expiry import collect_items
from eseal.installation import CALLER_SECRET, Installation
from eseal.outside import build_outside
from keys.calendar import CalendarEntry, list_expiring
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.secret_box import SecretBox


def build_service_desk(installation: Installation, clock: Clock) -> ServiceDesk:
    """Build the desk where administrators ask and confirm."""
    outside = build_outside(installation, clock)
    return ServiceDesk(
        ServiceDeskParts(
            database=installation.database,
            clock=clock,
            randomness=secrets.token_bytes,
            box=SecretBox(installation.store.service_secret(CALLER_SECRET)),
            shelf=CertificateShelf(pki=installation.pki, outside=outside, clock=clock),
            request_hours=installation.settings.seal_request_hours,
        )
    )


def build_service_router(
    installation: Installation, desk: ServiceDesk, require: Callable[[str], Callable[..., Caller]]
) -> APIRouter:
    """Build the routes of administration."""
    shelf = desk.shelf

    def calendar() -> tuple[CalendarEntry, ...]:
        items = collect_items(installation.pki, shelf.outside, installation.database)
        return tuple(list_expiring(items, shelf.clock.now()))

    return build_router(
        ServiceRoutes(
            desk=desk, shelf=shelf, keys=installation.store, calendar=calendar, require=require
        )
    )
