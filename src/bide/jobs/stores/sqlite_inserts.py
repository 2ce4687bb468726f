"""How jobs get into a SQLite file on a connection of our own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bide import clock
from bide.db.connection import Connection, Row
from bide.db.dialects import moment_in
from bide.db.statements import Statements
from bide.jobs.job import NewJob, State

_READY, _SCHEDULED = int(State.READY), int(State.SCHEDULED)
#: Where a row of ours has its key.
_KEY: Final = 0


def rows_of(jobs: Sequence[NewJob]) -> list[Row]:
    """New jobs as the statement `insert_many` takes its values, in the order given."""
    known: datetime | None = None
    created, rows = "", []
    for place, job in enumerate(jobs, clock.microseconds()):
        key, name, queue, priority, payload, run_at, created_at, max_attempts, locale, context = job
        if created_at is not known:  # as in a batch
            known, created = created_at, moment_in("sqlite", created_at)
        state, due = _READY, created
        if run_at is not None:
            due = moment_in("sqlite", run_at)
            state = _SCHEDULED if run_at > created_at else _READY
        rows.append(
            (
                key, name, queue, priority, state, payload, max_attempts, due, created, locale, context,
                place,
            )
        )  # fmt: skip
    return rows


def store(connection: Connection, statements: Statements, rows: Sequence[Row]) -> list[int]:
    """Insert rows and tell their ids; a key that is stored already keeps its row."""
    if len(rows) == 1:
        return [_store_one(connection, statements, rows[0])]
    connection.each(statements["insert_many"], rows)
    if connection.rowcount == len(rows):
        first, last = (_id_of(connection, statements, row) for row in (rows[0], rows[-1]))
        # Each id is greater than the one before it; so none is left out between these two.
        if last - first == len(rows) - 1:
            return list(range(first, last + 1))
    keys = {"keys": json.dumps([row[_KEY] for row in rows])}
    ids: dict[str, int] = dict(connection.execute(statements["ids_of_keys"], keys))
    return [ids[row[_KEY]] for row in rows]


def _store_one(connection: Connection, statements: Statements, row: Row) -> int:
    inserted = connection.insert(statements["insert_many"], row)
    return _id_of(connection, statements, row) if inserted is None else inserted


def _id_of(connection: Connection, statements: Statements, row: Row) -> int:
    [(job_id,)] = connection.execute(statements["id_of_key"], {"key": row[_KEY]})
    return int(job_id)
