"""Jobs that go back unrun: never started again here, because the store may have given them away already."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from bide import clock
from bide.jobs.store import Lease, Store, WorkerRef
from bide.workers.hand import Hand


class Returns:
    """Leases to be released, held until the store has said that they are."""

    def __init__(self, store: Store, worker: Callable[[], WorkerRef], hand: Hand) -> None:
        self._store, self._worker, self._hand = store, worker, hand
        self._waiting: set[Lease] = set()
        self._lock = threading.Lock()

    def add(self, leases: Iterable[Lease]) -> None:
        """Release these with the next flush."""
        with self._lock:
            self._waiting.update(leases)

    def flush(self) -> None:
        """Release all; raises what the store raises and then still holds them all."""
        if not self._waiting:
            return
        with self._lock:
            leases = sorted(self._waiting)
            if leases:
                self._store.release(self._worker(), leases, clock.utc_now())
            self._hand.drop(leases)
            self._waiting.clear()
