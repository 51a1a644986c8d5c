"""Requests that a second person confirms: who asked for what, and how it was decided.

A row is filed by one caller and decided by another, once, before it expires (T-API-09, T-API-11).
The decision names the digest of everything that was asked (T-API-10). Rows are never deleted.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, insert, select, update

from keys.algorithms import sm3
from seal_service.errors import DualControlRefused, SealRequestClosed, SealRequestNotFound
from seal_service.plumbing.callers import find_caller
from seal_service.seals.tables import seal_requests


class RequestKind(StrEnum):
    """What is asked for."""

    MOVE = "move"
    """A step in the life of a seal that needs two persons."""
    MANDATE = "mandate"
    """A mandate to use it."""
    COMPROMISE = "compromise"
    """To declare its key lost since an instant."""
    SERVICE = "service"
    """A change of the service itself; about no seal, of no tenant."""

    @property
    def scope(self) -> str:
        """Return the scope of who may ask for it."""
        return "service:apply" if self is RequestKind.SERVICE else "seals:apply"


class RequestState(StrEnum):
    """How far a request has come; one that was not decided in time stays open and is of no use."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """One request as it stands in the register."""

    request_id: str
    authority_code: str
    """The tenant; empty where the service itself is meant."""
    seal_id: str
    kind: RequestKind
    content: str
    """What is asked, as canonical JSON: its members depend on the kind."""
    applicant: str
    basis_document: str
    reason: str
    filed_at: datetime
    expires_at: datetime
    """Last instant at which it may be confirmed."""
    state: RequestState = RequestState.OPEN
    decided_by: str | None = None
    decided_at: datetime | None = None
    remark: str = ""
    completed_at: datetime | None = None
    """When everything was done that follows from the confirmation."""

    @property
    def digest(self) -> bytes:
        """Return what a decision binds: a digest over everything that was asked."""
        parts = (
            self.request_id,
            self.authority_code,
            self.seal_id,
            self.kind.value,
            self.content,
            self.applicant,
            self.basis_document,
            self.reason,
        )
        return sm3(b"".join(_framed(part) for part in parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who decides, about exactly what, when."""

    actor: str
    digest: bytes
    """Of the request that was read."""
    remark: str
    now: datetime


def _framed(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(4, "big") + encoded


def enter(connection: Connection, request: SealRequest) -> None:
    """Write a new request down."""
    connection.execute(
        insert(seal_requests).values(
            request_id=request.request_id,
            authority_code=request.authority_code,
            seal_id=request.seal_id,
            kind=request.kind.value,
            content=request.content,
            digest=request.digest,
            applicant=request.applicant,
            basis_document=request.basis_document,
            reason=request.reason,
            filed_at=request.filed_at,
            expires_at=request.expires_at,
            state=request.state.value,
        )
    )


def find(connection: Connection, authority_code: str, seal_id: str, request_id: str) -> SealRequest:
    """Return a request about a seal of the tenant; raises ``SealRequestNotFound``."""
    row = connection.execute(
        select(seal_requests).where(
            seal_requests.c.authority_code == authority_code,
            seal_requests.c.seal_id == seal_id,
            seal_requests.c.request_id == request_id,
        )
    ).one_or_none()
    if row is None:
        raise SealRequestNotFound(request_id=request_id)
    return _from_row(row)


def list_requests(
    connection: Connection, authority_code: str, seal_id: str, *, limit: int = 200
) -> tuple[SealRequest, ...]:
    """List the newest requests about a seal of the tenant, newest first."""
    rows = connection.execute(
        select(seal_requests)
        .where(seal_requests.c.authority_code == authority_code, seal_requests.c.seal_id == seal_id)
        .order_by(seal_requests.c.serial.desc())
        .limit(limit)
    ).all()
    return tuple(map(_from_row, rows))


def confirm(connection: Connection, request: SealRequest, decision: Decision) -> None:
    """Take a request once; whoever comes second finds it closed.

    Raises ``DualControlRefused`` with the rule ``own-request``, ``applicant-lapsed``,
    ``other-request``, ``changed`` or ``expired``, and ``SealRequestClosed``.
    """
    if request.applicant == decision.actor:
        raise _refused("own-request", request)
    applicant = find_caller(connection, request.applicant)
    if applicant is not None and not (
        applicant.may_call_at(decision.now) and request.kind.scope in applicant.scopes
    ):
        # Shut out since: what they asked for is asked for by nobody.
        raise _refused("applicant-lapsed", request)
    _decide(connection, request, decision, RequestState.CONFIRMED)
    if decision.now > request.expires_at:
        raise _refused("expired", request)


def refuse(connection: Connection, request: SealRequest, decision: Decision) -> None:
    """Close a request without doing it; its applicant may do so too. Raises as ``confirm``."""
    _decide(connection, request, decision, RequestState.REFUSED)


def _decide(
    connection: Connection, request: SealRequest, decision: Decision, after: RequestState
) -> None:
    if request.digest != decision.digest:
        raise _refused("other-request", request)
    changed = connection.execute(
        update(seal_requests)
        .where(
            seal_requests.c.request_id == request.request_id,
            seal_requests.c.state == RequestState.OPEN.value,
        )
        .values(
            state=after.value,
            decided_by=decision.actor,
            decided_at=decision.now,
            remark=decision.remark,
        )
    )
    if changed.rowcount != 1:
        raise SealRequestClosed(request_id=request.request_id)
    filed = connection.execute(
        select(seal_requests.c.digest).where(seal_requests.c.request_id == request.request_id)
    ).scalar_one()
    if bytes(filed) != request.digest:
        raise _refused("changed", request)


def _refused(rule: str, request: SealRequest) -> DualControlRefused:
    return DualControlRefused(rule=rule, action=request.kind.value, request_id=request.request_id)


def complete(connection: Connection, request_id: str, now: datetime) -> None:
    """Note that everything that followed from a confirmation is done."""
    connection.execute(
        update(seal_requests)
        .where(seal_requests.c.request_id == request_id, seal_requests.c.completed_at.is_(None))
        .values(completed_at=now)
    )


def unfinished(connection: Connection, kind: RequestKind) -> tuple[SealRequest, ...]:
    """Return confirmed requests of a kind, of every tenant, that are not yet wholly done."""
    rows = connection.execute(
        select(seal_requests).where(
            seal_requests.c.state == RequestState.CONFIRMED.value,
            seal_requests.c.kind == kind.value,
            seal_requests.c.completed_at.is_(None),
        )
    ).all()
    return tuple(map(_from_row, rows))


def _from_row(row: Row[tuple[object, ...]]) -> SealRequest:
    return SealRequest(
        request_id=row.request_id,
        authority_code=row.authority_code,
        seal_id=row.seal_id,
        kind=RequestKind(row.kind),
        content=row.content,
        applicant=row.applicant,
        basis_document=row.basis_document,
        reason=row.reason,
        filed_at=row.filed_at,
        expires_at=row.expires_at,
        state=RequestState(row.state),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        remark=row.remark or "",
        completed_at=row.completed_at,
    )
