"""Nonces that signed requests have used, kept in the database so that a restart forgets none."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from seal_service.plumbing.tables import caller_nonces

KEPT_FOR = timedelta(seconds=600)
MOST_REMOVED = 500


def use_nonce(connection: Connection, caller_id: str, nonce: str, now: datetime) -> bool:
    """Note a nonce; return False when this caller used it before (T-API-03)."""
    try:
        with connection.begin_nested():
            connection.execute(
                insert(caller_nonces).values(
                    caller_id=caller_id, nonce=nonce, keep_until=now + KEPT_FOR
                )
            )
    except IntegrityError:
        return False
    return True


def remove_old_nonces(connection: Connection, now: datetime) -> int:
    """Remove nonces that no acceptable request can repeat, a bounded number; return how many."""
    old = (
        select(caller_nonces.c.caller_id, caller_nonces.c.nonce)
        .where(caller_nonces.c.keep_until < now)
        .order_by(caller_nonces.c.keep_until)
        .limit(MOST_REMOVED)
        # Two workers that clean up at the same time take different rows.
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(old).all()
    if rows:
        key = tuple_(caller_nonces.c.caller_id, caller_nonces.c.nonce)
        connection.execute(
            delete(caller_nonces).where(key.in_([(row.caller_id, row.nonce) for row in rows]))
        )
    return len(rows)
