"""An enterprise shows a licence with a one-time code instead of a file (亮证, 用证).

1. A caller that acts for the holder asks for a code: 160 random bits, valid 60 to 300 seconds,
   bound to licence, holder and purpose. Only its digest is stored.
2. The holder shows it; an approval system, of any tenant, redeems it once: the code is the
   permission, and the only way past the border between tenants.
3. Every redemption, also a refused one, leaves a row in the use log.

An unknown, used, late or misdirected code is refused with one and the same error (T-WEB-05).
Every function works inside the caller's transaction; a refusal is a value, so that its row in the
use log is committed before anything is raised.
"""

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Row, insert, select, update

from keys.algorithms import sm3
from licence_store.codes import HolderCodeType
from licence_store.errors import HolderMismatch, LicenceNotFound, LicenceStateRefused
from licence_store.lookup import LARGEST_PAGE, find
from licence_store.model import Licence
from licence_store.states import Standing, Validity, day_in_china, standing_on
from licence_store.tables import licence_uses, presentations

CODE_BYTES = 20
CODE_LENGTH = 32
SHORTEST_SECONDS = 60
LONGEST_SECONDS = 300


class UseResult(StrEnum):
    """How a redemption ended, as the use log tells it; the redeemer is not told the refusals."""

    RELEASED = "released"
    UNKNOWN_CODE = "unknown-code"
    ALREADY_USED = "already-used"
    TOO_LATE = "too-late"
    OTHER_MATTER = "other-matter"
    NOT_IN_FORCE = "not-in-force"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationOrder:
    """What a code is asked for."""

    authority_code: str
    identifier: str
    holder_code: str
    holder_code_type: HolderCodeType
    holder_digest: bytes
    purpose: str
    service_item_code: str | None
    """When named, only a redemption for this matter is served."""
    lifetime_seconds: int
    caller_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """A code to show, once."""

    code: str
    identifier: str
    purpose: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionOrder:
    """Who redeems a code, for which matter and case."""

    code: str
    user_authority_code: str
    caller_id: str
    service_item_code: str
    case_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionOutcome:
    """What a redemption gave; ``licence`` only when released."""

    result: UseResult
    licence: Licence | None = None
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceUse:
    """One row of the use log."""

    use_id: int
    used_at: datetime
    user_authority_code: str
    caller_id: str
    service_item_code: str
    case_number: str
    purpose: str
    version: str
    released: tuple[str, ...]
    result: UseResult


def has_force(licence: Licence, now: datetime) -> bool:
    """Tell whether a licence is in force at this instant."""
    validity = Validity(
        valid_from=licence.approval_result.valid_from,
        valid_until=licence.approval_result.valid_until,
    )
    return standing_on(licence.state, validity, day_in_china(now)) is Standing.IN_FORCE


def present(
    connection: Connection, order: PresentationOrder, *, randomness: bytes, now: datetime
) -> Presentation:
    """Make a one-time code for a licence of this tenant.

    Raises ``LicenceNotFound``, ``HolderMismatch``, or ``LicenceStateRefused`` when the licence is
    not in force. ``randomness`` must be ``CODE_BYTES`` secret bytes.
    """
    licence = find(connection, order.authority_code, order.identifier)
    holder = licence.approval_result.holder
    if (holder.code, holder.code_type) != (order.holder_code, order.holder_code_type):
        raise HolderMismatch
    if not has_force(licence, now):
        raise LicenceStateRefused("只有有效的证照可以亮证", state=licence.state.value)
    lifetime = max(SHORTEST_SECONDS, min(order.lifetime_seconds, LONGEST_SECONDS))
    code = base64.b32encode(randomness[:CODE_BYTES]).decode("ascii")
    made = Presentation(
        code=code,
        identifier=licence.identifier,
        purpose=order.purpose,
        created_at=now,
        expires_at=now + timedelta(seconds=lifetime),
    )
    connection.execute(
        insert(presentations).values(
            authority_code=order.authority_code,
            identifier=licence.identifier,
            code_digest=_code_digest(code),
            holder_digest=order.holder_digest,
            purpose=order.purpose,
            service_item_code=order.service_item_code,
            requested_by=order.caller_id,
            created_at=made.created_at,
            expires_at=made.expires_at,
        )
    )
    return made


def redeem(connection: Connection, order: RedemptionOrder, *, now: datetime) -> RedemptionOutcome:
    """Redeem a code at most once, and note the use; the caller commits, then may raise."""
    digest = _code_digest(order.code)
    row = connection.execute(
        select(presentations).where(presentations.c.code_digest == digest)
    ).one_or_none()
    refusal = _refusal(row, order, now)
    if row is None or refusal is not None:
        return _refuse(connection, order, row, refusal or UseResult.UNKNOWN_CODE, now)
    # The condition makes two redemptions at the same instant count as one, on any database.
    taken = connection.execute(
        update(presentations)
        .where(
            presentations.c.presentation_id == row.presentation_id,
            presentations.c.redeemed_at.is_(None),
        )
        .values(redeemed_at=now, redeemed_by=order.caller_id)
    )
    if taken.rowcount != 1:
        return _refuse(connection, order, row, UseResult.ALREADY_USED, now)
    try:
        licence = find(connection, row.authority_code, row.identifier)
    except LicenceNotFound:
        return _refuse(connection, order, row, UseResult.NOT_IN_FORCE, now)
    if not has_force(licence, now):
        return _refuse(connection, order, row, UseResult.NOT_IN_FORCE, now)
    outcome = RedemptionOutcome(result=UseResult.RELEASED, licence=licence, purpose=row.purpose)
    _note_use(connection, order, row, outcome, now)
    return outcome


def _refusal(
    row: Row[tuple[object, ...]] | None, order: RedemptionOrder, now: datetime
) -> UseResult | None:
    if row is None:
        return UseResult.UNKNOWN_CODE
    if row.redeemed_at is not None:
        return UseResult.ALREADY_USED
    if now >= row.expires_at:
        return UseResult.TOO_LATE
    if row.service_item_code not in (None, order.service_item_code):
        return UseResult.OTHER_MATTER
    return None


def _refuse(
    connection: Connection,
    order: RedemptionOrder,
    row: Row[tuple[object, ...]] | None,
    result: UseResult,
    now: datetime,
) -> RedemptionOutcome:
    outcome = RedemptionOutcome(result=result)
    _note_use(connection, order, row, outcome, now)
    return outcome


def _note_use(
    connection: Connection,
    order: RedemptionOrder,
    row: Row[tuple[object, ...]] | None,
    outcome: RedemptionOutcome,
    now: datetime,
) -> None:
    """Write a row of the use log; a guess at a code belongs to the guesser's own tenant."""
    released = []
    if outcome.licence is not None:
        released = sorted(outcome.licence.approval_result.face_data)
        released += [f"file:{file.format.value}" for file in outcome.licence.files]
    connection.execute(
        insert(licence_uses).values(
            authority_code=row.authority_code if row else order.user_authority_code,
            identifier=row.identifier if row else None,
            version=row.identifier.split(".")[-2] if row else None,
            used_at=now,
            user_authority_code=order.user_authority_code,
            caller_id=order.caller_id,
            service_item_code=order.service_item_code,
            case_number=order.case_number,
            purpose=row.purpose if row else "",
            released=json.dumps(released),
            result=outcome.result.value,
        )
    )


def list_uses(
    connection: Connection, authority_code: str, identifier: str, *, before: int | None, limit: int
) -> tuple[LicenceUse, ...]:
    """List the uses of a tenant's licence, newest first; ``before`` is the last use id seen."""
    query = select(licence_uses).where(
        licence_uses.c.authority_code == authority_code, licence_uses.c.identifier == identifier
    )
    if before is not None:
        query = query.where(licence_uses.c.use_id < before)
    limit = max(1, min(limit, LARGEST_PAGE))
    rows = connection.execute(query.order_by(licence_uses.c.use_id.desc()).limit(limit)).all()
    return tuple(
        LicenceUse(
            use_id=row.use_id,
            used_at=row.used_at,
            user_authority_code=row.user_authority_code,
            caller_id=row.caller_id,
            service_item_code=row.service_item_code,
            case_number=row.case_number,
            purpose=row.purpose,
            version=row.version,
            released=tuple(json.loads(row.released)),
            result=UseResult(row.result),
        )
        for row in rows
    )


def _code_digest(code: str) -> bytes:
    return sm3(code.encode("utf-8", "replace"))
