"""The store in PostgreSQL: one row per job, claims by low-water marks, wake-ups by notification."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, func

from bide.db import borrowed
from bide.db.awaiting import await_here, greenlet, in_thread
from bide.db.connection import Connection, Row
from bide.db.dialects import moment_from
from bide.db.engine import Database
from bide.db.statements import Statement
from bide.errors import ConnectionLost
from bide.jobs.job import JobRow, NewJob, State
from bide.jobs.sending import Insertion
from bide.jobs.store import SILENT, Failure, Lease, Loss, Rescued, Wanted, WorkerRef
from bide.jobs.stores.claims import Claims, Order
from bide.jobs.stores.exchange import PostgreSQLExchange, PostgreSQLInsertion, send
from bide.jobs.stores.listening import Listening
from bide.jobs.stores.operating import SqlOperating
from bide.jobs.stores.postgresql_inserts import Execute, Inserts
from bide.jobs.stores.rows import by_number, info_text, recordable, values_of

#: All priorities that there are lie between.
LOWEST, HIGHEST = -(2**31), 2**31


class PostgreSQLStore(SqlOperating):
    """Jobs in the PostgreSQL database `database`.

    `listen_url`: where to listen for notifications when the database's own URL leads through a pooler
    in transaction mode, which passes none on; without it waiting workers look every second or two.
    """

    name = "postgresql"

    def __init__(self, database: Database, *, listen_url: str | None = None) -> None:
        super().__init__(database)
        self._claims = Claims(database, self.statements)
        self._inserts = Inserts(self.statements)
        self._listen_url = listen_url

    def insert(self, jobs: Sequence[NewJob], on: Any = None) -> list[int]:
        """Store jobs; `on` is the caller's session, connection or alias."""
        if on is not None:
            return self._lend(jobs, on, lambda s, p: borrowed.execute(on, s, p, self.name))
        if len(jobs) == 1 and (job_id := self._insert_one(jobs[0])) is not None:
            return [job_id]
        stored: list[Row] = []

        def work(connection: Connection) -> list[int]:
            stored.clear()
            return self._inserts.store(jobs, connection.execute, stored)

        ids = self.database.run(work, repeat=True)
        self._learn(stored, jobs)
        return ids

    def send_insert(self, jobs: Sequence[NewJob]) -> Insertion | None:
        """Send jobs that one statement stores, and do not wait."""
        asked = self._inserts.asked(jobs)
        try:
            pipeline = None if asked is None else self.database.send([asked])
        except ConnectionLost:  # twice does no harm: the next try finds the keys
            return None
        if pipeline is None:
            return None
        return PostgreSQLInsertion(
            pipeline, partial(self._inserted, jobs), partial(self.insert, jobs)
        )

    async def ainsert(self, jobs: Sequence[NewJob], on: Any = None) -> list[int]:
        """The same for async sessions and connections, and without blocking the event loop."""
        if on is None:
            return await in_thread(self.insert, jobs)

        def execute(statement: Statement, params: dict[str, Any]) -> list[Row]:
            return await_here(borrowed.aexecute(on, statement, params, self.name))

        return await greenlet(self._lend, jobs, on, execute)

    def claim(self, worker: WorkerRef, wanted: Wanted, limit: int, now: datetime) -> list[JobRow]:
        """Make up to `limit` ready jobs running for `worker`."""
        return self._claims.claim(Order(worker, wanted, now), limit) if limit > 0 else []

    def finish(
        self, worker: WorkerRef, leases: Sequence[Lease], now: datetime, *, keep: bool
    ) -> set[int]:
        """Delete, or keep as succeeded, the jobs whose lease is still this worker's."""
        if not leases:
            return set()
        ended = {"worker": worker.id, "now": now}
        statement = self._claims.planned("keep" if keep else "finish")
        # A job that was never given out twice has no failed attempts to be deleted with it.
        many = by_number(leases)
        simple = len(many) == 1 and (keep or 1 in many)

        def work(connection: Connection) -> set[int]:
            done: set[int] = set()
            for number, ids in many.items():
                rows = connection.execute(statement, {**ended, "ids": ids, "lease": number})
                done.update(row[0] for row in rows)
            if done and not simple:
                gone = {"ids": sorted(done)}
                connection.execute(self._claims.planned("drop_attempts"), gone)
            return done

        transaction = self.database.single if simple else self.database.run
        try:
            return transaction(work)
        except ConnectionLost:
            done = transaction(work)
            over, params = self.statements["already_done"].text, _leases(leases)
            return done | {row[0] for row in self.database.read(lambda c: c.execute(over, params))}

    def exchange(
        self, worker: WorkerRef, leases: Sequence[Lease], wanted: Wanted, limit: int, now: datetime
    ) -> PostgreSQLExchange | None:
        """Finish and claim without waiting; None when one of them takes more than one statement."""
        many = by_number(leases)
        if many and list(many) != [1]:
            return None
        params = {"worker": worker.id, "lease": 1, "ids": many.get(1)}
        finish = (self._claims.planned("finish"), params) if many else None
        return send(self.database, self._claims, finish, Order(worker, wanted, now), limit)

    def retry_later(self, worker: WorkerRef, failure: Failure, now: datetime) -> bool:
        """Record a failed attempt and schedule the next."""
        run_at = failure.run_at or now
        state = State.SCHEDULED if run_at > now else State.READY

        def work(connection: Connection) -> list[Row]:
            params = {**_outcome(worker, failure, now), "state": int(state), "run_at": run_at}
            rows = connection.execute(self._claims.planned("retry_later"), params)
            if rows:
                self._record(connection, worker, failure, now)
            if state == State.READY:
                self._claims.tell(connection, rows)
            return rows

        rows = self.database.run(work)
        if state == State.READY:
            self._claims.learn(rows)
        else:
            self._claims.marks.expect(run_at)
        return bool(rows)

    def fail(self, worker: WorkerRef, failure: Failure, now: datetime, *, keep: bool) -> bool:
        """Record the last failed attempt and end the job."""

        def work(connection: Connection) -> bool:
            fail = self._claims.planned("fail")
            rows = connection.execute(fail, _outcome(worker, failure, now))
            if rows and keep:
                self._record(connection, worker, failure, now)
            elif rows:
                self.drop(connection, [failure.id])
            return bool(rows)

        return self.database.run(work)

    def release(self, worker: WorkerRef, leases: Sequence[Lease], now: datetime) -> set[int]:
        """Give back jobs that were not run."""
        if not leases:
            return set()
        rows = self._make_ready("release", {"worker": worker.id, **_leases(leases)})
        return {row[3] for row in rows}

    def promote(self, now: datetime, limit: int = 1000) -> int:
        """Make scheduled jobs ready that are due."""
        return self._claims.promote(now, limit)

    def register(self, name: str, host: str, pid: int, info: dict[str, Any]) -> WorkerRef:
        """Enter a worker."""
        params = {"name": name, "host": host, "pid": pid, "info": info_text(info)}
        register = self.statements["register"]
        # Twice in the table does no harm: nobody's heartbeat speaks for the first.
        [[worker_id]] = self.database.single(lambda c: c.execute(register, params), repeat=True)
        return WorkerRef(worker_id, name)

    def heartbeat(self, worker: WorkerRef, info: dict[str, Any] | None = None) -> bool:
        """Say that the worker lives; False: it was given up."""
        params = {"worker": worker.id, "info": None if info is None else info_text(info)}
        heartbeat = self.statements["heartbeat"]
        return bool(self.database.single(lambda c: c.execute(heartbeat, params), repeat=True))

    def retire(self, worker: WorkerRef, now: datetime) -> int:
        """Leave orderly, giving back what is still held."""
        return len(self._make_ready("retire", {"worker": worker.id}, leaving=True))

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
        limits = (max_crashes, max_attempts)
        asked = {"silent_for": silent_for, "dead": list(dead)}
        rescued: list[Rescued] = []
        while (taken := self._rescue_one(asked, limits, now)) is not None:
            rescued += taken
        strangers = self.statements["strangers"].text
        for (stranger,) in self.database.read(lambda c: c.execute(strangers)):
            rescued += self._crash({"worker": stranger}, SILENT, limits, now)
        return rescued

    def crashed(
        self, worker: WorkerRef, lease: Lease, loss: Loss, now: datetime, *, limits: tuple[int, int]
    ) -> Rescued | None:
        """Count the death of its process on one running job."""
        job_id, number = lease
        one = {"worker": worker.id, "id": job_id, "lease": number}
        return next(iter(self._crash(one, loss, limits, now)), None)

    def next_run_at(self, wanted: Wanted) -> datetime | None:
        """The earliest run_at among scheduled jobs that `wanted` covers: asked before every wait."""
        lowest, highest = wanted.min_priority, wanted.max_priority
        params = {
            "queues": None if wanted.queues is None else list(wanted.queues),
            "except_queues": list(wanted.except_queues),
            "lowest": LOWEST if lowest is None else lowest,
            "highest": HIGHEST if highest is None else highest,
        }
        statement = self._claims.planned("next_due")
        [[earliest]] = self.database.read(lambda c: c.execute(statement, params))
        return None if earliest is None else moment_from(earliest)

    def next_pos(self) -> ColumnElement[int]:
        """Behind every job that is ready."""
        return func.nextval(f"{self.database.table_prefix}jobs_pos_seq")

    def ring(self) -> None:
        """An operator made jobs ready: every process looks from zero, those that wait at once."""
        self._claims.marks.distrust()
        tell = self.statements["tell_all"].text
        self.database.single(lambda c: c.execute(tell), repeat=True)

    def wakeups(self) -> Listening:
        """A new way to wait for jobs."""
        return Listening(self.database, self.statements, self._claims, self._listen_url)

    def close(self) -> None:
        """Give up this process' connections."""
        self.database.close()

    def _insert_one(self, job: NewJob) -> int | None:
        """Its id; None when one of its key was there."""
        values, insert = values_of(job, self.moment), self.statements["insert_one"]
        rows = self.database.single(lambda c: c.execute(insert, values), repeat=True)
        if not rows:
            return None
        job_id, pos, _ = rows[0]
        self._learn([(job.queue, job.priority, pos, values["state"])], [job])
        return int(job_id)

    def _inserted(self, jobs: Sequence[NewJob], stored: list[Row]) -> list[int]:
        """The ids of jobs whose statement brought the rows in `stored`."""

        def execute(statement: Statement, params: dict[str, Any]) -> list[Row]:
            return self.database.single(lambda c: c.execute(statement, params), repeat=True)

        ids = self._inserts.complete(jobs, execute, stored)
        self._learn(stored, jobs)
        return ids

    def _lend(self, jobs: Sequence[NewJob], on: Any, execute: Execute) -> list[int]:
        stored: list[Row] = []
        ids = self._inserts.store(jobs, execute, stored)

        def learn() -> None:
            self._learn(stored, jobs)

        if not borrowed.after_commit(on, learn):
            learn()
        return ids

    def _learn(self, stored: list[Row], jobs: Sequence[NewJob]) -> None:
        self._claims.learn(row for row in stored if row[3] == State.READY)
        later = [job.run_at for job in jobs if job.run_at and job.run_at > job.created_at]
        if later:
            self._claims.marks.expect(min(later))

    def _make_ready(self, name: str, params: dict[str, Any], *, leaving: bool = False) -> list[Row]:
        def work(connection: Connection) -> list[Row]:
            if leaving:
                connection.execute(self.statements["leave"], params)
            rows = connection.execute(self._claims.planned(name), params)
            self._claims.tell(connection, rows)
            return rows

        rows = self.database.run(work)
        self._claims.learn(rows)
        return rows

    def _rescue_one(
        self, asked: dict[str, Any], limits: tuple[int, int], now: datetime
    ) -> list[Rescued] | None:
        """Take one dead worker's jobs; None when there is none that another rescuer has not taken."""

        def work(connection: Connection) -> list[Row] | None:
            found = connection.execute(self.statements["dead_worker"].text, asked)
            if not found:
                return None
            worker = {"worker": found[0][0]}
            rows = self._crash_held(connection, worker, SILENT, limits, now)
            connection.execute(self.statements["leave"], worker)
            return rows

        rows = self.database.run(work)
        return None if rows is None else self._rescued(rows)

    def _crash(
        self, held: dict[str, Any], loss: Loss, limits: tuple[int, int], now: datetime
    ) -> list[Rescued]:
        return self._rescued(
            self.database.run(lambda c: self._crash_held(c, held, loss, limits, now))
        )

    def _crash_held(
        self,
        connection: Connection,
        held: dict[str, Any],
        loss: Loss,
        limits: tuple[int, int],
        now: datetime,
    ) -> list[Row]:
        told = recordable(loss.error)
        params = {
            "id": None,
            "lease": None,
            "max_crashes": limits[0],
            "max_attempts": limits[1],
            "error": told,
            "now": now,
            **held,
        }
        rows = connection.execute(self._claims.planned("crash"), params)
        if rows:
            _, _, _, ids, _, _, leases, numbers, _, workers, starts, _ = zip(*rows, strict=True)
            lists = (ids, numbers, leases, workers, starts)
            names = ("ids", "numbers", "leases", "workers", "starts")
            attempt = {name: list(values) for name, values in zip(names, lists, strict=True)}
            record = {**attempt, "now": now, "kind": loss.kind, "error": told}
            connection.execute(self.statements["record"], record)
            self._claims.tell(connection, [row for row in rows if not row[-1]])
        return rows

    def _rescued(self, rows: list[Row]) -> list[Rescued]:
        self._claims.learn(row for row in rows if not row[-1])
        return [
            Rescued(job_id, name, queue, lease, attempts, crashes, worker or "", over)
            for queue, _, _, job_id, name, _, lease, attempts, crashes, worker, _, over in rows
        ]

    def _record(
        self, connection: Connection, worker: WorkerRef, failure: Failure, now: datetime
    ) -> None:
        attempt = {
            "ids": [failure.id],
            "numbers": [failure.attempts],
            "leases": [failure.lease],
            "workers": [worker.name],
            "starts": [failure.started_at],
            "now": now,
            "kind": failure.kind,
            "error": recordable(failure.error),
        }
        connection.execute(self.statements["record"], attempt)


def _outcome(worker: WorkerRef, failure: Failure, now: datetime) -> dict[str, Any]:
    return {
        "worker": worker.id,
        "id": failure.id,
        "lease": failure.lease,
        "attempts": failure.attempts,
        "error": recordable(failure.error),
        "now": now,
    }


def _leases(leases: Sequence[Lease]) -> dict[str, list[int]]:
    """In one order for everybody, so that two reports cannot wait for each other."""
    ordered = sorted(set(leases))
    return {"ids": [one for one, _ in ordered], "leases": [number for _, number in ordered]}
