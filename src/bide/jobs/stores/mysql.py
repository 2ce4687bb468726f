"""The store in MySQL 8 or MariaDB: claims in two steps, READ COMMITTED, locks in one order."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, literal_column

from bide.db import borrowed
from bide.db.awaiting import in_thread
from bide.db.connection import Connection
from bide.db.engine import Database
from bide.jobs.job import JobRow, NewJob, State
from bide.jobs.store import Failure, Lease, Loss, Rescued, Wanted, WorkerRef
from bide.jobs.stores.mysql_claims import BATCH, Claims, batches
from bide.jobs.stores.mysql_crashes import Crashes
from bide.jobs.stores.mysql_inserts import Inserts, aplay, play
from bide.jobs.stores.mysql_texts import Repeated
from bide.jobs.stores.mysql_wakeups import MySQLWakeups
from bide.jobs.stores.operating import SqlOperating
from bide.jobs.stores.rows import by_number, info_text, recordable

#: The place of a job that becomes ready now: by the server's clock, in UTC whatever the session's zone.
_NEXT_POS: Final = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) * 1000"


class _Fewer(Exception):
    """A statement reached not all that it was meant for; nobody knows which, so it is rolled back."""


class MySQLStore(SqlOperating):
    """Jobs in a database of MySQL 8.0.17 or newer, or MariaDB 10.6 or newer."""

    name = "mysql"

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        repeated = Repeated(self.statements)
        self._inserts = Inserts(self.statements, repeated)
        self._claims = Claims(database, self.statements, repeated)
        self._crashes = Crashes(database, self.statements, self._claims)

    def next_pos(self) -> ColumnElement[int]:
        """The place in the order of the claim for a job that becomes ready now."""
        return literal_column(_NEXT_POS, Integer)

    def insert(self, jobs: Sequence[NewJob], on: Any = None) -> list[int]:
        """Store jobs, in the caller's transaction when `on` is given."""
        if not jobs:
            return []
        if on is not None:
            story = self._inserts.strictly(self._inserts.story(jobs))
            return play(story, lambda sql, params: borrowed.execute(on, sql, params, self.name))
        if len(jobs) == 1 and not self.database.shared:
            return [self.database.single(lambda c: self._inserts.one(c, jobs[0]), repeat=True)]
        return self.database.run(lambda connection: self._insert(connection, jobs), repeat=True)

    async def ainsert(self, jobs: Sequence[NewJob], on: Any = None) -> list[int]:
        """The same without blocking the event loop."""
        if on is None or not jobs:
            return await in_thread(self.insert, jobs)
        story = self._inserts.strictly(self._inserts.story(jobs))
        return await aplay(story, lambda sql, params: borrowed.aexecute(on, sql, params, self.name))

    def claim(self, worker: WorkerRef, wanted: Wanted, limit: int, now: datetime) -> list[JobRow]:
        """Make up to `limit` ready jobs running for `worker`."""
        return self._claims.claim(worker, wanted, limit, now)

    def finish(
        self, worker: WorkerRef, leases: Sequence[Lease], now: datetime, *, keep: bool
    ) -> set[int]:
        """Delete, or keep as succeeded, the jobs whose lease is still this worker's."""
        if leases and not keep and self._finish_simply(worker, leases):
            return {job_id for job_id, _ in leases}

        def work(connection: Connection) -> set[int]:
            held = self._hold(connection, worker, leases)
            if keep:
                self._each_batch(connection, "keep", list(held), now=self.moment(now))
            else:
                self._forget(connection, held)
            return set(held)

        return self.database.run(work) if leases else set()

    def retry_later(self, worker: WorkerRef, failure: Failure, now: datetime) -> bool:
        """Record a failed attempt and schedule the next."""
        run_at = failure.run_at or now
        state = State.SCHEDULED if run_at > now else State.READY
        changes = {"state": int(state), "run_at": self.moment(run_at)}
        return self.database.run(
            lambda connection: self._record(
                connection, "retry_later", worker, failure, now, changes
            )
        )

    def fail(self, worker: WorkerRef, failure: Failure, now: datetime, *, keep: bool) -> bool:
        """Record the last failed attempt and end the job."""

        def work(connection: Connection) -> bool:
            if keep:
                return self._record(connection, "fail", worker, failure, now, {})
            held = self._hold(connection, worker, [(failure.id, failure.lease)])
            self._forget(connection, held)
            return bool(held)

        return self.database.run(work)

    def release(self, worker: WorkerRef, leases: Sequence[Lease], now: datetime) -> set[int]:
        """Give back jobs that were not run."""

        def work(connection: Connection) -> set[int]:
            held = self._hold(connection, worker, leases)
            given = [job_id for job_id, _ in dict.fromkeys(leases) if job_id in held]
            self._claims.make_ready(connection, given)
            return set(given)

        return self.database.run(work) if leases else set()

    def promote(self, now: datetime, limit: int = 1000) -> int:
        """Make scheduled jobs ready that are due."""
        return self._claims.promote(now, limit)

    def register(self, name: str, host: str, pid: int, info: dict[str, Any]) -> WorkerRef:
        """Enter a worker; one that was entered twice over a lost connection falls silent."""
        params = {"name": name, "host": host, "pid": pid, "info": info_text(info)}

        def work(connection: Connection) -> int:
            connection.execute(self.statements["register"], params)
            return int(connection.raw.insert_id())

        return WorkerRef(self.database.single(work, repeat=True), name)

    def heartbeat(self, worker: WorkerRef, info: dict[str, Any] | None = None) -> bool:
        """Say that the worker lives; False: it was given up."""
        params = {"worker": worker.id, "info": None if info is None else info_text(info)}

        def work(connection: Connection) -> bool:
            connection.execute(self.statements["heartbeat"], params)
            return connection.rowcount > 0

        return self.database.single(work, repeat=True)

    def retire(self, worker: WorkerRef, now: datetime) -> int:
        """Leave orderly, giving back what is still held."""
        return self._crashes.retire(worker)

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
        return self._crashes.rescue(silent_for, now, (max_crashes, max_attempts), dead)

    def crashed(
        self, worker: WorkerRef, lease: Lease, loss: Loss, now: datetime, *, limits: tuple[int, int]
    ) -> Rescued | None:
        """Count the death of its process on one running job."""
        return self._crashes.crashed(worker, lease, loss, now, limits)

    def wakeups(self) -> MySQLWakeups:
        """A new way to wait for jobs."""
        return MySQLWakeups(self._claims, self.database)

    def close(self) -> None:
        """Close this process' connections; the next use opens new ones."""
        self.database.close()

    def _insert(self, connection: Connection, jobs: Sequence[NewJob]) -> list[int]:
        story = self._inserts.story(jobs)
        if self.database.shared:
            story = self._inserts.strictly(story)
        return play(story, connection.execute)

    def _finish_simply(self, worker: WorkerRef, leases: Sequence[Lease]) -> bool:
        """Delete them by one statement. False, and nothing was done: some are lost, or had errors."""
        many = by_number(leases)
        number, ids = many.popitem()
        if many or len(ids) > BATCH:
            return False
        params = {"listed": json.dumps(ids), "lease": number, "worker": worker.id}

        def work(connection: Connection) -> bool:
            connection.execute(self.statements["finish"], params)
            if 0 < connection.rowcount < len(ids):
                raise _Fewer
            return connection.rowcount > 0

        try:
            return self.database.single(work) if len(ids) == 1 else self.database.run(work)
        except _Fewer:
            return False

    def _hold(
        self, connection: Connection, worker: WorkerRef, leases: Sequence[Lease]
    ) -> dict[int, bool]:
        """Lock those that are still this worker's; by id, whether an error was recorded."""
        held: dict[int, bool] = {}
        asked = set(leases)
        for some in batches(sorted(job_id for job_id, _ in asked)):
            params = {"ids": tuple(some), "worker": worker.id}
            for job_id, lease, with_error in connection.execute(
                self.statements["lock_held"], params
            ):
                if (job_id, lease) in asked:
                    held[job_id] = bool(with_error)
        return held

    def _forget(self, connection: Connection, held: dict[int, bool]) -> None:
        with_error = [job_id for job_id, had in held.items() if had]
        self._each_batch(connection, "drop_attempts", with_error)
        self._each_batch(connection, "drop_jobs", list(held))

    def _each_batch(
        self, connection: Connection, name: str, ids: Sequence[int], **params: Any
    ) -> None:
        for some in batches(ids):
            named = {"ids": tuple(some), "listed": json.dumps(some)}
            connection.execute(self.statements[name], params | named)

    def _record(
        self,
        connection: Connection,
        name: str,
        worker: WorkerRef,
        failure: Failure,
        now: datetime,
        changes: dict[str, Any],
    ) -> bool:
        """Change the job by the statement `name` and record the attempt; False: the lease is lost."""
        started_at = failure.started_at
        params = (
            failure._asdict()
            | changes
            | {
                "error": recordable(failure.error),
                "kind": failure.kind[:255],
                "worker": worker.id,
                "name": worker.name,
                "now": self.moment(now),
                "started_at": None if started_at is None else self.moment(started_at),
            }
        )
        connection.execute(self.statements[name], params)
        if connection.rowcount == 0:
            return False
        connection.execute(self.statements["record"], params)
        return True
