"""Uses of seals: the intent before the key is used, and how it ended.

``open_use`` is committed before a key signs (ADR 0005); a use then ends as committed, in the
transaction that releases what was sealed, or as abandoned. Rows stay (T-STO-18).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    Connection,
    Row,
    Subquery,
    bindparam,
    insert,
    select,
    union_all,
    update,
)

from seal_service.errors import (
    ClockWentBack,
    SealExpired,
    SealNotFound,
    SealSuspended,
    SealUseClosed,
)
from seal_service.plumbing.logging import log_alarm
from seal_service.seals.policy import check_state
from seal_service.seals.states import SealState
from seal_service.seals.tables import seal_uses, seals

CLOCK_SKEW = timedelta(seconds=300)
_INSERT = insert(seal_uses)
_OF_IDS = (
    select(seal_uses)
    .where(
        seal_uses.c.authority_code == bindparam("tenant"),
        seal_uses.c.use_id.in_(bindparam("use_ids", expanding=True)),
    )
    .order_by(seal_uses.c.seal_id, seal_uses.c.serial)
)
_CLOSE = (
    update(seal_uses)
    .where(
        seal_uses.c.authority_code == bindparam("tenant"),
        seal_uses.c.use_id.in_(bindparam("use_ids", expanding=True)),
        seal_uses.c.state == bindparam("before"),
    )
    .values(state=bindparam("after"), closed_at=bindparam("now"))
)
_SEAL_LOCKED = (
    select(seals.c.state, seals.c.epoch, seals.c.valid_until)
    .where(seals.c.authority_code == bindparam("tenant"), seals.c.seal_id == bindparam("seal"))
    .with_for_update(read=True)
)


class UseState(StrEnum):
    """How far a use has come."""

    OPEN = "open"
    COMMITTED = "committed"
    ABANDONED = "abandoned"


class DocumentFormat(StrEnum):
    """What is sealed."""

    OFD = "ofd"
    PDF = "pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class UseIntent:
    """What is written down before a key is used."""

    use_id: str
    authority_code: str
    seal_id: str
    epoch: int
    """Of the seal when its state was checked."""
    key_name: str
    caller_id: str
    case_number: str
    licence_type_code: str
    subject: str
    """What is sealed: a licence identifier or a document's name."""
    format: DocumentFormat
    document_digest: bytes
    """What the signature will bind: in OFD SM3 of Signature.xml, in PDF SHA-256 of the range."""
    opened_at: datetime
    mandate_id: int | None = None
    """Under which mandate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealUse:
    """A use as it stands in the register."""

    intent: UseIntent
    state: UseState
    closed_at: datetime | None


def _newest(state: UseState) -> Subquery:
    return (
        select(seal_uses.c.serial, seal_uses.c.opened_at)
        .where(seal_uses.c.state == state.value, seal_uses.c.serial > bindparam("after"))
        .order_by(seal_uses.c.opened_at.desc())
        .limit(1)
        .subquery()
    )


# State by state, so that the index gives the answer.
_NEWEST = union_all(select(_newest(UseState.COMMITTED)), select(_newest(UseState.OPEN)))


def check_clock(connection: Connection, now: datetime, *, after: int = 0) -> None:
    """Raise ``ClockWentBack`` where a use was opened later than now (T-PKI-31).

    A few minutes are allowed, as between two machines. Uses up to the serial number ``after`` were
    recorded while the clock ran ahead and do not count.
    """
    rows = connection.execute(_NEWEST, {"after": after}).all()
    newest = max(rows, key=lambda row: row.opened_at, default=None)
    if newest is not None and now < newest.opened_at - CLOCK_SKEW:
        log_alarm("clock_went_back", recorded=newest.opened_at.isoformat(), serial=newest.serial)
        raise ClockWentBack(serial=newest.serial)


def open_use(connection: Connection, intent: UseIntent) -> None:
    """Write an intent down; raises when the seal was stopped since it was checked."""
    _check_unstopped(connection, intent, intent.opened_at)
    connection.execute(
        _INSERT,
        {
            "use_id": intent.use_id,
            "authority_code": intent.authority_code,
            "seal_id": intent.seal_id,
            "epoch": intent.epoch,
            "key_name": intent.key_name,
            "caller_id": intent.caller_id,
            "case_number": intent.case_number,
            "licence_type_code": intent.licence_type_code,
            "subject": intent.subject,
            "format": intent.format.value,
            "document_digest": intent.document_digest,
            "state": UseState.OPEN.value,
            "opened_at": intent.opened_at,
            "mandate_id": intent.mandate_id,
        },
    )


def commit_uses(
    connection: Connection, authority_code: str, use_ids: Sequence[str], now: datetime
) -> tuple[SealUse, ...]:
    """Close uses as committed, unless a seal was stopped since; return them (T-STO-07).

    The seals' rows stay locked against a stop until the caller's transaction ends, so whoever is
    told "stopped" knows that no use commits afterwards. Raises ``SealUseClosed``,
    ``SealSuspended``, ``SealRevoked`` or ``SealExpired``; then the caller must roll back.
    """
    wanted = list(dict.fromkeys(use_ids))
    rows = connection.execute(_OF_IDS, {"tenant": authority_code, "use_ids": wanted}).all()
    intents = [_intent(row) for row in rows]
    if len(intents) != len(wanted):
        raise SealUseClosed("no such use of a seal")
    for intent in {(intent.seal_id, intent.epoch): intent for intent in intents}.values():
        _check_unstopped(connection, intent, now)
    if _close(connection, authority_code, wanted, UseState.COMMITTED, now) != len(wanted):
        raise SealUseClosed
    return tuple(
        SealUse(intent=intent, state=UseState.COMMITTED, closed_at=now) for intent in intents
    )


def _check_unstopped(connection: Connection, intent: UseIntent, now: datetime) -> None:
    """Lock the seal's row against a stop and compare it with the intent."""
    row = connection.execute(
        _SEAL_LOCKED, {"tenant": intent.authority_code, "seal": intent.seal_id}
    ).one_or_none()
    if row is None:
        raise SealNotFound(seal_id=intent.seal_id)
    check_state(SealState(row.state), intent.seal_id)
    if row.epoch != intent.epoch:
        raise SealSuspended("the seal was stopped meanwhile", seal_id=intent.seal_id)
    if now > row.valid_until:
        raise SealExpired(seal_id=intent.seal_id, rule="seal-period")


def abandon_uses(
    connection: Connection, authority_code: str, use_ids: Sequence[str], now: datetime
) -> int:
    """Close open uses as abandoned and return how many; committed ones stay as they are."""
    return _close(connection, authority_code, use_ids, UseState.ABANDONED, now)


def _close(
    connection: Connection,
    authority_code: str,
    use_ids: Sequence[str],
    after: UseState,
    now: datetime,
) -> int:
    changed = connection.execute(
        _CLOSE,
        {
            "tenant": authority_code,
            "use_ids": list(use_ids),
            "before": UseState.OPEN.value,
            "after": after.value,
            "now": now,
        },
    )
    return changed.rowcount


def sweep(connection: Connection, opened_before: datetime, now: datetime) -> int:
    """Abandon what a crash left open, of every tenant; for start-up and the operator."""
    return connection.execute(
        update(seal_uses)
        .where(seal_uses.c.state == UseState.OPEN.value, seal_uses.c.opened_at < opened_before)
        .values(state=UseState.ABANDONED.value, closed_at=now)
    ).rowcount


def find_use(connection: Connection, authority_code: str, use_id: str) -> SealUse | None:
    """Return a use of the tenant."""
    row = connection.execute(
        select(seal_uses).where(
            seal_uses.c.authority_code == authority_code, seal_uses.c.use_id == use_id
        )
    ).one_or_none()
    return None if row is None else _from_row(row)


def list_uses(
    connection: Connection, authority_code: str, seal_id: str, *, since: datetime, limit: int = 200
) -> tuple[SealUse, ...]:
    """List what a seal was used for since an instant, in order."""
    rows = connection.execute(
        select(seal_uses)
        .where(
            seal_uses.c.authority_code == authority_code,
            seal_uses.c.seal_id == seal_id,
            seal_uses.c.opened_at >= since,
        )
        .order_by(seal_uses.c.serial)
        .limit(limit)
    ).all()
    return tuple(map(_from_row, rows))


def _from_row(row: Row[tuple[object, ...]]) -> SealUse:
    return SealUse(intent=_intent(row), state=UseState(row.state), closed_at=row.closed_at)


def _intent(row: Row[tuple[object, ...]]) -> UseIntent:
    return UseIntent(
        use_id=row.use_id,
        authority_code=row.authority_code,
        seal_id=row.seal_id,
        epoch=row.epoch,
        key_name=row.key_name,
        caller_id=row.caller_id,
        case_number=row.case_number,
        licence_type_code=row.licence_type_code,
        subject=row.subject,
        format=DocumentFormat(row.format),
        document_digest=bytes(row.document_digest),
        opened_at=row.opened_at,
        mandate_id=row.mandate_id,
    )
