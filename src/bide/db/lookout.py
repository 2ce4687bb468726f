"""Waiting inside MySQL: one connection on which a long statement runs whose answer is fetched when it comes."""

from __future__ import annotations

import contextlib
import select
from collections.abc import Mapping
from typing import Any, Final

from bide.clock import monotonic
from bide.db.connection import Row
from bide.db.engine import Database
from bide.db.statements import Statement

#: Seconds before a lost connection is opened again: first, longest.
FIRST_RETRY: Final = 0.1
LONGEST_RETRY: Final = 10.0
#: The number of «a query» in the protocol.
_QUERY: Final = 3
#: Seconds for which the server may be silent in the middle of an answer, or while the session is set up.
SILENCE: Final = 3.0


class Lookout:
    """Runs one statement at a time. Its session reads what is not committed, since a statement that
    reads what is committed sees only what was when it began. Nothing in it raises for a lost database.

    PyMySQL only: mysqlclient cannot send and fetch apart.
    """

    def __init__(self) -> None:
        self._raw: Any = None
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
        if not self._open(database):
            return False
        form = statement.form("pyformat")
        try:
            with self._raw.cursor() as cursor:
                text = cursor.mogrify(form.text, form.bind(params))
            self._raw._execute_command(_QUERY, text)
        except Exception:  # noqa: BLE001 - a wait never fails; it looks instead
            self._lost()
            return False
        self._until = monotonic() + within
        return True

    def descriptor(self) -> int | None:
        """What becomes readable when the answer comes."""
        return None if self._until is None else int(self._raw._sock.fileno())

    def silent(self) -> bool:
        """Whether a statement runs that is neither answered nor overdue; any thread may ask."""
        try:
            answer = self.descriptor()
            if answer is None or monotonic() >= (self._until or 0.0):
                return False
            poll = select.poll()
            poll.register(answer, select.POLLIN)
            return not poll.poll(0)
        except Exception:  # noqa: BLE001 - it was hung up meanwhile
            return False

    def take(self) -> Row | None:
        """Take the answer, which is there: its first row; None when it has none, or was lost."""
        self._until = None
        try:
            self._raw._read_query_result()
            rows = self._raw._result.rows
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
        raw, self._raw, self._until = self._raw, None, None
        if raw is not None:
            with contextlib.suppress(Exception):
                raw.close()

    def _open(self, database: Database) -> bool:
        if self._raw is not None:
            return True
        if monotonic() < self._not_before:
            return False
        try:
            raw = database.detached()
            if not hasattr(raw, "_execute_command"):
                raw.close()
                self._not_before = float("inf")
                return False
            self._raw = raw
            raw._read_timeout = SILENCE
            raw.autocommit(True)
            raw.query("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
        except Exception:  # noqa: BLE001 - a wait never fails; it looks instead
            self._lost()
            return False
        return True

    def _lost(self) -> None:
        self.hang_up()
        self._not_before = monotonic() + self._retry
        self._retry = min(self._retry * 2, LONGEST_RETRY)
