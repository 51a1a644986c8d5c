"""Mandates: standing permissions to use a seal, granted by two people, never deleted."""

from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, insert, or_, select, update

from seal_service.errors import DualControlRefused, InvalidSealOrder, MandateMissing
from seal_service.seals.lookup import find
from seal_service.seals.model import Mandate, MandateGrant
from seal_service.seals.tables import seal_mandates

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
    if grant.valid_from >= grant.valid_until:
        raise InvalidSealOrder("授权期止须晚于授权期起", field="valid_until")
    if not grant.basis_document.strip():
        raise InvalidSealOrder("不能为空", field="basis_document")
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
        )
        .returning(seal_mandates.c.mandate_id)
    )
    return Mandate(mandate_id=result.scalar_one(), grant=grant, granted_at=now, withdrawn_at=None)


def withdraw_mandate(
    connection: Connection, authority_code: str, mandate_id: int, *, actor: str, now: datetime
) -> None:
    """End a mandate; one that ended keeps its time. Raises ``MandateMissing`` if there is none."""
    changed = connection.execute(
        update(seal_mandates)
        .where(
            seal_mandates.c.authority_code == authority_code,
            seal_mandates.c.mandate_id == mandate_id,
            seal_mandates.c.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now, withdrawn_by=actor)
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
            ),
            granted_at=row.granted_at,
            withdrawn_at=row.withdrawn_at,
        )
        for row in rows
    )
