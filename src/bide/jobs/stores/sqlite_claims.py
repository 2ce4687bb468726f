"""How a SQLite file gives out jobs and takes reports on them, inside transactions that may write.

Such a transaction has the only write lock from its beginning, so rows are read first, without the copy
that RETURNING would make of each, and then changed by their ids: nobody can have come between.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import repeat
from operator import itemgetter
from typing import Any, Final, NamedTuple

from bide import clock
from bide.db.connection import Connection, Row
from bide.db.dialects import moment_in, moment_of_text
from bide.db.statements import Statements
from bide.jobs.job import JobRow, State
from bide.jobs.store import Lease, Wanted, WorkerRef
from bide.jobs.stores.rows import by_number

#: How many due jobs one claim makes ready.
_PROMOTED: Final = 10_000
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_RUNNING: Final = int(State.RUNNING)
#: Makes a row of as many values as it has fields, without the call in which names could be given.
_new: Final = tuple.__new__
_ID: Final = itemgetter(0)


class Order(NamedTuple):
    """What a worker asks for."""

    worker: WorkerRef
    wanted: Wanted
    limit: int
    now: datetime


class Found(NamedTuple):
    """Ready jobs, in the order of the claim, and the queue of each, which is not read back."""

    rows: list[Row]
    queues: Iterable[str]


class Fewer(Exception):
    """A report reached fewer jobs than it named: what it did is to be undone, and looked at first."""


class Claims:
    """The statements of one store that every job of a worker goes through."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def take(self, connection: Connection, order: Order) -> list[JobRow]:
        """Make ready jobs running, in the order of priority, then of becoming ready."""
        now = moment_in("sqlite", order.now)
        if connection.execute(self._statements["due"], {"now": now}):
            self.promote(connection, now, _PROMOTED)
        found = self._first_ready(connection, order.wanted, order.limit)
        if found.rows:
            worker = order.worker
            taken = {"worker": worker.name, "worker_id": worker.id, "now": now}
            self._at(connection, "claim", [*map(_ID, found.rows)], taken)
        return _claimed(order, found)

    def promote(self, connection: Connection, now: str, limit: int) -> int:
        """Make scheduled jobs ready that are due; how many."""
        params = {"now": now, "limit": limit, "pos": clock.microseconds()}
        connection.execute(self._statements["promote"], params)
        return connection.rowcount

    def finish_all(
        self, connection: Connection, worker: WorkerRef, leases: Sequence[Lease]
    ) -> set[int]:
        """Delete these jobs, with the attempts that they had. Raises Fewer when a lease is lost."""
        for lease, ids in by_number(leases).items():
            first, last = ids[0], ids[-1]
            self._at(connection, "finish_held", ids, {"lease": lease, "worker_id": worker.id})
            if connection.rowcount < len(ids):
                raise Fewer
            among = {"first": first, "last": last}
            if connection.execute(self._statements["attempts_between"], among):
                connection.execute(self._statements["drop_attempts"], {"ids": json.dumps(ids)})
        return {job_id for job_id, _ in leases}

    def finish(
        self, connection: Connection, worker: WorkerRef, leases: Sequence[Lease]
    ) -> set[int]:
        """Delete the jobs whose lease is still this worker's, with the attempts that they had."""
        return self.finish_all(connection, worker, self._held(connection, worker, leases))

    def keep(
        self, connection: Connection, worker: WorkerRef, leases: Sequence[Lease], now: str
    ) -> set[int]:
        """Keep them as succeeded."""
        ids = [job_id for job_id, _ in self._held(connection, worker, leases)]
        if ids:
            params = {"ids": json.dumps(ids), "now": now}
            connection.execute(self._statements["finish_and_keep"], params)
        return set(ids)

    def _held(
        self, connection: Connection, worker: WorkerRef, leases: Sequence[Lease]
    ) -> list[Lease]:
        """Those that are still this worker's."""
        held: list[Lease] = []
        for lease, ids in by_number(leases).items():
            params = {"lease": lease, "worker_id": worker.id}
            rows = self._at(connection, "held_of", ids, params)
            held += [(job_id, lease) for (job_id,) in rows]
        return held

    def _at(
        self, connection: Connection, verb: str, ids: Sequence[int], params: dict[str, Any]
    ) -> list[Row]:
        """Run a statement for jobs whose ids differ; those of a burst mostly follow each other."""
        first, last = min(ids), max(ids)
        if last - first == len(ids) - 1:
            statement = self._statements[f"{verb}_range"]
            return connection.execute(statement, params | {"first": first, "last": last})
        return connection.execute(self._statements[verb], params | {"ids": json.dumps(ids)})

    def _first_ready(self, connection: Connection, wanted: Wanted, limit: int) -> Found:
        """The first ready jobs over all queues wanted."""
        queues = [
            queue
            for queue in self._ready_queues(connection)
            if (wanted.queues is None or queue in wanted.queues)
            and queue not in wanted.except_queues
        ]
        bounds = {
            "lowest": _LOWEST if wanted.min_priority is None else wanted.min_priority,
            "highest": _HIGHEST if wanted.max_priority is None else wanted.max_priority,
            "limit": limit,
        }
        if len(queues) == 1:
            statement = self._statements["first_ready"]
            rows = connection.execute(statement, bounds | {"queue": queues[0]})
            return Found(rows, repeat(queues[0]))
        if not queues:
            return Found([], [])
        heads = [
            (*head, queue)
            for queue in queues
            for head in connection.execute(self._statements["heads"], bounds | {"queue": queue})
        ]
        chosen = sorted(heads)[:limit]
        params = {"ids": json.dumps([job_id for _, _, job_id, _ in chosen])}
        by_id = {row[0]: row for row in connection.execute(self._statements["chosen"], params)}
        return Found([by_id[job_id] for _, _, job_id, _ in chosen], [head[-1] for head in chosen])

    def _ready_queues(self, connection: Connection) -> list[str]:
        """The queues with ready jobs that are not paused."""
        [(first, last, paused)] = connection.execute(self._statements["ready_between"])
        if first == last and not paused:
            return [] if first is None else [first]
        return [queue for (queue,) in connection.execute(self._statements["ready_queues"])]


def _claimed(order: Order, found: Found) -> list[JobRow]:
    """Jobs just taken; what the claim itself has set is not read back."""
    (worker_id, worker), now = order.worker, order.now.astimezone(UTC)
    claimed = []
    for (
        job_id, key, name, priority, payload, attempts, crashes, max_attempts, run_at, lease,
        last_error, created_at, locale, context,
    ), queue in zip(found.rows, found.queues, strict=False):  # fmt: skip
        created = moment_of_text(created_at)
        due = created if run_at == created_at else moment_of_text(run_at)
        claimed.append(_new(JobRow, (
            job_id, key, name, queue, priority, _RUNNING, payload, attempts, crashes, max_attempts,
            due, now, worker, worker_id, lease, None, None, last_error, created, locale, context,
        )))  # fmt: skip
    return claimed
