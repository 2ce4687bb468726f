"""What every store of jobs can do, in groups; each verb carries its concurrency rule in words.

All methods may be called from any thread and any process; a store holds no connection over a fork.
`now` is the application's clock (aware, UTC) and decides what is due; liveness of workers is judged
by the database's own clock. Every method either takes effect whole or not at all, and retries
deadlocks and serialization failures by itself; a lost connection is raised as ConnectionLost, except
where the verb is safe to repeat, in which case the store reconnects and repeats it once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from bide.jobs.audit import AuditEntry, AuditRow
from bide.jobs.job import (
    AttemptRow,
    Filter,
    JobRow,
    NewJob,
    QueueRow,
    Result,
    ResultRow,
    State,
    WorkerRow,
)
from bide.jobs.statistics import Statistic
from bide.jobs.surveys import Surveying

#: An attempt: the job's id and the number of its lease.
Lease = tuple[int, int]


class WorkerRef(NamedTuple):
    """Who claims: the registered id and the name that `locked_by` shows."""

    id: int
    name: str


class Wanted(NamedTuple):
    """Which jobs a worker takes: queues (None: all), except some queues, priorities inclusive."""

    queues: tuple[str, ...] | None = None
    except_queues: tuple[str, ...] = ()
    min_priority: int | None = None
    max_priority: int | None = None


class Failure(NamedTuple):
    """The outcome of a failed attempt. `attempts` is the new count; `run_at` None ends the job."""

    id: int
    lease: int
    attempts: int
    error: str
    kind: str
    started_at: datetime | None
    run_at: datetime | None


class Loss(NamedTuple):
    """How an attempt whose process is gone is recorded: its text, its kind (`crash`, `timeout`)."""

    error: str
    kind: str = "crash"


SILENT = Loss("its worker died or fell silent")


class Rescued(NamedTuple):
    """A job taken from a dead worker. `failed`: it was over its crashes or attempts and ended failed."""

    id: int
    name: str
    queue: str
    lease: int
    attempts: int
    crashes: int
    worker: str
    failed: bool


class Enqueuing(Protocol):
    """Storing jobs."""

    def insert(self, jobs: Sequence[NewJob], on: Any = None) -> list[int]:
        """Store `jobs` in one statement per batch and return their ids in order.

        A job without run_at (it gets its created_at), or with one not after its created_at, becomes
        ready, in the order given; others scheduled. Text comes back exactly as it was, or the whole
        batch is refused with an error: nothing is cut or replaced.
        `on` is the caller's session, connection or alias (see bide.db.borrowed): the rows are written
        in its transaction. A key that is stored already, also twice in one batch, is not stored again;
        its id is returned.
        """
        ...

    async def ainsert(self, jobs: Sequence[NewJob], on: Any = None) -> list[int]:
        """The same for async sessions and connections, and without blocking the event loop."""
        ...


class Running(Protocol):
    """Taking jobs and reporting what became of them. Every report names the lease it speaks for."""

    def claim(self, worker: WorkerRef, wanted: Wanted, limit: int, now: datetime) -> list[JobRow]:
        """Make up to `limit` ready jobs running for `worker`, each with lease + 1, and return them.

        In the order of priority, then of becoming ready, over all queues alike. No job is given to
        two claims. Scheduled jobs due at `now` count as ready: they are promoted first, behind those
        that are. Paused queues are passed over. A queue is its exact name: case and accents count.
        """
        ...

    def finish(
        self, worker: WorkerRef, leases: Sequence[Lease], now: datetime, *, keep: bool
    ) -> set[int]:
        """Delete the jobs (or keep them as succeeded) whose lease is still this worker's; their ids.

        A kept one loses its lock, as every job does that is no longer running.
        """
        ...

    def finish_with_results(
        self, worker: WorkerRef, results: Sequence[Result], now: datetime
    ) -> set[int]:
        """Keep the jobs as succeeded whose lease is still this worker's, with their results; their ids.

        Job and result are written together or not at all.
        """
        ...

    def retry_later(self, worker: WorkerRef, failure: Failure, now: datetime) -> bool:
        """Record a failed attempt and schedule the next; False when the lease is lost: no effect.

        A run_at not after `now` makes the job ready, behind those that are. Characters of the error
        that the database cannot hold (NUL, lone surrogates) are replaced; the record never fails.
        """
        ...

    def fail(self, worker: WorkerRef, failure: Failure, now: datetime, *, keep: bool) -> bool:
        """Record the last failed attempt and end the job, kept as failed or deleted; False: lost.

        The error as in `retry_later`.
        """
        ...

    def release(self, worker: WorkerRef, leases: Sequence[Lease], now: datetime) -> set[int]:
        """Give back jobs that were not run: ready again behind those that are, no attempt counted.

        The ids given back. The lease number stays and grows with the next claim.
        """
        ...

    def promote(self, now: datetime, limit: int = 1000) -> int:
        """Make scheduled jobs ready that are due, in the order of run_at; how many."""
        ...


class Watching(Protocol):
    """Knowing which workers live, and taking the jobs of the dead."""

    def register(self, name: str, host: str, pid: int, info: dict[str, Any]) -> WorkerRef:
        """Enter a worker under a new id; jobs of an earlier life of that name are left to `rescue`."""
        ...

    def heartbeat(self, worker: WorkerRef, info: dict[str, Any] | None = None) -> bool:
        """Say that the worker lives (database clock); False: it was given up and must register anew."""
        ...

    def retire(self, worker: WorkerRef, now: datetime) -> int:
        """Leave orderly: jobs still held are released with no attempt counted; how many."""
        ...

    def rescue(
        self,
        silent_for: timedelta,
        now: datetime,
        *,
        max_crashes: int,
        max_attempts: int,
        dead: Collection[int] = (),
    ) -> list[Rescued]:
        """Take the running jobs of workers without a heartbeat for `silent_for` (database clock), and
        of those whose ids are in `dead` (the caller knows that their processes ended).

        Each counts a crash and an attempt and becomes ready, or ends failed (and kept) when its
        crashes reach `max_crashes` or its attempts reach its own max_attempts, or the given one where
        it has none. Jobs running for a worker that is not registered at all are taken too. One
        rescuer at a time takes a given worker. The error of each attempt is recorded, with the kind
        `crash` and the lease that was lost. The dead workers' rows go: their heartbeat answers False.
        """
        ...

    def crashed(
        self, worker: WorkerRef, lease: Lease, loss: Loss, now: datetime, *, limits: tuple[int, int]
    ) -> Rescued | None:
        """A running job's process died: count it on that job as `rescue` does, as a crash whatever
        the `loss` is recorded as. `limits` are (max_crashes, max_attempts). None: the lease is lost
        already."""
        ...

    def held(self, worker: WorkerRef) -> list[Lease]:
        """Every attempt that is running for this worker, whether or not the worker knows of it."""
        ...

    def workers(self) -> list[WorkerRow]:
        """Every registered worker, oldest first."""
        ...


class Reading(Protocol):
    """Looking, for screens and commands; never on the hot path."""

    def get(self, job_id: int) -> JobRow | None: ...

    def find(self, which: Filter, *, limit: int = 50, before_id: int | None = None) -> list[JobRow]:
        """Newest first, a page at a time: pass the last id of a page as `before_id` for the next."""
        ...

    def count(self, which: Filter, *, at_most: int | None = None) -> int: ...

    def attempts(self, job_id: int) -> list[AttemptRow]:
        """Every failed attempt, oldest first."""
        ...

    def result(self, job_id: int) -> ResultRow | None:
        """What a job returned whose result is kept; None for every other."""
        ...

    def queues(self) -> list[QueueRow]:
        """Every queue that has jobs or is paused, by name."""
        ...

    def next_run_at(self, wanted: Wanted) -> datetime | None:
        """The earliest run_at among scheduled jobs that `wanted` covers."""
        ...


class Operating(Protocol):
    """What an operator does. Bulk verbs return how many jobs they changed."""

    def retry(self, which: Filter, now: datetime, *, reset_attempts: bool = True) -> int:
        """Failed, cancelled or scheduled jobs become ready now; failed_at, finished_at and lock are
        cleared, last_error stays. `reset_attempts` sets attempts and crashes to 0."""
        ...

    def cancel(self, which: Filter, now: datetime) -> int:
        """Unfinished jobs become cancelled; a running one's lease is taken, so its end is ignored."""
        ...

    def delete(self, which: Filter) -> int:
        """Delete jobs in any state, with their attempts; a running one's end is ignored."""
        ...

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
        """Edit a job that is not running; False when it is running or gone.

        A new run_at makes an unfinished job scheduled or ready; a kept one stays what it is. A ready
        job that changes its queue or priority goes behind those that are ready there.
        """
        ...

    def pause(self, queue: str, now: datetime) -> bool:
        """No claim takes jobs of `queue` from now on; False: it was paused already (that stands)."""
        ...

    def resume(self, queue: str) -> bool:
        """Claims take jobs of `queue` again; False: it was not paused."""
        ...

    def prune(
        self, finished_before: datetime, *, states: Collection[State], limit: int = 1000
    ) -> int:
        """Delete up to `limit` kept jobs of `states` whose finished_at is before the moment.

        Jobs with a result stay: `expire` deletes them.
        """
        ...

    def expire(self, now: datetime, *, limit: int = 1000) -> int:
        """Delete up to `limit` jobs whose results were to be kept until a moment before `now`."""
        ...


class Counting(Protocol):
    """Statistics. NotMigrated where the tables are older than they."""

    def write(self, writer: int, rows: Sequence[Statistic]) -> None:
        """Store what one process has counted, in place of what it wrote for those minutes before.

        `writer` (greater than 0) is that process' alone, so that no two writers ever wait for each
        other, and writing twice counts once.
        """
        ...

    def read(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        step: timedelta | None = None,
        by: Collection[str] = ("queue", "name"),
        queue: str | None = None,
        name: str | None = None,
    ) -> list[Statistic]:
        """What was counted from `since` to before `until` (None: from the first, to the last), oldest
        first, then by queue and name.

        One row for each `step` of time that has any; None: one for all of it, at ALL_TIME. Rows are
        told apart by what `by` names, and have "" in what it does not. `queue` and `name` choose.
        What is older than two days is known by the hour, what was pruned only in a sum over all time.
        ValueError for a step of less than a minute and for an unknown `by`.
        """
        ...

    def prune(self, now: datetime, *, keep: timedelta, limit: int = 1000) -> int:
        """Add up rows: of all writers after an hour, of the hour after two days, of all time after
        `keep`; how many went into others. No sum over everything ever changes. Any number of
        processes may do it; at most `limit` rows of each kind at a time.
        """
        ...


class Auditing(Protocol):
    """The list of what operators did. NotMigrated where the tables are older than it."""

    def write(self, entries: Sequence[AuditEntry]) -> None:
        """Add entries. What no database can hold in a name is replaced, what is too long is cut and
        stands whole in the detail."""
        ...

    def read(
        self,
        *,
        limit: int = 50,
        before_id: int | None = None,
        who: str | None = None,
        action: str | None = None,
        what: str | None = None,
    ) -> list[AuditRow]:
        """Newest first, a page at a time: pass the last id of a page as `before_id` for the next."""
        ...

    def prune(self, before: datetime, *, limit: int = 1000) -> int:
        """Delete up to `limit` entries older than the moment, the oldest first; how many."""
        ...


class Store(Enqueuing, Running, Watching, Reading, Operating, Protocol):
    """A whole store of jobs."""

    #: What the URL calls it: memory, sqlite, postgresql, mysql.
    name: str

    @property
    def statistics(self) -> Counting:
        """What was counted."""
        ...

    @property
    def surveys(self) -> Surveying:
        """Looking at very many jobs in bounded time."""
        ...

    @property
    def audit(self) -> Auditing:
        """What operators did."""
        ...

    def wakeups(self) -> Wakeups:
        """A new way to wait for jobs, for one worker process."""
        ...

    def close(self) -> None:
        """Give up this process' connections; the store can still be used and opens new ones."""
        ...


class Wakeups(Protocol):
    """Waiting until there may be work. A lost wake-up costs one poll, never a job."""

    def wait(self, seconds: float, also: Sequence[int] = ()) -> bool:
        """Sleep until a job may have become ready (True), a descriptor of `also` is readable or
        `seconds` are over (False). Never raises for a lost database; it then just sleeps."""
        ...

    def close(self) -> None: ...
