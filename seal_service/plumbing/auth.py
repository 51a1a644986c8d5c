"""Who calls, and may they: the check of signed requests.

1. Read the signature headers (``request_signing``): form, coverage, digest of the body.
2. ``created`` lies within 300 s of our clock.
3. The caller is known, neither disabled nor expired; its secret gives the same HMAC-SM3, compared
   in constant time. An unknown caller costs the same work, with a key nobody has.
4. The nonce is new for this caller; it is kept 600 s, longer than step 2 accepts a repetition.
5. The caller has the scope the route demands.

Whatever fails in 1 to 4, the answer is the same ``CallerUnknown`` (T-API-01..04); which step it was
goes to the log. No forwarded header is ever believed about who calls (T-API-05).
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

from starlette.requests import Request

from seal_service.errors import CallerUnknown, ScopeMissing
from seal_service.plumbing.callers import RegisteredCaller, find_caller
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database
from seal_service.plumbing.logging import log_fact
from seal_service.plumbing.nonces import MOST_REMOVED, remove_old_nonces, use_nonce
from seal_service.plumbing.request_signing import (
    COVERED_IF_PRESENT,
    RequestToSign,
    SignatureClaim,
    hmac_sm3,
    read_claim,
)
from seal_service.plumbing.secret_box import SecretBox

BODY = "eseal.body"
"""Key of the ASGI scope under which ``limits`` puts the body it read."""

WINDOW = timedelta(seconds=300)
_CLEAN_UP_EVERY = timedelta(seconds=30)
_SIGNATURE_HEADERS = ("signature", "signature-input", "content-digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An approval system that signed its request, its tenant, and what it may do."""

    caller_id: str
    authority_code: str
    scopes: frozenset[str]


class Authenticator:
    """Checks the signature of requests and the scope of their callers.

    ``decoy_key`` is 32 random bytes made at start-up, for requests of unknown callers.
    """

    def __init__(
        self, *, database: Database, clock: Clock, box: SecretBox, decoy_key: bytes
    ) -> None:
        self._database = database
        self._clock = clock
        self._box = box
        self._decoy_key = decoy_key
        self._next_clean_up = clock.now()

    def require(self, scope: str) -> Callable[[Request], Caller]:
        """Make the dependency of a route: returns the caller, who has this scope.

        It raises ``CallerUnknown`` or ``ScopeMissing``.
        """

        def caller(request: Request) -> Caller:
            found = self.authenticate(_request_to_sign(request))
            if scope not in found.scopes:
                log_fact("scope_missing", caller_id=found.caller_id, scope=scope)
                raise ScopeMissing(scope=scope)
            return found

        return caller

    def authenticate(self, request: RequestToSign | None) -> Caller:
        """Return who signed a request; raises ``CallerUnknown`` alike for every cause."""
        claim = None if request is None else read_claim(request)
        if request is None or claim is None:
            _refuse("form")
        now = self._clock.now()
        if abs(now.timestamp() - claim.created) > WINDOW.total_seconds():
            _refuse("window")
        with self._database.reading() as connection:
            registered = find_caller(connection, claim.caller_id)
        if registered is None or not registered.may_call_at(now):
            _check_value(request, claim, self._decoy_key)
            _refuse("caller")
        if not _check_value(request, claim, self._secret_of(registered)):
            _refuse("signature")
        self._use_nonce(claim)
        return Caller(
            caller_id=registered.caller_id,
            authority_code=registered.authority_code,
            scopes=registered.scopes,
        )

    def _secret_of(self, registered: RegisteredCaller) -> bytes:
        return self._box.open(registered.sealed_secret, registered.caller_id)

    def _use_nonce(self, claim: SignatureClaim) -> None:
        """Step 4, in a transaction of its own: a refused or failed request has used its nonce."""
        now = self._clock.now()
        with self._database.transaction() as connection:
            is_new = use_nonce(connection, claim.caller_id, claim.nonce, now)
            # After a full round more is waiting, so the next request goes on.
            if now >= self._next_clean_up and remove_old_nonces(connection, now) < MOST_REMOVED:
                self._next_clean_up = now + _CLEAN_UP_EVERY
        if not is_new:
            _refuse("nonce")


def _check_value(request: RequestToSign, claim: SignatureClaim, secret: bytes) -> bool:
    expected = hmac_sm3(secret, request.base(claim.signed_parameters))
    return hmac.compare_digest(expected, claim.value)


def _refuse(step: str) -> NoReturn:
    log_fact("caller_refused", step=step)
    raise CallerUnknown


def _request_to_sign(request: Request) -> RequestToSign | None:
    """Take a request apart; None when a header that counts is there twice (T-API-02)."""
    headers: dict[str, str] = {}
    for name in (*COVERED_IF_PRESENT, *_SIGNATURE_HEADERS):
        values = request.headers.getlist(name)
        if len(values) > 1:
            return None
        if values:
            headers[name] = values[0]
    body = request.scope.get(BODY)
    if not isinstance(body, bytes):
        raise RuntimeError("the body was not read: RequestGuard must stand before the routes")
    return RequestToSign(
        method=request.method,
        path=request.scope["raw_path"].decode("latin-1"),
        query=request.scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
    )
