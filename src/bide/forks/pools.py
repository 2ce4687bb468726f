"""What a child does with the pools, engines and clients of known libraries: make them new."""

from __future__ import annotations

import contextlib
import inspect
import threading
from typing import Any

from bide.forks.owned import keep_for_ever


def renew_engine(engine: Any) -> None:
    """SQLAlchemy: a fresh pool; the parent's connections are forgotten, not closed."""
    keep_for_ever(engine.pool)
    engine.dispose(close=False)


def never_connected(engine: Any) -> bool:
    """SQLAlchemy: whether the pool holds nothing and has lent nothing, so that it is the child's as it is."""
    pool = engine.pool
    if not hasattr(pool, "checkedout"):
        return False
    return bool(pool.checkedin() == pool.checkedout() == 0)


def invalidate_session(session: Any) -> None:
    """SQLAlchemy: an open session gives up its connection without a ROLLBACK on the old wire."""
    with contextlib.suppress(Exception):
        session.invalidate()


def renew_django(wrapper: Any) -> None:
    """Django: park the driver's connection, reset the transaction's state, drop the pools."""
    wrapper._thread_sharing_lock = threading.Lock()
    if wrapper.connection is None:
        return
    keep_for_ever(wrapper.connection)
    wrapper.connection = None
    wrapper.in_atomic_block = wrapper.needs_rollback = wrapper.closed_in_transaction = False
    wrapper.savepoint_ids, wrapper.atomic_blocks, wrapper.run_on_commit = [], [], []
    if pool := getattr(wrapper, "_connection_pools", {}).pop(wrapper.alias, None):
        keep_for_ever(pool)


def renew_psycopg_pool(pool: Any) -> None:
    """psycopg_pool: rebuilt in place, opened again at the first use.

    Its worker threads do not exist in the child and its locks may be held by nobody.
    """
    was_open = not pool._closed
    _rebuild(pool)
    if was_open:
        pool.__class__ = _opening_at_first_use(type(pool))


def renew_async_psycopg_pool(pool: Any) -> None:
    """psycopg_pool, asyncio: rebuilt closed; only the child's own loop can open it."""
    _rebuild(pool)


def _rebuild(pool: Any) -> None:
    keep_for_ever(tuple(pool._pool))
    options = {}
    for name in inspect.signature(type(pool).__init__).parameters:
        if name not in ("self", "open"):
            options[name] = vars(pool)[name if name in vars(pool) else f"_{name}"]
    pool.__init__(**options, open=False)


def _opening_at_first_use(cls: type) -> type:
    def check(self: Any) -> None:
        self.__class__ = cls
        self.open()
        self._check_open_getconn()

    return type(cls.__name__, (cls,), {"_check_open_getconn": check, "__module__": cls.__module__})


def renew_redis_connection(connection: Any) -> None:
    """redis-py: the connection reconnects when it is used; its parser forgets half an answer."""
    with contextlib.suppress(Exception):
        connection.disconnect()


def renew_async_redis_connection(connection: Any) -> None:
    """redis-py, asyncio: reader and writer belong to a loop that the child must not touch."""
    keep_for_ever((connection._reader, connection._writer))
    connection._reader = connection._writer = None


def renew_redis_pool(pool: Any) -> None:
    """redis-py: an empty pool with new locks."""
    pool.reset()


def close_sqlite(handle: Any) -> None:
    """sqlite3: only closing takes the inherited record of locks away.

    The files are covered already, so that nothing reaches them. A database in memory is this
    process' own copy, and stays.
    """
    with contextlib.suppress(Exception):
        connection = getattr(handle, "connection", handle)
        if not _is_in_memory(connection):
            handle.close()


def _is_in_memory(connection: Any) -> bool:
    try:
        return not any(row[2] for row in connection.execute("PRAGMA database_list").fetchall())
    except Exception:  # noqa: BLE001 - a covered file answers nothing
        return False
