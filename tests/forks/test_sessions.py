"""What a server keeps for the parent's session survives the children: transactions, locks, more."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pymysql
import pytest

from bide.errors import ForkError
from bide.forks import guard
from forks.clients import places
from forks.conftest import needs
from in_child import fork, in_child
from servers.server import Server
from waiting import wait_until

OFF = guard.Layers(seal=False, forget=False)
ENDINGS = ["commit", "rollback", "close"]


@pytest.fixture(autouse=True)
def fence() -> Iterator[None]:
    guard.protect()
    yield
    guard.protect(OFF)


def disturb(connection: Any, ending: str) -> Callable[[], None]:
    """A child that writes through the inherited connection and ends it in some way."""

    def child() -> None:
        for use in (lambda: connection.cursor().execute("INSERT INTO t VALUES (2)"),):
            try:
                use()
            except (ForkError, psycopg.Error, pymysql.Error):
                continue
        try:
            getattr(connection, ending)()
        except (ForkError, psycopg.Error, pymysql.Error):
            return

    return child


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_open_transaction_temporary_tables_locks_and_listens_survive(
    ending: str, fork_postgresql: Server
) -> None:
    with psycopg.connect(fork_postgresql.url("postgres", tcp=True)) as connection:
        connection.execute("LISTEN news")
        connection.execute("SELECT pg_advisory_lock(4711)")
        connection.execute("CREATE TEMPORARY TABLE kept (n int)")
        connection.commit()
        connection.execute("CREATE TABLE IF NOT EXISTS t (n int)")
        connection.execute("INSERT INTO t VALUES (1)")
        in_child(disturb(connection, ending))
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)
        connection.rollback()
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        locks = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
        assert connection.execute(locks).fetchone() == (1,)
        connection.execute("NOTIFY news")
        connection.commit()
        heard = next(connection.notifies(timeout=5, stop_after=1))
        assert heard.channel == "news"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_mysql_transaction_ends_as_the_parent_says(ending: str, fork_mariadb: Server) -> None:
    connection = pymysql.connect(**places(fork_mariadb.url("forks")))
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE TABLE t (n int)")
        connection.commit()
        cursor.execute("INSERT INTO t VALUES (1)")
        in_child(disturb(connection, ending))
        connection.rollback()
        cursor.execute("SELECT count(*) FROM t")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("library", ["psycopg", "psycopg2"])
def test_cancel_in_a_child_never_cancels_the_parent_s_query(
    library: str, fork_postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sealed wire does not stop it: a cancel request travels on a new connection."""
    needs(library)
    monkeypatch.setattr(guard.threads, "other_threads", list)
    module = __import__(library)
    connection = module.connect(fork_postgresql.url("postgres", tcp=True))
    pid = fork()
    if pid == 0:
        try:
            for _ in range(20):
                try:
                    connection.cancel()
                finally:
                    time.sleep(0.02)
        finally:
            os._exit(0)
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT pg_sleep(0.5)")
        assert cursor.fetchone() is not None
    finally:
        os.waitpid(pid, 0)
        connection.close()


def test_a_killed_parent_s_locks_are_free_at_once_though_a_child_lives(
    fork_postgresql: Server,
) -> None:
    url = fork_postgresql.url("postgres", tcp=True)
    reading, writing = os.pipe()
    parent = fork()
    if parent == 0:
        connection = psycopg.connect(url, autocommit=True)
        connection.execute("SELECT pg_advisory_lock(4712)")
        child = os.fork()
        if child == 0:
            time.sleep(30)
            os._exit(0)
        os.write(writing, str(child).encode())
        time.sleep(30)
        os._exit(0)
    child = int(os.read(reading, 20))
    os.close(reading)
    os.close(writing)
    try:
        with psycopg.connect(url, autocommit=True) as other:
            take = "SELECT pg_try_advisory_lock(4712)"
            assert other.execute(take).fetchone() == (False,)
            os.kill(parent, signal.SIGKILL)
            wait_until(lambda: other.execute(take).fetchone() == (True,), within=10)
    finally:
        os.waitpid(parent, 0)
        os.kill(child, signal.SIGKILL)
