"""Fixtures of the journeys: one data folder per test process, and services over copies of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.service import Kit, Running, make_kit, running
from tests.support.postgres import PostgresServer


@pytest.fixture(scope="session")
def template_kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """Make a data folder that no test changes."""
    return make_kit(tmp_path_factory.mktemp("kit") / "data")


@pytest.fixture
def kit(template_kit: Kit, tmp_path: Path) -> Kit:
    """Copy the data folder for one test."""
    return template_kit.copy_to(tmp_path / "data")


@pytest.fixture(scope="session")
def postgres_kit(
    template_kit: Kit, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Kit:
    """Make a data folder whose database is PostgreSQL, with the keys of the template."""
    folder = tmp_path_factory.mktemp("kit-postgres") / "data"
    template_kit.copy_to(folder)
    return make_kit(folder, postgres_server.url(postgres_server.new_database()))


@pytest.fixture(scope="session")
def service_on_sqlite(
    template_kit: Kit, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Serve one copy for every test that leaves others alone."""
    copy = template_kit.copy_to(tmp_path_factory.mktemp("shared") / "data")
    with running(copy) as found:
        yield found


@pytest.fixture(scope="session")
def service_on_postgres(postgres_kit: Kit) -> Iterator[Running]:
    """Serve over PostgreSQL for every test that leaves others alone."""
    with running(postgres_kit) as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def service(request: pytest.FixtureRequest) -> Running:
    """Return a running service, once over each database; shared, so use cases of your own."""
    name = "service_on_sqlite" if request.param == "sqlite" else "service_on_postgres"
    found: Running = request.getfixturevalue(name)
    return found
