"""Waiting inside MySQL: one connection on which a long statement runs whose answer is fetched when it comes."""

from __future__ import annotations

import contextlib
import select
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bide.clock import monotonic
from bide.db.apart import Apart, way_of
from bide.db.connection import Connection, Row
from bide.db.engine import Database
from bide.db.statements import Statement

#: Seconds before a lost connection is opened again: first, longest.
FIRST_RETRY: Final = 0.1
LONGEST_RETRY: Final = 10.0
#: Seconds for which the server may be silent in the middle of an answer, or while the session is set up.
SILENCE: Final = 3.0


class Lookout:
    """Runs one statement at a time. Its session reads what is not committed, since a statement that
    reads what is committed sees only what was when it began. Nothing in it raises for a lost database.

    Where the driver cannot send and fetch apart, nothing can be asked.
    """

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._way: Apart | None = None
        self._until: float | None = None
        self._retry, self._not_before = FIRST_RETRY, 0.0

    @property
    def until(self) -> float | None:
        """When the statement that runs is overdue (monotonic); None: none runs."""
        return self._until

    def ask(
        self, database: Database, statement: Statement, params: Mapping[str, Any], within: float
    ) -> bool:
        """Send it, to be answered in so many seconds. False: it cannot be sent now."""
        try:
            connection = self._opened(database)
            if connection is None or self._way is None:
                return False
            form = statement.form("pyformat")
            text = connection.cursor.mogrify(form.text, form.bind(params))
            with _minded(connection):
                self._way.send(connection.raw, text)
        except Exception:  # noqa: BLE001 - a wait never fails; it looks instead
            self._lost()
            return False
        self._until = monotonic() + within
        return True

    def descriptor(self) -> int | None:
        """What becomes readable when the answer comes."""
        connection = self._connection
        return None if self._until is None or connection is None else connection.socket

    def silent(self) -> bool:
        """Whether a statement runs that is neither answered nor overdue; any thread may ask."""
        answer = self.descriptor()
        if answer is None or monotonic() >= (self._until or 0.0):
            return False
        poll = select.poll()
        poll.register(answer, select.POLLIN)
        return not poll.poll(0)

    def take(self) -> Row | None:
        """Take the answer, which is there: its first row; None when it has none, or was lost."""
        self._until = None
        try:
            assert self._connection is not None
            assert self._way is not None
            with _minded(self._connection):
                rows = self._way.answer(self._connection.raw)
        except Exception:  # noqa: BLE001 - whatever it is, this connection answers no more
            self._lost()
            return None
        self._retry = FIRST_RETRY
        return tuple(rows[0]) if rows else None

    def give_up(self) -> None:
        """Do not wait for the answer of a statement that runs."""
        if self._until is not None:
            self._lost()

    def hang_up(self) -> None:
        """Close the connection; the server ends the statement by itself."""
        connection, self._connection, self._until = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.raw.close()

    def _opened(self, database: Database) -> Connection | None:
        """The connection; None: it cannot be had now, or ever."""
        if self._connection is None:
            if monotonic() < self._not_before:
                return None
            connection = self._connection = database.detached()
            connection.silence = SILENCE
            database.look_after(connection)
            self._way = way_of(connection)
            if self._way is None:
                self.hang_up()
                self._not_before = float("inf")
                return None
            connection.command("SET SESSION autocommit = 1")
            connection.command("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
        return self._connection

    def _lost(self) -> None:
        self.hang_up()
        self._not_before = monotonic() + self._retry
        self._retry = min(self._retry * 2, LONGEST_RETRY)


@contextlib.contextmanager
def _minded(connection: Connection) -> Iterator[None]:
    """As long as the body lasts, its silence is minded."""
    connection.busy_since = monotonic()
    try:
        yield
    finally:
        connection.busy_since = None
