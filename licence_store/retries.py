"""Idempotency keys of issuing: which caller used which key for which content.

The answer itself is not kept, because it follows from the licence: the same case and content lead
to the same licence whatever the key.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from licence_store.tables import licence_requests
from seal_service.errors import IdempotencyMismatch


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestNote:
    """Which caller used which idempotency key for which content."""

    authority_code: str
    caller_id: str
    idempotency_key: str
    content_digest: bytes
    now: datetime


def note_request(connection: Connection, note: RequestNote) -> None:
    """Bind an idempotency key to its content, for ever.

    Raises ``IdempotencyMismatch`` when the caller used the key for other content before.
    """
    known = _digest_of_request(connection, note)
    if known is None:
        try:
            with connection.begin_nested():
                connection.execute(
                    insert(licence_requests).values(
                        authority_code=note.authority_code,
                        caller_id=note.caller_id,
                        idempotency_key=note.idempotency_key,
                        content_digest=note.content_digest,
                        asked_at=note.now,
                    )
                )
        except IntegrityError:
            known = _digest_of_request(connection, note)
    if known is not None and known != note.content_digest:
        raise IdempotencyMismatch


def forget_request(connection: Connection, note: RequestNote) -> None:
    """Free the key of a request that was refused, so that a mended one may use it again."""
    connection.execute(
        delete(licence_requests).where(
            licence_requests.c.authority_code == note.authority_code,
            licence_requests.c.caller_id == note.caller_id,
            licence_requests.c.idempotency_key == note.idempotency_key,
            licence_requests.c.content_digest == note.content_digest,
        )
    )


def _digest_of_request(connection: Connection, note: RequestNote) -> bytes | None:
    found = connection.execute(
        select(licence_requests.c.content_digest).where(
            licence_requests.c.authority_code == note.authority_code,
            licence_requests.c.caller_id == note.caller_id,
            licence_requests.c.idempotency_key == note.idempotency_key,
        )
    ).scalar_one_or_none()
    return None if found is None else bytes(found)
