"""Results of jobs in this process' memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from bide.jobs.job import JobRow, Result, ResultRow, State
from bide.jobs.store import Lease, WorkerRef
from bide.jobs.stores.shelf import Shelf


class MemoryResults(ABC):
    """The verbs of the memory store for jobs that keep what they returned."""

    _shelf: Shelf

    def __init__(self) -> None:
        self._results: dict[int, ResultRow] = {}

    @abstractmethod
    def _turn(self) -> AbstractContextManager[None]: ...

    @abstractmethod
    def _held(self, worker: WorkerRef, leases: Sequence[Lease]) -> list[JobRow]: ...

    @abstractmethod
    def _end(self, row: JobRow, state: State, now: datetime) -> JobRow: ...

    @abstractmethod
    def _drop(self, row: JobRow) -> None: ...

    def finish_with_results(
        self, worker: WorkerRef, results: Sequence[Result], now: datetime
    ) -> set[int]:
        """Keep the jobs as succeeded whose lease is still this worker's, with their results."""
        with self._turn():
            held = {row.id: row for row in self._held(worker, [one[:2] for one in results])}
            for result in results:
                if result.id in held:
                    self._end(held[result.id], State.SUCCEEDED, now)
                    self._results[result.id] = ResultRow(
                        result.id, worker.name, result.started_at, result.value, result.keep_until
                    )
        return set(held)

    def result(self, job_id: int) -> ResultRow | None:
        """What a job returned."""
        with self._turn():
            return self._results.get(job_id)

    def expire(self, now: datetime, *, limit: int = 1000) -> int:
        """Delete up to `limit` jobs whose results are kept no longer."""
        with self._turn():
            over = [row for row in self._results.values() if row.keep_until < now]
            first = sorted(over, key=lambda row: row.keep_until)[:limit]
            for row in first:
                self._drop(self._shelf.rows[row.job_id])
        return len(first)
