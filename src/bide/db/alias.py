"""The databases of a Django project: the URL behind an alias, and work on Django's own connection."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine.url import URL

from bide.db.connection import Connection
from bide.db.dialects import Dialect
from bide.db.drivers import NORMAL, Driver, MySQL, Psycopg, Sqlite, with_driver
from bide.db.engine import Database, Work
from bide.db.failures import translate
from bide.errors import ConnectionLost, SettingsError

T = TypeVar("T")

#: What Django's OPTIONS hold that is no argument of the driver's connect().
_NOT_OF_LIBPQ: Final = (
    "pool",
    "isolation_level",
    "assume_role",
    "server_side_binding",
    "prepare_threshold",
    "cursor_factory",
    "context",
)
_OF_MYSQL: Final = ("charset", "read_default_file", "read_default_group", "unix_socket")


def place_of(alias: str) -> tuple[str, str]:
    """Which database an alias means at the moment; the test runner lets it mean another one."""
    from django.db import connections

    if alias not in connections.settings:
        raise SettingsError(
            f"{alias!r} is no database of this project; settings.DATABASES has "
            f"{', '.join(map(repr, connections.settings))}"
        )
    known = connections.settings[alias]
    return str(known["ENGINE"]), str(known["NAME"])


def url_of_alias(alias: str) -> URL:
    """The URL of an alias' database, for connections that are not Django's.

    Raises SettingsError for kinds of databases that Bide does not know.
    """
    from django.db import connections

    place_of(alias)
    wrapper = connections[alias]
    known: dict[str, Any] = wrapper.settings_dict
    if wrapper.vendor == "sqlite":
        return URL.create("sqlite", database=str(known["NAME"]))
    query = {"postgresql": _libpq, "mysql": _mysql}.get(wrapper.vendor)
    if query is None:
        raise SettingsError(
            f"the database {alias!r} is {wrapper.vendor}, and Bide works in PostgreSQL, MySQL, "
            "MariaDB and SQLite; name another alias in settings.BIDE['DATABASE']"
        )
    options = query(known.get("OPTIONS") or {})
    host = str(known["HOST"] or "")
    if host.startswith("/"):
        options |= {"host" if wrapper.vendor == "postgresql" else "unix_socket": host}
        host = ""
    return URL.create(
        wrapper.vendor,
        username=known["USER"] or None,
        password=known["PASSWORD"] or None,
        host=host or None,
        port=int(known["PORT"]) if known["PORT"] else None,
        database=str(known["NAME"]) if known["NAME"] else None,
        query=options,
    )


def _libpq(options: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in options.items() if name not in _NOT_OF_LIBPQ}
    return {name: str(value) for name, value in known.items() if value is not None}


def _mysql(options: dict[str, Any]) -> dict[str, Any]:
    told = {name: str(options[name]) for name in _OF_MYSQL if options.get(name)}
    ssl = options.get("ssl") or {}
    return told | {f"ssl_{name}": str(value) for name, value in dict(ssl).items()}


def version_of(connection: Any, table: str) -> str | None:
    """The version that a table of versions holds, on a connection of Django's; None: no such table."""
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return None
        cursor.execute(f"SELECT version_num FROM {connection.ops.quote_name(table)}")  # noqa: S608
        found = cursor.fetchone()
    return None if found is None else str(found[0])


class AliasDatabase(Database):
    """The database of an alias, through the connection that Django has open in this thread.

    For tests: what a TestCase has stored and not committed is there for no other connection, and a
    database in memory neither. Nothing is retried, transactions are Django's.
    """

    #: A thread would get a connection of its own: to a database in memory one that locks out the test's.
    open_to_threads = False

    def __init__(self, alias: str, **options: Any) -> None:
        super().__init__(url_of_alias(alias), **options)
        self._alias = alias
        self._driver: Driver | None = None

    @property
    def dialect(self) -> Dialect:
        """What the server is."""
        wrapper: Any = self._wrapper()
        if self.kind == "sqlite":
            return Dialect("SQLite", sqlite3.sqlite_version_info)
        if self.kind == "postgresql":
            number = wrapper.pg_version
            return Dialect("PostgreSQL", (number // 10000, number % 10000))
        product = "MariaDB" if wrapper.mysql_is_mariadb else "MySQL"
        return Dialect(product, tuple(wrapper.mysql_version))

    @property
    def engine(self) -> Engine:
        """None: another connection would see another database, and keep the tests' own from ending."""
        raise ConnectionLost("in tests of Django there is no connection but Django's own")

    @property
    def file(self) -> Path:
        """The file of a SQLite database; for one in memory a name that is nobody else's."""
        name = str(self.url.database)
        if "memory" in name:
            return Path(tempfile.gettempdir()) / f"bide-in-memory-{os.getpid()}.db"
        return super().file

    def turn(self) -> AbstractContextManager[None]:
        """Nobody else writes on this connection."""
        return nullcontext()

    def close(self) -> None:
        """The connection is Django's to close."""

    def _transaction(self, work: Work[T], patient: bool, wait: float) -> T:
        from django.db import transaction

        with self._at_hand(), transaction.atomic(using=self._alias):
            return work(self._open())

    def _plain(self, work: Work[T]) -> T:
        with self._at_hand():
            return work(self._open())

    def _open(self) -> Connection:
        wrapper = self._wrapper()
        wrapper.ensure_connection()
        return Connection(wrapper.connection, self._driver_of_wrapper())

    def _wrapper(self) -> Any:
        from django.db import connections

        return connections[self._alias]

    def _driver_of_wrapper(self) -> Driver:
        if self._driver is None:
            if self.kind == "mysql":
                url = self.url.set(drivername="mysql+mysqldb")
                self._driver = MySQL(url.get_dialect()(), shared=True)
            else:
                dialect = with_driver(self.url).get_dialect()()
                plain = self.kind == "sqlite"
                self._driver = Sqlite(dialect, synchronous=NORMAL) if plain else _OfDjango(dialect)
        return self._driver

    @contextlib.contextmanager
    def _at_hand(self) -> Iterator[None]:
        """Errors are ours; a thread that nobody ends leaves no connection open behind the tests."""
        try:
            with self._translated():
                yield
        finally:
            wrapper = self._wrapper()
            here = threading.current_thread() is threading.main_thread()
            if not here and not wrapper.in_atomic_block:
                wrapper.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            ours = translate(error, "a statement on Django's connection")
            if ours is None:
                raise
            raise ours from error


class _OfDjango(Psycopg):
    """psycopg as Django sets it up: with cursors, and moments, of its own."""

    def cursor(self, raw: Any) -> Any:
        from psycopg import Cursor
        from psycopg.rows import tuple_row
        from psycopg.types.datetime import TimestamptzLoader
        from psycopg.types.numeric import Int8Dumper

        cursor = Cursor(raw, row_factory=tuple_row)
        cursor.adapters.register_dumper(int, Int8Dumper)
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        return cursor
