"""The SQLite store does what every store does."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bide.db.engine import Database
from bide.db.migrate import migrate
from bide.jobs.migrations import JOBS
from bide.jobs.stores.sqlite import SQLiteStore
from bide.testing.store_contract import StoreContract


def open_store(url: str) -> SQLiteStore:
    """In a spawned process too."""
    return SQLiteStore(Database(url))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with empty tables."""
    file = tmp_path_factory.mktemp("migrated") / "jobs.db"
    database = Database(f"sqlite:///{file}")
    migrate(database, JOBS)
    database.close()
    return file


class TestSQLiteStore(StoreContract):
    @pytest.fixture
    def make_store(self, migrated: Path, tmp_path: Path) -> Callable[[], SQLiteStore]:
        file = tmp_path / "jobs.db"
        shutil.copy(migrated, file)
        return functools.partial(open_store, f"sqlite:///{file}")
