"""The register of callers and the encryption of their secrets."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from seal_service.plumbing.callers import (
    NewCaller,
    change_scopes,
    disable,
    find_caller,
    list_callers,
    register_caller,
    replace_secret,
)
from seal_service.plumbing.database import Database
from seal_service.plumbing.errors import (
    CallerExists,
    CallerNotFound,
    InvalidCaller,
    SecretDamaged,
)
from seal_service.plumbing.secret_box import SecretBox
from seal_service.plumbing.tables import callers
from tests.support.licences import AUTHORITY, OTHER_AUTHORITY, make_randomness

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
BOX = SecretBox(b"key of the box, for tests")
SCOPES = frozenset({"licences:read", "licences:issue"})


def register(database: Database, caller_id: str = "approval", **changes: object) -> bytes:
    values = {
        "caller_id": caller_id,
        "authority_code": AUTHORITY.code,
        "scopes": SCOPES,
        **changes,
    }
    new = NewCaller(**values)  # type: ignore[arg-type]  # a builder's keywords are flaws
    with database.transaction() as connection:
        return register_caller(connection, new, box=BOX, randomness=make_randomness(5), now=NOW)


def test_a_registered_caller_is_found_with_its_secret_sealed(database: Database) -> None:
    secret = register(database)
    with database.reading() as connection:
        found = find_caller(connection, "approval")
        stored = connection.execute(select(callers)).one()
    assert found is not None
    assert (found.authority_code, found.scopes) == (AUTHORITY.code, SCOPES)
    assert found.may_call_at(NOW)
    assert BOX.open(found.sealed_secret, "approval") == secret
    assert len(secret) == 32
    assert secret not in bytes(stored.sealed_secret)


def test_a_name_is_given_once(database: Database) -> None:
    register(database)
    with pytest.raises(CallerExists):
        register(database, authority_code=OTHER_AUTHORITY.code)


@pytest.mark.parametrize(
    "changes",
    [
        {"caller_id": ""},
        {"caller_id": "a" * 65},
        {"caller_id": "a b"},
        {"caller_id": 'a"b'},
        {"caller_id": "a\n"},
        {"caller_id": "审批"},
        {"authority_code": "x"},
        {"scopes": frozenset({"licences"})},
        {"scopes": frozenset({"licences:read licences:issue"})},
    ],
)
def test_names_that_would_not_fit_a_header_are_refused(
    database: Database, changes: dict[str, object]
) -> None:
    with pytest.raises(InvalidCaller):
        register(database, **changes)  # type: ignore[arg-type]


def test_callers_of_a_tenant_are_listed(database: Database) -> None:
    register(database, "b")
    register(database, "a")
    register(database, "c", authority_code=OTHER_AUTHORITY.code)
    with database.reading() as connection:
        assert list_callers(connection, AUTHORITY.code) == ("a", "b")


def test_only_known_callers_can_be_changed(database: Database) -> None:
    with database.transaction() as connection:
        assert find_caller(connection, "nobody") is None
        with pytest.raises(CallerNotFound):
            disable(connection, "nobody", now=NOW)
        with pytest.raises(CallerNotFound):
            change_scopes(connection, "nobody", frozenset())
        with pytest.raises(CallerNotFound):
            replace_secret(connection, "nobody", box=BOX, randomness=make_randomness(1))


def test_a_sealed_secret_is_bound_to_its_owner_and_key() -> None:
    sealed = BOX.seal(b"secret", "approval", b"r" * 12)
    assert BOX.open(sealed, "approval") == b"secret"
    with pytest.raises(SecretDamaged):
        BOX.open(sealed, "other")
    with pytest.raises(SecretDamaged):
        SecretBox(b"another key of the box").open(sealed, "approval")


def test_every_changed_byte_of_a_sealed_secret_is_noticed() -> None:
    sealed = BOX.seal(b"secret", "approval", b"r" * 12)
    for place in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[place] ^= 1
        with pytest.raises(SecretDamaged):
            BOX.open(bytes(damaged), "approval")


@given(st.binary(max_size=60))
def test_random_bytes_do_not_open(data: bytes) -> None:
    with pytest.raises(SecretDamaged):
        BOX.open(data, "approval")


def test_short_keys_and_wrong_randomness_are_programming_errors() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        SecretBox(b"short")
    with pytest.raises(ValueError, match="12 random bytes"):
        BOX.seal(b"secret", "approval", b"short")
