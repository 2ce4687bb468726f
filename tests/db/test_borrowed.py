from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import psycopg
import pymysql
import pytest
from psycopg.rows import dict_row
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from bide.db.borrowed import aexecute, after_commit, execute, refuse_async
from bide.db.engine import Database
from bide.db.statements import Statement
from bide.errors import DatabaseError, NotMigrated, WrongConnection

WRITE = Statement("INSERT INTO notes (text) VALUES (:text)", "write")
READ = Statement("SELECT text, '100%' FROM notes WHERE text = :text OR :text = '*'", "read")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty table in each kind of database."""
    database = Database(database_url)
    database.run(lambda c: c.execute("CREATE TABLE notes (text VARCHAR(50) NOT NULL)"))
    yield database
    database.close()


def notes(database: Database) -> list[str]:
    return [row[0] for row in database.read(lambda c: c.execute(READ, {"text": "*"}))]


def write(on: Any, database: Database, text: str) -> None:
    assert execute(on, WRITE, {"text": text}, database.kind) == []
    assert execute(on, READ, {"text": text}, database.kind) == [(text, "100%")]


@contextmanager
def sqlalchemy_session(database: Database) -> Iterator[Any]:
    with Session(database.engine) as session:
        yield session


@contextmanager
def sqlalchemy_scoped_session(database: Database) -> Iterator[Any]:
    session = scoped_session(sessionmaker(database.engine))
    yield session
    session.remove()


@contextmanager
def sqlalchemy_connection(database: Database) -> Iterator[Any]:
    with database.engine.connect() as connection:
        yield connection


@contextmanager
def driver_connection(database: Database) -> Iterator[Any]:
    url = make_url(database.url)
    if database.kind == "sqlite":
        connection: Any = sqlite3.connect(str(url.database))
        connection.row_factory = sqlite3.Row
    elif database.kind == "postgresql":
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(plain, row_factory=dict_row)  # type: ignore[arg-type]
    else:
        arguments = {"user": url.username, "password": url.password or "", "host": url.host}
        connection = pymysql.connect(
            **{name: value for name, value in arguments.items() if value is not None},
            database=url.database,
            cursorclass=pymysql.cursors.DictCursor,
            **url.query,
        )
    yield connection
    with suppress(pymysql.err.Error):  # closed by the test
        connection.close()


LENT = [sqlalchemy_session, sqlalchemy_scoped_session, sqlalchemy_connection, driver_connection]
Lend = Callable[[Database], Any]


@pytest.mark.parametrize("lend", LENT)
def test_a_row_is_there_when_the_caller_commits(database: Database, lend: Lend) -> None:
    with lend(database) as on:
        write(on, database, "kept")
        assert notes(database) == []
        on.commit()
    assert notes(database) == ["kept"]


@pytest.mark.parametrize("lend", LENT)
def test_a_row_is_gone_when_the_caller_rolls_back(database: Database, lend: Lend) -> None:
    with lend(database) as on:
        write(on, database, "gone")
        on.rollback()
    assert notes(database) == []


def test_a_savepoint_that_is_rolled_back_takes_its_row_along(database: Database) -> None:
    with Session(database.engine) as session:
        write(session, database, "outer")
        savepoint = session.begin_nested()
        write(session, database, "inner")
        savepoint.rollback()
        session.commit()
    assert notes(database) == ["outer"]


def test_a_cursor_stands_for_its_connection(database: Database) -> None:
    with driver_connection(database) as connection:
        write(connection.cursor(), database, "by cursor")
        connection.commit()
    assert notes(database) == ["by cursor"]


def test_a_row_written_in_autocommit_is_there_at_once(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        write(connection, database, "at once")
        assert notes(database) == ["at once"]


def test_the_error_of_a_borrowed_connection_is_ours(database: Database) -> None:
    absent = Statement("INSERT INTO absent (text) VALUES (:text)", "absent")
    with driver_connection(database) as connection, pytest.raises(NotMigrated, match="absent"):
        execute(connection, absent, {"text": "x"}, database.kind)
    with Session(database.engine) as session, pytest.raises(DatabaseError, match="refused"):
        execute(session, Statement("INSERT INTO notes VALUES (NULL)", "null"), {}, database.kind)


@pytest.mark.parametrize("lend", [sqlalchemy_connection, driver_connection])
def test_a_closed_connection_is_refused(database: Database, lend: Lend) -> None:
    with lend(database) as on:
        on.close()
        with pytest.raises((WrongConnection, DatabaseError), match="closed"):
            execute(on, WRITE, {"text": "x"}, database.kind)


def test_a_connection_to_another_kind_of_database_is_refused(tmp_path: Path) -> None:
    on = sqlite3.connect(tmp_path / "other.db")
    with pytest.raises(WrongConnection, match="to sqlite, but the jobs are in postgresql"):
        execute(on, WRITE, {"text": "x"}, "postgresql")
    on.close()


@pytest.mark.parametrize("on", [object(), 5, None, "default", create_engine("sqlite://")])
def test_what_is_no_connection_is_refused(on: Any) -> None:
    with pytest.raises(WrongConnection, match="no session or connection that Bide can write on"):
        execute(on, WRITE, {"text": "x"}, "sqlite")


@asynccontextmanager
async def async_session(database: Database) -> AsyncIterator[Any]:
    drivers = {"sqlite": "aiosqlite", "postgresql": "asyncpg"}
    if database.kind not in drivers:
        pytest.skip("no asynchronous driver of MySQL is among the tests' libraries")
    url = make_url(database.url).set(drivername=f"{database.kind}+{drivers[database.kind]}")
    engine = create_async_engine(url)
    async with AsyncSession(engine) as session:
        yield session
    await engine.dispose()


@asynccontextmanager
async def async_connection(database: Database) -> AsyncIterator[Any]:
    async with async_session(database) as session:
        yield await session.connection()


@asynccontextmanager
async def async_psycopg_session(database: Database) -> AsyncIterator[Any]:
    if database.kind != "postgresql":
        pytest.skip("psycopg speaks with PostgreSQL")
    engine = create_async_engine(make_url(database.url).set(drivername="postgresql+psycopg"))
    async with AsyncSession(engine) as session:
        yield session
    await engine.dispose()


ASYNC_LENT = [async_session, async_connection, async_psycopg_session]


@pytest.mark.parametrize("lend", ASYNC_LENT)
async def test_an_async_caller_decides_too(database: Database, lend: Lend) -> None:
    async with lend(database) as on:
        await awrite(on, database, "gone")
        await on.rollback()
    async with lend(database) as on:
        await awrite(on, database, "kept")
        await on.commit()
    assert notes(database) == ["kept"]


async def test_an_asyncpg_transaction_decides(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    database.run(lambda c: c.execute("CREATE TABLE notes (text VARCHAR(50) NOT NULL)"))
    connection = await asyncpg.connect(postgresql_url)
    transaction = connection.transaction()
    await transaction.start()
    await awrite(connection, database, "gone")
    await transaction.rollback()
    async with connection.transaction():
        await awrite(connection, database, "kept")
    await connection.close()
    assert notes(database) == ["kept"]
    with pytest.raises(WrongConnection, match="closed"):
        await awrite(connection, database, "late")
    database.close()


async def test_an_async_psycopg_connection_decides(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    database.run(lambda c: c.execute("CREATE TABLE notes (text VARCHAR(50) NOT NULL)"))
    async with await psycopg.AsyncConnection.connect(postgresql_url) as connection:
        await awrite(connection, database, "gone")
        await connection.rollback()
        await awrite(connection, database, "kept")
    assert notes(database) == ["kept"]
    database.close()


async def test_an_aiosqlite_connection_decides(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    database.run(lambda c: c.execute("CREATE TABLE notes (text VARCHAR(50) NOT NULL)"))
    async with aiosqlite.connect(str(database.url.database)) as connection:
        await awrite(connection, database, "gone")
        await connection.rollback()
        await awrite(connection, database, "kept")
        await connection.commit()
    assert notes(database) == ["kept"]
    database.close()


async def test_a_sync_connection_may_be_used_by_an_async_caller(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    database.run(lambda c: c.execute("CREATE TABLE notes (text VARCHAR(50) NOT NULL)"))
    with driver_connection(database) as on:
        await awrite(on, database, "kept")
        on.commit()
    assert notes(database) == ["kept"]
    database.close()


async def test_an_async_session_in_a_sync_call_is_refused(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    async with async_session(database) as on:
        with pytest.raises(WrongConnection, match=r"must be awaited here: use `await job\.adelay"):
            refuse_async(on)
        with pytest.raises(WrongConnection, match=r"must be awaited here: use `await job\.adelay"):
            execute(on, WRITE, {"text": "x"}, "sqlite")
        with pytest.raises(WrongConnection, match="to sqlite, but the jobs are in mysql"):
            await aexecute(on, WRITE, {"text": "x"}, "mysql")


def test_a_session_tells_of_its_commit_once(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    told: list[str] = []
    with Session(database.engine) as session:
        session.begin()
        assert after_commit(session, lambda: told.append("first"))
        with session.begin_nested():
            pass
        assert told == []
        session.commit()
        assert told == ["first"]
        session.begin()
        session.commit()
    assert told == ["first"]
    database.close()


def test_a_plain_connection_cannot_tell_of_its_commit(sqlite_url: str) -> None:
    with driver_connection(Database(sqlite_url)) as on:
        assert not after_commit(on, lambda: None)


async def awrite(on: Any, database: Database, text: str) -> None:
    assert await aexecute(on, WRITE, {"text": text}, database.kind) == []
    assert await aexecute(on, READ, {"text": text}, database.kind) == [(text, "100%")]
