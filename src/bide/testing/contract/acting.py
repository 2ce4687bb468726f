"""What the tests of the contract do with a store, in the words of the queue."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from bide import clock
from bide.jobs.job import JobRow, NewJob, State
from bide.jobs.store import Failure, Lease, Rescued, Store, Wanted, WorkerRef

#: The application's clock in these tests: far from the database's own, which must not decide what is due.
NOW = datetime(2031, 3, 14, 15, 9, 26, 535897, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ANYTHING = Wanted()


def a_job(**options: Any) -> NewJob:
    """A prepared job; only what a test is about needs to be said."""
    usual: dict[str, Any] = {
        "key": uuid.uuid4().hex,
        "name": "greet",
        "queue": "default",
        "priority": 0,
        "payload": '{"args":[]}',
        "run_at": None,
        "created_at": NOW,
    }
    return NewJob(**(usual | options))


def put(store: Store, **options: Any) -> int:
    """Store one job; its id."""
    return store.insert([a_job(**options)])[0]


def put_many(store: Store, number: int, **options: Any) -> list[int]:
    """Store `number` equal jobs; their ids."""
    return store.insert([a_job(**options) for _ in range(number)])


def enlist(store: Store, name: str = "worker") -> WorkerRef:
    """Register a worker."""
    return store.register(name, "host", 1, {})


def claim(
    store: Store,
    worker: WorkerRef,
    limit: int = 100,
    wanted: Wanted = ANYTHING,
    now: datetime = NOW,
) -> list[JobRow]:
    """Claim jobs."""
    return store.claim(worker, wanted, limit, now)


def claim_one(store: Store, worker: WorkerRef, now: datetime = NOW) -> JobRow:
    """Claim one job that must be there."""
    [row] = claim(store, worker, 1, now=now)
    return row


def claimable(store: Store, wanted: Wanted = ANYTHING, now: datetime = NOW) -> list[int]:
    """The ids of the jobs that a new worker gets, in order; they stay with it."""
    return ids(claim(store, enlist(store, "looking"), 1000, wanted, now))


def lease(row: JobRow) -> Lease:
    """The attempt that `row` was claimed for."""
    return (row.id, row.lease)


def finish(store: Store, worker: WorkerRef, *rows: JobRow, keep: bool = False) -> set[int]:
    """Report success."""
    return store.finish(worker, [lease(row) for row in rows], NOW, keep=keep)


def failure(row: JobRow, **options: Any) -> Failure:
    """The next failed attempt of a claimed job."""
    usual: dict[str, Any] = {
        "id": row.id,
        "lease": row.lease,
        "attempts": row.attempts + 1,
        "error": "it broke",
        "kind": "ValueError",
        "started_at": NOW,
        "run_at": None,
    }
    return Failure(**(usual | options))


def fail(store: Store, worker: WorkerRef, row: JobRow, *, keep: bool = True) -> bool:
    """Report the last failure."""
    return store.fail(worker, failure(row), NOW, keep=keep)


def rescue_from(
    store: Store, *workers: WorkerRef, max_crashes: int = 3, max_attempts: int = 25
) -> list[Rescued]:
    """Rescue the jobs of workers that are known to be dead, and of nobody else."""
    return store.rescue(
        timedelta(days=365),
        NOW,
        max_crashes=max_crashes,
        max_attempts=max_attempts,
        dead=[worker.id for worker in workers],
    )


def present(store: Store, job_id: int) -> JobRow:
    """The job, which must be stored."""
    row = store.get(job_id)
    assert row is not None, f"job {job_id} is gone"
    return row


def state(store: Store, job_id: int) -> State:
    """The state of a stored job."""
    return State(present(store, job_id).state)


def ids(rows: Iterable[JobRow]) -> list[int]:
    """The ids of rows, in their order."""
    return [row.id for row in rows]


def failed_job(store: Store, **options: Any) -> int:
    """A job that ended failed and is kept."""
    job_id, worker = put(store, **options), enlist(store, "failing")
    [row] = [row for row in claim(store, worker) if row.id == job_id]
    assert fail(store, worker, row)
    return job_id


def seconds_since(start: float) -> float:
    """How long it took."""
    return clock.monotonic() - start
