"""How tests open the stores: each kind by its name, over a fresh database of the test's own."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from bide.db.engine import Database
from bide.db.migrate import migrate
from bide.jobs.migrations import JOBS
from bide.jobs.store import Store
from bide.jobs.stores.memory import MemoryStore

DATABASES = ("sqlite", "postgresql", "mysql")
KINDS = ("memory", *DATABASES)


def opener(kind: str, request: pytest.FixtureRequest) -> Callable[[], Store]:
    """What opens a store on this test's data; every call opens one more on the same."""
    if kind == "memory":
        store = MemoryStore()
        return lambda: store
    need(kind)
    url = request.getfixturevalue(f"{kind}_url")
    migrate(Database(url), JOBS)
    return partial(opened, kind, url)


def opened(kind: str, url: str) -> Store:
    """A store of that kind on migrated tables."""
    made: Store = store_class(kind)(Database(url))
    return made


def store_class(kind: str) -> type[Any]:
    """The store whose URLs begin with `kind`."""
    module = importlib.import_module(f"bide.jobs.stores.{kind}")
    [found] = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and getattr(one, "name", None) == kind
    ]
    return found


def need(kind: str) -> None:
    """Skip where that store does not exist."""
    if importlib.util.find_spec(f"bide.jobs.stores.{kind}") is None:
        pytest.skip(f"there is no store for {kind}")
