"""Bring a database to the shape this version works with, or say that it has another one.

All steps run in one transaction: an interrupted migration leaves the database as it was
(T-STO-14). A process whose code does not fit the shape refuses to start.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from keys.errors import Kind, ServiceError
from seal_service.plumbing.database import Database

FOLDER = Path(__file__).resolve().parent
_LOCK = 0x65_73_65_61_6C
"""Advisory lock on PostgreSQL, so that two starting processes do not migrate at once."""


class SchemaMismatch(ServiceError):
    """The database was migrated to another version than this program's."""

    code = "schema-mismatch"
    kind = Kind.UNAVAILABLE
    title = "数据库结构与程序版本不符"
    title_en = "The database has another shape than this version works with"
    advice = "请先停止旧版本，再运行 eseal migrate 升级数据库。"


def migrate(database: Database) -> str:
    """Apply every missing step and return the revision reached."""
    with database.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        _refuse_newer(connection)
        command.upgrade(_config(connection), "head")
        return current_revision(connection) or ""


def check_schema(database: Database) -> None:
    """Raise ``SchemaMismatch`` unless the database is at this version's revision."""
    with database.engine.connect() as connection:
        found = current_revision(connection)
    if found != latest_revision():
        raise SchemaMismatch(found=found or "none", expected=latest_revision())


def current_revision(connection: Connection) -> str | None:
    """Return the revision a database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def latest_revision() -> str:
    """Return the revision this program works with."""
    return ScriptDirectory(str(FOLDER)).get_current_head() or ""


def _refuse_newer(connection: Connection) -> None:
    found = current_revision(connection)
    known = {script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaMismatch(found=found, expected=latest_revision())


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config
