"""Read the seal register: seals, their history, and the state of any instant.

Every function is limited to one tenant, except ``status_at``, which is the public answer, and
``find_for_verification``, which the verifier asks about a seal it holds in hand.
"""

import base64
import json
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, bindparam, or_, select

from keys.algorithms import sm3
from seal_service.errors import SealNotFound
from seal_service.plumbing.text_search import begins_with, has_part
from seal_service.seals.design import read_design
from seal_service.seals.model import (
    ListedSeal,
    MadeSeal,
    Seal,
    SealApplication,
    SealFace,
    SealKind,
    SealPeriod,
    SealStatus,
    SigningIdentity,
)
from seal_service.seals.states import SealAction, SealEvent, SealState, state_at
from seal_service.seals.tables import made_seals, seal_events, seals

LARGEST_PAGE = 200
LONGEST_SEARCH = 100

_WHOLE = select(
    seals,
    *(column for column in made_seals.c if column.name not in ("serial", "seal_id")),
).join_from(seals, made_seals, seals.c.seal_id == made_seals.c.seal_id, isouter=True)
_LISTED = select(
    seals, made_seals.c.picture_sha256, made_seals.c.sm2_chain, made_seals.c.rsa_chain
).join_from(seals, made_seals, seals.c.seal_id == made_seals.c.seal_id, isouter=True)
_PUBLIC = select(
    seals.c.face_name,
    seals.c.face_line_below,
    seals.c.valid_from,
    seals.c.valid_until,
    made_seals.c.eseal_der,
).join_from(seals, made_seals, seals.c.seal_id == made_seals.c.seal_id, isouter=True)
_OF_TENANT = _WHOLE.where(
    seals.c.authority_code == bindparam("tenant"), seals.c.seal_id == bindparam("seal")
)
_OF_IDS = _WHOLE.where(
    seals.c.authority_code == bindparam("tenant"),
    seals.c.seal_id.in_(bindparam("seal_ids", expanding=True)),
).order_by(seals.c.serial.desc())
_OF_ANY_TENANT = _WHOLE.where(seals.c.seal_id == bindparam("seal"))
_PUBLIC_OF_ANY_TENANT = _PUBLIC.where(seals.c.seal_id == bindparam("seal"))


def find(connection: Connection, authority_code: str, seal_id: str) -> Seal:
    """Return a seal of the tenant; raises ``SealNotFound``, also for another tenant's."""
    row = connection.execute(_OF_TENANT, {"tenant": authority_code, "seal": seal_id}).one_or_none()
    if row is None:
        raise SealNotFound(seal_id=seal_id)
    return _from_row(row)


def find_many(
    connection: Connection, authority_code: str, seal_ids: Sequence[str]
) -> tuple[Seal, ...]:
    """Return the tenant's seals among ``seal_ids``, newest first."""
    rows = connection.execute(_OF_IDS, {"tenant": authority_code, "seal_ids": list(seal_ids)}).all()
    return tuple(map(_from_row, rows))


def list_seals(
    connection: Connection,
    authority_code: str,
    *,
    state: SealState | None = None,
    search: str = "",
    after: str | None = None,
    limit: int = 50,
) -> tuple[ListedSeal, ...]:
    """List the tenant's seals, newest first; ``after`` is the last of the page before.

    ``search`` is part of the seal's name, or the beginning of its id or registered number.
    """
    # The page is chosen from the index alone, then only its rows are read.
    page = select(seals.c.serial).where(seals.c.authority_code == authority_code)
    if state is not None:
        page = page.where(seals.c.state == state.value)
    if search:
        page = page.where(_is_found_by(search))
    if after is not None:
        last = select(seals.c.serial).where(
            seals.c.authority_code == authority_code, seals.c.seal_id == after
        )
        page = page.where(seals.c.serial < last.scalar_subquery())
    page = page.order_by(seals.c.serial.desc()).limit(min(limit, LARGEST_PAGE))
    rows = connection.execute(
        _LISTED.where(seals.c.serial.in_(page)).order_by(seals.c.serial.desc())
    ).all()
    return tuple(map(_listed_from_row, rows))


def _is_found_by(search: str) -> ColumnElement[bool]:
    return or_(
        has_part(seals.c.face_name + seals.c.face_line_below, search),
        begins_with(seals.c.seal_id, search),
        begins_with(seals.c.face_number, search),
    )


def list_periods(
    connection: Connection, authority_code: str, states: Collection[SealState]
) -> tuple[SealPeriod, ...]:
    """Return the period of every seal of the tenant in one of ``states``, oldest first."""
    rows = connection.execute(
        select(seals.c.seal_id, seals.c.valid_from, seals.c.valid_until)
        .where(
            seals.c.authority_code == authority_code,
            seals.c.state.in_([state.value for state in states]),
        )
        .order_by(seals.c.serial)
    )
    return tuple(
        SealPeriod(seal_id=seal_id, valid_from=valid_from, valid_until=valid_until)
        for seal_id, valid_from, valid_until in rows
    )


def history(connection: Connection, authority_code: str, seal_id: str) -> tuple[SealEvent, ...]:
    """Return every event of a seal of the tenant in order; empty for one it does not have."""
    return _events(connection, seal_id, authority_code)


def status_at(connection: Connection, seal_id: str, at: datetime) -> SealStatus:
    """Return a seal's public status at an instant, for any tenant.

    Raises ``SealNotFound`` for a seal that is unknown or was not yet applied for. The public part
    shows no picture and of the owner no more than the seal's name.
    """
    row = connection.execute(_PUBLIC_OF_ANY_TENANT, {"seal": seal_id}).one_or_none()
    if row is None:
        raise SealNotFound(seal_id=seal_id)
    events = [event for event in _events(connection, seal_id) if event.counts_from <= at]
    until = row.valid_until
    state = state_at(events, at, until)
    if state is None:
        raise SealNotFound(seal_id=seal_id)
    last = events[-1]
    is_in_use = state is SealState.ACTIVE
    return SealStatus(
        seal_id=seal_id,
        name=row.face_name + row.face_line_below,
        state=state,
        at=at,
        valid_from=row.valid_from,
        valid_until=until,
        since=last.counts_from if state is last.after else until,
        stop_reason="" if is_in_use or state is not last.after else last.reason,
        last_action=last.action if state is last.after else SealAction.EXPIRE,
        seal_digest=None if row.eseal_der is None else sm3(row.eseal_der),
    )


def find_for_verification(
    connection: Connection, seal_id: str
) -> tuple[Seal, tuple[SealEvent, ...]]:
    """Return a seal of any tenant and its history, for the verifier of a document that bears it.

    Raises ``SealNotFound``. Only a verdict may say what is found here, never the row itself.
    """
    row = connection.execute(_OF_ANY_TENANT, {"seal": seal_id}).one_or_none()
    if row is None:
        raise SealNotFound(seal_id=seal_id)
    return _from_row(row), _events(connection, seal_id)


def _events(
    connection: Connection, seal_id: str, authority_code: str | None = None
) -> tuple[SealEvent, ...]:
    query = select(seal_events).where(seal_events.c.seal_id == seal_id)
    if authority_code is not None:
        query = query.where(seal_events.c.authority_code == authority_code)
    rows = connection.execute(query.order_by(seal_events.c.event_id)).all()
    return tuple(
        SealEvent(
            happened_at=row.happened_at,
            action=SealAction(row.action),
            before=None if row.state_before is None else SealState(row.state_before),
            after=SealState(row.state_after),
            epoch=row.epoch,
            applicant=row.applicant,
            approver=row.approver,
            basis_document=row.basis_document,
            reason=row.reason,
            effective_at=row.effective_at,
        )
        for row in rows
    )


def _from_row(row: Row[tuple[object, ...]]) -> Seal:
    return Seal(
        seal_id=row.seal_id,
        application=_application_from_row(row),
        applicant=row.applicant,
        applied_at=row.applied_at,
        state=SealState(row.state),
        epoch=row.epoch,
        made=None if row.eseal_der is None else _made_from_row(row),
    )


def _listed_from_row(row: Row[tuple[object, ...]]) -> ListedSeal:
    is_made = row.sm2_chain is not None
    return ListedSeal(
        seal_id=row.seal_id,
        application=_application_from_row(row),
        applicant=row.applicant,
        applied_at=row.applied_at,
        state=SealState(row.state),
        epoch=row.epoch,
        picture_sha256=row.picture_sha256,
        certificates=(_own(row.sm2_chain), _own(row.rsa_chain)) if is_made else (),
    )


def _application_from_row(row: Row[tuple[object, ...]]) -> SealApplication:
    face = SealFace(
        name=row.face_name,
        line_below=row.face_line_below,
        number=row.face_number,
        diameter_mm=row.diameter_mm,
        design=read_design(row.face_design),
    )
    return SealApplication(
        authority_code=row.authority_code,
        kind=SealKind(row.kind),
        face=face,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        predecessor_seal_id=row.predecessor_seal_id,
    )


def _made_from_row(row: Row[tuple[object, ...]]) -> MadeSeal:
    return MadeSeal(
        eseal_der=bytes(row.eseal_der),
        picture_png=bytes(row.picture_png),
        width_mm=row.width_mm,
        height_mm=row.height_mm,
        sm2=SigningIdentity(key_name=row.sm2_key_name, chain=_chain(row.sm2_chain)),
        rsa=SigningIdentity(key_name=row.rsa_key_name, chain=_chain(row.rsa_chain)),
    )


def chain_text(chain: Sequence[bytes]) -> str:
    """Return a certificate chain as it is stored."""
    return json.dumps([base64.b64encode(der).decode("ascii") for der in chain])


def _chain(text: str) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(item) for item in json.loads(text))


def _own(text: str) -> bytes:
    """Return the first certificate of a chain as it is stored."""
    return base64.b64decode(json.loads(text)[0])
