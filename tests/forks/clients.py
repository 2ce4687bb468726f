"""Every kind of client that a program may hold at a fork: how to open it and how to ask it.

Each client asks the server to send a tag back, so that an answer to another process' question shows.
Libraries are imported where they are used: what is not installed skips its tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

RIGHT, ERROR, RIGHT_OR_ERROR = "right", "error", "right or error"


@dataclass
class Client:
    """One open connection, or a pool of them: `ask(tag)` answers the tag, where all is well."""

    ask: Callable[[str], str]
    close: Callable[[], Any]
    objects: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Way:
    """A way to hold a connection: its module, its server, and what children may expect."""

    module: str
    server: str
    open: Callable[[str], Client]
    children: str = ERROR
    damage: bool = True  # whether it breaks without the fence


WAYS: dict[str, Way] = {}


def way(name: str, module: str, server: str, **facts: Any) -> Callable[..., Any]:
    def add(function: Callable[..., Client]) -> Callable[..., Client]:
        WAYS[name] = Way(module, server, function, **facts)
        return function

    return add


def dbapi(connection: Any) -> Client:
    def ask(tag: str) -> str:
        cursor = connection.cursor()
        cursor.execute("SELECT %s", (tag,))
        answer = cursor.fetchone()[0]
        cursor.close()
        return answer.decode() if isinstance(answer, bytes | bytearray) else str(answer)

    return Client(ask, connection.close, [connection])


def places(url: str) -> dict[str, Any]:
    """Host, port, user, database and socket of a MySQL URL."""
    parts = urlsplit(url)
    found: dict[str, Any] = {"host": parts.hostname, "user": parts.username}
    found["database"] = parts.path.lstrip("/")
    if parts.port:
        found["port"] = parts.port
    if sockets := parse_qs(parts.query).get("unix_socket"):
        found["unix_socket"] = sockets[0]
    return found


@way("psycopg2", "psycopg2", "postgresql plain")
@way("psycopg2, TLS", "psycopg2", "postgresql tls")
@way("psycopg2, unix socket", "psycopg2", "postgresql unix")
def psycopg2(url: str) -> Client:
    import psycopg2

    connection = psycopg2.connect(url)
    connection.autocommit = True
    return dbapi(connection)


@way("psycopg 3", "psycopg", "postgresql plain")
@way("psycopg 3, TLS", "psycopg", "postgresql tls")
@way("psycopg 3, unix socket", "psycopg", "postgresql unix")
def psycopg3(url: str) -> Client:
    import psycopg

    connection = psycopg.connect(url, autocommit=True)
    client = dbapi(connection)
    client.ask = lambda tag: connection.execute("SELECT %s::text", (tag,)).fetchone()[0]
    return client


@way("psycopg_pool", "psycopg_pool", "postgresql plain", children=RIGHT)
@way("psycopg_pool, TLS", "psycopg_pool", "postgresql tls", children=RIGHT)
def psycopg_pool(url: str) -> Client:
    import psycopg_pool

    pool = psycopg_pool.ConnectionPool(url, min_size=1, max_size=1, open=True, timeout=8)

    def ask(tag: str) -> str:
        with pool.connection() as connection:
            return str(connection.execute("SELECT %s::text", (tag,)).fetchone()[0])

    return Client(ask, pool.close, [pool])


def in_loop(loop: asyncio.AbstractEventLoop, awaitable: Any) -> Any:
    return loop.run_until_complete(asyncio.wait_for(awaitable, 8))


@way("asyncpg", "asyncpg", "postgresql plain")
@way("asyncpg, TLS", "asyncpg", "postgresql tls")
@way("asyncpg, unix socket", "asyncpg", "postgresql unix")
def asyncpg(url: str) -> Client:
    import asyncpg

    loop = asyncio.new_event_loop()
    connection = in_loop(loop, asyncpg.connect(url))
    return Client(
        lambda tag: str(in_loop(loop, connection.fetchval("SELECT $1::text", tag))),
        lambda: in_loop(loop, connection.close()),
        [connection, loop],
    )


@way("asyncpg pool", "asyncpg", "postgresql plain")
def asyncpg_pool(url: str) -> Client:
    import asyncpg

    loop = asyncio.new_event_loop()

    async def make() -> Any:
        return await asyncpg.create_pool(url, min_size=1, max_size=1)

    pool = in_loop(loop, make())
    return Client(
        lambda tag: str(in_loop(loop, pool.fetchval("SELECT $1::text", tag))),
        lambda: in_loop(loop, pool.close()),
        [pool, loop],
    )


@way("pg8000", "pg8000", "postgresql plain")
@way("pg8000, TLS", "pg8000", "postgresql tls")
def pg8000(url: str) -> Client:
    import pg8000.dbapi

    parts = urlsplit(url)
    connection = pg8000.dbapi.connect(
        user="postgres",
        host=parts.hostname,
        port=parts.port,
        database=parts.path.lstrip("/"),
        ssl_context=("require" in parts.query) or None,
    )
    connection.autocommit = True
    return dbapi(connection)


def engine_client(url: str, driver: str, **options: Any) -> Client:
    import sqlalchemy

    address = sqlalchemy.make_url(url).set(drivername=driver)
    engine = sqlalchemy.create_engine(address, pool_size=1, max_overflow=0, **options)
    statement = sqlalchemy.text("SELECT :tag").bindparams(
        sqlalchemy.bindparam("tag", type_=sqlalchemy.String)
    )

    def ask(tag: str) -> str:
        with engine.connect() as connection:
            return str(connection.execute(statement, {"tag": tag}).scalar_one())

    return Client(ask, engine.dispose, [engine])


def sqlalchemy_way(driver: str, module: str, server: str, name: str = "", **options: Any) -> None:
    way(
        name or f"SQLAlchemy + {driver.partition('+')[2]}",
        module,
        server,
        children=RIGHT,
    )(lambda url: engine_client(url, driver, **options))


sqlalchemy_way("postgresql+psycopg2", "psycopg2", "postgresql plain")
sqlalchemy_way("postgresql+psycopg2", "psycopg2", "postgresql tls", "SQLAlchemy + psycopg2, TLS")
sqlalchemy_way("postgresql+psycopg", "psycopg", "postgresql plain")
sqlalchemy_way("postgresql+psycopg", "psycopg", "postgresql tls", "SQLAlchemy + psycopg, TLS")
sqlalchemy_way(
    *("postgresql+psycopg", "psycopg", "postgresql plain", "SQLAlchemy + psycopg, pre_ping"),
    pool_pre_ping=True,
)
sqlalchemy_way("mysql+pymysql", "pymysql", "mariadb tls")
sqlalchemy_way("mysql+mysqldb", "MySQLdb", "mariadb unix")


@way("SQLAlchemy session left open", "psycopg", "postgresql plain", children=RIGHT)
def session(url: str) -> Client:
    import sqlalchemy
    from sqlalchemy import orm

    engine = sqlalchemy.create_engine(sqlalchemy.make_url(url).set(drivername="postgresql+psycopg"))
    session = orm.Session(engine)
    statement = sqlalchemy.text("SELECT CAST(:tag AS text)")
    return Client(
        lambda tag: str(session.execute(statement, {"tag": tag}).scalar_one()),
        session.close,
        [session, engine],
    )


@way("SQLAlchemy + asyncpg", "asyncpg", "postgresql plain")
def async_engine(url: str) -> Client:
    import sqlalchemy
    from sqlalchemy.ext.asyncio import create_async_engine

    loop = asyncio.new_event_loop()
    address = sqlalchemy.make_url(url).set(drivername="postgresql+asyncpg", query={})
    engine = create_async_engine(address, pool_size=1, max_overflow=0)

    async def ask(tag: str) -> str:
        async with engine.connect() as connection:
            statement = sqlalchemy.text("SELECT CAST(:tag AS text)")
            return str((await connection.execute(statement, {"tag": tag})).scalar_one())

    return Client(
        lambda tag: str(in_loop(loop, ask(tag))),
        lambda: in_loop(loop, engine.dispose()),
        [engine, loop],
    )


def django_client(settings: dict[str, Any], *, close_old: bool = False) -> Client:
    import django
    from django.conf import settings as django_settings
    from django.db import close_old_connections, connection

    django_settings.configure(DATABASES={"default": {"CONN_MAX_AGE": None, **settings}})
    django.setup()

    def ask(tag: str) -> str:
        if close_old:
            close_old_connections()
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [tag])
            return str(cursor.fetchone()[0])

    return Client(ask, connection.close, [connection])


def django_postgresql(url: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": "postgres",
        "HOST": parts.hostname,
        "PORT": parts.port,
        "OPTIONS": {"sslmode": "disable", **(options or {})},
    }


@way("Django, PostgreSQL", "django", "postgresql plain", children=RIGHT)
def django_pg(url: str) -> Client:
    return django_client(django_postgresql(url))


@way("Django, close_old_connections", "django", "postgresql plain", children=RIGHT)
def django_pg_close_old(url: str) -> Client:
    return django_client(django_postgresql(url), close_old=True)


@way("Django, pool", "django", "postgresql plain", children=RIGHT)
def django_pg_pool(url: str) -> Client:
    options = {"pool": {"min_size": 1, "max_size": 1, "timeout": 8}}
    return django_client({**django_postgresql(url, options), "CONN_MAX_AGE": 0})


@way("Django, MySQL", "MySQLdb", "mariadb unix", children=RIGHT)
def django_mysql(url: str) -> Client:
    found = places(url)
    return django_client(
        {
            "ENGINE": "django.db.backends.mysql",
            "NAME": found["database"],
            "USER": found["user"],
            "HOST": found["unix_socket"],
        }
    )


@way("PyMySQL", "pymysql", "mariadb unix")
@way("PyMySQL, TLS", "pymysql", "mariadb tls")
def pymysql(url: str) -> Client:
    import pymysql

    return dbapi(pymysql.connect(**places(url), autocommit=True))


@way("mysqlclient", "MySQLdb", "mariadb unix")
def mysqlclient(url: str) -> Client:
    import MySQLdb

    return dbapi(MySQLdb.connect(**places(url), autocommit=True))


@way("mariadb connector", "mariadb", "mariadb unix")
def mariadb_connector(url: str) -> Client:
    import mariadb

    return dbapi(mariadb.connect(**places(url), autocommit=True))


@way("mysql-connector", "mysql.connector", "mariadb tls")
@way("mysql-connector, unix socket", "mysql.connector", "mariadb unix")
def mysql_connector(url: str) -> Client:
    import mysql.connector

    connection = mysql.connector.connect(**places(url), use_pure=True, autocommit=True)
    return dbapi(connection)


@way("redis-py", "redis", "redis", children=RIGHT, damage=False)
def redis(url: str) -> Client:
    import redis

    return redis_client(redis.Redis.from_url(url))


@way("redis-py, one connection", "redis", "redis", children=RIGHT)
def redis_one(url: str) -> Client:
    import redis

    return redis_client(redis.Redis.from_url(url, single_connection_client=True))


def redis_client(client: Any) -> Client:
    return Client(lambda tag: client.echo(tag).decode(), client.close, [client])


@way("redis.asyncio", "redis", "redis")
def redis_asyncio(url: str) -> Client:
    import redis.asyncio

    loop = asyncio.new_event_loop()
    client = redis.asyncio.Redis.from_url(url, single_connection_client=True)
    return Client(
        lambda tag: in_loop(loop, client.echo(tag)).decode(),
        lambda: in_loop(loop, client.aclose()),
        [client, loop],
    )


@way("requests", "requests", "http", children=RIGHT, damage=False)
def requests(url: str) -> Client:
    import requests

    session = requests.Session()
    return Client(lambda tag: session.get(f"{url}/{tag}").text, session.close, [session])


@way("httpx", "httpx", "http", children=RIGHT, damage=False)
def httpx(url: str) -> Client:
    import httpx

    client = httpx.Client()
    return Client(lambda tag: client.get(f"{url}/{tag}").text, client.close, [client])
