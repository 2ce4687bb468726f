"""The store in this process' memory: for tests and small programs, and the model for the others."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any

from bide import clock
from bide.errors import ForkError, UnsupportedFeature
from bide.jobs.job import UNFINISHED, AttemptRow, Filter, JobRow, NewJob, QueueRow, State, WorkerRow
from bide.jobs.store import SILENT, Failure, Lease, Loss, Rescued, Wanted, WorkerRef
from bide.jobs.stores.bell import Bell
from bide.jobs.stores.memory_records import MemoryAudit, MemoryStatistics
from bide.jobs.stores.memory_results import MemoryResults
from bide.jobs.stores.memory_surveys import MemorySurveys
from bide.jobs.stores.shelf import Shelf, covers

#: What clears the lock of a row.
UNLOCKED: dict[str, Any] = {"locked_at": None, "locked_by": None, "worker_id": None}


class MemoryStore(MemoryResults):
    """Jobs of one process, gone with it. Any thread may call it; a forked child may not (ForkError)."""

    name = "memory"

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._shelf = Shelf() if shelf is None else shelf
        self._attempts: dict[int, list[AttemptRow]] = {}
        super().__init__()
        self._workers: dict[int, WorkerRow] = {}
        self._worker_ids = count(1)
        self._paused: dict[str, datetime] = {}
        self._bells: weakref.WeakSet[Bell] = weakref.WeakSet()
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self.statistics, self.audit = MemoryStatistics(), MemoryAudit()
        self.surveys = MemorySurveys(self._turn, self._shelf, self._paused)

    def insert(self, jobs: Sequence[NewJob], on: Any = None) -> list[int]:
        """Store jobs; `on` is refused, because memory has no transactions."""
        if on is not None:
            raise UnsupportedFeature(
                f"a memory store cannot write inside the transaction of {on!r}: "
                "enqueue without session=, or use a database"
            )
        with self._turn():
            ids = [self._shelf.add(job) for job in jobs]
            self._ring()
        return ids

    async def ainsert(self, jobs: Sequence[NewJob], on: Any = None) -> list[int]:
        """The same; it never blocks longer than a turn."""
        return self.insert(jobs, on)

    def claim(self, worker: WorkerRef, wanted: Wanted, limit: int, now: datetime) -> list[JobRow]:
        """Make up to `limit` ready jobs running for `worker`."""
        with self._turn():
            self._promote(now)
            return [
                self._shelf.take(row, worker, now)
                for row in self._shelf.first_ready(wanted, self._paused, limit)
            ]

    def finish(
        self, worker: WorkerRef, leases: Sequence[Lease], now: datetime, *, keep: bool
    ) -> set[int]:
        """Delete, or keep as succeeded, the jobs whose lease is still this worker's."""
        with self._turn():
            rows = self._held(worker, leases)
            for row in rows:
                if keep:
                    self._end(row, State.SUCCEEDED, now)
                else:
                    self._drop(row)
        return {row.id for row in rows}

    def retry_later(self, worker: WorkerRef, failure: Failure, now: datetime) -> bool:
        """Record a failed attempt and schedule the next."""
        run_at = (failure.run_at or now).astimezone(UTC)
        with self._turn():
            for row in self._held(worker, [(failure.id, failure.lease)]):
                self._record(row, failure, now)
                state = State.SCHEDULED if run_at > now else State.READY
                self._put(failed(row, failure), state=state, run_at=run_at, **UNLOCKED)
                self._ring()
                return True
        return False

    def fail(self, worker: WorkerRef, failure: Failure, now: datetime, *, keep: bool) -> bool:
        """Record the last failed attempt and end the job."""
        with self._turn():
            for row in self._held(worker, [(failure.id, failure.lease)]):
                self._record(row, failure, now)
                self._end(failed(row, failure), State.FAILED, now)
                if not keep:
                    self._drop(row)
                return True
        return False

    def release(self, worker: WorkerRef, leases: Sequence[Lease], now: datetime) -> set[int]:
        """Give back jobs that were not run."""
        with self._turn():
            rows = self._held(worker, leases)
            self._make_ready(rows)
        return {row.id for row in rows}

    def promote(self, now: datetime, limit: int = 1000) -> int:
        """Make scheduled jobs ready that are due."""
        with self._turn():
            return self._promote(now, limit)

    def register(self, name: str, host: str, pid: int, info: dict[str, Any]) -> WorkerRef:
        """Enter a worker."""
        moment = clock.utc_now()
        with self._turn():
            worker = WorkerRow(next(self._worker_ids), name, host, pid, moment, moment, {**info})
            self._workers[worker.id] = worker
        return WorkerRef(worker.id, name)

    def heartbeat(self, worker: WorkerRef, info: dict[str, Any] | None = None) -> bool:
        """Say that the worker lives; False: it was given up."""
        with self._turn():
            row = self._workers.get(worker.id)
            if row is None:
                return False
            told = row.info if info is None else {**info}
            self._workers[worker.id] = row._replace(heartbeat_at=clock.utc_now(), info=told)
        return True

    def retire(self, worker: WorkerRef, now: datetime) -> int:
        """Leave orderly, giving back what is still held."""
        with self._turn():
            self._workers.pop(worker.id, None)
            return self._make_ready(r for r in self._running() if r.worker_id == worker.id)

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
        heard_since = clock.utc_now() - silent_for
        with self._turn():
            for worker in list(self._workers.values()):
                if worker.id in dead or worker.heartbeat_at < heard_since:
                    del self._workers[worker.id]
            return [
                self._crash(row, SILENT, now, (max_crashes, max_attempts))
                for row in self._running()
                if row.worker_id not in self._workers
            ]

    def crashed(
        self, worker: WorkerRef, lease: Lease, loss: Loss, now: datetime, *, limits: tuple[int, int]
    ) -> Rescued | None:
        """Count the death of its process on one running job."""
        with self._turn():
            for row in self._held(worker, [lease]):
                return self._crash(row, loss, now, limits)
        return None

    def held(self, worker: WorkerRef) -> list[Lease]:
        """Every attempt that is running for this worker."""
        with self._turn():
            return [(row.id, row.lease) for row in self._running() if row.worker_id == worker.id]

    def workers(self) -> list[WorkerRow]:
        """Every registered worker, oldest first."""
        with self._turn():
            return list(self._workers.values())

    def get(self, job_id: int) -> JobRow | None:
        """The job, or None."""
        with self._turn():
            return self._shelf.rows.get(job_id)

    def find(self, which: Filter, *, limit: int = 50, before_id: int | None = None) -> list[JobRow]:
        """Newest first, a page at a time."""
        with self._turn():
            rows = reversed(self._shelf.matching(which))
            older = (row for row in rows if before_id is None or row.id < before_id)
            return list(islice(older, limit))

    def count(self, which: Filter, *, at_most: int | None = None) -> int:
        """How many jobs `which` means."""
        with self._turn():
            found = len(self._shelf.matching(which))
        return found if at_most is None else min(found, at_most)

    def attempts(self, job_id: int) -> list[AttemptRow]:
        """Every failed attempt, oldest first."""
        with self._turn():
            return list(self._attempts.get(job_id, ()))

    def queues(self) -> list[QueueRow]:
        """Every queue that has jobs or is paused, by name."""
        with self._turn():
            names = {row.queue for row in self._shelf.rows.values()} | set(self._paused)
            return [self._shelf.queue(name, self._paused.get(name)) for name in sorted(names)]

    def next_run_at(self, wanted: Wanted) -> datetime | None:
        """The earliest run_at among scheduled jobs that `wanted` covers."""
        with self._turn():
            moments = (
                row.run_at
                for row in self._shelf.matching(Filter(states=(State.SCHEDULED,)))
                if covers(wanted, row.queue, row.priority)
            )
            return min(moments, default=None)

    def retry(self, which: Filter, now: datetime, *, reset_attempts: bool = True) -> int:
        """Failed, cancelled or scheduled jobs become ready now."""
        again = (State.FAILED, State.CANCELLED, State.SCHEDULED)
        changes: dict[str, Any] = {"run_at": now, "failed_at": None, "finished_at": None}
        if reset_attempts:
            changes |= {"attempts": 0, "crashes": 0}
        with self._turn():
            rows = [row for row in self._shelf.matching(which) if row.state in again]
            return self._make_ready(row._replace(**changes) for row in rows)

    def cancel(self, which: Filter, now: datetime) -> int:
        """Unfinished jobs become cancelled."""
        with self._turn():
            rows = [row for row in self._shelf.matching(which) if row.state in UNFINISHED]
            for row in rows:
                self._end(row, State.CANCELLED, now)
        return len(rows)

    def delete(self, which: Filter) -> int:
        """Delete jobs in any state."""
        with self._turn():
            rows = self._shelf.matching(which)
            for row in rows:
                self._drop(row)
        return len(rows)

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
        moment = None if run_at is None else run_at.astimezone(UTC)
        edits = {"queue": queue, "priority": priority, "run_at": moment, "payload": payload}
        given: dict[str, Any] = {name: value for name, value in edits.items() if value is not None}
        with self._turn():
            row = self._shelf.rows.get(job_id)
            if row is None or row.state == State.RUNNING:
                return False
            if run_at is not None and row.state in UNFINISHED:
                given["state"] = State.SCHEDULED if run_at > now else State.READY
            self._put(row, **given)
            self._ring()
        return True

    def pause(self, queue: str, now: datetime) -> bool:
        """No claim takes jobs of `queue` from now on."""
        with self._turn():
            new = queue not in self._paused
            self._paused.setdefault(queue, now)
        return new

    def resume(self, queue: str) -> bool:
        """Claims take jobs of `queue` again."""
        with self._turn():
            self._ring()
            return self._paused.pop(queue, None) is not None

    def prune(
        self, finished_before: datetime, *, states: Collection[State], limit: int = 1000
    ) -> int:
        """Delete kept jobs of `states` that ended before the moment."""
        with self._turn():
            ended = [
                row
                for row in self._shelf.matching(Filter(states=tuple(states)))
                if row.finished_at is not None
                and row.finished_at < finished_before
                and row.id not in self._results
            ]
            for row in ended[:limit]:
                self._drop(row)
        return min(len(ended), limit)

    def wakeups(self) -> Bell:
        """A new way to wait for jobs."""
        bell = Bell()
        with self._turn():
            self._bells.add(bell)
        return bell

    def close(self) -> None:
        """Nothing to give up: the jobs stay."""

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if os.getpid() != self._pid:
            raise ForkError(
                f"this memory store was made by process {self._pid} and used by {os.getpid()}, "
                "which would lose its jobs: use sqlite:/// to share jobs between processes"
            )
        with self._lock:
            yield

    def _ring(self) -> None:
        for bell in self._bells:
            bell.ring()

    def _promote(self, now: datetime, limit: int | None = None) -> int:
        return self._make_ready(islice(self._shelf.due(now), limit))

    def _make_ready(self, rows: Iterable[JobRow]) -> int:
        made = [self._put(row, state=State.READY, **UNLOCKED) for row in rows]
        if made:
            self._ring()
        return len(made)

    def _put(self, row: JobRow, **changes: Any) -> JobRow:
        row = row._replace(**changes)
        self._shelf.put(row)
        return row

    def _end(self, row: JobRow, state: State, now: datetime) -> JobRow:
        failed_at = now if state == State.FAILED else None
        return self._put(row, state=state, finished_at=now, failed_at=failed_at, **UNLOCKED)

    def _drop(self, row: JobRow) -> None:
        self._shelf.drop(row.id)
        self._attempts.pop(row.id, None)
        self._results.pop(row.id, None)

    def _held(self, worker: WorkerRef, leases: Sequence[Lease]) -> list[JobRow]:
        """The running rows among `leases` that are still this worker's."""
        found = ((self._shelf.rows.get(job_id), number) for job_id, number in dict.fromkeys(leases))
        return [
            row
            for row, number in found
            if row is not None and row.worker_id == worker.id and row.lease == number
        ]

    def _running(self) -> list[JobRow]:
        return self._shelf.matching(Filter(states=(State.RUNNING,)))

    def _crash(self, row: JobRow, loss: Loss, now: datetime, limits: tuple[int, int]) -> Rescued:
        max_attempts = limits[1] if row.max_attempts is None else row.max_attempts
        crashes, attempts = row.crashes + 1, row.attempts + 1
        over = crashes >= limits[0] or attempts >= max_attempts
        self._record(row, Failure(row.id, row.lease, attempts, *loss, row.locked_at, None), now)
        counted = row._replace(crashes=crashes, attempts=attempts, last_error=loss.error)
        if over:
            self._end(counted, State.FAILED, now)
        else:
            self._make_ready([counted])
        worker = row.locked_by or ""
        return Rescued(row.id, row.name, row.queue, row.lease, attempts, crashes, worker, over)

    def _record(self, row: JobRow, failure: Failure, now: datetime) -> None:
        attempt = AttemptRow(
            job_id=row.id,
            attempt=failure.attempts,
            lease=failure.lease,
            worker=row.locked_by or "",
            started_at=failure.started_at,
            ended_at=now,
            kind=failure.kind,
            error=failure.error,
        )
        self._attempts.setdefault(row.id, []).append(attempt)


def failed(row: JobRow, failure: Failure) -> JobRow:
    """The row with the count and the error of a failed attempt."""
    return row._replace(attempts=failure.attempts, last_error=failure.error)
