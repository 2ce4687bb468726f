"""A connection of MySQL's on which a long statement waits, where it cannot be had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pymysql
import pytest

from bide.clock import monotonic
from bide.db.engine import Database
from bide.db.lookout import Lookout
from bide.db.statements import Statement
from waiting import wait_until


class Dying:
    """A database whose server goes down while a connection is opened."""

    def __init__(self) -> None:
        self.closed = False

    def detached(self) -> Any:
        return self

    def autocommit(self, value: bool) -> None:
        raise pymysql.OperationalError(2013, "Lost connection to MySQL server during query")

    def close(self) -> None:
        self.closed = True

    _execute_command = query = None


def test_a_connection_that_is_lost_while_it_is_opened_is_closed() -> None:
    database: Any = Dying()
    lookout = Lookout()
    assert not lookout.ask(database, Statement("SELECT 1", "watch"), {}, within=1)
    assert database.closed
    assert lookout.descriptor() is None


@pytest.fixture
def frozen_at_last(own_mariadb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server of this test's own, which is thawed again before anybody waits for it."""
    monkeypatch.setattr("bide.db.lookout.SILENCE", 0.5)
    own_mariadb.create_database("here")
    yield own_mariadb
    own_mariadb.thaw()


def test_an_answer_that_stops_in_the_middle_is_a_lost_connection(frozen_at_last: Any) -> None:
    """The server froze: a worker that waited for the rest would not heed that it shall stop."""
    database, lookout = Database(frozen_at_last.url("here")), Lookout()
    assert lookout.ask(database, Statement("SELECT sleep(0.2)", "watch"), {}, within=5)
    frozen_at_last.freeze()
    began = monotonic()
    assert lookout.take() is None
    assert monotonic() - began < 5
    assert lookout.descriptor() is None
    frozen_at_last.thaw()
    wait_until(lambda: lookout.ask(database, Statement("SELECT 1", "watch"), {}, within=5))
    lookout.hang_up()
    database.close()


def test_a_server_that_freezes_behind_the_login_is_a_lost_connection(frozen_at_last: Any) -> None:
    class Freezing(Database):
        """Its server freezes between the login and the first statement."""

        def detached(self) -> Any:
            raw = super().detached()
            frozen_at_last.freeze()
            return raw

    database, lookout = Freezing(frozen_at_last.url("here")), Lookout()
    began = monotonic()
    assert not lookout.ask(database, Statement("SELECT 1", "watch"), {}, within=5)
    assert monotonic() - began < 5
    frozen_at_last.thaw()
    database.close()
