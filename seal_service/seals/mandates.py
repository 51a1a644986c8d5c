"""Mandates: standing permissions to use a seal, granted by two people, never deleted.

``claim`` counts: it runs in the transaction that writes a use down, with the mandate's row locked,
so that no race takes a mandate over its daily count.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, func, insert, or_, select, update

from seal_service.errors import DualControlRefused, InvalidSealOrder, MandateMissing
from seal_service.seals.lookup import find
from seal_service.seals.model import NO_LIMITS, Mandate, MandateGrant, MandateLimits
from seal_service.seals.policy import day_start
from seal_service.seals.tables import seal_mandates, seal_uses
from seal_service.seals.uses import UseState

MINUTES_OF_DAY = 24 * 60

_OF_TENANT = (
    select(seal_mandates)
    .where(seal_mandates.c.authority_code == bindparam("tenant"))
    .order_by(seal_mandates.c.mandate_id)
)
_OF_SEAL = _OF_TENANT.where(seal_mandates.c.seal_id == bindparam("seal"))
_OF_TYPE = _OF_TENANT.where(
    or_(
        seal_mandates.c.licence_type_code == bindparam("licence_type"),
        seal_mandates.c.licence_type_code.is_(None),
    )
)


def grant_mandate(connection: Connection, grant: MandateGrant, now: datetime) -> Mandate:
    """Enter a mandate; raises ``SealNotFound``, ``InvalidSealOrder`` or ``DualControlRefused``."""
    find(connection, grant.authority_code, grant.seal_id)
    check_grant(grant)
    if grant.applicant == grant.approver:
        raise DualControlRefused(rule="own-request", action="grant-mandate")
    result = connection.execute(
        insert(seal_mandates)
        .values(
            authority_code=grant.authority_code,
            seal_id=grant.seal_id,
            caller_id=grant.caller_id,
            licence_type_code=grant.licence_type_code,
            valid_from=grant.valid_from,
            valid_until=grant.valid_until,
            applicant=grant.applicant,
            approver=grant.approver,
            basis_document=grant.basis_document,
            granted_at=now,
            limits=None if grant.limits == NO_LIMITS else limits_to_text(grant.limits),
        )
        .returning(seal_mandates.c.mandate_id)
    )
    return Mandate(mandate_id=result.scalar_one(), grant=grant, granted_at=now, withdrawn_at=None)


def check_grant(grant: MandateGrant) -> None:
    """Raise ``InvalidSealOrder`` for a mandate without basis, or under which nothing could be."""
    if grant.valid_from >= grant.valid_until:
        raise InvalidSealOrder("授权期止须晚于授权期起", field="valid_until")
    if not grant.basis_document.strip():
        raise InvalidSealOrder("不能为空", field="basis_document")
    limits = grant.limits
    if limits.hours is not None and not 0 <= limits.hours[0] < limits.hours[1] <= MINUTES_OF_DAY:
        raise InvalidSealOrder("时段止须晚于时段起，且不跨零点", field="hours")
    if limits.daily_count is not None and limits.daily_count < 1:
        raise InvalidSealOrder("每日次数至少为 1", field="daily_count")


def limits_to_text(limits: MandateLimits) -> str:
    """Return limits as they are stored."""
    return json.dumps(
        {
            "type_codes": limits.type_codes,
            "matter_codes": limits.matter_codes,
            "hours": limits.hours,
            "daily_count": limits.daily_count,
        }
    )


def limits_from_text(text: str) -> MandateLimits:
    """Read what ``limits_to_text`` wrote."""
    value = json.loads(text)
    hours = value["hours"]
    return MandateLimits(
        type_codes=tuple(value["type_codes"]),
        matter_codes=tuple(value["matter_codes"]),
        hours=None if hours is None else (hours[0], hours[1]),
        daily_count=value["daily_count"],
    )


def claim(connection: Connection, candidates: Sequence[Mandate], now: datetime) -> Mandate:
    """Return the first mandate under which one more use may begin today.

    Its row stays locked until the caller's transaction ends, which must write the use down. Raises
    ``MandateMissing`` with the rule ``withdrawn`` or ``daily-count``.
    """
    rule = "no-mandate"
    for mandate in candidates:
        rule = _why_not(connection, mandate, now)
        if not rule:
            return mandate
    raise MandateMissing(rule=rule, mandate_id=candidates[-1].mandate_id if candidates else 0)


def _why_not(connection: Connection, mandate: Mandate, now: datetime) -> str:
    most = mandate.grant.limits.daily_count
    withdrawn_at = connection.execute(
        select(seal_mandates.c.withdrawn_at)
        .where(
            seal_mandates.c.authority_code == mandate.grant.authority_code,
            seal_mandates.c.mandate_id == mandate.mandate_id,
        )
        # Where nothing is counted, uses need not wait for each other.
        .with_for_update(read=most is None)
    ).scalar_one()
    if withdrawn_at is not None and withdrawn_at <= now:
        return "withdrawn"
    if most is None:
        return ""
    used = connection.execute(
        select(func.count())
        .select_from(seal_uses)
        .where(
            seal_uses.c.mandate_id == mandate.mandate_id,
            seal_uses.c.opened_at >= day_start(now),
            seal_uses.c.state != UseState.ABANDONED.value,
        )
    ).scalar_one()
    return "daily-count" if used >= most else ""


def check_of_seal(
    connection: Connection, authority_code: str, seal_id: str, mandate_id: int
) -> None:
    """Raise ``MandateMissing`` unless the seal has this mandate."""
    known = mandates_of(connection, authority_code, seal_id)
    if mandate_id not in {mandate.mandate_id for mandate in known}:
        raise MandateMissing(rule="no-mandate", mandate_id=mandate_id)


def withdraw_mandate(
    connection: Connection,
    authority_code: str,
    mandate_id: int,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
) -> None:
    """End a mandate; one that ended keeps its time. Raises ``MandateMissing`` if there is none."""
    changed = connection.execute(
        update(seal_mandates)
        .where(
            seal_mandates.c.authority_code == authority_code,
            seal_mandates.c.mandate_id == mandate_id,
            seal_mandates.c.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now, withdrawn_by=actor, withdrawal_reason=reason)
    )
    if changed.rowcount != 1:
        raise MandateMissing(rule="no-mandate", mandate_id=mandate_id)


def mandates_of(connection: Connection, authority_code: str, seal_id: str) -> tuple[Mandate, ...]:
    """Return every mandate of a seal, ended ones too."""
    return _read(connection, _OF_SEAL, {"tenant": authority_code, "seal": seal_id})


def mandates_for_type(
    connection: Connection, authority_code: str, licence_type_code: str
) -> tuple[Mandate, ...]:
    """Return the tenant's mandates that cover a licence type, of any seal."""
    wanted = {"tenant": authority_code, "licence_type": licence_type_code}
    return _read(connection, _OF_TYPE, wanted)


def _read(
    connection: Connection, query: Select[tuple[object, ...]], wanted: dict[str, str]
) -> tuple[Mandate, ...]:
    rows = connection.execute(query, wanted).all()
    return tuple(
        Mandate(
            mandate_id=row.mandate_id,
            grant=MandateGrant(
                authority_code=row.authority_code,
                seal_id=row.seal_id,
                caller_id=row.caller_id,
                licence_type_code=row.licence_type_code,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
                applicant=row.applicant,
                approver=row.approver,
                basis_document=row.basis_document,
                limits=NO_LIMITS if row.limits is None else limits_from_text(row.limits),
            ),
            granted_at=row.granted_at,
            withdrawn_at=row.withdrawn_at,
        )
        for row in rows
    )
