"""Find licences: by identifier, case, public link; list them; tell their history.

Every function works inside the caller's transaction and sees issued licences only. All are limited
to one tenant except the two that say so: anyone may check a licence whose link or file they hold.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, Select, bindparam, select

from keys.algorithms import sm3
from licence_store.errors import LicenceNotFound
from licence_store.model import (
    FileFormat,
    Licence,
    LicenceFile,
    Revocation,
    approval_result_from_json,
)
from licence_store.states import ISSUED_STATES, LicenceState, RevocationKind
from licence_store.tables import licence_events, licence_files, licences

LARGEST_PAGE = 100
_ISSUED = select(licences).where(
    licences.c.state.in_(tuple(state.value for state in ISSUED_STATES))
)
_OF_TENANT = _ISSUED.where(licences.c.authority_code == bindparam("tenant"))
_BY_IDENTIFIER = _OF_TENANT.where(licences.c.identifier == bindparam("wanted"))
_BY_QR_DIGEST = _ISSUED.where(licences.c.qr_digest == bindparam("digest"))
_BY_IDENTIFIER_OF_ANY = _ISSUED.where(licences.c.identifier == bindparam("wanted"))
_FILES = (
    select(licence_files)
    .where(licence_files.c.identifier.in_(bindparam("identifiers", expanding=True)))
    .order_by(licence_files.c.format)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """What to list; None means any."""

    state: LicenceState | None = None
    licence_type_code: str | None = None
    case_number: str | None = None
    holder_digest: bytes | None = None
    after: str | None = None
    """Identifier of the last licence of the page before."""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceEvent:
    """One move between states."""

    happened_at: datetime
    before: LicenceState
    after: LicenceState
    reason: str
    basis: str
    caller_id: str


def find(connection: Connection, authority_code: str, identifier: str) -> Licence:
    """Return an issued licence of this tenant; raises ``LicenceNotFound``."""
    return _one(connection, _BY_IDENTIFIER, {"tenant": authority_code, "wanted": identifier})


def find_by_qr_token(connection: Connection, token: bytes) -> Licence:
    """Return the licence behind a public link, of any tenant; raises ``LicenceNotFound``.

    The token is the permission; only its digest is stored, so the row cannot be turned back into
    a link.
    """
    return _one(connection, _BY_QR_DIGEST, {"digest": sm3(token)})


def find_for_verification(connection: Connection, identifier: str) -> Licence:
    """Return a licence of any tenant for the verifier of a file; raises ``LicenceNotFound``.

    Only a caller who holds a file that names the identifier may be told what the row says.
    """
    return _one(connection, _BY_IDENTIFIER_OF_ANY, {"wanted": identifier})


def list_licences(
    connection: Connection, authority_code: str, wanted: ListFilter
) -> tuple[Licence, ...]:
    """List a tenant's issued licences, newest first, at most ``LARGEST_PAGE`` (T-API-34)."""
    query = _ISSUED.where(licences.c.authority_code == authority_code)
    if wanted.state is not None:
        query = query.where(licences.c.state == wanted.state.value)
    if wanted.licence_type_code is not None:
        query = query.where(licences.c.licence_type_code == wanted.licence_type_code)
    if wanted.case_number is not None:
        query = query.where(licences.c.case_number == wanted.case_number)
    if wanted.holder_digest is not None:
        query = query.where(licences.c.holder_digest == wanted.holder_digest)
    if wanted.after is not None:
        last = (
            select(licences.c.licence_id)
            .where(
                licences.c.authority_code == authority_code,
                licences.c.identifier == wanted.after,
            )
            .scalar_subquery()
        )
        query = query.where(licences.c.licence_id < last)
    limit = max(1, min(wanted.limit, LARGEST_PAGE))
    rows = connection.execute(query.order_by(licences.c.licence_id.desc()).limit(limit)).all()
    files = _files_of(connection, [row.identifier for row in rows])
    return tuple(_to_licence(row, files.get(row.identifier, ())) for row in rows)


def history(
    connection: Connection, authority_code: str, identifier: str
) -> tuple[LicenceEvent, ...]:
    """Return every move between states of a tenant's licence, oldest first."""
    rows = connection.execute(
        select(licence_events)
        .where(
            licence_events.c.authority_code == authority_code,
            licence_events.c.identifier == identifier,
        )
        .order_by(licence_events.c.event_id)
    ).all()
    return tuple(
        LicenceEvent(
            happened_at=row.happened_at,
            before=LicenceState(row.state_before),
            after=LicenceState(row.state_after),
            reason=row.reason,
            basis=row.basis,
            caller_id=row.caller_id,
        )
        for row in rows
    )


def _one(
    connection: Connection, query: Select[tuple[object, ...]], wanted: Mapping[str, object]
) -> Licence:
    row = connection.execute(query, wanted).one_or_none()
    if row is None:
        raise LicenceNotFound
    return _to_licence(row, _files_of(connection, [row.identifier]).get(row.identifier, ()))


def _files_of(
    connection: Connection, identifiers: Sequence[str]
) -> dict[str, tuple[LicenceFile, ...]]:
    """Return the files of these licences, OFD first."""
    rows = connection.execute(_FILES, {"identifiers": list(identifiers)}).all()
    found: dict[str, tuple[LicenceFile, ...]] = {}
    for row in rows:
        file = LicenceFile(
            format=FileFormat(row.format),
            digest=row.digest,
            size=row.size,
            seal_id=row.seal_id,
            seal_use_id=row.seal_use_id,
        )
        found[row.identifier] = (*found.get(row.identifier, ()), file)
    return found


def _to_licence(row: Row[tuple[object, ...]], files: tuple[LicenceFile, ...]) -> Licence:
    revocation = None
    if row.revocation_kind is not None:
        revocation = Revocation(
            kind=RevocationKind(row.revocation_kind),
            reason=row.revocation_reason,
            basis_document=row.revocation_basis,
            revoked_at=row.revoked_at,
            caller_id=row.revoked_by,
        )
    return Licence(
        identifier=row.identifier,
        licence_number=row.licence_number,
        version=row.version,
        state=LicenceState(row.state),
        licence_type_name=row.licence_type_name,
        template_version=row.template_version,
        approval_result=approval_result_from_json(json.loads(row.approval_result)),
        metadata=json.loads(row.record),
        files=files,
        content_digest=bytes(row.content_digest),
        reserved_at=row.reserved_at,
        issued_at=row.issued_at,
        revocation=revocation,
    )
