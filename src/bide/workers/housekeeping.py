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
from bide.workers.records import Records
from bide.workers.settings import Settings

#: Seconds between looks for dead processes on this host.
LOCAL_INTERVAL = 1.0
#: Seconds between two prunings, at most; jobs that one deletes at once.
LONGEST_PRUNE = 60.0
BATCH = 1000
#: Silence that no worker reaches.
NEVER = timedelta(days=3650)


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
        self._gone: set[int] = set()
        self._touch = Touch(settings.heartbeat_interval)
        self._records = Records(home.store, settings)

    def duties(self, teller: Any) -> list[Duty]:
        """The duties; `teller` stands for the worker in the rescue event."""
        self._teller = teller
        settings = self._settings
        return [
            Duty(self.rescue_local, LOCAL_INTERVAL),
            Duty(self.rescue, settings.heartbeat_interval),
            Duty(self.prune, self._prune_interval()),
            *self._records.duties(),
        ]

    def _prune_interval(self) -> float:
        keep = self._settings.keep_finished
        return max(1.0, min(LONGEST_PRUNE, keep / 10)) if keep else LONGEST_PRUNE

    def leave(self) -> None:
        """The last words."""
        self._records.leave()

    def rescue_local(self) -> None:
        """Workers of this host whose process is gone need not be waited for.

        Gone at two looks: the first time, their own supervisor may be about to say how they ended.
        """
        host, ours = host_name(), self._ours()
        gone = {
            row.id
            for row in self._home.store.workers()
            if row.host == host and row.id not in ours and not process_lives(row)
        }
        dead, self._gone = gone & self._gone, gone
        if dead:
            self._take(NEVER, dead)

    def succeed(self, name: str) -> None:
        """A worker that starts under a given name takes the jobs of the dead one of that name at once
        (queue.md DJ-038)."""
        host = host_name()
        dead = [
            row.id
            for row in self._home.store.workers()
            if row.name == name and row.host == host and not process_lives(row)
        ]
        if dead:
            self._take(NEVER, dead)

    def rescue(self) -> None:
        """Take the jobs of workers that missed their heartbeats.

        Only when the database was there all that time: after it was away nobody has been heard, and
        everybody must have time to say that they live.
        """
        settings = self._settings
        silent = timedelta(seconds=settings.heartbeat_interval * settings.missed_heartbeats)
        with self._touch:
            self._home.store.workers()
        long_enough = self._touch.in_a_row > settings.missed_heartbeats
        self._take(silent if long_enough else NEVER, ())

    def _take(self, silent: timedelta, dead: Collection[int]) -> None:
        rescued = self._home.store.rescue(
            silent,
            clock.utc_now(),
            max_crashes=self._settings.max_crashes,
            max_attempts=self._settings.max_attempts,
            dead=dead,
        )
        for one in rescued:
            self.tell(one)

    def tell(self, rescued: Rescued) -> None:
        """Log it and fire the rescue event."""
        self._records.crashed(rescued)
        emit("rescued", rescued=rescued)
        if "rescue" not in self._lifecycle.used:
            return
        row = self._home.store.get(rescued.id)
        if row is None:
            return
        job = Job(self._home, row)
        try:
            self._lifecycle.run("rescue", lambda *_: None, self._teller, job)
        except BaseException as error:  # noqa: BLE001 - no callback keeps others from being rescued
            emit("callback_failed", event="rescue", job=job, error=error)

    def prune(self) -> bool:
        """Delete succeeded and cancelled jobs, and results, that were kept long enough, a batch of
        each; whether one was full, so that there may be others."""
        store, keep = self._home.store, self._settings.keep_finished
        full = store.expire(clock.utc_now(), limit=BATCH) >= BATCH
        if keep:
            before, states = (
                clock.utc_now() - timedelta(seconds=keep),
                (State.SUCCEEDED, State.CANCELLED),
            )
            full |= store.prune(before, states=states, limit=BATCH) >= BATCH
        return full


class Touch:
    """How many times in a row, `interval` seconds apart, the database answered at once.

    By the wall clock, which goes on while a machine is suspended.
    """

    def __init__(self, interval: float) -> None:
        self._interval = timedelta(seconds=interval)
        self.in_a_row = 0
        self._last, self._began = clock.utc_now(), clock.utc_now()

    def __enter__(self) -> None:
        self._began = clock.utc_now()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        now, began, last = clock.utc_now(), self._began, self._last
        answered = kind is None and now - began < self._interval * 0.75
        in_time = timedelta(0) <= began - last < self._interval * 1.75
        self.in_a_row = self.in_a_row + 1 if answered and in_time else int(answered)
        self._last = now
