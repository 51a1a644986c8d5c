"""A key that may be in other hands since an instant: stop its seals, list what they sealed since.

Seals of one holder may share a key; all that do are stopped. The stop is one transaction, which
raises their epochs: whatever was signed and not yet committed is never released (T-STO-07).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from seal_service.seals import registry
from seal_service.seals.lookup import find_many
from seal_service.seals.model import Seal
from seal_service.seals.registry import MoveOrder
from seal_service.seals.requests import RequestKind, RequestState
from seal_service.seals.states import MOVES, SealAction
from seal_service.seals.tables import made_seals, seal_requests, seal_sealings, seal_uses
from seal_service.seals.uses import UseState

LARGEST_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSince:
    """One committed use of a seal's keys."""

    serial: int
    use_id: str
    seal_id: str
    caller_id: str
    case_number: str
    type_code: str
    """Licence type, or kind of document."""
    subject: str
    """Licence identifier, or the document's name."""
    format: str
    committed_at: datetime
    sealing_id: str | None
    """Of a document that is no licence."""


def sharing_keys(connection: Connection, seal: Seal) -> tuple[Seal, ...]:
    """Return every seal of the tenant that signs with one of the seal's keys, itself included."""
    if seal.made is None:
        return (seal,)
    names = key_names(seal)
    ids = connection.scalars(
        select(made_seals.c.seal_id).where(
            made_seals.c.authority_code == seal.authority_code,
            or_(made_seals.c.sm2_key_name.in_(names), made_seals.c.rsa_key_name.in_(names)),
        )
    ).all()
    return find_many(connection, seal.authority_code, list(ids))


def is_lost(connection: Connection, key_name: str) -> bool:
    """Tell whether a key was declared lost; no seal is ever made with it again (T-KEY-07)."""
    query = (
        select(seal_requests.c.request_id)
        .join(made_seals, made_seals.c.seal_id == seal_requests.c.seal_id)
        .where(
            seal_requests.c.kind == RequestKind.COMPROMISE.value,
            seal_requests.c.state == RequestState.CONFIRMED.value,
            or_(made_seals.c.sm2_key_name == key_name, made_seals.c.rsa_key_name == key_name),
        )
        .limit(1)
    )
    return connection.execute(query).first() is not None


def key_names(seal: Seal) -> tuple[str, ...]:
    """Return the names of a seal's keys; none before making."""
    return () if seal.made is None else (seal.made.sm2.key_name, seal.made.rsa.key_name)


def stop(connection: Connection, seals: Iterable[Seal], order: MoveOrder) -> tuple[str, ...]:
    """Move every seal that can still be moved; return which were.

    The first is the one named; it must be movable, or ``SealStateRefused`` is raised.
    """
    stopped = []
    for seal in sorted(seals, key=lambda one: one.seal_id):
        is_named = seal.seal_id == order.seal_id
        if is_named or (seal.state, SealAction.COMPROMISE) in MOVES:
            registry.move(connection, _for(order, seal.seal_id))
            stopped.append(seal.seal_id)
    return tuple(stopped)


def _for(order: MoveOrder, seal_id: str) -> MoveOrder:
    return MoveOrder(
        authority_code=order.authority_code,
        seal_id=seal_id,
        action=order.action,
        applicant=order.applicant,
        approver=order.approver,
        basis_document=order.basis_document,
        reason=order.reason,
        now=order.now,
        effective_at=order.effective_at,
    )


def certificates(seals: Iterable[Seal]) -> tuple[bytes, ...]:
    """Return the DER of every certificate the seals sign under, each once."""
    made = [seal.made for seal in seals if seal.made is not None]
    found = [identity.certificate for one in made for identity in (one.sm2, one.rsa)]
    return tuple(dict.fromkeys(found))


def sealed_since(
    connection: Connection,
    seal: Seal,
    since: datetime,
    *,
    after: int = 0,
    limit: int = LARGEST_PAGE,
) -> tuple[SealedSince, ...]:
    """List what was sealed with a seal's keys and released at an instant or later, in order."""
    rows = connection.execute(
        select(seal_uses, seal_sealings.c.sealing_id)
        .join_from(
            seal_uses, seal_sealings, seal_uses.c.use_id == seal_sealings.c.use_id, isouter=True
        )
        .where(
            seal_uses.c.authority_code == seal.authority_code,
            seal_uses.c.key_name.in_(_names(seal)),
            seal_uses.c.state == UseState.COMMITTED.value,
            seal_uses.c.closed_at >= since,
            seal_uses.c.serial > after,
        )
        .order_by(seal_uses.c.serial)
        .limit(min(limit, LARGEST_PAGE))
    ).all()
    return tuple(
        SealedSince(
            serial=row.serial,
            use_id=row.use_id,
            seal_id=row.seal_id,
            caller_id=row.caller_id,
            case_number=row.case_number,
            type_code=row.licence_type_code,
            subject=row.subject,
            format=row.format,
            committed_at=row.closed_at,
            sealing_id=row.sealing_id,
        )
        for row in rows
    )


def _names(seal: Seal) -> Sequence[str]:
    return list(key_names(seal))
