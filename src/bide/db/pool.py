"""This process' connections to one database, from our own engine or the application's."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import Dialect as SqlDialect
from sqlalchemy.engine.url import URL

from bide.clock import monotonic
from bide.db.connection import Connection
from bide.db.dialects import Dialect
from bide.db.drivers import SQLITE_OPTIONS, Driver, MySQL, Psycopg, Sqlite, dialect_of, with_driver
from bide.db.failures import is_misuse, translate
from bide.db.gate import Gate
from bide.db.places import file_of
from bide.db.turn import Turn, short_pause
from bide.db.urls import refusal_of, url_of
from bide.errors import DatabaseError, UnsupportedFeature
from bide.forks.owned import Owned, keep_for_ever

#: Connections of one process that are not given back to SQLAlchemy's pool after each use.
IN_HAND: Final = 2

_gate = Gate()
_sqlite_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


class Pool:
    """Connections in autocommit, one engine per process; nothing is opened before it is asked for."""

    def __init__(
        self, target: str | URL | Engine, kind: str, size: int, *, synchronous: str
    ) -> None:
        self._given = target if isinstance(target, Engine) else None
        self._url = url_of(target)
        self._kind = kind
        self._size = size
        self._synchronous = synchronous
        self._known_driver: Driver | None = None
        self._product: Dialect | None = None
        self._engine: Owned[Engine] = Owned(self._make, forget=_forget)
        #: Made before a fork and never connected, so that each child finds its own ready.
        self._prepared: Engine | None = None
        #: Connections in hand, for which SQLAlchemy's pool need not be asked at each statement.
        self._idle: Owned[deque[tuple[Any, Connection]]] = Owned(deque)
        self._write_ahead: Owned[bool] = Owned(self._use_write_ahead_log)
        if kind == "sqlite":
            _sqlite_pools.add(self)

    def engine(self) -> Engine:
        """The engine of this process: ours, in autocommit, or the application's, as it is."""
        return self._engine.get()

    def ordinary(self) -> Engine:
        """The same connections, in SQLAlchemy's ordinary transactions."""
        if self._given is not None:
            return self._given
        level = "SERIALIZABLE" if self._kind == "sqlite" else "READ COMMITTED"
        return self.engine().execution_options(isolation_level=level)

    def prepare(self) -> Driver:
        """Make what children will need, connecting to nothing; how they speak to the driver."""
        self._prepared = self._prepared or self._make()
        return self._driver(self._prepared.dialect)

    def product(self) -> Dialect:
        """What the server is; known since the first connection, which refuses one too old."""
        assert self._product is not None, "asked before the first connection"
        return self._product

    def pipelines(self) -> bool:
        """Whether statements may be sent together; False before the first connection."""
        known = self._known_driver
        return known is not None and self._product is not None and known.pipelines()

    @contextlib.contextmanager
    def connection(self) -> Iterator[Connection]:
        """One connection; closed for good afterwards if it was marked as broken."""
        if self._kind != "sqlite":
            with self._checked_out() as connection:
                yield connection
            return
        self._write_ahead.get()
        with _gate, self._checked_out() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self, within: float) -> Iterator[Connection]:
        """One connection, with the right to write as by `turn`."""
        if self._kind != "sqlite":
            with self._checked_out() as connection:
                yield connection
            return
        self._write_ahead.get()
        with _gate, self._turn.taken(within), self._checked_out() as connection:
            yield connection

    @contextlib.contextmanager
    def turn(self, within: float) -> Iterator[None]:
        """The right to write, where the database has one writer at a time."""
        if self._kind != "sqlite":
            yield
            return
        self._write_ahead.get()
        with _gate, self._turn.taken(within):
            yield

    def detached(self, engine: Engine) -> Connection:
        """A connection of `engine`, this process' one, that its pool knows no more."""
        fairy, connection = self._opened(engine.raw_connection)
        fairy.detach()
        return connection

    def close(self) -> None:
        """Close the idle connections of this process."""
        _close_all(self._idle.reset())
        engine = self._engine.reset()
        if engine is not None:
            engine.dispose()

    def put_away(self) -> None:
        """Close what was opened, and have what was learnt ready for children, as by `prepare`."""
        _close_all(self._idle.reset())
        engine = self._engine.reset()
        if engine is not None:
            engine.dispose()
            self._prepared = engine

    @cached_property
    def file(self) -> Path:
        """The file of a SQLite database."""
        return file_of(self._url)

    @cached_property
    def _turn(self) -> Turn:
        return Turn(self.file)

    @contextlib.contextmanager
    def _checked_out(self) -> Iterator[Connection]:
        if self._given is not None:
            with contextlib.ExitStack() as stack:
                fairy, connection = self._opened(lambda: _borrow(self.engine(), stack))
                try:
                    yield connection
                finally:
                    if connection.broken:
                        fairy.invalidate()
            return
        idle = self._idle.get()
        try:
            fairy, connection = idle.pop()
        except IndexError:
            fairy, connection = self._opened(lambda: self.engine().raw_connection())
        try:
            yield connection
        finally:
            if connection.broken:
                fairy.invalidate()
                _close_all(idle)  # where one is lost the others may be
            if connection.broken or len(idle) >= IN_HAND:
                fairy.close()
            else:
                idle.append((fairy, connection))

    def _opened(self, connect: Callable[[], Any]) -> tuple[Any, Connection]:
        fairy = None
        try:
            fairy = connect()
            return fairy, self._wrapped(fairy, self.engine().dialect)
        except Exception as error:
            if fairy is not None:
                fairy.close()
            if self._given is None and is_misuse(error):
                raise refusal_of(self._url, str(error)) from error
            ours = translate(error, "opening a connection", connecting=True)
            if ours is None:
                raise
            ours.nothing_changed = True
            raise ours from error

    def _wrapped(self, fairy: Any, dialect: SqlDialect) -> Connection:
        known = fairy.info.get("bide")
        if known is None:
            self._product = self._product or dialect_of(dialect)
            raw = fairy.driver_connection
            known = fairy.info["bide"] = Connection(raw, self._driver(dialect))
        return known  # type: ignore[no-any-return]

    def _make(self) -> Engine:
        if self._given is not None:
            return self._given
        if self._prepared is not None:
            engine, self._prepared = self._prepared, None
            return engine
        url = with_driver(self._url)
        if self._kind == "sqlite":
            unknown = sorted(set(url.query) - SQLITE_OPTIONS)
            if unknown and "uri" not in url.query:
                raise refusal_of(url, f"unknown option {', '.join(unknown)}")
            url = url.set(database=str(self.file))
        engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=self._size,
            pool_use_lifo=True,
            pool_reset_on_return=None,
        )
        driver = self._driver(engine.dialect)
        event.listen(engine, "do_connect", _Defaults(driver, url))
        event.listen(engine, "connect", lambda raw, _: driver.opened(raw))
        return engine

    def _driver(self, dialect: SqlDialect) -> Driver:
        if self._known_driver is None:
            self._known_driver = self._choose_driver(dialect)
        return self._known_driver

    def _choose_driver(self, dialect: SqlDialect) -> Driver:
        wanted = {"postgresql": "psycopg", "sqlite": "pysqlite"}.get(self._kind)
        if wanted is not None and dialect.driver != wanted:
            raise UnsupportedFeature(
                f"the engine given to Bide uses the driver {dialect.driver!r}; give one that uses "
                f"{wanted!r}, or the URL alone"
            )
        if self._kind == "postgresql":
            return Psycopg(dialect)
        if self._kind == "mysql":
            return MySQL(dialect, shared=self._given is not None)
        return Sqlite(dialect, synchronous=self._synchronous)

    def _use_write_ahead_log(self) -> bool:
        from sqlite3 import OperationalError

        within = monotonic() + 10
        with _gate, self._turn.taken(10), self._checked_out() as connection:
            while True:
                try:
                    mode = connection.execute("PRAGMA journal_mode=WAL")[0][0]
                except OperationalError as error:
                    if monotonic() >= within:
                        raise DatabaseError(f"{str(self.file)!r} stays locked: {error}") from error
                    short_pause()
                else:
                    return bool(mode == "wal")


class _Defaults:
    """Connects with our arguments, unless the URL says otherwise."""

    def __init__(self, driver: Driver, url: URL) -> None:
        options = driver.connect_options()
        self._options = {name: value for name, value in options.items() if name not in url.query}
        self._connect = driver.connect

    def __call__(self, dialect: Any, record: Any, args: Any, params: dict[str, Any]) -> Any:
        params.update(self._options)
        return None if self._connect is None else self._connect(*args, **params)


def _borrow(engine: Engine, stack: contextlib.ExitStack) -> Any:
    held = stack.enter_context(engine.connect())
    # Of the connection, not of the engine, where it could have a level already.
    return held.execution_options(isolation_level="AUTOCOMMIT").connection


def _close_all(idle: deque[tuple[Any, Connection]] | None) -> None:
    while idle:
        with contextlib.suppress(IndexError):  # another thread took the last one
            idle.pop()[0].close()


def _forget(engine: Engine) -> None:
    # The old pool lives on unused: finalising its connections could speak on the parent's wires.
    keep_for_ever(engine.pool)
    engine.dispose(close=False)


def close_sqlite_before_fork() -> None:
    """Close every connection of ours to a SQLite file; the next use opens new ones.

    SQLite records its locks per process; a child that inherits the record believes in locks that
    it does not hold, even on a connection of its own, and loses what others write.
    """
    for pool in list(_sqlite_pools):
        pool.close()


def _before_fork() -> None:
    _gate.close()
    with _gate.closing:
        close_sqlite_before_fork()


os.register_at_fork(
    before=_before_fork, after_in_parent=_gate.open, after_in_child=_gate.open_in_child
)
