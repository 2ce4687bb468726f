"""Which store serves a database; the others' code is not imported."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from bide.db.engine import Database
from bide.errors import SettingsError
from bide.jobs.store import Store

STORES = {
    "memory": ("bide.jobs.stores.memory", "MemoryStore"),
    "sqlite": ("bide.jobs.stores.sqlite", "SQLiteStore"),
    "postgresql": ("bide.jobs.stores.postgresql", "PostgreSQLStore"),
    "mysql": ("bide.jobs.stores.mysql", "MySQLStore"),
}


def open_store(database: Database | None, *, listen_url: str | None = None) -> Store:
    """The store of `database`; jobs in this process' memory when there is none.

    `listen_url`: see PostgreSQLStore; SettingsError for the other databases, which have no use for it.
    """
    if listen_url and (database is None or database.kind != "postgresql"):
        raise SettingsError("listen_url is for PostgreSQL behind a pooler; leave it out here")
    module, name = STORES[database.kind if database else "memory"]
    make = getattr(import_module(module), name)
    options = {"listen_url": listen_url} if listen_url else {}
    return cast("Store", make(database, **options) if database else make())
