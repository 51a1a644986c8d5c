"""Transactions, readers, instants, failures: alike on both databases (T-STO-03, 04, 20, 21)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from seal_service.errors import StorageUnavailable
from seal_service.plumbing.database import Database, Instant
from seal_service.plumbing.errors import StorageRefused
from tests.support.postgres import PostgresServer, reason_to_skip

own = MetaData()
moments = Table(
    "test_moments",
    own,
    Column("name", String(40), primary_key=True),
    Column("number", Integer, nullable=False, server_default=text("0")),
    Column("happened_at", Instant),
)
NOW = datetime(2026, 11, 24, 4, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def storage(database: Database) -> Iterator[Database]:
    own.create_all(database.engine)
    yield database
    own.drop_all(database.engine)


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'alone.db'}", wait_seconds=0.2)
    own.create_all(opened.engine)
    yield opened
    opened.close()


def put(database: Database, name: str, happened_at: datetime | None = None) -> None:
    with database.transaction() as connection:
        connection.execute(insert(moments).values(name=name, happened_at=happened_at))


def names(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.execute(select(moments.c.name).order_by(moments.c.name)).scalars())


def test_a_transaction_is_kept_when_its_block_ends(storage: Database) -> None:
    put(storage, "a")
    assert names(storage) == ["a"]


def test_an_exception_undoes_the_whole_transaction(storage: Database) -> None:
    def fail_after_writing() -> None:
        with storage.transaction() as connection:
            connection.execute(insert(moments).values(name="a"))
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_writing()
    assert names(storage) == []


def test_a_nested_block_is_undone_alone(storage: Database) -> None:
    with storage.transaction() as connection:
        connection.execute(insert(moments).values(name="a"))
        with pytest.raises(IntegrityError), connection.begin_nested():
            connection.execute(insert(moments), [{"name": "b"}, {"name": "a"}])
        connection.execute(insert(moments).values(name="c"))
    assert names(storage) == ["a", "c"]


def test_a_violated_constraint_is_an_answer_and_passes(storage: Database) -> None:
    put(storage, "a")
    with pytest.raises(IntegrityError):
        put(storage, "a")


def test_a_reader_cannot_write(storage: Database) -> None:
    with pytest.raises(StorageUnavailable), storage.reading() as connection:
        connection.execute(insert(moments).values(name="a"))
    assert names(storage) == []


def test_a_reader_does_not_wait_for_a_writer_and_sees_no_unfinished_work(
    storage: Database,
) -> None:
    put(storage, "a")
    with storage.transaction() as connection:
        connection.execute(insert(moments).values(name="b"))
        assert names(storage) == ["a"]
    assert names(storage) == ["a", "b"]


def test_a_connection_can_write_again_after_it_was_used_for_reading(storage: Database) -> None:
    for name in "abcdefghijkl":
        names(storage)
        put(storage, name)
    assert len(names(storage)) == 12


@pytest.mark.parametrize(
    "moment",
    [
        NOW,
        NOW.replace(microsecond=0),
        NOW.astimezone(timezone(timedelta(hours=8))),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 30, tzinfo=UTC),
    ],
)
def test_an_instant_comes_back_in_utc_to_the_microsecond(
    storage: Database, moment: datetime
) -> None:
    put(storage, "a", moment)
    with storage.reading() as connection:
        found = connection.execute(select(moments.c.happened_at)).scalar_one()
    assert found == moment
    assert found.utcoffset() == timedelta(0)


def test_instants_are_compared_as_instants(storage: Database) -> None:
    put(storage, "earlier", NOW.replace(microsecond=0))
    put(storage, "later", NOW)
    limit = NOW.astimezone(timezone(timedelta(hours=8)))
    with storage.reading() as connection:
        found = connection.execute(select(moments.c.name).where(moments.c.happened_at < limit))
        assert list(found.scalars()) == ["earlier"]


def test_no_instant_is_no_instant(storage: Database) -> None:
    put(storage, "a", None)
    with storage.reading() as connection:
        assert connection.execute(select(moments.c.happened_at)).scalar_one() is None


def test_a_time_without_a_zone_is_refused(storage: Database) -> None:
    with pytest.raises(StatementError, match="time zone"):
        put(storage, "a", NOW.replace(tzinfo=None))


def test_many_writers_all_get_their_turn(storage: Database) -> None:
    """T-STO-20."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: put(storage, f"{number:03d}"), range(160)))
    assert len(names(storage)) == 160


def test_writers_of_two_processes_wait_for_each_other(sqlite: Database, tmp_path: Path) -> None:
    """T-STO-20: the second Database stands for another process, with a queue of its own."""
    other = Database(f"sqlite:///{tmp_path / 'alone.db'}", wait_seconds=10)
    with ThreadPoolExecutor(1) as pool:
        with sqlite.transaction() as connection:
            connection.execute(insert(moments).values(name="a"))
            waiting = pool.submit(put, other, "b")
        waiting.result()
    other.close()
    assert names(sqlite) == ["a", "b"]


def test_a_writer_waits_a_bounded_time(sqlite: Database) -> None:
    """T-STO-20."""
    with sqlite.transaction(), ThreadPoolExecutor(1) as pool, pytest.raises(StorageUnavailable):
        pool.submit(put, sqlite, "a").result()
    put(sqlite, "a")


def test_writers_are_served_in_the_order_they_came(tmp_path: Path) -> None:
    """T-STO-20."""
    database = Database(f"sqlite:///{tmp_path / 'order.db'}")
    own.create_all(database.engine)
    served: list[int] = []

    def write(number: int, may_start: Event, has_started: Event) -> None:
        may_start.wait()
        has_started.set()
        with database.transaction():
            served.append(number)

    with ThreadPoolExecutor(8) as pool, database.transaction():
        for number in range(8):
            may_start, has_started = Event(), Event()
            pool.submit(write, number, may_start, has_started)
            may_start.set()
            has_started.wait()
            # In the queue now, or about to be: its place is what the next one waits behind.
            while len(database._writers._waiting) <= number:  # type: ignore[union-attr]
                pass
    database.close()
    assert served == list(range(8))


def test_more_readers_than_connections_wait_a_bounded_time(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'readers.db'}", wait_seconds=0.1)
    with ExitStack() as readers:
        for _ in range(48):
            readers.enter_context(database.reading())
        with pytest.raises(StorageUnavailable), database.reading():
            pass
    database.close()


def test_sqlite_commits_are_durable(sqlite: Database) -> None:
    """T-STO-21: synchronous is FULL (2) on every connection, whatever the file says."""
    with sqlite.transaction() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


def test_a_full_disk_is_an_answer_and_the_service_recovers(sqlite: Database) -> None:
    """T-STO-03: the page limit of SQLite stands for the disk."""
    put(sqlite, "a")
    with sqlite.transaction() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    many = [{"name": f"{number:040d}"} for number in range(1000)]
    with pytest.raises(StorageUnavailable), sqlite.transaction() as connection:
        connection.execute(insert(moments), many)
    with sqlite.transaction() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    put(sqlite, "b")
    assert names(sqlite) == ["a", "b"]


def test_a_damaged_file_is_an_answer(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"not a database" * 1000)
    database = Database(f"sqlite:///{tmp_path / 'broken.db'}")
    with pytest.raises(StorageUnavailable), database.transaction():
        pass
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x@y/z"])
def test_other_kinds_of_databases_are_refused(url: str) -> None:
    with pytest.raises(StorageRefused):
        Database(url)


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"postgresql://eseal@/none?host={tmp_path}")
    with pytest.raises(StorageUnavailable), database.transaction():
        pass
    with pytest.raises(StorageUnavailable), database.reading():
        pass
    database.close()


def stop_in_the_middle(database: Database, server: PostgresServer) -> None:
    with database.transaction() as connection:
        connection.execute(insert(moments).values(name="b"))
        server.halt("immediate")
        connection.execute(select(func.count()).select_from(moments))


@pytest.mark.postgres
def test_a_cut_connection_is_an_answer_and_the_next_request_works() -> None:
    """T-STO-04: the server stops in the middle of a transaction and comes back."""
    reason = reason_to_skip()
    if reason:
        pytest.skip(reason)
    server = PostgresServer.start()
    try:
        database = Database(server.url(server.new_database()))
        own.create_all(database.engine)
        put(database, "a")
        with pytest.raises(StorageUnavailable):
            stop_in_the_middle(database, server)
        with pytest.raises(StorageUnavailable):
            put(database, "c")
        server.launch()
        assert names(database) == ["a"]
        put(database, "d")
        assert names(database) == ["a", "d"]
        database.close()
    finally:
        server.stop()


def test_an_error_of_the_database_does_not_quote_what_was_stored(storage: Database) -> None:
    """T-API-30: as far as SQLAlchemy's part goes; the log leaves messages out altogether."""
    put(storage, "a", NOW)
    with pytest.raises(IntegrityError) as caught:
        put(storage, "a", NOW)
    assert "2026" not in str(caught.value)


@pytest.mark.postgres
def test_postgresql_sessions_have_time_outs_and_durable_commits(
    postgres_server: PostgresServer,
) -> None:
    database = Database(postgres_server.url("postgres"))
    with database.transaction() as connection:
        found = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("lock_timeout", "statement_timeout", "synchronous_commit", "timezone")
        }
    database.close()
    assert found == {
        "lock_timeout": "5s",
        "statement_timeout": "15s",
        "synchronous_commit": "on",
        "timezone": "UTC",
    }
