"""What somebody must do for the whole queue: rescue the jobs of dead workers, prune what is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from bide import clock
from bide.events import emit
from bide.jobs.handle import Home, Job
from bide.jobs.job import State
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.store import Rescued
from bide.workers.duties import Duty
from bide.workers.processes import host_name, process_lives
from bide.workers.settings import Settings

#: Seconds between looks for dead processes on this host.
LOCAL_INTERVAL = 1.0


class Housekeeping:
    """Any number of processes may do it; the store sees to it that each job is rescued once.

    `ours` are the ids of the workers that the caller looks after itself.
    """

    def __init__(
        self,
        home: Home,
        lifecycle: Lifecycle,
        settings: Settings,
        ours: Callable[[], Collection[int]],
    ) -> None:
        self._home, self._lifecycle, self._settings = home, lifecycle, settings
        self._ours = ours
        self._teller: Any = None

    def duties(self, teller: Any) -> list[Duty]:
        """The duties; `teller` stands for the worker in the rescue event."""
        self._teller = teller
        settings = self._settings
        return [
            Duty(self.rescue_local, LOCAL_INTERVAL),
            Duty(self.rescue, settings.heartbeat_interval),
            Duty(self.prune, max(1.0, min(60.0, settings.keep_finished / 10))),
        ]

    def rescue_local(self) -> None:
        """Workers of this host whose process is gone need not be waited for."""
        host, ours = host_name(), self._ours()
        dead = [
            row.id
            for row in self._home.store.workers()
            if row.host == host and row.id not in ours and not process_lives(row)
        ]
        if dead:
            self.rescue(dead)

    def rescue(self, dead: Collection[int] = ()) -> None:
        """Take the jobs of workers that missed their heartbeats, and of those known to be dead."""
        settings = self._settings
        silent = settings.heartbeat_interval * settings.missed_heartbeats
        rescued = self._home.store.rescue(
            timedelta(seconds=silent),
            clock.utc_now(),
            max_crashes=settings.max_crashes,
            max_attempts=settings.max_attempts,
            dead=dead,
        )
        for one in rescued:
            self.tell(one)

    def tell(self, rescued: Rescued) -> None:
        """Log it and fire the rescue event."""
        emit("rescued", rescued=rescued)
        if "rescue" not in self._lifecycle.used:
            return
        row = self._home.store.get(rescued.id)
        if row is not None:
            self._lifecycle.run("rescue", lambda *_: None, self._teller, Job(self._home, row))

    def prune(self) -> None:
        """Delete succeeded and cancelled jobs that were kept long enough."""
        if self._settings.keep_finished:
            before = clock.utc_now() - timedelta(seconds=self._settings.keep_finished)
            self._home.store.prune(before, states=(State.SUCCEEDED, State.CANCELLED))
