"""Jobs that are done but not yet reported: written together, never forgotten while the lease holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from bide import clock
from bide.events import emit
from bide.jobs.handle import Job
from bide.jobs.store import Lease, Running, WorkerRef

#: Seconds a finished job may wait for others to be reported with it.
LONGEST_WAIT = 0.05


class Finishes:
    """Collects finished jobs of one worker; `flush` reports them in one statement."""

    def __init__(
        self,
        store: Running,
        worker: Callable[[], WorkerRef],
        now: Callable[[], datetime],
        *,
        keep: bool,
    ) -> None:
        self._store, self._worker, self._now, self._keep = store, worker, now, keep
        self._waiting: dict[Lease, str] = {}
        self._since = 0.0
        self._lock = threading.Lock()

    def add(self, job: Job) -> None:
        """Report `job` with the next flush."""
        assert job.id is not None
        with self._lock:
            if not self._waiting:
                self._since = clock.monotonic()
            self._waiting[job.id, job.lease] = job.name

    @property
    def due(self) -> bool:
        """Whether the oldest has waited long enough."""
        return bool(self._waiting) and clock.monotonic() - self._since >= LONGEST_WAIT

    def flush(self) -> None:
        """Report all; raises what the store raises and then still holds them all."""
        if not self._waiting:
            return
        with self._lock:
            leases = list(self._waiting)
            if not leases:  # the keeper was quicker
                return
            done = self._store.finish(self._worker(), leases, self._now(), keep=self._keep)
            for lease in leases:
                name = self._waiting.pop(lease)
                if lease[0] not in done:
                    emit("lease_lost", id=lease[0], name=name, lease=lease[1], outcome="finished")
