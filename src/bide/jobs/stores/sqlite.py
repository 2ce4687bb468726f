"""Jobs in a SQLite file: one writer at a time, taken in turn, so no statement needs to skip locks."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

from bide import clock
from bide.db import borrowed
from bide.db.awaiting import in_thread
from bide.db.connection import Connection
from bide.db.dialects import moment_from
from bide.db.engine import Database
from bide.errors import ConnectionLost, DatabaseError
from bide.events import emit
from bide.jobs.exchange import Exchange, Exchanged
from bide.jobs.job import JobRow, NewJob, State
from bide.jobs.store import SILENT, Failure, Lease, Loss, Rescued, Wanted, WorkerRef
from bide.jobs.stores.doorbell import Doorbell, ring
from bide.jobs.stores.operating import SqlOperating
from bide.jobs.stores.rows import info_text, recordable, values_of
from bide.jobs.stores.sqlite_claims import Claims, Fewer, Order
from bide.jobs.stores.sqlite_inserts import rows_of, store

T = TypeVar("T")
#: One of the ways in which `Claims` takes a report.
Finish = Callable[[Connection, WorkerRef, Sequence[Lease]], set[int]]

#: Seconds for which jobs in hand wait when others write to the file while more could be claimed.
_IMPATIENCE: Final = 0.02


class SQLiteStore(SqlOperating):
    """All groups of verbs on one SQLite file, for threads and processes of one machine."""

    name = "sqlite"

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._claims = Claims(self.statements)

    def insert(self, jobs: Sequence[NewJob], on: Any = None) -> list[int]:
        """Store jobs; a key that is stored already keeps its row."""
        if on is None:
            own, statements = rows_of(jobs), self.statements
            ids = self.database.run(lambda c: store(c, statements, own), repeat=True) if own else []
            self.ring()
            return ids
        found = []
        for row in self._rows(jobs):
            new = borrowed.execute(on, self.statements["insert"], row, "sqlite")
            found += new or borrowed.execute(on, self.statements["id_of_key"], row, "sqlite")
        borrowed.after_commit(on, self.ring)
        return [job_id for (job_id,) in found]

    async def ainsert(self, jobs: Sequence[NewJob], on: Any = None) -> list[int]:
        """The same for async sessions and connections, and without blocking the event loop."""
        if on is None:
            return await in_thread(self.insert, jobs)
        found = []
        for row in self._rows(jobs):
            new = await borrowed.aexecute(on, self.statements["insert"], row, "sqlite")
            again = self.statements["id_of_key"]
            found += new or await borrowed.aexecute(on, again, row, "sqlite")
        borrowed.after_commit(on, self.ring)
        return [job_id for (job_id,) in found]

    def claim(self, worker: WorkerRef, wanted: Wanted, limit: int, now: datetime) -> list[JobRow]:
        """Make up to `limit` ready jobs running for `worker`."""
        order = Order(worker, wanted, limit, now)
        return self.database.run(lambda connection: self._claims.take(connection, order))

    def finish(
        self, worker: WorkerRef, leases: Sequence[Lease], now: datetime, *, keep: bool
    ) -> set[int]:
        """Delete, or keep as succeeded, the jobs whose lease is still this worker's."""
        if keep:
            ended = self.moment(now)
            return self.database.run(lambda c: self._claims.keep(c, worker, leases, ended))
        return self._reported(lambda c, finish: finish(c, worker, leases))

    def exchange(
        self, worker: WorkerRef, leases: Sequence[Lease], wanted: Wanted, limit: int, now: datetime
    ) -> Exchange | None:
        """Finish and claim in one transaction, which is over when this returns.

        None when that cannot be had at once: then neither took effect.
        """
        order = Order(worker, wanted, limit, now)

        def work(connection: Connection, finish: Finish) -> Exchanged:
            done = finish(connection, worker, leases)
            return Exchanged(done, self._claims.take(connection, order))

        try:
            return Answered(self._reported(work, within=_IMPATIENCE))
        except DatabaseError as error:
            if error.nothing_changed:
                return None
            raise ConnectionLost(str(error)) from error

    def retry_later(self, worker: WorkerRef, failure: Failure, now: datetime) -> bool:
        """Record a failed attempt and schedule the next."""
        run_at = failure.run_at or now
        state = State.SCHEDULED if run_at > now else State.READY
        outcome = self._outcome(worker, failure, now, state)
        outcome["run_at"] = self.moment(run_at)
        done = self.database.run(lambda connection: self._end_attempt(connection, outcome))
        if done and state == State.READY:
            self.ring()
        return done

    def fail(self, worker: WorkerRef, failure: Failure, now: datetime, *, keep: bool) -> bool:
        """Record the last failed attempt and end the job."""
        outcome = self._outcome(worker, failure, now, State.FAILED)

        def work(connection: Connection) -> bool:
            if keep:
                return self._end_attempt(connection, outcome)
            gone = connection.execute(self.statements["drop_if_running_for"], outcome)
            self._drop_attempts(connection, [job_id for (job_id,) in gone])
            return bool(gone)

        return self.database.run(work)

    def release(self, worker: WorkerRef, leases: Sequence[Lease], now: datetime) -> set[int]:
        """Give back jobs that were not run."""
        params = self._held(worker, leases, now)
        rows = self.database.run(lambda c: c.execute(self.statements["release"], params))
        if rows:
            self.ring()
        return {job_id for (job_id,) in rows}

    def promote(self, now: datetime, limit: int = 1000) -> int:
        """Make scheduled jobs ready that are due."""
        promoted = self.database.run(lambda c: self._claims.promote(c, self.moment(now), limit))
        if promoted:
            self.ring()
        return promoted

    def register(self, name: str, host: str, pid: int, info: dict[str, Any]) -> WorkerRef:
        """Enter a worker. The second one is told of what SQLite before 3.51.3 may do to the file."""
        params = {"name": name, "host": host, "pid": pid, "info": info_text(info)}

        def work(connection: Connection) -> tuple[int, int]:
            [[worker_id]] = connection.execute(self.statements["register"], params)
            [[workers]] = connection.execute(self.statements["count_workers"])
            return worker_id, workers

        worker_id, workers = self.database.run(work)
        if workers == 2 and not self.database.dialect.has("safe_wal_reset"):
            emit("old_sqlite", version=str(self.database.dialect))
        return WorkerRef(worker_id, name)

    def heartbeat(self, worker: WorkerRef, info: dict[str, Any] | None = None) -> bool:
        """Say that the worker lives; False: it was given up."""
        params = {"worker_id": worker.id, "info": None if info is None else info_text(info)}
        heard = self.database.run(
            lambda c: c.execute(self.statements["heartbeat"], params), repeat=True
        )
        return bool(heard)

    def retire(self, worker: WorkerRef, now: datetime) -> int:
        """Leave orderly, giving back what is still held."""
        params = {"worker_id": worker.id, "pos": clock.microseconds()}

        def work(connection: Connection) -> int:
            connection.execute(self.statements["retire"], params)
            return len(connection.execute(self.statements["release_all_of"], params))

        released = self.database.run(work)
        if released:
            self.ring()
        return released

    def rescue(
        self,
        silent_for: timedelta,
        now: datetime,
        *,
        max_crashes: int,
        max_attempts: int,
        dead: Collection[int] = (),
    ) -> list[Rescued]:
        """Take the running jobs of workers that are dead, silent or not registered."""
        params = {
            "dead": json.dumps([int(one) for one in dead]),
            "silent_for": f"-{silent_for.total_seconds():.3f} seconds",
        }

        def work(connection: Connection) -> list[Rescued]:
            connection.execute(self.statements["bury"], params)
            lost = connection.execute(self.statements["orphans"])
            limits = (max_crashes, max_attempts)
            return [self._crash(connection, _Lost._make(row), SILENT, now, limits) for row in lost]

        rescued = self.database.run(work)
        if rescued:
            self.ring()
        return rescued

    def crashed(
        self, worker: WorkerRef, lease: Lease, loss: Loss, now: datetime, *, limits: tuple[int, int]
    ) -> Rescued | None:
        """Count the death of its process on one running job."""
        params = {"id": lease[0], "lease": lease[1], "worker_id": worker.id}

        def work(connection: Connection) -> Rescued | None:
            for row in connection.execute(self.statements["running"], params):
                return self._crash(connection, _Lost._make(row), loss, now, limits)
            return None

        rescued = self.database.run(work)
        if rescued:
            self.ring()
        return rescued

    def wakeups(self) -> Doorbell:
        """A new way to wait for jobs, for one worker process."""
        return Doorbell(self.database.file)

    def close(self) -> None:
        """Close this process' connections."""
        self.database.close()

    def ring(self) -> None:
        """Wake one worker that waits."""
        ring(self.database.file)

    def _reported(self, work: Callable[[Connection, Finish], T], within: float | None = None) -> T:
        """A transaction with a report in it: without a look at the leases, and undone when one is lost."""
        claims = self._claims
        try:
            return self.database.run(lambda c: work(c, claims.finish_all), within=within)
        except Fewer:
            return self.database.run(lambda c: work(c, claims.finish), within=within)

    def _rows(self, jobs: Sequence[NewJob]) -> list[dict[str, Any]]:
        pos, moment = clock.microseconds(), cache(self.moment)
        return [{**values_of(job, moment), "pos": pos + number} for number, job in enumerate(jobs)]

    def _held(self, worker: WorkerRef, leases: Sequence[Lease], now: datetime) -> dict[str, Any]:
        return {
            "worker_id": worker.id,
            "leases": json.dumps(leases),
            "now": self.moment(now),
            "pos": clock.microseconds(),
        }

    def _outcome(
        self, worker: WorkerRef, failure: Failure, now: datetime, state: State
    ) -> dict[str, Any]:
        started_at = failure.started_at
        return {
            "id": failure.id,
            "lease": failure.lease,
            "worker_id": worker.id,
            "worker": worker.name,
            "state": int(state),
            "attempts": failure.attempts,
            "crash": 0,
            "error": recordable(failure.error),
            "kind": failure.kind,
            "started_at": None if started_at is None else self.moment(started_at),
            "now": self.moment(now),
            "run_at": None,
            "failed_at": self.moment(now) if state == State.FAILED else None,
            "pos": clock.microseconds(),
        }

    def _end_attempt(self, connection: Connection, outcome: dict[str, Any]) -> bool:
        if not connection.execute(self.statements["end_attempt"], outcome):
            return False
        connection.execute(self.statements["record_attempt"], outcome)
        return True

    def _drop_attempts(self, connection: Connection, ids: list[int]) -> None:
        if ids:
            connection.execute(self.statements["drop_attempts"], {"ids": json.dumps(ids)})

    def _crash(
        self,
        connection: Connection,
        lost: _Lost,
        loss: Loss,
        now: datetime,
        limits: tuple[int, int],
    ) -> Rescued:
        """Count a crash on a running job of which this transaction has the right."""
        allowed = limits[1] if lost.max_attempts is None else lost.max_attempts
        attempts, crashes = lost.attempts + 1, lost.crashes + 1
        over = crashes >= limits[0] or attempts >= allowed
        started_at = moment_from(lost.locked_at)
        failure = Failure(lost.id, lost.lease, attempts, *loss, started_at, None)
        state = State.FAILED if over else State.READY
        outcome = self._outcome(WorkerRef(lost.worker_id, lost.locked_by), failure, now, state)
        self._end_attempt(connection, outcome | {"crash": 1})
        return Rescued(
            lost.id, lost.name, lost.queue, lost.lease, attempts, crashes, lost.locked_by, over
        )


class Answered(NamedTuple):
    """An exchange that is over."""

    told: Exchanged

    def answer(self) -> Exchanged:
        """What it brought."""
        return self.told


class _Lost(NamedTuple):
    """A running job whose process is gone, as `orphans` and `running` read it."""

    id: int
    name: str
    queue: str
    lease: int
    attempts: int
    crashes: int
    max_attempts: int | None
    locked_by: str
    locked_at: str
    worker_id: int
