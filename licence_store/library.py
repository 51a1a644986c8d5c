"""The licence library's rows: reserve, keep, abandon, revoke, sweep. Reading is in ``lookup``.

Every function works inside the caller's transaction and is limited to one tenant, except ``sweep``,
which is the operator's. A reservation is held by a lease and a counting ``attempt``: whoever
takes over a dead reservation raises it, and the slow former owner can no longer keep anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from licence_store.errors import LeaseLost, LicenceExists, LicenceStateRefused
from licence_store.lookup import LicenceEvent, find
from licence_store.model import (
    ApprovalResult,
    Licence,
    LicenceFile,
    Revocation,
    approval_result_to_json,
    canonical_json,
    content_digest,
)
from licence_store.states import (
    STATE_NAMES,
    LicenceState,
    RevocationKind,
    check_transition,
    states_before,
)
from licence_store.tables import (
    licence_events,
    licence_files,
    licences,
)

_OF_CASE = (
    select(licences)
    .where(
        licences.c.authority_code == bindparam("tenant"),
        licences.c.case_number == bindparam("case"),
        licences.c.licence_type_code == bindparam("licence_type"),
    )
    .with_for_update()
)
_OWNED = update(licences).where(
    licences.c.authority_code == bindparam("tenant"),
    licences.c.identifier == bindparam("owned"),
    licences.c.state == bindparam("before"),
    licences.c.attempt == bindparam("owner_attempt"),
)
_KEEP = _OWNED.values(
    state=bindparam("after"), record=bindparam("new_record"), issued_at=bindparam("now")
)
_ABANDON = _OWNED.values(state=bindparam("after"))
_INSERT_LICENCE = insert(licences)
_INSERT_FILES = insert(licence_files)
_INSERT_EVENT = insert(licence_events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What is written down before any key is touched."""

    approval_result: ApprovalResult
    identifier: str
    """A fresh identifier; not used when the case already holds one."""
    qr_digest: bytes
    holder_digest: bytes
    licence_number: str
    licence_type_name: str
    template_version: str
    now: datetime
    lease_until: datetime

    @property
    def authority_code(self) -> str:
        """Return the tenant."""
        return self.approval_result.issuing_authority.code


class ReservationStatus(StrEnum):
    """What became of an attempt to reserve."""

    OURS = "ours"
    BUSY = "busy"
    """Another request with the same content holds the lease."""
    ISSUED = "issued"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """The outcome: the identifier of the case, and the attempt that may keep it."""

    status: ReservationStatus
    authority_code: str
    identifier: str
    attempt: int
    reserved_at: datetime


def reserve(connection: Connection, wanted: Reservation) -> Reserved:
    """Take the place of (tenant, case, licence type), or say who has it.

    Raises ``LicenceExists`` when the place holds, or is being given to, other content. The caller
    commits before it touches a key.
    """
    row = _row_of_case(connection, wanted)
    if row is None:
        try:
            with connection.begin_nested():
                return _insert_reservation(connection, wanted)
        except IntegrityError:
            # Another worker inserted the same case between our look and our insert.
            row = _row_of_case(connection, wanted)
            if row is None:
                raise
    return _answer_existing(connection, wanted, row)


def _row_of_case(connection: Connection, wanted: Reservation) -> Row[tuple[object, ...]] | None:
    case = {
        "tenant": wanted.authority_code,
        "case": wanted.approval_result.case_number,
        "licence_type": wanted.approval_result.licence_type_code,
    }
    return connection.execute(_OF_CASE, case).one_or_none()


def _reservation_values(wanted: Reservation) -> dict[str, object]:
    """Return the columns that follow from the content, and so change when it does."""
    result = wanted.approval_result
    return {
        "holder_digest": wanted.holder_digest,
        "licence_type_name": wanted.licence_type_name,
        "licence_number": wanted.licence_number,
        "template_version": wanted.template_version,
        "state": LicenceState.ISSUING.value,
        "approval_result": canonical_json(approval_result_to_json(result)).decode(),
        "content_digest": content_digest(result),
        "lease_until": wanted.lease_until,
    }


def _insert_reservation(connection: Connection, wanted: Reservation) -> Reserved:
    result = wanted.approval_result
    connection.execute(
        _INSERT_LICENCE,
        {
            "authority_code": wanted.authority_code,
            "identifier": wanted.identifier,
            "qr_digest": wanted.qr_digest,
            "case_number": result.case_number,
            "licence_type_code": result.licence_type_code,
            "version": wanted.identifier.split(".")[-2],
            "record": "{}",
            "attempt": 1,
            "reserved_at": wanted.now,
            **_reservation_values(wanted),
        },
    )
    return Reserved(
        status=ReservationStatus.OURS,
        authority_code=wanted.authority_code,
        identifier=wanted.identifier,
        attempt=1,
        reserved_at=wanted.now,
    )


def _answer_existing(
    connection: Connection, wanted: Reservation, row: Row[tuple[object, ...]]
) -> Reserved:
    state = LicenceState(row.state)
    is_dead = state is LicenceState.ABANDONED or (
        state is LicenceState.ISSUING and row.lease_until <= wanted.now
    )
    if is_dead:
        return _take_over(connection, wanted, row)
    if bytes(row.content_digest) != content_digest(wanted.approval_result):
        raise LicenceExists(case_number=row.case_number, identifier=row.identifier)
    status = ReservationStatus.BUSY if state is LicenceState.ISSUING else ReservationStatus.ISSUED
    return Reserved(
        status=status,
        authority_code=row.authority_code,
        identifier=row.identifier,
        attempt=row.attempt,
        reserved_at=row.reserved_at,
    )


def _take_over(
    connection: Connection, wanted: Reservation, row: Row[tuple[object, ...]]
) -> Reserved:
    """Begin a dead reservation anew under its own identifier and link."""
    attempt = row.attempt + 1
    connection.execute(
        update(licences)
        .where(
            licences.c.authority_code == wanted.authority_code,
            licences.c.identifier == row.identifier,
        )
        .values(attempt=attempt, **_reservation_values(wanted))
    )
    return Reserved(
        status=ReservationStatus.OURS,
        authority_code=wanted.authority_code,
        identifier=row.identifier,
        attempt=attempt,
        reserved_at=row.reserved_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLicence:
    """What turns a reservation into a licence in force."""

    reserved: Reserved
    metadata: dict[str, str]
    files: Sequence[LicenceFile]
    caller_id: str
    now: datetime


def keep(connection: Connection, kept: KeptLicence) -> None:
    """Put a reserved licence in force with its files.

    Raises ``LeaseLost`` when the reservation is no longer this attempt's.
    """
    owner = kept.reserved
    changed = connection.execute(
        _KEEP,
        {
            **_owned_by(owner),
            "after": LicenceState.IN_FORCE.value,
            "new_record": canonical_json(kept.metadata).decode(),
            "now": kept.now,
        },
    )
    if changed.rowcount != 1:
        raise LeaseLost(identifier=owner.identifier)
    connection.execute(_INSERT_FILES, [_file_row(owner, file) for file in kept.files])
    event = LicenceEvent(
        happened_at=kept.now,
        before=LicenceState.ISSUING,
        after=LicenceState.IN_FORCE,
        reason="",
        basis="",
        caller_id=kept.caller_id,
    )
    _note_event(connection, owner.authority_code, owner.identifier, event)


def _file_row(owner: Reserved, file: LicenceFile) -> dict[str, object]:
    return {
        "authority_code": owner.authority_code,
        "identifier": owner.identifier,
        "format": file.format.value,
        "digest": file.digest,
        "size": file.size,
        "seal_id": file.seal_id,
        "seal_use_id": file.seal_use_id,
    }


def abandon(connection: Connection, owner: Reserved) -> None:
    """Give a reservation up; does nothing when it is no longer this attempt's."""
    connection.execute(_ABANDON, {**_owned_by(owner), "after": LicenceState.ABANDONED.value})


def _owned_by(owner: Reserved) -> dict[str, object]:
    return {
        "tenant": owner.authority_code,
        "owned": owner.identifier,
        "before": LicenceState.ISSUING.value,
        "owner_attempt": owner.attempt,
    }


def sweep(connection: Connection, now: datetime, limit: int = 500) -> tuple[Reserved, ...]:
    """Abandon reservations of every tenant whose lease is over; for the operator's sweep only."""
    rows = connection.execute(
        select(licences)
        .where(licences.c.state == LicenceState.ISSUING.value, licences.c.lease_until <= now)
        .order_by(licences.c.licence_id)
        .limit(limit)
        .with_for_update()
    ).all()
    swept = tuple(
        Reserved(
            status=ReservationStatus.OURS,
            authority_code=row.authority_code,
            identifier=row.identifier,
            attempt=row.attempt,
            reserved_at=row.reserved_at,
        )
        for row in rows
    )
    for owner in swept:
        abandon(connection, owner)
    return swept


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationOrder:
    """Who ends which licence, how and on what basis."""

    authority_code: str
    identifier: str
    kind: RevocationKind
    reason: str
    basis_document: str
    caller_id: str
    now: datetime


def record_revocation(connection: Connection, order: RevocationOrder) -> Licence:
    """End a licence's force; the same order again changes nothing and answers alike.

    Raises ``LicenceNotFound``, or ``LicenceStateRefused`` when the state does not allow it.
    """
    before = find(connection, order.authority_code, order.identifier)
    if _is_same_revocation(before.revocation, order):
        return before
    check_transition(before.state, order.kind.state)
    changed = connection.execute(
        update(licences)
        .where(
            licences.c.authority_code == order.authority_code,
            licences.c.identifier == order.identifier,
            licences.c.state == before.state.value,
            licences.c.state.in_([state.value for state in states_before(order.kind.state)]),
        )
        .values(
            state=order.kind.state.value,
            revocation_kind=order.kind.value,
            revocation_reason=order.reason,
            revocation_basis=order.basis_document,
            revoked_at=order.now,
            revoked_by=order.caller_id,
        )
    )
    after = find(connection, order.authority_code, order.identifier)
    if changed.rowcount != 1:
        return _answer_lost_race(after, order)
    event = LicenceEvent(
        happened_at=order.now,
        before=before.state,
        after=order.kind.state,
        reason=order.reason,
        basis=order.basis_document,
        caller_id=order.caller_id,
    )
    _note_event(connection, order.authority_code, order.identifier, event)
    return after


def _is_same_revocation(known: Revocation | None, order: RevocationOrder) -> bool:
    return known is not None and (known.kind, known.reason, known.basis_document) == (
        order.kind,
        order.reason,
        order.basis_document,
    )


def _answer_lost_race(after: Licence, order: RevocationOrder) -> Licence:
    """Answer for a licence that another request changed between our look and our update."""
    if _is_same_revocation(after.revocation, order):
        return after
    raise LicenceStateRefused(f"证照当前状态：{STATE_NAMES[after.state]}", state=after.state.value)


def _note_event(
    connection: Connection, authority_code: str, identifier: str, event: LicenceEvent
) -> None:
    connection.execute(
        _INSERT_EVENT,
        {
            "authority_code": authority_code,
            "identifier": identifier,
            "happened_at": event.happened_at,
            "state_before": event.before.value,
            "state_after": event.after.value,
            "reason": event.reason,
            "basis": event.basis,
            "caller_id": event.caller_id,
        },
    )
