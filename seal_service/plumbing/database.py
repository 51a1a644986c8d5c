"""The database: SQLite for one node, PostgreSQL for a service; the same behaviour on both.

``transaction()`` is one writing transaction, committed when its block ends. On SQLite writers take
turns inside the process (BEGIN IMMEDIATE under one queue), so that no caller ever sees "database is
locked"; every commit is on the disk when it returns (WAL, synchronous FULL). ``reading()`` uses
other connections, which the database itself keeps from writing, and waits for no writer.

Driver errors leave here as ``StorageUnavailable``. ``IntegrityError`` passes: it is an answer, for
the function that inserts to read. Errors of our own SQL (``ProgrammingError``, ``DataError``) pass
too, because they are bugs.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection

from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.types import TypeDecorator, TypeEngine

from seal_service.errors import StorageUnavailable
from seal_service.plumbing.errors import StorageRefused
from seal_service.plumbing.logging import log_alarm
from seal_service.plumbing.volumes import check_is_local
from seal_service.plumbing.writer_queue import WriterQueue

WAIT_SECONDS = 10
"""How long a writer waits for its turn, or anyone for a connection of the pool."""

_POSTGRESQL_OPTIONS = {
    "lock_timeout": "5s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "60s",
    "synchronous_commit": "on",
    "timezone": "UTC",
}

metadata = MetaData()
"""Every table of every package; ``tables.py`` modules add theirs when they are imported."""

SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""A key the database counts up; SQLite does so for its own INTEGER only."""


class Instant(TypeDecorator[datetime]):
    """An instant in UTC, to the microsecond; text that sorts on SQLite, timestamptz elsewhere.

    A value without a time zone is refused: it would mean another instant on another machine.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        """Choose how the database stores it."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware instant into what is stored."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn what was stored into an aware instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """Connections to one database.

    ``url`` is ``sqlite:///<path>`` or ``postgresql://...``. Raises ``StorageRefused`` for any other
    kind, for SQLite without a file, and for a SQLite file on a network share (T-STO-21).
    """

    def __init__(self, url: str, *, wait_seconds: float = WAIT_SECONDS) -> None:
        target = make_url(url)
        self._writers: WriterQueue | None = None
        match target.get_backend_name():
            case "sqlite":
                check_is_local(_sqlite_file(target).parent)
                self._writers = WriterQueue(wait_seconds)
                self._engine = _sqlite_engine(target, wait_seconds, is_reader=False)
                self._readers = _sqlite_engine(target, wait_seconds, is_reader=True)
            case "postgresql":
                self._engine = _postgresql_engine(target, wait_seconds)
                self._readers = self._engine.execution_options(postgresql_readonly=True)
            case other:
                raise StorageRefused("只支持 SQLite 与 PostgreSQL 数据库", reason=other)

    @property
    def engine(self) -> Engine:
        """Return the engine that may write: for migrations and for making tables."""
        return self._engine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open one writing transaction: committed at the end, rolled back by any exception.

        It must not be opened inside another one: on SQLite the inner one would wait for the outer.
        Raises ``StorageUnavailable``; then nothing of it is stored, unless the connection broke
        while the commit was on its way, which only a retry can tell.
        """
        turn = self._writers.turn() if self._writers is not None else nullcontext()
        with turn, _translated_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a view of one moment that cannot write; raises ``StorageUnavailable``."""
        with _translated_errors(), self._readers.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._readers.dispose()
        self._engine.dispose()


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (IntegrityError, ProgrammingError, DataError):
        raise
    except DBAPIError as error:
        # The driver's text may quote values and paths: it goes to no caller and no log.
        log_alarm("storage_unavailable", error=type(error.orig).__name__)
        raise StorageUnavailable from error
    except NoFreeConnection as error:
        log_alarm("storage_unavailable", error="no free connection")
        raise StorageUnavailable from error


def _sqlite_file(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise StorageRefused("SQLite 数据库需要一个文件", reason="memory")
    return Path(url.database)


def _sqlite_engine(url: URL, wait_seconds: float, *, is_reader: bool) -> Engine:
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        connect_args={"timeout": wait_seconds},
        pool_size=8,
        max_overflow=40,
        pool_timeout=wait_seconds,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: SQLiteConnection, record: object) -> None:
        # The driver would begin transactions by itself, late and deferred; see begin below.
        connection.isolation_level = None
        if connection.execute("PRAGMA journal_mode=WAL").fetchone() != ("wal",):
            connection.close()
            raise StorageRefused("SQLite 无法启用 WAL 模式", reason="no-wal")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        if is_reader:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that writes later cannot wait for another process: it fails.
        connection.exec_driver_sql("BEGIN" if is_reader else "BEGIN IMMEDIATE")

    return engine


def _postgresql_engine(url: URL, wait_seconds: float) -> Engine:
    settings = " ".join(f"-c {name}={value}" for name, value in _POSTGRESQL_OPTIONS.items())
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": 5, "options": settings},
        isolation_level="READ COMMITTED",
        pool_size=10,
        max_overflow=20,
        pool_timeout=wait_seconds,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,
    )
