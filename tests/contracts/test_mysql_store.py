"""The store in MySQL and MariaDB does what every store does."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from bide.db.engine import Database
from bide.db.migrate import migrate
from bide.jobs.migrations import JOBS
from bide.jobs.store import Store
from bide.jobs.stores.mysql import MySQLStore
from bide.testing.store_contract import StoreContract


def open_store(url: str) -> Store:
    return MySQLStore(Database(url))


class TestMySQLStore(StoreContract):
    @pytest.fixture
    def make_store(self, mysql_url: str) -> Callable[[], Store]:
        database = Database(mysql_url)
        migrate(database, JOBS)
        database.close()
        return functools.partial(open_store, mysql_url)
