"""Migrations make exactly the tables the code works with, on both databases (T-STO-14)."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, column, insert, inspect, select, table, text

import eseal.migrations.tables  # noqa: F401 - declares the tables
from eseal.migrations.runner import (
    FOLDER,
    SchemaMismatch,
    check_schema,
    current_revision,
    latest_revision,
    migrate,
)
from seal_service.plumbing.database import Database, metadata
from seal_service.plumbing.tables import callers
from seal_service.seals.tables import made_seals
from tests.support.postgres import PostgresServer

_MADE = {
    "authority_code": "11320102MB9K00021D",
    "seal_id": "",
    "eseal_der": b"e-seal",
    "picture_png": b"picture",
    "width_mm": 42,
    "height_mm": 42,
    "sm2_key_name": "sm2",
    "sm2_chain": "[]",
    "rsa_key_name": "rsa",
    "rsa_chain": "[]",
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Open a database without tables."""
    if request.param == "sqlite":
        url, drop = f"sqlite:///{tmp_path / 'test.db'}", None
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        name = server.new_database()
        url, drop = server.url(name), partial(server.drop_database, name)
    opened = Database(url)
    yield opened
    opened.close()
    if drop is not None:
        drop()


def test_a_migrated_database_has_the_tables_of_the_code(empty: Database) -> None:
    assert migrate(empty) == latest_revision()
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    assert migrate(empty) == migrate(empty)
    check_schema(empty)


def test_a_database_that_was_not_migrated_is_refused(empty: Database) -> None:
    with pytest.raises(SchemaMismatch):
        check_schema(empty)


def test_a_newer_database_is_refused_and_left_alone(empty: Database) -> None:
    migrate(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch):
        check_schema(empty)
    with pytest.raises(SchemaMismatch):
        migrate(empty)


def test_an_interrupted_migration_leaves_nothing_behind(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-STO-14."""
    done = command.upgrade

    def break_after(config: Config, revision: str) -> None:
        done(config, revision)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "upgrade", break_after)
    with pytest.raises(KeyboardInterrupt):
        migrate(empty)
    with empty.engine.connect() as connection:
        assert current_revision(connection) is None
        assert inspect(connection).get_table_names() == []
    monkeypatch.undo()
    assert migrate(empty) == latest_revision()


def test_seals_made_before_lists_had_digests_get_theirs(empty: Database) -> None:
    with empty.engine.begin() as connection:
        _migrate_to(connection, "0004")
        made = table("made_seals", *(column(name) for name in _MADE))
        connection.execute(insert(made), [{**_MADE, "seal_id": f"S-{n}"} for n in range(150)])
    migrate(empty)
    with empty.engine.connect() as connection:
        digests = set(connection.scalars(select(made_seals.c.picture_sha256)))
    assert digests == {hashlib.sha256(b"picture").hexdigest()}


def _migrate_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def test_a_manager_keeps_what_it_could_do_when_roles_come(empty: Database) -> None:
    """Applying and approving were a manager's before they had scopes of their own."""
    before = {"keeper": "seals:manage seals:read", "reader": "seals:read"}
    with empty.engine.begin() as connection:
        _migrate_to(connection, "0002")
        for caller_id, scopes in before.items():
            connection.execute(
                insert(callers).values(
                    caller_id=caller_id,
                    authority_code="11320102MB9K00021D",
                    scopes=scopes,
                    sealed_secret=b"",
                    created_at=datetime(2026, 11, 24, tzinfo=UTC),
                )
            )
    migrate(empty)
    with empty.engine.connect() as connection:
        rows = connection.execute(select(callers.c.caller_id, callers.c.scopes)).all()
        found = {row.caller_id: row.scopes for row in rows}
    assert found == {
        "keeper": "seals:apply seals:approve seals:manage seals:read",
        "reader": "seals:read",
    }
