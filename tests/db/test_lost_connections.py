"""What happens when the server goes, freezes, or chooses us as the victim of a deadlock."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import make_url

from bide.clock import monotonic
from bide.db import drivers
from bide.db.connection import Connection
from bide.db.engine import Database
from bide.errors import ConnectionLost, DatabaseBusy, DatabaseError
from in_child import in_child
from servers.mariadb import with_pymysql
from waiting import wait_until

#: PyMySQL leaves the socket of a failed connect to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(params=["own_postgresql", "own_mariadb"])
def server(request: pytest.FixtureRequest) -> Any:
    """A server that the test may stop, kill and freeze."""
    server = request.getfixturevalue(request.param)
    server.create_database("here")
    return server


@pytest.fixture
def database(server: Any) -> Iterator[Database]:
    database = Database(server.url("here"), silence=1.0, busy_timeout=5)
    database.run(lambda c: c.execute("CREATE TABLE notes (id INT PRIMARY KEY, value INT NOT NULL)"))
    yield database
    database.close()


def note(connection: Connection, number: int) -> None:
    connection.execute("INSERT INTO notes VALUES (:id, 0)", {"id": number})


def count(database: Database) -> int:
    return int(database.read(lambda c: c.execute("SELECT count(*) FROM notes"))[0][0])


def test_idle_connections_of_a_restarted_server_are_replaced_unnoticed(
    server: Any, database: Database
) -> None:
    server.restart()
    database.run(lambda c: note(c, 1))
    server.restart()
    assert count(database) == 1


def test_a_server_that_is_away_is_a_lost_connection(server: Any, database: Database) -> None:
    server.stop()
    with pytest.raises(ConnectionLost) as caught:
        database.run(lambda c: note(c, 1))
    assert caught.value.nothing_changed
    gc.collect()
    server.start()
    assert count(database) == 0


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_where_no_server_listens_no_connection_was_lost_that_never_was(kind: str) -> None:
    with pytest.raises(ConnectionLost, match="No connection to the database could be opened: "):
        Database(f"{kind}://127.0.0.1:1/shop").run(lambda c: None)


def test_a_frozen_server_is_cut_off(server: Any, database: Database) -> None:
    """A server that stops answering but whose kernel goes on acknowledging."""
    count(database)
    database.close()  # whose watchdog ends, and starts again with the next use
    count(database)
    with server.frozen() as thaw:
        with pytest.raises(ConnectionLost):
            database.single(lambda c: c.execute("SELECT count(*) FROM notes"))
        assert thaw.is_alive()
    wait_until(lambda: count(database) == 0, within=10)


def test_a_mariadb_that_never_greets_is_a_lost_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one that was frozen before it is connected to, or a machine that went at that moment."""
    monkeypatch.setattr(drivers, "LOGIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"mysql://one@127.0.0.1:{mute.getsockname()[1]}/here"
        lost: list[BaseException] = []

        def ask() -> None:
            with pytest.raises(ConnectionLost) as caught:
                Database(url).read(lambda c: c.execute("SELECT 1"))
            lost.append(caught.value)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    [error] = lost
    assert isinstance(error, ConnectionLost)
    assert error.nothing_changed
    gc.collect()


@with_pymysql
def test_who_has_logged_in_to_mariadb_may_wait_longer(
    mysql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the URL says for how long."""
    monkeypatch.setattr(drivers, "LOGIN", 1.0)
    url = make_url(mysql_url)
    patient, told = Database(url), Database(url.update_query_dict({"read_timeout": "7"}))
    assert patient.read(lambda c: c.execute("SELECT sleep(1.2)")) == [(0,)]
    assert told.read(lambda c: c.raw._read_timeout) == 7
    patient.close()
    told.close()


def test_a_frozen_server_is_cut_off_from_mysqlclient_too(own_mariadb: Any) -> None:
    """It tells its socket to nobody but the thread that waits."""
    pytest.importorskip("MySQLdb", reason="mysqlclient is not installed")
    own_mariadb.create_database("here")
    url = own_mariadb.url("here").replace("mysql://", "mysql+mysqldb://")
    database = Database(url, silence=1.0, busy_timeout=5)
    database.read(lambda c: c.execute("SELECT 1"))
    with own_mariadb.frozen() as thaw:
        with pytest.raises(ConnectionLost):
            database.single(lambda c: c.execute("SELECT 1"))
        assert thaw.is_alive()
    database.close()


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_child_cuts_off_no_statement_that_ran_in_its_parent_when_it_was_forked(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """They share the wire, and in the child that statement never ends."""
    database = Database(request.getfixturevalue(f"{kind}_url"), silence=0.5)
    pause, me = {
        "postgresql": ("SELECT pg_sleep(20)", "SELECT pg_backend_pid()"),
        "mysql": ("SELECT sleep(20)", "SELECT connection_id()"),
    }[kind]

    def of_child() -> None:
        with pytest.raises(ConnectionLost):  # its watchdog has looked at everything
            database.single(lambda c: c.execute(pause))
        database.close()

    def fork_meanwhile(connection: Connection) -> None:
        [before] = connection.execute(me)
        connection.busy_since = monotonic()  # as of a statement in another thread
        in_child(of_child)
        connection.busy_since = None
        assert connection.execute(me) == [before]

    database.read(fork_meanwhile)
    database.close()


def test_patient_work_is_not_cut_off(server: Any, database: Database) -> None:
    pause = "SELECT pg_sleep(2)" if database.kind == "postgresql" else "SELECT sleep(2)"
    assert len(database.run(lambda c: c.execute(pause), patient=True)) == 1
    with pytest.raises((ConnectionLost, DatabaseError)):
        database.single(lambda c: c.execute(pause))


def test_the_victim_of_a_deadlock_tries_again(database: Database) -> None:
    for number in (1, 2):
        database.run(lambda c, number=number: note(c, number))
    gate = threading.Barrier(2)
    tries: list[int] = []

    def add(first: int, second: int) -> None:
        def work(connection: Connection) -> None:
            tries.append(first)
            for number in (first, second):
                connection.execute(
                    "UPDATE notes SET value = value + 1 WHERE id = :id", {"id": number}
                )
                if len(tries) <= 2 and number == first:
                    gate.wait(10)

        database.run(work)

    threads = [threading.Thread(target=add, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    values = database.read(lambda c: c.execute("SELECT value FROM notes"))
    assert values == [(2,), (2,)]
    assert len(tries) > 2


def test_a_lock_that_is_never_given_is_told_as_busy(server: Any) -> None:
    database = Database(server.url("here"), busy_timeout=0.3)
    database.run(lambda c: c.execute("CREATE TABLE held (id INT PRIMARY KEY)"))
    database.run(lambda c: c.execute("INSERT INTO held VALUES (1)"))
    nowait = "SELECT id FROM held WHERE id = 1 FOR UPDATE NOWAIT"
    with database.engine.begin() as holder:
        holder.exec_driver_sql("SELECT id FROM held WHERE id = 1 FOR UPDATE")
        with pytest.raises(DatabaseBusy, match="too busy"):
            database.run(lambda c: c.execute(nowait))
    assert database.run(lambda c: c.execute(nowait)) == [(1,)]
    database.close()
