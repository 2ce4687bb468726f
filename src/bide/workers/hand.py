"""What a worker knows that it holds, compared now and then with what the store says it holds.

A claim may be committed although its answer was lost with the connection, or long after the server was
given up as frozen; a server that crashed may have forgotten a report. Such a job is locked by a worker
that lives and knows nothing of it, so nobody else would ever rescue it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final

from bide import clock
from bide.events import emit
from bide.jobs.store import Lease, Store, WorkerRef

#: Seconds after trouble with the database until the next comparison.
SOON: Final = 1.0


class Hand:
    """The leases of one worker, from the answer of the claim until the outcome is written.

    `claiming` is held while a claim is on its way: what it took is neither in the hand nor a stray.
    """

    def __init__(self, store: Store, worker: Callable[[], WorkerRef], interval: float) -> None:
        self._store, self._worker, self._interval = store, worker, interval
        self._leases: set[Lease] = set()
        self._compare_at = clock.monotonic() + interval
        self.claiming = threading.RLock()
        #: Brings in the answer to a claim that was sent without waiting for it.
        self.land: Callable[[], object] = lambda: None

    def take(self, leases: Iterable[Lease]) -> None:
        """These were claimed."""
        self._leases.update(leases)

    def drop(self, leases: Iterable[Lease]) -> None:
        """The outcome of these is written, or the leases are lost."""
        self._leases.difference_update(leases)

    def doubt(self) -> None:
        """Something was said to the store and its answer did not come: compare soon."""
        self._compare_at = min(self._compare_at, clock.monotonic() + SOON)

    def compare(self, *, late_by: float = 0.0) -> None:
        """Every `interval` seconds, release what is running for this worker and not in its hand.

        `late_by` leaves it to another thread unless that is late by as many seconds.
        """
        if clock.monotonic() < self._compare_at + late_by:
            return
        with self.claiming:
            self.land()
            worker = self._worker()
            held = self._store.held(worker)
            strays = [lease for lease in held if lease not in self._leases]
            if strays:
                emit("strays", worker=worker.name, leases=strays)
                self._store.release(worker, strays, clock.utc_now())
            self._compare_at = clock.monotonic() + self._interval
