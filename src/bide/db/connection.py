"""The connection that our own work gets: statements in, tuples out, nothing in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from bide.clock import monotonic
from bide.db.drivers import Driver, first_number
from bide.db.statements import Form, Statement, statement

if TYPE_CHECKING:
    from sqlalchemy import Executable

Row = tuple[Any, ...]
Compiled = tuple[str, Any]
NO_PARAMS: Final[Mapping[str, Any]] = {}


class Connection:
    """One driver connection of ours, in autocommit between transactions.

    A `Statement` is prepared on the server at its first use where the driver can; a str with `:name`
    parameters is not. `rowcount` is that of the last statement. `busy_since` is the monotonic moment
    at which the running statement was sent, for the watchdog; None while nothing runs. A `broken`
    connection is closed instead of used again; a `patient` one is not watched, one with a `silence` of
    its own is cut off after so many seconds instead of the watchdog's. `socket` is its descriptor, noted while nothing runs: mysqlclient refuses to tell it to the thread of a watchdog.
    """

    def __init__(self, raw: Any, driver: Driver) -> None:
        self.raw = raw
        self.driver = driver
        self.rowcount = -1
        self.busy_since: float | None = None
        self.broken = False
        self.socket: int | None = None
        self.patient = False
        self.silence: float | None = None
        self.watched_by: object = None
        self.doing = "a statement"
        self.cursor = driver.cursor(raw)
        #: Names of what pipelines have prepared on the server, by text and types; the last name's number.
        self.prepared: dict[tuple[str, Any], bytes] = {}
        self.numbered = first_number()
        self._style = driver.style

    def execute(self, sql: Statement | str, params: Mapping[str, Any] = NO_PARAMS) -> list[Row]:
        """Run one statement and return its rows, an empty list for one without."""
        known = isinstance(sql, Statement)
        form = self._form(sql)
        return self._run(form.text, form.bind(params), prepare=known)

    def command(self, text: str) -> None:
        """Run one of the statements around a transaction, which have neither parameters nor rows."""
        self.doing, self.busy_since = text, monotonic()
        try:
            self.driver.execute(self.cursor, text, NO_PARAMS, False)
        finally:
            self.busy_since = None

    def executemany(self, sql: Statement | str, many: Iterable[Mapping[str, Any]]) -> None:
        """Run one statement for each set of parameters."""
        form = self._form(sql)
        bound = [form.bind(params) for params in many]
        self.busy_since = monotonic()
        try:
            self.cursor.executemany(form.text, bound)
            self.rowcount = self.cursor.rowcount
        finally:
            self.busy_since = None

    def each(self, sql: Statement, many: Sequence[Row]) -> None:
        """Run one statement for each row of values in the order of its parameters (SQLite)."""
        self.doing = sql.name
        self.cursor.executemany(sql.form("qmark").text, many)
        self.rowcount = self.cursor.rowcount

    def insert(self, sql: Statement, values: Row) -> int | None:
        """Insert one such row: its new id, or None if the statement left it out (SQLite)."""
        self.doing = sql.name
        self.cursor.execute(sql.form("qmark").text, values)
        return self.cursor.lastrowid if self.cursor.rowcount else None

    def core(self, query: Executable) -> list[Row]:
        """Run a SQLAlchemy Core statement. Its values go to the driver, and come back, unconverted."""
        return self.compiled(self.driver.compile(query))

    def compiled(self, query: Compiled) -> list[Row]:
        """Run what the driver has made of a Core statement, which many connections may do."""
        text, params = query
        self.doing = "a question"
        return self._run(text, params, prepare=False)

    def batches(self, query: Executable, size: int) -> Iterator[list[Row]]:
        """The rows of a Core statement, up to `size` of them at a time, so that they need not be there
        all at once. Until the last one was taken, nothing else may run on this connection."""
        text, params = self.driver.compile(query)
        self.doing = "a question"
        # One of its own, so that whoever stops in between, at whatever time, takes no rows of others.
        cursor = self.driver.cursor(self.raw)
        try:
            self._run(text, params, prepare=False, into=cursor)
            while rows := self._taken(cursor, size):
                yield rows
        finally:
            cursor.close()

    def _taken(self, cursor: Any, size: int) -> list[Row]:
        self.busy_since = monotonic()
        try:
            return list(cursor.fetchmany(size))
        finally:
            self.busy_since = None

    def _form(self, sql: Statement | str) -> Form:
        if not isinstance(sql, Statement):
            sql = statement(sql)
        self.doing = sql.name
        return sql.form(self._style)

    def _run(self, text: str, params: Any, *, prepare: bool, into: Any = None) -> list[Row]:
        """The rows; none where they are left in the cursor `into`."""
        cursor = self.cursor if into is None else into
        self.busy_since = monotonic()
        try:
            self.driver.execute(cursor, text, params, prepare)
            self.rowcount = cursor.rowcount
            fetch = into is None and self.driver.has_rows(cursor)
            return list(cursor.fetchall()) if fetch else []
        finally:
            self.busy_since = None
