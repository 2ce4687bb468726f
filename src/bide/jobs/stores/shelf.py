"""The rows of the memory store: ready jobs in the order of the claim, scheduled ones by run_at."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from itertools import count, islice

from bide.jobs.job import Filter, JobRow, NewJob, QueueRow, State
from bide.jobs.store import Wanted, WorkerRef

#: Ready jobs of one priority and queue: their ids in the order in which they became ready.
Lane = tuple[int, str]

_STATE, _LOCKED_AT, _LEASE = map(JobRow._fields.index, ("state", "locked_at", "lease"))


class Shelf:
    """Jobs by id. It knows order and states, no concurrency: the store takes turns."""

    def __init__(self) -> None:
        self.rows: dict[int, JobRow] = {}
        self._by_key: dict[str, int] = {}
        self._ready: dict[Lane, dict[int, int]] = {}
        self._scheduled: list[tuple[datetime, int]] = []
        self._ids = count(1)
        self._positions = count(1)

    def add(self, job: NewJob) -> int:
        """Store `job` unless its key is stored already; the id of the one that is there now."""
        if job.key not in self._by_key:
            row = first_row(job, next(self._ids))
            self._by_key[job.key] = row.id
            self.put(row)
        return self._by_key[job.key]

    def put(self, row: JobRow) -> None:
        """Replace the row of that id; one that becomes ready goes behind those that are."""
        old = self.rows.get(row.id)
        self.rows[row.id] = row
        if old is None:
            self._enter(row)
        elif lane(old) is None or lane(old) != lane(row):
            self._leave_lane(old)
            self._enter(row)

    def take(self, row: JobRow, worker: WorkerRef, now: datetime) -> JobRow:
        """The ready job as `worker` runs it from now on; made without `_replace`, which looks every
        field up by name."""
        self._leave_lane(row)
        taken = self.rows[row.id] = JobRow._make(
            (*row[:_STATE], State.RUNNING, *row[_STATE + 1 : _LOCKED_AT], now, worker.name,
             worker.id, row.lease + 1, *row[_LEASE + 1 :])
        )  # fmt: skip
        return taken

    def drop(self, job_id: int) -> None:
        """Forget a job."""
        row = self.rows.pop(job_id)
        del self._by_key[row.key]
        self._leave_lane(row)

    def due(self, now: datetime) -> Iterator[JobRow]:
        """Take scheduled jobs whose run_at has come, earliest first; the caller makes them ready."""
        while self._scheduled and self._scheduled[0][0] <= now:
            run_at, job_id = heapq.heappop(self._scheduled)
            row = self.rows.get(job_id)
            if row is not None and row.state == State.SCHEDULED and row.run_at == run_at:
                yield row

    def first_ready(self, wanted: Wanted, paused: Collection[str], limit: int) -> list[JobRow]:
        """Up to `limit` ready jobs in the order of priority, then of becoming ready."""
        lanes = (
            self._in_order(a_lane)
            for a_lane in self._ready
            if covers(wanted, a_lane[1], a_lane[0]) and a_lane[1] not in paused
        )
        return [self.rows[job_id] for _, _, job_id in islice(heapq.merge(*lanes), max(0, limit))]

    def matching(self, which: Filter) -> list[JobRow]:
        """Every row that `which` means, oldest first."""
        return [row for row in self.rows.values() if matches(which, row)]

    def queue(self, name: str, paused_at: datetime | None) -> QueueRow:
        """A queue as listings show it."""
        rows = self.matching(Filter(queue=name))
        counts = Counter(State(row.state) for row in rows)
        ready = (row.run_at for row in rows if row.state == State.READY)
        return QueueRow(name, paused_at, dict(counts), min(ready, default=None))

    def _enter(self, row: JobRow) -> None:
        where = lane(row)
        if where is not None:
            self._ready.setdefault(where, {})[row.id] = next(self._positions)
        elif row.state == State.SCHEDULED:
            heapq.heappush(self._scheduled, (row.run_at, row.id))

    def _leave_lane(self, row: JobRow) -> None:
        where = lane(row)
        if where is not None:
            del self._ready[where][row.id]
            if not self._ready[where]:
                del self._ready[where]

    def _in_order(self, where: Lane) -> Iterator[tuple[int, int, int]]:
        return ((where[0], position, job_id) for job_id, position in self._ready[where].items())


def first_row(job: NewJob, job_id: int) -> JobRow:
    """The row of a job that was just stored."""
    created_at = job.created_at.astimezone(UTC)
    run_at = created_at if job.run_at is None else job.run_at.astimezone(UTC)
    return JobRow(
        id=job_id,
        key=job.key,
        name=job.name,
        queue=job.queue,
        priority=job.priority,
        state=State.SCHEDULED if run_at > created_at else State.READY,
        payload=job.payload,
        attempts=0,
        crashes=0,
        max_attempts=job.max_attempts,
        run_at=run_at,
        locked_at=None,
        locked_by=None,
        worker_id=None,
        lease=0,
        failed_at=None,
        finished_at=None,
        last_error=None,
        created_at=created_at,
        locale=job.locale,
        context=job.context,
    )


def lane(row: JobRow) -> Lane | None:
    """Where a ready job stands; None for any other."""
    return (row.priority, row.queue) if row.state == State.READY else None


def covers(wanted: Wanted, queue: str, priority: int) -> bool:
    """Whether a worker that takes `wanted` takes jobs of that queue and priority."""
    if wanted.queues is not None and queue not in wanted.queues:
        return False
    if queue in wanted.except_queues:
        return False
    if wanted.min_priority is not None and priority < wanted.min_priority:
        return False
    return wanted.max_priority is None or priority <= wanted.max_priority


def matches(which: Filter, row: JobRow) -> bool:
    """Whether `which` means that row."""
    same = (
        (which.queue, row.queue),
        (which.name, row.name),
        (which.key, row.key),
        (which.worker, row.locked_by),
        (which.priority, row.priority),
        (which.locale, row.locale),
    )
    if any(asked is not None and asked != found for asked, found in same):
        return False
    if which.ids is not None and row.id not in which.ids:
        return False
    if which.states is not None and row.state not in which.states:
        return False
    if not (row.last_error or "").startswith(which.error or ""):
        return False
    return _text_matches(which.text, row) and _age_matches(which, row)


def _text_matches(text: str | None, row: JobRow) -> bool:
    return text is None or any(
        text in part for part in (row.name, row.payload, row.last_error or "")
    )


def _age_matches(which: Filter, row: JobRow) -> bool:
    if which.created_before is not None and row.created_at >= which.created_before:
        return False
    return which.created_after is None or row.created_at >= which.created_after
