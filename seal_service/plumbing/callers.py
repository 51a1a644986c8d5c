"""The callers: approval systems that may call the API, each with a tenant, scopes and a secret.

The secret is needed to check an HMAC, so it cannot be stored as a digest; it is stored encrypted
(``secret_box``) under a key the database does not hold. Every function works inside the caller's
transaction; changes take effect at the next request.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from seal_service.plumbing.errors import CallerExists, CallerNotFound, InvalidCaller
from seal_service.plumbing.secret_box import SecretBox
from seal_service.plumbing.tables import callers

SECRET_BYTES = 32
_CALLER_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_AUTHORITY_CODE = re.compile(r"[0-9A-Z]{18}")
_SCOPE = re.compile(r"[a-z-]{1,32}:[a-z-]{1,32}")

Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCaller:
    """What an operator says of a caller."""

    caller_id: str
    authority_code: str
    """The tenant: unified social credit code of the authority it works for."""
    scopes: frozenset[str]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredCaller:
    """A row of the register; ``sealed_secret`` opens only with the secret box."""

    caller_id: str
    authority_code: str
    scopes: frozenset[str]
    sealed_secret: bytes
    created_at: datetime
    expires_at: datetime | None
    disabled_at: datetime | None

    def may_call_at(self, now: datetime) -> bool:
        """Tell whether it is neither disabled nor expired."""
        return self.disabled_at is None and (self.expires_at is None or now < self.expires_at)


def register_caller(
    connection: Connection, new: NewCaller, *, box: SecretBox, randomness: Randomness, now: datetime
) -> bytes:
    """Register a caller; return its secret, which is shown once and never again.

    Raises ``InvalidCaller`` and ``CallerExists``.
    """
    check_new(new)
    secret = randomness(SECRET_BYTES)
    try:
        with connection.begin_nested():
            connection.execute(
                insert(callers).values(
                    caller_id=new.caller_id,
                    authority_code=new.authority_code,
                    scopes=_scopes_to_text(new.scopes),
                    sealed_secret=box.seal(secret, new.caller_id, randomness(12)),
                    created_at=now,
                    expires_at=new.expires_at,
                )
            )
    except IntegrityError:
        raise CallerExists(caller_id=new.caller_id) from None
    return secret


def replace_secret(
    connection: Connection, caller_id: str, *, box: SecretBox, randomness: Randomness
) -> bytes:
    """Give a caller a new secret and return it; the old one ends at once."""
    secret = randomness(SECRET_BYTES)
    _change(connection, caller_id, sealed_secret=box.seal(secret, caller_id, randomness(12)))
    return secret


def change_scopes(connection: Connection, caller_id: str, scopes: frozenset[str]) -> None:
    """Change what a caller may do; raises ``CallerNotFound`` and ``InvalidCaller``."""
    check_scopes(scopes)
    _change(connection, caller_id, scopes=_scopes_to_text(scopes))


def disable(connection: Connection, caller_id: str, *, now: datetime) -> None:
    """Shut a caller out, for ever; raises ``CallerNotFound``. The first time counts."""
    _change(connection, caller_id, disabled_at=func.coalesce(callers.c.disabled_at, now))


def find_caller(connection: Connection, caller_id: str) -> RegisteredCaller | None:
    """Return a caller, or None."""
    row = connection.execute(select(callers).where(callers.c.caller_id == caller_id)).one_or_none()
    return None if row is None else _from_row(row)


def list_registered(
    connection: Connection, authority_code: str | None = None
) -> tuple[RegisteredCaller, ...]:
    """Return the callers of a tenant, or of all of them: for the operator only."""
    query = select(callers).order_by(callers.c.authority_code, callers.c.caller_id)
    if authority_code is not None:
        query = query.where(callers.c.authority_code == authority_code)
    return tuple(map(_from_row, connection.execute(query).all()))


def list_callers(connection: Connection, authority_code: str) -> tuple[str, ...]:
    """Name the callers of a tenant."""
    query = select(callers.c.caller_id).where(callers.c.authority_code == authority_code)
    return tuple(connection.execute(query.order_by(callers.c.caller_id)).scalars())


def list_tenants(connection: Connection) -> tuple[str, ...]:
    """Name the authorities that have callers; for the operator only."""
    query = select(callers.c.authority_code).distinct().order_by(callers.c.authority_code)
    return tuple(connection.execute(query).scalars())


def _change(connection: Connection, caller_id: str, **values: object) -> None:
    changed = connection.execute(
        update(callers).where(callers.c.caller_id == caller_id).values(**values)
    )
    if changed.rowcount != 1:
        raise CallerNotFound


def check_new(new: NewCaller) -> None:
    """Raise ``InvalidCaller`` for a name, tenant or scope that is not well formed."""
    if _CALLER_ID.fullmatch(new.caller_id) is None:
        raise InvalidCaller(field="caller_id")
    if _AUTHORITY_CODE.fullmatch(new.authority_code) is None:
        raise InvalidCaller(field="authority_code")
    check_scopes(new.scopes)


def check_scopes(scopes: Iterable[str]) -> None:
    """Raise ``InvalidCaller`` for a scope that is not well formed."""
    if any(_SCOPE.fullmatch(scope) is None for scope in scopes):
        raise InvalidCaller(field="scopes")


def _from_row(row: Row[tuple[object, ...]]) -> RegisteredCaller:
    return RegisteredCaller(
        caller_id=row.caller_id,
        authority_code=row.authority_code,
        scopes=frozenset(row.scopes.split()),
        sealed_secret=bytes(row.sealed_secret),
        created_at=row.created_at,
        expires_at=row.expires_at,
        disabled_at=row.disabled_at,
    )


def _scopes_to_text(scopes: Iterable[str]) -> str:
    return " ".join(sorted(scopes))
