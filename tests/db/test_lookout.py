"""A connection of MySQL's on which a long statement waits, where it cannot be had."""

from __future__ import annotations

from typing import Any

import pymysql

from bide.db.lookout import Lookout
from bide.db.statements import Statement


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
