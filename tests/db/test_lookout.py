"""A connection of MySQL's on which a long statement waits: what it says, and where it cannot be had."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import create_engine

from bide.clock import monotonic
from bide.db.apart import MySQLClient, PyMySQL
from bide.db.connection import Connection
from bide.db.engine import Database
from bide.db.lookout import Lookout
from bide.db.statements import Statement
from bide.forks.owned import Owned
from in_child import in_child
from servers.mariadb import by_driver
from waiting import wait_until

SHORT = Statement("SELECT 1", "watch")
LONG = Statement("SELECT sleep(0.3), :word", "watch")
SESSION = Statement("SELECT @@autocommit, @@transaction_isolation, :word", "watch")
#: What `SESSION` is on MariaDB before 11.1.
OLD = Statement("SELECT @@autocommit, @@tx_isolation, :word", "watch")


@pytest.fixture
def url(mysql_url: str, mysql_driver: str) -> str:
    return by_driver(mysql_url, mysql_driver)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(Database(url)) as database:
        yield database


@pytest.fixture
def make_lookout() -> Iterator[Callable[[], Lookout]]:
    """Call it for a lookout, which is hung up afterwards."""
    made: list[Lookout] = []

    def make() -> Lookout:
        made.append(Lookout())
        return made[-1]

    yield make
    for lookout in made:
        lookout.hang_up()


@pytest.fixture
def lookout(make_lookout: Callable[[], Lookout]) -> Lookout:
    return make_lookout()


def answer(lookout: Lookout) -> Any:
    """The answer when it has come."""
    wait_until(lambda: not lookout.silent(), within=10)
    return lookout.take()


def test_an_answer_is_fetched_when_it_has_come(database: Database, lookout: Lookout) -> None:
    for word in ("first", "Straße, 道 %s ' \\"):
        assert lookout.ask(database, LONG, {"word": word}, within=5)
        assert lookout.silent()
        assert lookout.until is not None
        assert answer(lookout) == (0, word)
        assert lookout.until is None
        assert lookout.descriptor() is None


def test_other_threads_may_ask_whether_it_has_come(database: Database, lookout: Lookout) -> None:
    """Also while it is fetched: mysqlclient refuses all else to them."""
    told: set[bool] = set()
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(0.001):
            told.add(lookout.silent())

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for word in ("first", "second"):
            assert lookout.ask(database, LONG, {"word": word}, within=5)
            assert answer(lookout) == (0, word)
            assert lookout.ask(database, LONG, {"word": word}, within=5)
            assert lookout.take() == (0, word)
    finally:
        ended.set()
        thread.join(10)
    assert told == {True, False}


@pytest.mark.parametrize("charset", ["utf8mb4", "latin1"])
def test_the_session_is_its_own_on_an_engine_of_the_application_s_too(
    charset: str, url: str, lookout: Lookout
) -> None:
    engine = create_engine(url.replace("charset=utf8mb4", f"charset={charset}"))
    database = Database(engine)
    with engine.connect() as connection:
        server = connection.exec_driver_sql("SELECT VERSION()").scalar_one()
    session = SESSION if tuple(map(int, server.split("-")[0].split("."))) >= (11, 1) else OLD
    assert lookout.ask(database, session, {"word": "Straße"}, within=5)
    assert answer(lookout) == (1, "READ-UNCOMMITTED", "Straße")
    with engine.connect() as connection:
        found = connection.exec_driver_sql(session.form("pyformat").text, {"word": ""}).one()
    assert tuple(found) == (0, "REPEATABLE-READ", "")
    engine.dispose()


def test_a_statement_that_brings_no_rows_or_fails(database: Database, lookout: Lookout) -> None:
    for text in ("SELECT 1 FROM DUAL WHERE 1 = 0", "DO 1"):
        assert lookout.ask(database, Statement(text, "watch"), {}, within=5)
        assert answer(lookout) is None
    assert lookout.ask(database, Statement("SELECT nothing_of_the_kind", "watch"), {}, within=5)
    assert answer(lookout) is None
    wait_until(lambda: lookout.ask(database, SHORT, {}, within=5), within=10)
    assert answer(lookout) == (1,)


def test_it_never_crosses_a_fork(database: Database, make_lookout: Callable[[], Lookout]) -> None:
    """The child has its own, whatever it does with it; the answer is the parent's."""
    owned = Owned(make_lookout)

    def of_child() -> Any:
        assert owned.get().ask(database, LONG, {"word": "child"}, within=5)
        found = answer(owned.get())
        owned.get().hang_up()
        database.close()
        return found

    assert owned.get().ask(database, LONG, {"word": "parent"}, within=20)
    assert in_child(of_child) == (0, "child")
    assert answer(owned.get()) == (0, "parent")
    assert owned.get().ask(database, SHORT, {}, within=5)
    assert answer(owned.get()) == (1,)


@pytest.mark.parametrize("lacking", ["sending apart", "writing a statement out"])
def test_a_driver_that_cannot_do_it_is_asked_once(
    lacking: str, database: Database, lookout: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout._retry = 0.0
    opened: list[Connection] = []
    detached = database.detached
    monkeypatch.setattr(database, "detached", lambda: opened.append(detached()) or opened[-1])
    if lacking == "sending apart":
        for way in (PyMySQL, MySQLClient):
            monkeypatch.setattr(way, "needs", ("what_it_has_not",))
    else:
        cursor = database.read(lambda c: type(c.cursor))
        [owner] = [kind for kind in cursor.__mro__ if "mogrify" in vars(kind)]
        monkeypatch.delattr(owner, "mogrify")
    assert not lookout.ask(database, SHORT, {}, within=5)
    assert not lookout.ask(database, SHORT, {}, within=5)
    [connection] = opened
    assert not connection.raw.open


def test_a_connection_that_is_lost_while_it_is_opened_is_closed(
    database: Database, lookout: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Connection] = []
    detached = database.detached

    def dying() -> Connection:
        opened.append(detached())
        number = opened[-1].raw.thread_id()
        database.read(lambda c: c.execute(f"KILL CONNECTION {number}"))
        return opened[-1]

    monkeypatch.setattr(database, "detached", dying)
    assert not lookout.ask(database, SHORT, {}, within=1)
    assert lookout.descriptor() is None
    assert not opened[0].raw.open


@pytest.fixture
def frozen_at_last(own_mariadb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server of this test's own, which is thawed again before anybody waits for it."""
    monkeypatch.setattr("bide.db.lookout.SILENCE", 0.5)
    own_mariadb.create_database("here")
    yield own_mariadb
    own_mariadb.thaw()


def test_an_answer_that_stops_in_the_middle_is_a_lost_connection(
    frozen_at_last: Any, mysql_driver: str, lookout: Lookout
) -> None:
    """The server froze: a worker that waited for the rest would not heed that it shall stop."""
    database = Database(by_driver(frozen_at_last.url("here"), mysql_driver), silence=2.5)
    assert lookout.ask(database, LONG, {"word": ""}, within=5)
    frozen_at_last.freeze()
    began = monotonic()
    assert lookout.take() is None
    assert monotonic() - began < 2.4
    assert lookout.descriptor() is None
    frozen_at_last.thaw()
    wait_until(lambda: lookout.ask(database, SHORT, {}, within=5))
    database.close()


def test_a_server_that_freezes_behind_the_login_is_a_lost_connection(
    frozen_at_last: Any, mysql_driver: str, lookout: Lookout
) -> None:
    class Freezing(Database):
        """Its server freezes between the login and the first statement."""

        def detached(self) -> Connection:
            connection = super().detached()
            frozen_at_last.freeze()
            return connection

    database = Freezing(by_driver(frozen_at_last.url("here"), mysql_driver), silence=2.5)
    began = monotonic()
    assert not lookout.ask(database, SHORT, {}, within=5)
    assert monotonic() - began < 2.4
    frozen_at_last.thaw()
    database.close()
