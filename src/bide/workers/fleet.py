"""The keeper process of a fleet: the one that talks to the database for all workers of a supervisor."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from bide import clock
from bide.errors import DatabaseError, NotMigrated
from bide.events import emit
from bide.forks.guard import crossings
from bide.jobs.handle import Home
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.store import Loss, WorkerRef
from bide.workers.deaths import Death, Deaths
from bide.workers.duties import Duty, pause
from bide.workers.housekeeping import Housekeeping
from bide.workers.processes import identity, is_running
from bide.workers.settings import Settings
from bide.workers.signals import Bell, any_readable, handled
from bide.workers.slate import Entry, Running, Slate

#: Seconds until a dead worker is retired once more: its last claim may have been on its way.
ONCE_MORE = 0.5
#: Seconds beyond the grace time for which the keeper outlives its supervisor, while workers live.
LAST_GRACE = 5.0
#: Seconds between looks whether the last worker has ended.
WATCH = 0.1
#: Seconds between tries to report deaths to a database that is away.
RETRY = 0.5


class Fleet:
    """Heartbeats for every worker on the slate, reports of deaths, and the duties of the whole queue."""

    def __init__(
        self,
        home: Home,
        lifecycle: Lifecycle,
        settings: Settings,
        slate: Slate,
        deaths: Deaths,
        queues: Mapping[int, tuple[str, ...] | None],
    ) -> None:
        self._home, self._settings = home, settings
        self._slate, self._deaths, self._queues = slate, deaths, queues
        self._house = Housekeeping(home, lifecycle, settings, self._ours)
        self._waiting: list[Death] = []
        self._once_more: deque[tuple[float, WorkerRef]] = deque()
        self._report_at, self._lost = 0.0, False
        self._has_tables, self._said_absent = False, False
        self._stop = Bell()
        self._stopping, self._stopped_at = False, 0.0
        self._parent = 0

    def keep(self, parent: int) -> int:
        """Until told to stop, or until the supervisor (whose process is `parent`) is gone."""
        self._parent = parent
        watch, look = Duty(self._watch, 1.0), Duty(self._look_for_tables, RETRY)
        look.due = clock.monotonic()
        duties = [
            watch,
            Duty(self._beat, self._settings.heartbeat_interval),
            *self._house.duties(self),
        ]
        with handled({signal.SIGTERM: self._asked_to_stop, signal.SIGINT: self._ignore}):
            while not self._over():
                now = duties if self._has_tables else [watch, look]
                self._wait(min(self._busy(), pause(now)))
                self._waiting += self._deaths.heard()
                self._report()
                self._retire_once_more()
                for duty in now:
                    duty.do()
            self._house.leave()
        return 0

    def _look_for_tables(self) -> None:
        """Says once, for the whole fleet, that there are none yet; a lost database is for the duties to tell."""
        try:
            self._home.store.workers()
        except NotMigrated as error:
            if not self._said_absent:
                self._said_absent = True
                emit("database_lost", error=error)
            return
        except DatabaseError:
            pass
        self._has_tables = True
        if self._said_absent:
            emit("database_back")

    def _wait(self, seconds: float) -> None:
        any_readable([self._deaths.reader, self._stop.fileno()], seconds)
        self._stop.hush()

    def _over(self) -> bool:
        """Workers whose supervisor is gone finish their jobs, and are kept alive until then."""
        if not self._stopping:
            return False
        if os.getppid() == self._parent:
            return not self._waiting
        late = clock.monotonic() - self._stopped_at > self._settings.grace_time + LAST_GRACE
        return late or not any(self._pids_alive())

    def _pids_alive(self) -> Iterator[bool]:
        for index in range(self._slate.entries):
            line = self._slate.entry(index).read()
            yield bool(line.worker_id) and is_running(line.pid)

    def _busy(self) -> float:
        """Seconds until there is something to do besides the duties."""
        now = clock.monotonic()
        moments = [moment for moment, _ in list(self._once_more)[:1]]
        moments += [self._report_at] if self._waiting else []
        moments += [now + WATCH] if self._stopping else []
        return max(0.0, min(moments, default=now + 3600.0) - now)

    def _asked_to_stop(self, *_: Any) -> None:
        self._stopped_at = self._stopped_at or clock.monotonic()
        self._stopping = True
        self._stop.ring()

    def _ignore(self, *_: Any) -> None:
        """Ctrl-C is the supervisor's to handle."""

    def _watch(self) -> None:
        if os.getppid() != self._parent:
            self._asked_to_stop()

    def _ours(self) -> set[int]:
        return {self._slate.entry(index).read().worker_id for index in range(self._slate.entries)}

    def _beat(self) -> None:
        """Once for each worker; one that runs many jobs at a time has many entries."""
        workers: dict[int, list[tuple[int, Running]]] = {}
        for index in range(self._slate.entries):
            line = self._slate.entry(index).read()
            if line.worker_id:
                workers.setdefault(line.worker_id, []).append((index, line))
        for worker_id, lines in workers.items():
            known = self._home.store.heartbeat(
                WorkerRef(worker_id, ""), self._info([line for _, line in lines])
            )
            for index, _ in lines:
                self._say(self._slate.entry(index), worker_id, known=known)

    def _say(self, entry: Entry, worker_id: int, *, known: bool) -> None:
        if known:
            entry.beaten(clock.monotonic())
        elif entry.read().worker_id == worker_id:
            entry.gave_up()

    def _info(self, lines: list[Running]) -> dict[str, Any]:
        first = lines[0]
        queues = self._queues.get(first.place)
        return {
            **identity(first.pid),
            "queues": list(queues) if queues is not None else None,
            "running": [
                {"id": line.job_id, "name": line.job_name} for line in lines if line.job_id
            ],
            "done": sum(line.done for line in lines),
            # The keeper is a child of the same parent, and inherited what the worker did.
            "fork_findings": len(crossings()),
        }

    def _report(self) -> None:
        """The running job's crash is counted on it alone; the others of its batch go back unharmed."""
        while self._waiting and clock.monotonic() >= self._report_at:
            try:
                self._report_one(self._waiting[0])
            except DatabaseError as error:
                self._not_reported(error)
                return
            self._lost = False
            self._once_more.append(
                (clock.monotonic() + ONCE_MORE, WorkerRef(self._waiting.pop(0).worker_id, ""))
            )
            if not self._waiting:
                self._waiting += self._deaths.heard()

    def _not_reported(self, error: DatabaseError) -> None:
        self._report_at = clock.monotonic() + RETRY
        if not self._lost:
            self._lost = True
            emit("database_lost", error=error)

    def _retire_once_more(self) -> None:
        """What its last claim took is nobody's if the database got it after the report."""
        while self._once_more and self._once_more[0][0] <= clock.monotonic():
            _, ref = self._once_more.popleft()
            with suppress(DatabaseError):  # then others find it
                self._home.store.retire(ref, clock.utc_now())

    def _report_one(self, death: Death) -> None:
        """Several jobs may have been running; which of them did it shows when each runs alone."""
        store, now, settings = self._home.store, clock.utc_now(), self._settings
        ref = WorkerRef(death.worker_id, "")
        limits = (settings.max_crashes, settings.max_attempts)
        error = f"the worker process {death.pid} ended while it ran this job: {death.how}"
        for job_id, lease in death.running:
            late = (job_id, lease) in map(tuple, death.late)
            loss = Loss(error, "timeout" if late else "crash")
            rescued = store.crashed(ref, (job_id, lease), loss, now, limits=limits)
            if rescued is not None:
                self._house.tell(rescued)
        store.retire(ref, now)
