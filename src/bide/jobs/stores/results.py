"""Results of jobs in any SQL database: written with the end of the job, deleted when their time is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from bide.db.connection import Connection
from bide.db.dialects import moment_from
from bide.jobs.job import Result, ResultRow
from bide.jobs.store import WorkerRef
from bide.jobs.stores.reading import SqlReading, literal_in


class SqlResults(SqlReading):
    """Jobs that keep what they returned; others never come here."""

    _have_table = False

    def finish_with_results(
        self, worker: WorkerRef, results: Sequence[Result], now: datetime
    ) -> set[int]:
        """Keep the jobs as succeeded whose lease is still this worker's, with their results."""
        # In one order for everybody, so that two reports cannot wait for each other.
        ordered = sorted(set(results), key=lambda result: result.id)

        def work(connection: Connection) -> set[int]:
            kept = [one for one in ordered if self._keep(connection, worker, one, now)]
            if kept:
                rows = [self._row(worker, one) for one in kept]
                connection.executemany(self.statements["record_result"], rows)
            return {one.id for one in kept}

        return self.database.run(work) if ordered else set()

    def result(self, job_id: int) -> ResultRow | None:
        """What a job returned."""
        table = self.tables.results
        query = select(*(table.c[name] for name in ResultRow._fields)).where(
            table.c.job_id == job_id
        )
        for row in self.database.read(lambda connection: connection.core(query)):
            found = ResultRow._make(row)
            return found._replace(
                started_at=found.started_at and moment_from(found.started_at),
                keep_until=moment_from(found.keep_until),
            )
        return None

    def expired(self, connection: Connection, now: datetime, limit: int) -> list[int]:
        """The jobs whose results are kept no longer, locked; oldest first."""
        if self.with_results(connection) is None:
            return []
        table = self.tables.results
        query = (
            select(table.c.job_id)
            .where(table.c.keep_until < self.moment(now))
            .order_by(table.c.keep_until)
            .limit(limit)
            .with_for_update()
        )
        return [job_id for (job_id,) in connection.core(query)]

    def with_results(self, connection: Connection) -> Any:
        """A query for the ids of jobs with results; None while the tables are older than results."""
        if not self._have_table:
            self._have_table = bool(connection.execute(self.statements["has_results"].text))
        return select(self.tables.results.c.job_id) if self._have_table else None

    def drop_results(self, connection: Connection, ids: Sequence[int]) -> None:
        """Delete what these jobs returned."""
        if self.with_results(connection) is not None:
            table = self.tables.results
            connection.core(delete(table).where(literal_in(table.c.job_id, ids)))

    def _keep(
        self, connection: Connection, worker: WorkerRef, result: Result, now: datetime
    ) -> bool:
        attempt = {"id": result.id, "lease": result.lease, "worker": worker.id}
        connection.execute(self.statements["keep_one"], attempt | {"now": self.moment(now)})
        return connection.rowcount > 0

    def _row(self, worker: WorkerRef, result: Result) -> dict[str, object]:
        started_at = result.started_at
        return {
            "id": result.id,
            "worker": worker.name,
            "started_at": None if started_at is None else self.moment(started_at),
            "value": result.value,
            "keep_until": self.moment(result.keep_until),
        }
