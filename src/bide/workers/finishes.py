"""Jobs that are done but not yet reported: written together, never forgotten while the lease holds."""

from __future__ import annotations

import threading
from collections.abc import Callable

from bide import clock
from bide.errors import DatabaseError
from bide.events import emit
from bide.jobs.handle import Job
from bide.jobs.job import Result, State
from bide.jobs.store import Lease, Store, WorkerRef
from bide.workers.hand import Hand

#: Seconds a finished job may wait for others to be reported with it.
LONGEST_WAIT = 0.05


class Finishes:
    """Collects finished jobs of one worker; `flush` reports them in one statement."""

    def __init__(
        self, store: Store, worker: Callable[[], WorkerRef], hand: Hand, *, keep: bool
    ) -> None:
        self._store, self._worker, self._hand, self._keep = store, worker, hand, keep
        self._waiting: dict[Lease, str] = {}
        self._results: dict[Lease, Result] = {}
        self._maybe_written: set[Lease] = set()
        self._since = 0.0
        self._lock = threading.Lock()

    def add(self, job: Job, now: float) -> bool:
        """Report `job`, which ended at the (monotonic) moment, with the next flush; whether that is due,
        because the oldest has waited long enough."""
        job_id = job.id
        assert job_id is not None
        lease = job_id, job.lease
        # Without the lock: a flush on another thread takes what it has listed and leaves the rest.
        if job.kept is not None:
            self._results[lease] = job.kept.of(*lease)
        waiting = self._waiting
        if not waiting:
            self._since = now
        waiting[lease] = job.name
        return now - self._since >= LONGEST_WAIT

    def flush(self) -> None:
        """Report all; raises what the store raises and then still holds them all."""
        if not self._waiting:
            return
        with self._lock:
            leases = list(self._waiting)
            if not leases:  # the keeper was quicker
                return
            self._reported(leases, self._refused(leases))
            self._maybe_written.clear()

    def simple(self) -> list[Lease] | None:
        """All that wait, if `Store.finish` without keeping is all that there is to say of them."""
        if self._keep or self._results or self._maybe_written:
            return None
        return list(self._waiting)

    def sent(self) -> None:
        """What is `simple` is on its way; it stays here until it is `answered`."""
        self._since = clock.monotonic()

    def answered(self, leases: list[Lease], done: set[int]) -> None:
        """The store has finished the jobs `done` of those that were sent."""
        with self._lock:
            self._reported(leases, _refused(leases, done))

    def unanswered(self, leases: list[Lease]) -> None:
        """They were sent and nobody knows what became of them."""
        self._maybe_written.update(leases)

    def _reported(self, leases: list[Lease], refused: set[Lease]) -> None:
        self._hand.drop(leases)
        for lease in refused:
            name = self._waiting[lease]
            emit("lease_lost", id=lease[0], name=name, lease=lease[1], outcome="finished")
        for lease in leases:
            del self._waiting[lease]
        if self._results:
            for lease in leases:
                self._results.pop(lease, None)

    def _refused(self, leases: list[Lease]) -> set[Lease]:
        """Report them; those whose leases are lost."""
        try:
            done = self._report(leases)
            return {lease for lease in _refused(leases, done) if not self._was_written(lease)}
        except DatabaseError:
            self._maybe_written.update(leases)
            raise

    def _report(self, leases: list[Lease]) -> set[int]:
        worker, now = self._worker(), clock.utc_now()
        if not self._results:
            return self._store.finish(worker, leases, now, keep=self._keep)
        results = [self._results[lease] for lease in leases if lease in self._results]
        done = self._store.finish_with_results(worker, results, now)
        plain = [lease for lease in leases if lease not in self._results]
        return done | (self._store.finish(worker, plain, now, keep=self._keep) if plain else set())

    def _was_written(self, lease: Lease) -> bool:
        """Whether an earlier report, whose answer was lost with the connection, took effect."""
        if lease not in self._maybe_written:
            return False
        row = self._store.get(lease[0])
        return row is None or (row.lease == lease[1] and row.state == State.SUCCEEDED)


def _refused(leases: list[Lease], done: set[int]) -> set[Lease]:
    """Those of jobs that are not among the done; most often all of them are."""
    if len(done) == len(leases):
        return set()
    return {lease for lease in leases if lease[0] not in done}
