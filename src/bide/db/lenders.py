"""Whose connections we can write on, and how each runs a statement."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, NamedTuple

from bide.db.connection import Row
from bide.errors import WrongConnection

#: What libraries call the databases -> our kind.
_KIND: Final = {
    "postgresql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
}


class Wire(NamedTuple):
    """A way to run text on a connection: its kind of database, its parameter style, the call."""

    kind: str
    style: str
    run: Callable[[str, Any], list[Row]]


class AsyncWire(NamedTuple):
    """The same to be awaited; or `within`, which calls a function with a sync connection."""

    kind: str | None = None
    style: str = ""
    run: Callable[[str, Any], Awaitable[Iterable[Row]]] = NotImplemented
    within: Callable[[Callable[[Any], list[Row]]], Awaitable[list[Row]]] | None = None


class Lender(NamedTuple):
    """Classes of one module, and what makes a Wire or AsyncWire of an object of theirs."""

    module: str
    classes: tuple[str, ...]
    open: Callable[[Any], Any]


def known_class(on: Any, module: str, name: str) -> bool:
    """Whether `on` is a `module.name`; no question if that module was never imported."""
    found = getattr(sys.modules.get(module), name, None)
    return isinstance(found, type) and isinstance(on, found)


def _session(on: Any) -> Wire:
    from sqlalchemy.exc import InvalidRequestError

    try:
        connection = on.connection()
    except InvalidRequestError as error:
        raise WrongConnection(
            f"the {type(on).__module__}.{type(on).__qualname__} given can run no statement now; "
            "enqueue while its transaction is open (before_commit, not after_commit), give its "
            f"connection, or enqueue without session=: {error}"
        ) from error
    return _sqlalchemy(connection)


def _sqlalchemy(on: Any) -> Wire:
    _open(on, not on.closed)

    def run(text: str, params: Any) -> list[Row]:
        result = on.exec_driver_sql(text, params)
        return [tuple(row) for row in result.fetchall()] if result.returns_rows else []

    return Wire(_KIND.get(on.dialect.name, on.dialect.name), on.dialect.paramstyle, run)


def _psycopg(on: Any) -> Wire:
    from psycopg import Cursor
    from psycopg.rows import tuple_row

    _open(on, not on.closed)
    connection = getattr(on, "connection", on)
    # Not connection.cursor(): the caller may have set a class of cursors with parameters of its own.
    return Wire(
        "postgresql", "pyformat", _cursor(lambda: Cursor(connection, row_factory=tuple_row))
    )


def _pymysql(on: Any) -> Wire:
    from pymysql.cursors import Cursor

    connection = getattr(on, "connection", on)
    _open(on, connection is not None and connection.open)
    return Wire("mysql", "pyformat", _cursor(lambda: connection.cursor(Cursor)))


def _mysqlclient(on: Any) -> Wire:
    from MySQLdb.cursors import Cursor

    connection = getattr(on, "connection", on)
    _open(on, connection is not None and connection.open)
    return Wire("mysql", "pyformat", _cursor(lambda: connection.cursor(Cursor)))


def _sqlite(on: Any) -> Wire:
    from sqlite3 import ProgrammingError

    connection = getattr(on, "connection", on)

    def cursor() -> Any:
        try:
            new = connection.cursor()
        except ProgrammingError as error:
            if "closed" in str(error):
                _open(on, False)
            raise
        new.row_factory = None
        return new

    return Wire("sqlite", "named", _cursor(cursor))


def _django(on: str) -> Wire:
    from django.core.exceptions import SynchronousOnlyOperation
    from django.db import connections

    if on not in connections:
        raise WrongConnection(
            f"{on!r} is no database alias of Django's settings, which has "
            f"{', '.join(map(repr, connections))}"
        )
    connection = connections[on]

    def cursor() -> Any:
        try:
            return connection.cursor()
        except SynchronousOnlyOperation as error:
            raise awaited(repr(on)) from error

    return Wire(connection.vendor, "pyformat", _cursor(cursor))


def _cursor(make: Callable[[], Any]) -> Callable[[str, Any], list[Row]]:
    def run(text: str, params: Any) -> list[Row]:
        cursor = make()
        try:
            cursor.execute(text, params)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []
        finally:
            cursor.close()

    return run


def _async_sqlalchemy(on: Any) -> AsyncWire:
    if known_class(on, "sqlalchemy.ext.asyncio", "async_scoped_session"):
        on = on()
    if known_class(on, "sqlalchemy.ext.asyncio", "AsyncConnection"):
        _open(on, on.sync_connection is not None and not on.closed)
    return AsyncWire(within=on.run_sync)


def _async_psycopg(on: Any) -> AsyncWire:
    from psycopg import AsyncCursor
    from psycopg.rows import tuple_row

    _open(on, not on.closed)
    connection = getattr(on, "connection", on)

    async def run(text: str, params: Any) -> list[Row]:
        async with AsyncCursor(connection, row_factory=tuple_row) as cursor:
            await cursor.execute(text, params)
            return list(await cursor.fetchall()) if cursor.description else []

    return AsyncWire("postgresql", "pyformat", run)


def _asyncpg(on: Any) -> AsyncWire:
    if known_class(on, "asyncpg.pool", "PoolConnectionProxy"):
        _open(on, getattr(on, "_con", on) is not None)  # None: given back to its pool
    _open(on, not on.is_closed())

    async def run(text: str, params: Any) -> list[Row]:
        return [tuple(record) for record in await on.fetch(text, *params)]

    return AsyncWire("postgresql", "numeric_dollar", run)


def _aiosqlite(on: Any) -> AsyncWire:
    _open(on, getattr(on, "_connection", on) is not None)

    async def run(text: str, params: Any) -> list[Row]:
        async with on.execute(text, params) as cursor:
            return [tuple(row) for row in await cursor.fetchall()]

    return AsyncWire("sqlite", "named", run)


def _async_django(on: str) -> AsyncWire:
    from asgiref.sync import sync_to_async

    async def within(call: Callable[[Any], list[Row]]) -> list[Row]:
        # Django's connections belong to a thread, which thread_sensitive keeps the same.
        rows: list[Row] = await sync_to_async(call, thread_sensitive=True)(on)
        return rows

    return AsyncWire(within=within)


def awaited(described: str) -> WrongConnection:
    """The error for what belongs to an event loop, or is used inside one, where nobody awaits."""
    return WrongConnection(
        f"{described} must be awaited here: use `await job.adelay(...)`, `await app.aenqueue(...)`, "
        "`await app.aenqueue_many(...)` or `await bide.adelay(...)`"
    )


def _open(on: Any, is_open: bool) -> None:
    if not is_open:
        raise WrongConnection(
            f"the {type(on).__module__}.{type(on).__qualname__} given is closed: give an open one, "
            "or enqueue without session="
        )


LENDERS: Final = (
    Lender("django.db", ("str",), _django),
    Lender("sqlalchemy.orm", ("Session", "scoped_session"), _session),
    Lender("sqlalchemy", ("Connection",), _sqlalchemy),
    Lender("psycopg", ("Connection", "Cursor"), _psycopg),
    Lender("pymysql.connections", ("Connection",), _pymysql),
    Lender("pymysql.cursors", ("Cursor",), _pymysql),
    Lender("MySQLdb.connections", ("Connection",), _mysqlclient),
    Lender("MySQLdb.cursors", ("BaseCursor",), _mysqlclient),
    Lender("sqlite3", ("Connection", "Cursor"), _sqlite),
)
ASYNC_LENDERS: Final = (
    Lender("django.db", ("str",), _async_django),
    Lender(
        "sqlalchemy.ext.asyncio",
        ("AsyncSession", "async_scoped_session", "AsyncConnection"),
        _async_sqlalchemy,
    ),
    Lender("psycopg", ("AsyncConnection", "AsyncCursor"), _async_psycopg),
    Lender("asyncpg.connection", ("Connection",), _asyncpg),
    Lender("asyncpg.pool", ("PoolConnectionProxy",), _asyncpg),
    Lender("aiosqlite", ("Connection",), _aiosqlite),
)
