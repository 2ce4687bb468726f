"""How tests open the stores: each kind by its name, over a fresh database of the test's own."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial

import pytest

from bide.db.engine import Database
from bide.db.migrate import migrate
from bide.jobs.migrations import JOBS
from bide.jobs.store import Store
from bide.jobs.stores.choose import open_store

DATABASES = ("sqlite", "postgresql", "mysql")
KINDS = ("memory", *DATABASES)


def opener(kind: str, request: pytest.FixtureRequest) -> Callable[[], Store]:
    """What opens a store on this test's data; every call opens one more on the same."""
    if kind == "memory":
        store = open_store(None)
        return lambda: store
    if importlib.util.find_spec(f"bide.jobs.stores.{kind}") is None:
        pytest.skip(f"there is no store for {kind}")
    url = request.getfixturevalue(f"{kind}_url")
    database = Database(url)
    migrate(database, JOBS)
    database.close()
    return partial(opened, url)


def opened(url: str) -> Store:
    """A store on migrated tables."""
    return open_store(Database(url))
