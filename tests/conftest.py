"""Fixtures every test may use: a database, once on SQLite and once on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from seal_service.plumbing.database import Database, metadata
from seal_service.plumbing.logging import set_up_logging
from tests.support import sdf_device, softhsm
from tests.support.postgres import PostgresServer, reason_to_skip


def pytest_report_header() -> list[str]:
    """Say at the top of every run whether PostgreSQL and the stand-ins of devices take part."""
    found = [
        ("PostgreSQL", reason_to_skip(), "on a server of their own"),
        ("PKCS#11", softhsm.reason_to_skip(), "on SoftHSM"),
        ("SDF", sdf_device.reason_to_skip(), "on a library compiled here"),
    ]
    return [f"{name} tests: {'skipped, ' + why if why else where}" for name, why, where in found]


@pytest.fixture(autouse=True)
def log_as_in_service() -> None:
    """Log one line of JSON per event, as the service does: commands of other tests log less."""
    set_up_logging()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start one PostgreSQL server for the tests of this process."""
    reason = reason_to_skip()
    if reason:
        pytest.skip(reason)
    server = PostgresServer.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Make an empty database with every table declared so far; yield its address."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'test.db'}"
        make_tables(url)
        yield url
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    yield server.url(server.database_with(frozenset(metadata.tables), make_tables))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Open the database of this test."""
    opened = Database(database_url)
    yield opened
    opened.close()


def make_tables(url: str) -> None:
    """Make every declared table in the database at an address."""
    opened = Database(url)
    metadata.create_all(opened.engine)
    opened.close()
