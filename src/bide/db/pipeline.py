"""Statements sent to PostgreSQL together, whose answers are fetched later: the server works meanwhile.

Each statement is a transaction of its own, and what becomes of one does not touch the others.
"""

from __future__ import annotations

import select
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from bide.clock import monotonic
from bide.db.connection import Connection, Row
from bide.db.failures import translate
from bide.db.statements import Statement
from bide.errors import ConnectionLost, DatabaseError

#: What one statement brought: its rows, or why it took no effect.
Outcome = list[Row] | DatabaseError
Asked = tuple[Statement, Mapping[str, Any]]

#: Prepared statements that one connection keeps for this; more make it forget all.
MOST_PREPARED: Final = 100


class Pipeline:
    """One exchange on one connection, held until `answers` has been called.

    psycopg's own pipelines wait for the answers when they synchronise, so this goes to the library below.
    """

    def __init__(self, held: AbstractContextManager[Connection], many: Sequence[Asked]) -> None:
        self._held = held
        self._connection = held.__enter__()
        self._pgconn = self._connection.raw.pgconn
        self._many = many
        self._prepares: list[bool] = []
        # Whoever gave it back before all answers are fetched would hand them to somebody else.
        self._connection.broken = True
        try:
            self._send()
        except BaseException as error:
            ours = self._let_go(error)
            if ours is None:
                raise
            raise ours from error

    def answers(self) -> list[Outcome]:
        """What each statement brought, in order. Raises ConnectionLost: nobody knows then."""
        connection, pgconn = self._connection, self._pgconn
        try:
            connection.busy_since = monotonic()
            outcomes = [self._answer(new) for new in self._prepares]
            connection.busy_since = None
            pgconn.exit_pipeline_mode()
        except BaseException as error:
            connection.busy_since = None
            ours = self._let_go(error)
            if ours is None:
                raise
            raise ours from error
        connection.broken = False
        self._held.__exit__(None, None, None)
        return outcomes

    def _let_go(self, error: BaseException) -> DatabaseError | None:
        """Give the connection back, broken; the error of ours. Any trouble with the wire is a loss."""
        self._held.__exit__(None, None, None)
        ours = translate(error, "statements sent together")
        return ours if ours is None else ConnectionLost(str(ours))

    def _send(self) -> None:
        pgconn = self._pgconn
        pgconn.enter_pipeline_mode()
        for statement, params in self._many:
            self._queue(statement, params)
            pgconn.pipeline_sync()
        self._connection.busy_since = monotonic()
        while pgconn.flush():
            _wait(pgconn.socket, select.POLLOUT)
        self._connection.busy_since = None

    def _queue(self, statement: Statement, params: Mapping[str, Any]) -> None:
        from psycopg.adapt import PyFormat, Transformer

        form = statement.form("numeric_dollar")
        values = [params[name] for name in form.names or ()]
        transformer = Transformer(self._connection.cursor)
        dumped = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        known = self._connection.prepared
        key = (form.text, transformer.types)
        name = known.get(key)
        self._prepares.append(name is None)
        if name is None:
            if len(known) >= MOST_PREPARED:
                known.clear()
            self._connection.numbered += 1
            name = known[key] = f"bide_{self._connection.numbered}".encode()
            self._pgconn.send_prepare(name, form.text.encode(), param_types=transformer.types)
        self._pgconn.send_query_prepared(
            name, dumped, param_formats=transformer.formats, result_format=1
        )

    def _answer(self, prepared: bool) -> Outcome:
        """The results of one statement up to its end: of the preparation, of itself, the end."""
        from psycopg.pq import ExecStatus

        rows: list[Row] = []
        failed: DatabaseError | None = None
        while True:
            # None stands between two results; twice it says that there are no more.
            result = self._next() or self._next()
            if result is None:
                raise ConnectionLost("the database ended a connection before it had answered")
            if result.status == ExecStatus.PIPELINE_SYNC:
                return rows if failed is None else failed
            if result.status == ExecStatus.FATAL_ERROR:
                failed = self._failure(result)
            elif result.status == ExecStatus.TUPLES_OK:
                rows = self._rows(result)

    def _next(self) -> Any:
        pgconn = self._pgconn
        while pgconn.is_busy():
            _wait(pgconn.socket, select.POLLIN)
            pgconn.consume_input()
        return pgconn.get_result()

    def _rows(self, result: Any) -> list[Row]:
        from psycopg.adapt import Transformer

        transformer = Transformer(self._connection.cursor)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _failure(self, result: Any) -> DatabaseError:
        """The error of ours. Raises it if the connection is lost."""
        from psycopg import OperationalError, errors
        from psycopg.pq import DiagnosticField

        state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
        told = result.error_message.decode("utf-8", "replace").strip()
        try:
            error: Exception = errors.lookup(state)(told)
        except KeyError:
            error = OperationalError(told)
        # What was prepared is lost or doubtful.
        self._connection.prepared.clear()
        self._connection.driver.failed(error)
        ours = translate(error, "statements sent together")
        if ours is None or isinstance(ours, ConnectionLost):
            raise error
        ours.nothing_changed = True
        return ours


def _wait(descriptor: int, until: int) -> None:
    poll = select.poll()
    poll.register(descriptor, until)
    poll.poll()
