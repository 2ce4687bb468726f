"""Connections of an application's own, in every kind that Bide can write on; and what others see."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from typing import Any, NamedTuple

import aiosqlite
import asyncpg
import psycopg
import pymysql
from psycopg.rows import dict_row
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session, scoped_session, sessionmaker

import bide
from bide.jobs.job import Filter

Lend = Callable[[str], AbstractContextManager[Any]]
ALend = Callable[[str], AbstractAsyncContextManager[Any]]

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}


def kind_of(url: str) -> str:
    return make_url(url).get_backend_name()


@contextmanager
def an_engine(url: str) -> Iterator[Engine]:
    """An engine of the application's own on the database of `url`."""
    engine = create_engine(make_url(url).set(drivername=_DRIVERS[kind_of(url)]))
    yield engine
    engine.dispose()


@contextmanager
def session(url: str) -> Iterator[Session]:
    with an_engine(url) as engine, Session(engine) as session:
        yield session


@contextmanager
def session_in_scope(url: str) -> Iterator[scoped_session[Session]]:
    with an_engine(url) as engine:
        session = scoped_session(sessionmaker(engine))
        yield session
        session.remove()


@contextmanager
def connection(url: str) -> Iterator[Any]:
    with an_engine(url) as engine, engine.connect() as connection:
        yield connection


@contextmanager
def driver(url: str) -> Iterator[Any]:
    """The driver's own connection, with rows that are not tuples, as applications like them."""
    connection = open_driver(url)
    yield connection
    connection.close()


def open_driver(url: str, *, autocommit: bool = False) -> Any:
    parts = make_url(url)
    if kind_of(url) == "sqlite":
        lite = sqlite3.connect(
            str(parts.database), isolation_level=None if autocommit else "DEFERRED"
        )
        lite.row_factory = sqlite3.Row
        return lite
    if kind_of(url) == "postgresql":
        return psycopg.connect(url, row_factory=dict_row, autocommit=autocommit)  # type: ignore[arg-type]
    return pymysql.connect(
        unix_socket=str(parts.query["unix_socket"]),
        user=parts.username,
        database=parts.database,
        cursorclass=pymysql.cursors.DictCursor,
        autocommit=autocommit,
    )


#: What commits and rolls back by methods of its own, in every kind of database.
LENT = [session, session_in_scope, connection, driver]


@asynccontextmanager
async def an_async_engine(url: str, name: str) -> AsyncIterator[AsyncEngine]:
    """An engine for event loops with the driver of that name."""
    engine = create_async_engine(make_url(url).set(drivername=f"{kind_of(url)}+{name}"))
    yield engine
    await engine.dispose()


class ALent(NamedTuple):
    """A connection lent in an event loop, and how its transaction ends."""

    on: Any
    commit: Callable[[], Any]
    rollback: Callable[[], Any]


def _itself(on: Any) -> ALent:
    return ALent(on, on.commit, on.rollback)


def async_session(name: str) -> ALend:
    @asynccontextmanager
    async def lend(url: str) -> AsyncIterator[ALent]:
        async with an_async_engine(url, name) as engine, AsyncSession(engine) as session:
            yield _itself(session)

    return lend


def async_session_in_scope(name: str) -> ALend:
    @asynccontextmanager
    async def lend(url: str) -> AsyncIterator[ALent]:
        async with an_async_engine(url, name) as engine:
            session = async_scoped_session(async_sessionmaker(engine), scopefunc=lambda: 1)
            yield _itself(session)
            await session.remove()

    return lend


def async_connection(name: str) -> ALend:
    @asynccontextmanager
    async def lend(url: str) -> AsyncIterator[ALent]:
        async with an_async_engine(url, name) as engine:
            connection: AsyncConnection
            async with engine.connect() as connection:
                yield _itself(connection)

    return lend


@asynccontextmanager
async def psycopg_connection(url: str) -> AsyncIterator[ALent]:
    connection = await psycopg.AsyncConnection.connect(url)
    yield _itself(connection)
    await connection.close()


@asynccontextmanager
async def aiosqlite_connection(url: str) -> AsyncIterator[ALent]:
    async with aiosqlite.connect(str(make_url(url).database)) as connection:
        yield _itself(connection)


@asynccontextmanager
async def asyncpg_connection(url: str) -> AsyncIterator[ALent]:
    connection = await asyncpg.connect(url)
    yield await _begun(connection)
    await connection.close()


@asynccontextmanager
async def asyncpg_pooled(url: str) -> AsyncIterator[ALent]:
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool, pool.acquire() as lent:
        yield await _begun(lent)


async def _begun(connection: Any) -> ALent:
    transaction = connection.transaction()
    await transaction.start()
    return ALent(connection, transaction.commit, transaction.rollback)


#: By name: the kind of database, and what lends a connection in a transaction.
ASYNC_LENT: dict[str, tuple[str, ALend]] = {
    "AsyncSession on aiosqlite": ("sqlite", async_session("aiosqlite")),
    "AsyncConnection on aiosqlite": ("sqlite", async_connection("aiosqlite")),
    "async_scoped_session on aiosqlite": ("sqlite", async_session_in_scope("aiosqlite")),
    "aiosqlite": ("sqlite", aiosqlite_connection),
    "AsyncSession on asyncpg": ("postgresql", async_session("asyncpg")),
    "AsyncConnection on asyncpg": ("postgresql", async_connection("asyncpg")),
    "async_scoped_session on asyncpg": ("postgresql", async_session_in_scope("asyncpg")),
    "asyncpg": ("postgresql", asyncpg_connection),
    "pool of asyncpg": ("postgresql", asyncpg_pooled),
    "AsyncSession on psycopg": ("postgresql", async_session("psycopg")),
    "AsyncConnection on psycopg": ("postgresql", async_connection("psycopg")),
    "psycopg": ("postgresql", psycopg_connection),
}


def stored(app: bide.App) -> list[int]:
    """The ids of the jobs that everybody can see, oldest first."""
    return sorted(row.id for row in app.store.find(Filter(), limit=10_000))
