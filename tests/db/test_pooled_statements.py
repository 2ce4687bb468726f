"""Behind a pooler that gives out its connections by transaction, statements of others lie on them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bide.db.connection import Connection
from bide.db.engine import Database
from bide.db.statements import Statement
from bide.errors import DatabaseError
from servers.pgbouncer import pooled

OURS, THEIRS = Statement("SELECT 'ours'", "ours"), Statement("SELECT 'theirs'", "theirs")


@contextmanager
def holding(database: Database) -> Iterator[None]:
    """Keep one connection of the server in a transaction."""
    held, done = threading.Event(), threading.Event()

    def work(_: Connection) -> None:
        held.set()
        assert done.wait(20)

    thread = threading.Thread(target=database.run, args=(work,))
    thread.start()
    try:
        assert held.wait(20)
        yield
    finally:
        done.set()
        thread.join()


def ask(database: Database, statement: Statement, *, together: bool) -> str:
    pipeline = database.send([(statement, {})]) if together else None
    if pipeline is not None:
        [answer] = pipeline.answers()
        if not isinstance(answer, DatabaseError):
            return str(answer[0][0])
    return str(database.read(lambda connection: connection.execute(statement))[0][0])


@pytest.mark.parametrize("together", [False, True])
def test_nobody_runs_what_another_client_has_prepared(
    together: bool, postgresql: Any, tmp_path: Path
) -> None:
    """The server has two connections: on the one lies our statement, on the other theirs."""
    with pooled("transaction", postgresql, tmp_path) as url, ExitStack() as stack:
        us, them, one, other = (Database(url) for _ in range(4))
        for database in (us, them, one, other):
            stack.callback(database.close)
            assert database.dialect.product == "PostgreSQL"
        with ExitStack() as first, ExitStack() as second:
            first.enter_context(holding(one))
            assert ask(them, THEIRS, together=together) == "theirs"
            second.enter_context(holding(other))
            first.close()
            assert ask(us, OURS, together=together) == "ours"
            with holding(one):
                second.close()
                assert ask(us, OURS, together=together) == "ours"
