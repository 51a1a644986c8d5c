"""Sealed documents that were released: which caller asked under which key, and what was answered.

A row is written in the transaction that commits the use, and never changes. The bytes are in the
blob store, under ``digest``.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.exc import IntegrityError

from seal_service.seals.tables import seal_sealings
from seal_service.seals.uses import DocumentFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryKey:
    """Which caller used which idempotency key for which content."""

    authority_code: str
    caller_id: str
    idempotency_key: str
    content_digest: bytes
    """Over everything that was asked for, the document included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSealing:
    """One sealed document."""

    sealing_id: str
    retry: RetryKey
    seal_id: str
    use_id: str
    case_number: str
    document_kind: str
    document_name: str
    mode: str
    format: DocumentFormat
    source_digest: str
    """SM3 of the document as it came, hexadecimal."""
    digest: str
    """SM3 of the sealed document, hexadecimal: its name in the blob store."""
    size: int
    sealed_at: datetime


def enter(connection: Connection, kept: KeptSealing) -> bool:
    """Write a row; return False when the caller's key was used meanwhile."""
    values = {
        "sealing_id": kept.sealing_id,
        "authority_code": kept.retry.authority_code,
        "caller_id": kept.retry.caller_id,
        "idempotency_key": kept.retry.idempotency_key,
        "content_digest": kept.retry.content_digest,
        "seal_id": kept.seal_id,
        "use_id": kept.use_id,
        "case_number": kept.case_number,
        "document_kind": kept.document_kind,
        "document_name": kept.document_name,
        "mode": kept.mode,
        "format": kept.format.value,
        "source_digest": kept.source_digest,
        "digest": kept.digest,
        "size": kept.size,
        "sealed_at": kept.sealed_at,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(seal_sealings).values(values))
    except IntegrityError:
        return False
    return True


def find_by_key(connection: Connection, retry: RetryKey) -> KeptSealing | None:
    """Return what a caller was answered under a key, whatever the content was."""
    row = connection.execute(
        select(seal_sealings).where(
            seal_sealings.c.authority_code == retry.authority_code,
            seal_sealings.c.caller_id == retry.caller_id,
            seal_sealings.c.idempotency_key == retry.idempotency_key,
        )
    ).one_or_none()
    return None if row is None else _from_row(row)


def find(connection: Connection, authority_code: str, sealing_id: str) -> KeptSealing | None:
    """Return a sealing of the tenant."""
    row = connection.execute(
        select(seal_sealings).where(
            seal_sealings.c.authority_code == authority_code,
            seal_sealings.c.sealing_id == sealing_id,
        )
    ).one_or_none()
    return None if row is None else _from_row(row)


def _from_row(row: Row[tuple[object, ...]]) -> KeptSealing:
    return KeptSealing(
        sealing_id=row.sealing_id,
        retry=RetryKey(
            authority_code=row.authority_code,
            caller_id=row.caller_id,
            idempotency_key=row.idempotency_key,
            content_digest=bytes(row.content_digest),
        ),
        seal_id=row.seal_id,
        use_id=row.use_id,
        case_number=row.case_number,
        document_kind=row.document_kind,
        document_name=row.document_name,
        mode=row.mode,
        format=DocumentFormat(row.format),
        source_digest=row.source_digest,
        digest=row.digest,
        size=row.size,
        sealed_at=row.sealed_at,
    )
