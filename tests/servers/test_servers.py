"""The test servers themselves: each test has its own database, and no server outlives its users."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pymysql
import pytest
import sqlalchemy

from servers.mariadb import MariaDB
from servers.postgresql import PostgreSQL, has_tls
from servers.server import Server, stands
from waiting import wait_until

DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}


def engine(url: str) -> sqlalchemy.Engine:
    kind, rest = url.split("://", 1)
    return sqlalchemy.create_engine(
        f"{DRIVERS.get(kind, kind)}://{rest}", poolclass=sqlalchemy.NullPool
    )


@pytest.mark.parametrize("once", [1, 2])
def test_every_test_gets_an_empty_database(database_url: str, once: int) -> None:
    with engine(database_url).begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE t (i INTEGER)"))


def test_a_connection_left_open_in_a_transaction_does_not_hold_the_next_test_up(
    mariadb: MariaDB, postgresql: PostgreSQL
) -> None:
    for server in (mariadb, postgresql):
        server.create_database("left_open")
        with engine(server.url("left_open")).connect() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE t (i INTEGER)"))
            connection.execute(sqlalchemy.text("SELECT * FROM t"))
            server.drop_database("left_open")
            connection.invalidate()


@pytest.fixture(params=["postgresql", "mariadb"])
def own(request: pytest.FixtureRequest) -> Server:
    return request.getfixturevalue(f"own_{request.param}")


def test_a_server_restarts_on_the_same_files(own: Server) -> None:
    own.create_database("kept")
    own.restart()
    with engine(own.url("kept")).connect() as connection:
        assert connection.scalar(sqlalchemy.text("SELECT 1")) == 1


def test_a_killed_server_comes_back(own: Server) -> None:
    own.kill()
    assert not own.answers()
    own.start()
    own.ping()


def test_no_thread_of_a_frozen_server_runs(own: Server) -> None:
    assert own.process is not None
    own.freeze()
    assert stands(own.process.pid)
    own.thaw()
    wait_until(lambda: own.process is not None and not stands(own.process.pid))


def test_a_frozen_server_is_silent_until_it_is_thawed(own_postgresql: PostgreSQL) -> None:
    with own_postgresql.connect() as connection:
        own_postgresql.freeze()
        connection.pgconn.send_query(b"SELECT 1")
        connection.pgconn.flush()
        with pytest.raises(AssertionError):
            wait_until(lambda: arrived(connection), within=0.3)
        own_postgresql.thaw()
        wait_until(lambda: arrived(connection))
        while connection.pgconn.get_result():
            pass


def arrived(connection: psycopg.Connection) -> bool:
    connection.pgconn.consume_input()
    return not connection.pgconn.is_busy()


def test_postgresql_offers_tls_over_tcp(start_postgresql: Callable[..., PostgreSQL]) -> None:
    if not has_tls():
        pytest.skip("this PostgreSQL is built without TLS")
    url = start_postgresql(tcp=True).url("postgres", tcp=True)
    with psycopg.connect(f"{url}?sslmode=require") as connection:
        assert connection.pgconn.ssl_in_use


def test_mariadb_offers_tls_over_tcp(start_mariadb: Callable[..., MariaDB]) -> None:
    port = start_mariadb(tcp=True).port
    connection = pymysql.connect(host="127.0.0.1", port=port or 0, user="root", ssl={"ca": None})
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
        assert cursor.fetchone()[1]


USER = """
import sys; sys.path.insert(0, {tests!r})
from servers.{module} import {kind}
server = {kind}.new()
print(server.process.pid, server.directory, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(("module", "kind"), [("postgresql", PostgreSQL), ("mariadb", MariaDB)])
def test_a_server_ends_and_cleans_up_when_its_user_is_killed(
    module: str, kind: type[Server], request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(f"start_{module}")
    program = USER.format(tests=str(Path(__file__).parents[1]), module=module, kind=kind.__name__)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as user:
        assert user.stdout is not None
        pid, directory = user.stdout.readline().split()
        user.kill()
    wait_until(lambda: not psutil.pid_exists(int(pid)), within=20)
    wait_until(lambda: not Path(directory).exists(), within=20)
