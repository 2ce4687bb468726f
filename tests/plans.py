"""What a database did for the statements of a store: its plans, and the rows or pages they touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bide.db.connection import Connection
from bide.db.engine import Database

#: A statement as the driver got it: its text, its parameters.
Sent = tuple[str, Any]


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch, about: str = "bide_jobs") -> Iterator[list[Sent]]:
    """Every statement with `about` in its text that our own connections send meanwhile."""
    sent: list[Sent] = []
    run = Connection._run

    def record(self: Connection, text: str, params: Any, **options: Any) -> Any:
        if about in text:
            sent.append((text, params))
        return run(self, text, params, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "_run", record)
        yield sent


class Undo(Exception):
    """Rolls back what was only tried."""


def tried(database: Database, look: Callable[[Connection], Any]) -> Any:
    """What `look` finds in a transaction that is rolled back."""
    found: list[Any] = []

    def work(connection: Connection) -> None:
        found.append(look(connection))
        raise Undo

    with pytest.raises(Undo):
        database.run(work)
    return found[-1]


def plans(database: Database, sent: list[Sent]) -> str:
    """How the database would run each statement, as one text."""
    explain = {
        "sqlite": "EXPLAIN QUERY PLAN ",
        "postgresql": "EXPLAIN (COSTS OFF) ",
        "mysql": "EXPLAIN FORMAT=JSON ",
    }[database.kind]

    def look(connection: Connection) -> list[str]:
        return [
            str(row[-1]) for text, params in sent for row in run(connection, explain + text, params)
        ]

    return "\n".join(tried(database, look))


def cost(database: Database, sent: list[Sent]) -> int:
    """Pages (PostgreSQL), rows (MySQL) or steps of its machine (SQLite) that the statements take."""
    measure = {"sqlite": steps, "postgresql": pages, "mysql": rows}[database.kind]
    return int(tried(database, lambda connection: measure(connection, sent)))


def steps(connection: Connection, sent: list[Sent]) -> int:
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    connection.raw.set_progress_handler(step, 1)
    for text, params in sent:
        run(connection, text, params)
    connection.raw.set_progress_handler(None, 1)
    return count


def pages(connection: Connection, sent: list[Sent]) -> int:
    count = 0
    for text, params in sent:
        answer = run(connection, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + text, params)[0][0]
        plan = (answer if isinstance(answer, list) else json.loads(answer))[0]["Plan"]
        count += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return count


def rows(connection: Connection, sent: list[Sent]) -> int:
    """Rows read by any means, less those that counting them reads."""
    start = _handlers(connection)
    before = _handlers(connection)
    for text, params in sent:
        run(connection, text, params)
    return _handlers(connection) - before - (before - start)


def _handlers(connection: Connection) -> int:
    found = connection.execute("SHOW SESSION STATUS LIKE 'Handler_read_%'")
    return sum(int(value) for _, value in found)


def run(connection: Connection, text: str, params: Any) -> list[tuple[Any, ...]]:
    return connection._run(text, params, prepare=False)


#: Copies of the rows that are there, with keys and positions of their own: `:times` of each.
MULTIPLY = {
    "sqlite": """
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :times)
        INSERT INTO bide_jobs ({columns}, key, pos)
        SELECT {columns}, substr(key, 1, 32) || '-' || i, pos + i * 100000
        FROM bide_jobs, n WHERE state = :state
    """,
    "postgresql": """
        INSERT INTO bide_jobs ({columns}, key, pos)
        SELECT {columns}, substr(key, 1, 32) || '-' || i, nextval('bide_jobs_pos_seq')
        FROM bide_jobs, generate_series(1, :times) AS n (i) WHERE state = :state
    """,
    "mysql": """
        INSERT INTO bide_jobs ({columns}, `key`, pos)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :times)
        SELECT {columns}, CONCAT(LEFT(`key`, 32), '-', i), pos + i * 100000
        FROM bide_jobs, n WHERE state = :state
    """,
}
COLUMNS = "name, queue, priority, state, payload, attempts, crashes, run_at, lease, created_at"


def multiply(database: Database, state: int, times: int) -> None:
    """Copy every job of that state `times` times, and let the database look at its tables anew."""
    text = MULTIPLY[database.kind].format(columns=COLUMNS)
    filled = {"times": times, "state": state}
    database.run(lambda connection: connection.execute(text, filled), patient=True)
    analyze = {"mysql": "ANALYZE TABLE bide_jobs"}.get(database.kind, "ANALYZE bide_jobs")
    database.read(lambda connection: connection.execute(analyze))
