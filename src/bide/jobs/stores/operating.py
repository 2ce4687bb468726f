"""What an operator does to jobs in any SQL database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, delete, null, select, update

from bide import clock
from bide.db.connection import Connection
from bide.jobs.job import UNFINISHED, Filter, State
from bide.jobs.stores.reading import literal_in
from bide.jobs.stores.results import SqlResults

#: How many rows one DELETE names.
_CHUNK: Final = 5000

_UNLOCKED: Final[dict[str, Any]] = {"locked_at": null(), "locked_by": null(), "worker_id": null()}


class SqlOperating(SqlResults):
    """The group Operating of every store in a SQL database, on top of reading."""

    def next_pos(self) -> ColumnElement[int] | int:
        """The place in the order of the claim for a job that becomes ready now."""
        return clock.microseconds()

    def ring(self) -> None:
        """Wake waiting workers: jobs may have become ready. Called after the commit."""

    def retry(self, which: Filter, now: datetime, *, reset_attempts: bool = True) -> int:
        """Failed, cancelled or scheduled jobs become ready now."""
        changes = _UNLOCKED | {
            "state": int(State.READY),
            "run_at": self.moment(now),
            "failed_at": null(),
            "finished_at": null(),
            "pos": self.next_pos(),
        }
        if reset_attempts:
            changes |= {"attempts": 0, "crashes": 0}
        changed = self._update(which, (State.FAILED, State.CANCELLED, State.SCHEDULED), changes)
        self.ring()
        return changed

    def cancel(self, which: Filter, now: datetime) -> int:
        """Unfinished jobs become cancelled; a running one loses its worker, so its end is ignored."""
        ended = {"state": int(State.CANCELLED), "finished_at": self.moment(now)}
        return self._update(which, UNFINISHED, _UNLOCKED | ended)

    def delete(self, which: Filter) -> int:
        """Delete jobs in any state, with their attempts."""
        query = select(self.tables.jobs.c.id).where(self.meant(which)).with_for_update()

        def work(connection: Connection) -> int:
            return self.drop(connection, [job_id for (job_id,) in connection.core(query)])

        return self.database.run(work, repeat=True, patient=True)

    def change(
        self,
        job_id: int,
        now: datetime,
        *,
        queue: str | None = None,
        priority: int | None = None,
        run_at: datetime | None = None,
        payload: str | None = None,
    ) -> bool:
        """Edit a job that is not running."""
        jobs = self.tables.jobs.c
        edits = {"queue": queue, "priority": priority, "payload": payload}
        changes: dict[str, Any] = {name: new for name, new in edits.items() if new is not None}
        if run_at is not None:
            state = int(State.SCHEDULED if run_at > now else State.READY)
            waiting = jobs.state.in_([int(State.READY), int(State.SCHEDULED)])
            changes["run_at"] = self.moment(run_at)
            changes["state"] = case((waiting, state), else_=jobs.state)
        if changes.keys() - {"payload"}:
            changes["pos"] = self.next_pos()
        here = and_(jobs.id == job_id, jobs.state != int(State.RUNNING))
        changed = self._run(update(self.tables.jobs).where(here).values(changes or {"id": job_id}))
        self.ring()
        return changed > 0

    def pause(self, queue: str, now: datetime) -> bool:
        """No claim takes jobs of `queue` from now on."""

        def work(connection: Connection) -> bool:
            params = {"queue": queue, "now": self.moment(now)}
            connection.execute(self.statements["pause"], params)
            return connection.rowcount > 0

        return self.database.run(work)

    def resume(self, queue: str) -> bool:
        """Claims take jobs of `queue` again."""
        table = self.tables.queues
        resumed = self._run(delete(table).where(table.c.name == queue))
        self.ring()
        return resumed > 0

    def prune(
        self, finished_before: datetime, *, states: Collection[State], limit: int = 1000
    ) -> int:
        """Delete up to `limit` kept jobs of `states` that ended before the moment."""
        jobs = self.tables.jobs.c
        ended = [int(state) for state in states if state not in UNFINISHED]
        query = (
            select(jobs.id)
            .where(jobs.state.in_(ended), jobs.finished_at < self.moment(finished_before))
            .order_by(jobs.state, jobs.finished_at)
            .limit(limit)
            .with_for_update()
        )

        def work(connection: Connection) -> int:
            kept = self.with_results(connection)
            meant = query.where(jobs.id.not_in(kept)) if kept is not None else query
            return self.drop(connection, [job_id for (job_id,) in connection.core(meant)])

        return self.database.run(work, repeat=True)

    def expire(self, now: datetime, *, limit: int = 1000) -> int:
        """Delete up to `limit` jobs whose results are kept no longer."""

        def work(connection: Connection) -> int:
            return self.drop(connection, self.expired(connection, now, limit))

        return self.database.run(work, repeat=True)

    def drop(self, connection: Connection, ids: Sequence[int]) -> int:
        """Delete jobs that this transaction has locked, their attempts and results; how many."""
        gone = 0
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            connection.core(
                delete(self.tables.attempts).where(literal_in(self.tables.attempts.c.job_id, chunk))
            )
            self.drop_results(connection, chunk)
            connection.core(
                delete(self.tables.jobs).where(literal_in(self.tables.jobs.c.id, chunk))
            )
            gone += connection.rowcount
        return gone

    def _update(self, which: Filter, states: Iterable[State], changes: dict[str, Any]) -> int:
        allowed = self.tables.jobs.c.state.in_([int(state) for state in states])
        return self._run(update(self.tables.jobs).where(self.meant(which), allowed).values(changes))

    def _run(self, query: Any) -> int:
        def work(connection: Connection) -> int:
            connection.core(query)
            return connection.rowcount

        return self.database.run(work, patient=True)
