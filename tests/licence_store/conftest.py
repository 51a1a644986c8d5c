"""Fixtures of the licence library's tests."""

from pathlib import Path

import pytest

import licence_store.tables  # noqa: F401 - declares the tables
from seal_service.plumbing.database import Database, metadata


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'test.db'}")
    metadata.create_all(made.engine)
    return made
