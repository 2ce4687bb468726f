"""Which store serves a database; the others' code is not imported."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from bide.db.engine import Database
from bide.jobs.store import Store
from bide.jobs.stores.memory import MemoryStore

STORES = {
    "sqlite": ("bide.jobs.stores.sqlite", "SQLiteStore"),
    "postgresql": ("bide.jobs.stores.postgresql", "PostgreSQLStore"),
    "mysql": ("bide.jobs.stores.mysql", "MySQLStore"),
}


def open_store(database: Database | None) -> Store:
    """The store of `database`; jobs in this process' memory when there is none."""
    if database is None:
        return MemoryStore()
    module, name = STORES[database.kind]
    return cast("Store", getattr(import_module(module), name)(database))
