"""Write the seal register: applications and moves. Reading is in ``lookup``.

Every function works inside the caller's transaction and is limited to one tenant, except
``expire_due``, the operator's. Nothing is deleted: a move adds an event, and the state of any
instant follows from the events.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, select, update

from seal_service.errors import (
    DualControlRefused,
    InvalidSealOrder,
    SealNotFound,
    SealStateRefused,
)
from seal_service.seals.faces import check_face
from seal_service.seals.lookup import chain_text, find, history
from seal_service.seals.model import MadeSeal, Seal, SealApplication, SealKind
from seal_service.seals.states import (
    SealAction,
    SealEvent,
    SealState,
    check_two_persons,
    next_epoch,
    next_state,
)
from seal_service.seals.tables import made_seals, seal_events, seals

_REGISTER = "register"
"""Acts where nobody decides: a period that ran out."""
_ON_APPLICATION = frozenset(
    {
        SealAction.APPROVE,
        SealAction.REJECT,
        SealAction.MAKE,
        SealAction.FILE,
        SealAction.ISSUE,
        SealAction.ACTIVATE,
    }
)
"""Steps that carry out an application: whoever applied is the applicant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOrder:
    """An application for a seal, as it goes into the register."""

    seal_id: str
    application: SealApplication
    applicant: str
    basis_document: str
    reason: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOrder:
    """Who moves which seal, how, on what basis and why."""

    authority_code: str
    seal_id: str
    action: SealAction
    applicant: str
    """Who asked. For what is done to an application it is its applicant, whatever stands here."""
    approver: str
    """Who decided, and does it."""
    basis_document: str
    reason: str
    now: datetime
    effective_at: datetime | None = None
    """Since when a lost key counts as lost; only ``COMPROMISE`` has one."""


def apply(connection: Connection, order: ApplyOrder) -> Seal:
    """Enter an application; raises ``InvalidSealOrder`` or, for a predecessor, ``SealNotFound``."""
    application = order.application
    _check_application(order)
    if application.predecessor_seal_id is not None:
        find(connection, application.authority_code, application.predecessor_seal_id)
    connection.execute(
        insert(seals).values(
            authority_code=application.authority_code,
            seal_id=order.seal_id,
            kind=application.kind.value,
            face_name=application.face.name,
            face_line_below=application.face.line_below,
            face_number=application.face.number,
            diameter_mm=application.face.diameter_mm,
            face_design=application.face.design.to_text(),
            valid_from=application.valid_from,
            valid_until=application.valid_until,
            predecessor_seal_id=application.predecessor_seal_id,
            applicant=order.applicant,
            applied_at=order.now,
            application_digest=application.digest,
            state=SealState.APPLIED.value,
            epoch=1,
        )
    )
    event = SealEvent(
        happened_at=order.now,
        action=SealAction.APPLY,
        before=None,
        after=SealState.APPLIED,
        epoch=1,
        applicant=order.applicant,
        approver="",
        basis_document=order.basis_document,
        reason=order.reason,
    )
    _note(connection, application.authority_code, order.seal_id, event)
    return find(connection, application.authority_code, order.seal_id)


def _check_application(order: ApplyOrder) -> None:
    application = order.application
    if not application.face.name.strip():
        raise InvalidSealOrder("印章名称不能为空", field="name")
    check_face(application.kind, application.face)
    if application.kind is SealKind.LICENCE and not application.face.line_below:
        raise InvalidSealOrder("专用章须有专用名称", field="line_below")
    if application.valid_from >= application.valid_until:
        raise InvalidSealOrder("有效期止须晚于有效期起", field="valid_until")
    _check_text("basis_document", order.basis_document)
    _check_text("applicant", order.applicant)


def _check_text(field: str, text: str) -> None:
    if not text.strip():
        raise InvalidSealOrder("不能为空", field=field)


def approve(connection: Connection, order: MoveOrder, application_digest: bytes) -> Seal:
    """Approve an application that is exactly the one that was read (T-API-09, T-API-10).

    Raises ``DualControlRefused``, ``SealNotFound`` or ``SealStateRefused``.
    """
    seal = find(connection, order.authority_code, order.seal_id)
    if seal.application.digest != application_digest:
        raise DualControlRefused(rule="other-application", action=order.action.value)
    _check_unchanged(connection, order, application_digest)
    return _move(connection, replace(order, action=SealAction.APPROVE))


def _check_unchanged(connection: Connection, order: MoveOrder, digest: bytes) -> None:
    """Raise ``DualControlRefused`` where the row is no longer what was applied for (T-API-10)."""
    filed = connection.execute(
        select(seals.c.application_digest).where(*_is_row(order))
    ).scalar_one()
    if bytes(filed) != digest:
        raise DualControlRefused(rule="application-changed", action=order.action.value)


def move(connection: Connection, order: MoveOrder) -> Seal:
    """Move a seal to its next state; approving and making have functions of their own.

    Raises ``SealNotFound``, ``SealStateRefused``, ``DualControlRefused`` or ``InvalidSealOrder``.
    """
    if order.action in (SealAction.APPROVE, SealAction.MAKE):
        raise InvalidSealOrder("该操作须单独办理", field="action")
    return _move(connection, order)


def record_made(connection: Connection, order: MoveOrder, made: MadeSeal) -> Seal:
    """Enter what making produced; raises as ``move`` does.

    The application must still be the one that was approved (T-API-10); it can be made once.
    """
    seal = _move(connection, replace(order, action=SealAction.MAKE))
    _check_unchanged(connection, order, seal.application.digest)
    connection.execute(
        insert(made_seals).values(
            authority_code=order.authority_code,
            seal_id=order.seal_id,
            eseal_der=made.eseal_der,
            picture_png=made.picture_png,
            picture_sha256=made.picture_sha256,
            width_mm=made.width_mm,
            height_mm=made.height_mm,
            sm2_key_name=made.sm2.key_name,
            sm2_chain=chain_text(made.sm2.chain),
            rsa_key_name=made.rsa.key_name,
            rsa_chain=chain_text(made.rsa.chain),
        )
    )
    return replace(seal, made=made)


def _move(connection: Connection, order: MoveOrder) -> Seal:
    """Lock the row, check the move, write state, epoch and event."""
    _check_text("basis_document", order.basis_document)
    _check_text("approver", order.approver)
    row = connection.execute(
        select(seals.c.state, seals.c.epoch, seals.c.applicant)
        .where(*_is_row(order))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise SealNotFound(seal_id=order.seal_id)
    before = SealState(row.state)
    applicant = row.applicant if order.action in _ON_APPLICATION else order.applicant
    after = next_state(before, order.action)
    check_two_persons(order.action, applicant, order.approver)
    epoch = next_epoch(row.epoch, before, after)
    connection.execute(update(seals).where(*_is_row(order)).values(state=after.value, epoch=epoch))
    event = SealEvent(
        happened_at=_not_before_last(connection, order),
        action=order.action,
        before=before,
        after=after,
        epoch=epoch,
        applicant=applicant,
        approver=order.approver,
        basis_document=order.basis_document,
        reason=order.reason,
        effective_at=order.effective_at,
    )
    _note(connection, order.authority_code, order.seal_id, event)
    return find(connection, order.authority_code, order.seal_id)


def _is_row(order: MoveOrder) -> tuple[ColumnElement[bool], ...]:
    return (
        seals.c.authority_code == order.authority_code,
        seals.c.seal_id == order.seal_id,
    )


def _not_before_last(connection: Connection, order: MoveOrder) -> datetime:
    """Return the time of the move; a clock that was set back must not reorder history."""
    events = history(connection, order.authority_code, order.seal_id)
    return max(order.now, events[-1].happened_at) if events else order.now


def _note(connection: Connection, authority_code: str, seal_id: str, event: SealEvent) -> None:
    connection.execute(
        insert(seal_events).values(
            authority_code=authority_code,
            seal_id=seal_id,
            happened_at=event.happened_at,
            action=event.action.value,
            state_before=None if event.before is None else event.before.value,
            state_after=event.after.value,
            epoch=event.epoch,
            applicant=event.applicant,
            approver=event.approver,
            basis_document=event.basis_document,
            reason=event.reason,
            effective_at=event.effective_at,
        )
    )


def expire_due(connection: Connection, now: datetime) -> int:
    """Record the end of every seal whose period ran out, of every tenant; for the operator."""
    states = [state.value for state in SealState if _may_expire(state)]
    rows = connection.execute(
        select(seals.c.authority_code, seals.c.seal_id)
        .where(seals.c.state.in_(states), seals.c.valid_until < now)
        .order_by(seals.c.serial)
    ).all()
    for row in rows:
        _move(
            connection,
            MoveOrder(
                authority_code=row.authority_code,
                seal_id=row.seal_id,
                action=SealAction.EXPIRE,
                applicant=_REGISTER,
                approver=_REGISTER,
                basis_document="有效期届满",
                reason="",
                now=now,
            ),
        )
    return len(rows)


def _may_expire(state: SealState) -> bool:
    try:
        next_state(state, SealAction.EXPIRE)
    except SealStateRefused:
        return False
    return True
