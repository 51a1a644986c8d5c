"""Our authorities behind the gate every request passes, without the rest of the service."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from eseal.authority_web import build_authority_router
from keys.clock import Clock
from keys.responder import Responder
from seal_service.plumbing.limits import Limits, RequestGuard
from seal_service.plumbing.problems import install
from seal_service.plumbing.rates import RateLimiter
from tests.support.pki import FixedClock, MadePKI

MANY = 10_000


def responder_of(made: MadePKI, clock: Clock | None = None) -> Responder:
    return Responder(made.pki, made.store.sign_with, clock or FixedClock())


def authority_app(made: MadePKI, clock: Clock | None = None, burst: int = MANY) -> ASGIApp:
    """Build the routes of the authorities; ``burst`` bounds both kinds of requests."""
    app = FastAPI(openapi_url=None)
    install(app)
    limiter = RateLimiter(per_minute=1 if burst < MANY else MANY, burst=burst)
    app.include_router(build_authority_router(responder_of(made, clock), limiter, limiter))
    return RequestGuard(app, Limits(body=64 * 1024))
