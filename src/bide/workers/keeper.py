"""The keeper: a thread beside a worker that says it lives, stops it in time and relieves it of waiting jobs."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any, Protocol

from bide import clock
from bide.errors import DatabaseError, WorkerStop
from bide.jobs.handle import Home
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.store import WorkerRef
from bide.workers.duties import Duty, pause
from bide.workers.housekeeping import Housekeeping
from bide.workers.settings import Settings
from bide.workers.signals import Requests
from bide.workers.tally import INTERVAL

#: Seconds between looks at a running job that others wait behind, or at a worker that stops.
RELIEF_INTERVAL = 0.05

#: Seconds between looks at a running job whose alarm another job may have taken away.
DEADLINE_INTERVAL = 1.0

#: Seconds between looks whether a long job keeps the worker from what it does between jobs.
BESIDE_INTERVAL = 0.5


class Kept(Protocol):
    """What the keeper needs of the worker that it looks after."""

    requests: Requests

    @property
    def ref(self) -> WorkerRef: ...
    def info(self) -> dict[str, Any]: ...
    def relieve(self) -> None: ...
    def waits_behind(self) -> bool: ...
    def interrupt(self, error: BaseException) -> None: ...
    def beaten(self, *, known: bool) -> None: ...
    def compare(self) -> None: ...
    def report(self) -> None: ...
    def look_at_deadline(self) -> None: ...
    def look_beside(self) -> None: ...


class Keeper:
    """Owns nothing that the worker waits for. With `alone` it does the duties of a whole fleet too."""

    def __init__(
        self,
        home: Home,
        lifecycle: Lifecycle,
        settings: Settings,
        worker: Kept,
        *,
        alone: bool = True,
    ) -> None:
        self._home, self._settings, self._worker = home, settings, worker
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bide-keeper", daemon=True)
        self._relief = Duty(worker.relieve, 0.0)
        interval = settings.heartbeat_interval
        self._duties = [
            Duty(worker.compare, interval),
            Duty(worker.report, min(interval, INTERVAL)),
            Duty(worker.look_at_deadline, DEADLINE_INTERVAL),
            Duty(worker.look_beside, BESIDE_INTERVAL),
        ]
        self._house: Housekeeping | None = None
        if alone:
            self._house = Housekeeping(home, lifecycle, settings, lambda: (worker.ref.id,))
            self._duties += [Duty(self._beat, interval), *self._house.duties(worker)]

    def start(self, succeeding: str | None = None) -> None:
        """Begin; a worker named `succeeding` goes on where a dead one of that name ended."""
        if succeeding is not None and self._house is not None:
            with suppress(DatabaseError):  # then its jobs are rescued like any others
                self._house.succeed(succeeding)
        self._thread.start()

    def stop(self) -> None:
        """End and wait until the thread is gone."""
        self._ended.set()
        self._worker.requests.keeper_bell.ring()
        self._thread.join()
        if self._house is not None:
            self._house.leave()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._worker.requests.keeper_bell.wait(self._pause())
            if self._ended.is_set():
                return
            self._stop_in_time()
            for duty in (self._relief, *self._duties):
                duty.do()

    def _pause(self) -> float:
        requests = self._worker.requests
        # In this order: who adds jobs looks at the mark afterwards, so one of the two sees the other.
        requests.keeper_watches = False
        if self._worker.waits_behind() or requests.stopping:
            requests.keeper_watches = True
            return RELIEF_INTERVAL
        return pause(self._duties)

    def _stop_in_time(self) -> None:
        """The second request to stop, or the end of the grace time, takes the running job back."""
        requests = self._worker.requests
        if not requests.stopping:
            return
        over = clock.monotonic() - requests.stopped_at >= self._settings.grace_time
        if requests.stops > 1 or over:
            self._worker.interrupt(WorkerStop())

    def _beat(self) -> None:
        worker = self._worker
        worker.beaten(known=self._home.store.heartbeat(worker.ref, worker.info()))
