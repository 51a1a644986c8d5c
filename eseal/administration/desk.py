"""The desk where one administrator asks for a change of the service and another confirms it.

The rules are those of requests about seals (ADR 0015, T-API-37). What is done to the callers is
done in the transaction that confirms it. Certificates and keys lie in files: they are changed right
after, and a revocation that failed then is repeated by ``finish``.

Shutting a caller out and publishing lists need one person: stopping waits for nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from eseal.administration.certificate_work import CertificateWork
from eseal.administration.certificates import (
    CertificateShelf,
)
from eseal.administration.operations import (
    AddCaller,
    CallerOperation,
    CertificateOperation,
    ChangeScopes,
    Content,
    ReplaceSecret,
    RevokeCertificate,
)
from keys.errors import ServiceError
from seal_service.errors import InvalidSealOrder
from seal_service.plumbing import callers
from seal_service.plumbing.callers import SECRET_BYTES, NewCaller, RegisteredCaller
from seal_service.plumbing.clock import Clock
from seal_service.plumbing.database import Database
from seal_service.plumbing.errors import CallerExists, CallerNotFound, InvalidCaller
from seal_service.plumbing.logging import log_alarm, log_fact
from seal_service.plumbing.secret_box import SecretBox
from seal_service.schemas import read_instant
from seal_service.seals import requests
from seal_service.seals.requests import Decision, RequestKind, RequestState, SealRequest

NOBODY = ""
"""Tenant and seal of a request about the service itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDeskParts:
    """Everything the desk works with."""

    database: Database
    clock: Clock
    randomness: Callable[[int], bytes]
    box: SecretBox
    shelf: CertificateShelf
    request_hours: int = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who wants what changed, on what basis and why."""

    applicant: str
    operation: CertificateOperation | CallerOperation
    basis_document: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """Who decides about which request, having read what."""

    request_id: str
    actor: str
    digest: bytes
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A request as filed, and the applicant's half of a new secret: told once."""

    request: SealRequest
    half: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A request as decided, and what came of it: told once, kept nowhere."""

    request: SealRequest
    outcome: dict[str, object] = field(default_factory=dict, repr=False)


class ServiceDesk:
    """Files and decides requests about the service. May be shared between threads."""

    def __init__(self, parts: ServiceDeskParts) -> None:
        self._parts = parts
        self._database = parts.database
        self._certificates = CertificateWork(parts.shelf)

    @property
    def shelf(self) -> CertificateShelf:
        """Return the certificates."""
        return self._parts.shelf

    def file(self, wanted: Wanted) -> Filed:
        """Ask for a change.

        Raises ``InvalidSealOrder``, ``CallerNotFound``, ``CallerExists``, ``InvalidCaller`` or
        ``CertificateRefused`` for what could not be done in any case.
        """
        if not wanted.basis_document.strip():
            raise InvalidSealOrder("不能为空", field="basis_document")
        now = self._parts.clock.now()
        operation, half = self._prepared(wanted.operation), b""
        request_id = f"sv-{self._parts.randomness(16).hex()}"
        if isinstance(operation, AddCaller | ReplaceSecret):
            half = self._parts.randomness(SECRET_BYTES)
        sealed = self._parts.box.seal(half, request_id, self._parts.randomness(12)) if half else b""
        request = SealRequest(
            request_id=request_id,
            authority_code=NOBODY,
            seal_id=NOBODY,
            kind=RequestKind.SERVICE,
            content=Content(operation=operation, sealed_half=sealed).to_text(),
            applicant=wanted.applicant,
            basis_document=wanted.basis_document,
            reason=wanted.reason,
            filed_at=now,
            expires_at=now + timedelta(hours=self._parts.request_hours),
        )
        with self._database.transaction() as connection:
            if isinstance(operation, CallerOperation):
                self._check_caller(connection, operation, now)
            requests.enter(connection, request)
        return Filed(request=request, half=half)

    def _prepared(
        self, operation: CertificateOperation | CallerOperation
    ) -> CertificateOperation | CallerOperation:
        if isinstance(operation, CallerOperation):
            return operation
        return self._certificates.check(operation)

    def _check_caller(
        self, connection: Connection, operation: CallerOperation, now: datetime
    ) -> None:
        if isinstance(operation, AddCaller):
            new = _new_caller(operation)
            callers.check_new(new)
            if new.expires_at is not None and new.expires_at <= now:
                raise InvalidCaller(field="expires_at")
            if callers.find_caller(connection, new.caller_id) is not None:
                raise CallerExists(caller_id=new.caller_id)
            return
        if self._known(connection, operation.caller_id).disabled_at is not None:
            raise CallerNotFound(caller_id=operation.caller_id)
        if isinstance(operation, ChangeScopes):
            callers.check_scopes(operation.scopes)

    def confirm(self, by: Deciding) -> Done:
        """Confirm a request and do what it asks.

        Raises ``SealRequestNotFound``, ``SealRequestClosed``, ``DualControlRefused``, or why it can
        no longer be done. A certificate operation that fails after the confirmation stays confirmed
        and not completed.
        """
        now = self._parts.clock.now()
        outcome: dict[str, object] = {}
        with self._database.transaction() as connection:
            request = requests.find(connection, NOBODY, NOBODY, by.request_id)
            requests.confirm(connection, request, _decision(by, now))
            content = Content.from_text(request.content)
            operation = content.operation
            if isinstance(operation, CallerOperation):
                self._check_caller(connection, operation, now)
                outcome = self._change_caller(connection, request, content)
                requests.complete(connection, request.request_id, now)
        log_fact("service_request_confirmed", request_id=request.request_id)
        if isinstance(operation, CertificateOperation):
            outcome = self._certificates.do(operation)
            self._complete(request)
        return Done(request=self.show(by.request_id), outcome=outcome)

    def refuse(self, by: Deciding) -> Done:
        """Close a request without doing it; raises as ``confirm``."""
        with self._database.transaction() as connection:
            request = requests.find(connection, NOBODY, NOBODY, by.request_id)
            requests.refuse(connection, request, _decision(by, self._parts.clock.now()))
        return Done(request=self.show(by.request_id))

    def finish(self) -> None:
        """Repeat confirmed revocations that failed; for maintenance."""
        with self._database.reading() as connection:
            waiting = requests.unfinished(connection, RequestKind.SERVICE)
        for request in waiting:
            try:
                operation = Content.from_text(request.content).operation
                # Only a revocation is safe to repeat and must not be lost.
                if not isinstance(operation, RevokeCertificate):
                    continue
                self._certificates.do(operation)
            except ValueError:
                log_alarm("request_unreadable", request_id=request.request_id)
                continue
            except ServiceError as error:
                log_alarm("certificate_not_revoked", request_id=request.request_id, code=error.code)
                continue
            self._complete(request)

    def _complete(self, request: SealRequest) -> None:
        with self._database.transaction() as connection:
            requests.complete(connection, request.request_id, self._parts.clock.now())

    # Reading

    def show(self, request_id: str) -> SealRequest:
        """Return a request; raises ``SealRequestNotFound``."""
        with self._database.reading() as connection:
            return requests.find(connection, NOBODY, NOBODY, request_id)

    def list_requests(self, *, only_open: bool = False) -> tuple[SealRequest, ...]:
        """List the newest requests about the service."""
        with self._database.reading() as connection:
            found = requests.list_requests(connection, NOBODY, NOBODY)
        now = self._parts.clock.now()
        return tuple(
            one
            for one in found
            if not only_open or (one.state is RequestState.OPEN and now <= one.expires_at)
        )

    def list_callers(self, authority_code: str | None = None) -> tuple[RegisteredCaller, ...]:
        """List the callers, of one authority or of all."""
        with self._database.reading() as connection:
            return callers.list_registered(connection, authority_code)

    # Callers

    def disable_caller(self, caller_id: str, *, actor: str) -> RegisteredCaller:
        """Shut a caller out at once and for ever; raises ``CallerNotFound``."""
        with self._database.transaction() as connection:
            self._known(connection, caller_id)
            callers.disable(connection, caller_id, now=self._parts.clock.now())
            found = self._known(connection, caller_id)
        log_fact("caller_disabled", caller_id=caller_id, actor=actor)
        return found

    def _known(self, connection: Connection, caller_id: str) -> RegisteredCaller:
        found = callers.find_caller(connection, caller_id)
        if found is None:
            raise CallerNotFound(caller_id=caller_id)
        return found

    def _change_caller(
        self, connection: Connection, request: SealRequest, content: Content
    ) -> dict[str, object]:
        parts, operation = self._parts, content.operation
        if isinstance(operation, ChangeScopes):
            callers.change_scopes(connection, operation.caller_id, frozenset(operation.scopes))
            return {"caller_id": operation.caller_id, "scopes": sorted(operation.scopes)}
        if isinstance(operation, AddCaller):
            secret = callers.register_caller(
                connection,
                _new_caller(operation),
                box=parts.box,
                randomness=parts.randomness,
                now=parts.clock.now(),
            )
        elif isinstance(operation, ReplaceSecret):
            secret = callers.replace_secret(
                connection, operation.caller_id, box=parts.box, randomness=parts.randomness
            )
        else:
            return {}
        # Neither of the two can act as the caller: each has half of what the secret is.
        half = join_halves(secret, parts.box.open(content.sealed_half, request.request_id))
        return {"caller_id": operation.caller_id, "half": half.hex()}

    # Certificates

    def publish_lists(self) -> tuple[str, ...]:
        """Publish every revocation list again; return the names of their authorities."""
        shelf = self._parts.shelf
        return shelf.pki.refresh_crls(shelf.now(), everything=True)


def _new_caller(operation: AddCaller) -> NewCaller:
    until = operation.expires_at
    return NewCaller(
        caller_id=operation.caller_id,
        authority_code=operation.authority_code,
        scopes=frozenset(operation.scopes),
        expires_at=None if until is None else read_instant(until, "expires_at"),
    )


def _decision(by: Deciding, now: datetime) -> Decision:
    return Decision(actor=by.actor, digest=by.digest, remark=by.remark, now=now)


def join_halves(first: bytes, second: bytes) -> bytes:
    """Return what two halves make together, or the other half of a whole."""
    return bytes(one ^ other for one, other in zip(first, second, strict=True))
