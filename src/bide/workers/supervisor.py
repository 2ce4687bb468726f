"""The supervisor: forks workers and their keeper, watches them, owns signals. It holds no connection."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from bide import clock
from bide.events import emit
from bide.jobs.handle import Home
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.store import Lease, Wanted
from bide.workers.children import Ended, fork_child, reap
from bide.workers.fleet import Death, Deaths, Fleet
from bide.workers.parent_death import die_with_parent
from bide.workers.processes import host_name
from bide.workers.roster import ONE_LANE, Crew, Lanes, Place, Roster
from bide.workers.settings import Settings
from bide.workers.signals import Bell, Handler, Requests, handled
from bide.workers.slate import Entry, Running, Slate

#: Seconds between looks when no signal comes: at limits of jobs and places to fill.
LOOK = 0.25
#: Seconds beyond the grace time after which a worker that does not stop is killed.
LAST_GRACE = 5.0


class Startable(Protocol):
    """A worker of the fleet."""

    requests: Requests

    def start(self) -> None: ...


class MakeWorker(Protocol):
    """How the application makes the worker of one entry, in the child."""

    def __call__(self, wanted: Wanted, entries: Sequence[Entry], name: str | None) -> Startable: ...


class Supervisor:
    """Keeps a fleet of worker processes at work until it is told to stop.

    `make_worker` and everything that touches a database run in the children only.
    """

    def __init__(
        self,
        home: Callable[[], Home],
        lifecycle: Lifecycle,
        settings: Settings,
        crews: Iterable[Crew],
        make_worker: MakeWorker,
        *,
        lanes: Lanes = ONE_LANE,
        exit_on_complete: bool = False,
    ) -> None:
        self._home, self._lifecycle, self.settings = home, lifecycle, settings
        self._make_worker, self._exit_on_complete = make_worker, exit_on_complete
        self._lanes = lanes
        self.roster = Roster.of(list(crews), lanes.entries)
        self.slate = Slate(len(self.roster.places) * lanes.entries)
        self._deaths = Deaths()
        self._keeper = Place(-1, Wanted(), range(0))
        self._bell = Bell()
        self._signals: list[int] = []
        self._stops, self._stopped_at = 0, 0.0
        self._completed: set[int] = set()
        self._pid = 0

    def run(self, ready: Callable[[], None] | None = None) -> int:
        """Until stopped (0), or until every worker found nothing left with exit_on_complete (0)."""
        self._pid = os.getpid()
        emit("supervisor_started", pid=self._pid, workers=len(self.roster.places))
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGTSTP, signal.SIGUSR1, signal.SIGCHLD)
        handlers: dict[signal.Signals, Handler] = dict.fromkeys(numbers, self._noted)
        with handled(handlers):
            self._fill()
            if ready is not None:
                ready()
            while self.roster.manned or not self._over():
                self._turn()
            self._end_keeper()
        emit("supervisor_stopped", pid=self._pid)
        return 0

    def _noted(self, number: int, _frame: Any) -> None:
        self._signals.append(number)
        self._bell.ring()

    def _over(self) -> bool:
        return self._stops > 0 or (
            self._exit_on_complete and len(self._completed) == len(self.roster.places)
        )

    def _turn(self) -> None:
        self._bell.wait(LOOK)
        while self._signals:
            self._heed(self._signals.pop(0))
        self._reap()
        self._kill_overdue()
        self._fill()

    def _heed(self, number: int) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._stops += 1
            self._stopped_at = self._stopped_at or clock.monotonic()
            self._tell_all(signal.SIGTERM)
        elif number in (signal.SIGTSTP, signal.SIGUSR1):
            self._tell_all(signal.SIGTSTP)

    def _tell_all(self, number: signal.Signals) -> None:
        for place in self.roster.manned:
            self._tell(place.pid, number)

    def _tell(self, pid: int, number: signal.Signals) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return

    # Filling places

    def _fill(self) -> None:
        if self._stops:
            return
        if self._keeper.empty and self._keeper.fill_at <= clock.monotonic():
            self._keeper.filled(fork_child(self._be_keeper))
        for place in self.roster.to_fill():
            if place.index not in self._completed:
                self._start(place)

    def _start(self, place: Place) -> None:
        for index in place.entries:
            self.slate.entry(index).wipe()
        self._lifecycle.run("before_fork", lambda _: None, self)
        place.filled(fork_child(lambda: self._be_worker(place)))
        emit("child_started", pid=place.pid, place=place.index)

    def _be_keeper(self) -> int:
        self._become_child()
        queues = {
            index: place.wanted.queues for place in self.roster.places for index in place.entries
        }
        fleet = Fleet(
            self._home(), self._lifecycle, self.settings, self.slate, self._deaths, queues
        )
        return fleet.keep(self._pid)

    def _be_worker(self, place: Place) -> int:
        self._become_child()
        entries = [self.slate.entry(index) for index in place.entries]
        size, threads = self._lanes.concurrency, self._lanes.threads
        workers = [
            self._make_worker(place.wanted, entries[n * size : (n + 1) * size], _name(n, threads))
            for n in range(threads)
        ]
        self._lifecycle.run("after_fork", lambda _: None, workers[0])
        _work_together(workers)
        return 0

    def _become_child(self) -> None:
        """Own process group: Ctrl-C in a terminal is the supervisor's to handle."""
        os.setpgid(0, 0)
        die_with_parent(self._pid)

    # Watching

    def _reap(self) -> None:
        for place in self.roster.manned:
            ended = reap(place.pid)
            if ended is not None:
                self._bury(place, ended)
        if not self._keeper.empty and (ended := reap(self._keeper.pid)) is not None:
            emit("keeper_ended", pid=ended.pid, how=str(ended))
            self._keeper.emptied(bad=True)

    def _bury(self, place: Place, ended: Ended) -> None:
        lines = [self._line(index) for index in place.entries]
        bad = bool(ended.signal or ended.status) or any(line.job_id for line in lines)
        self._report(lines, ended, f"{place.killed_for}{ended}")
        for index in place.entries:
            self.slate.entry(index).wipe()
        place.emptied(bad=bad)
        if bad:
            emit("child_died", pid=ended.pid, place=place.index, how=str(ended))
        elif self._exit_on_complete:
            self._completed.add(place.index)

    def _report(self, lines: list[Running], ended: Ended, how: str) -> None:
        """One message for each worker of the process, with all that it was running."""
        workers: dict[int, list[Lease]] = {}
        for line in lines:
            if line.worker_id:
                running = [(line.job_id, line.lease)] if line.job_id else []
                workers.setdefault(line.worker_id, []).extend(running)
        for worker_id, jobs in workers.items():
            self._deaths.tell(Death(worker_id, ended.pid, jobs, how))

    def _kill_overdue(self) -> None:
        """A job that ignores its timeout, and a worker that does not stop, end by SIGKILL."""
        now = clock.monotonic()
        too_late = self.settings.grace_time + LAST_GRACE
        for place in self.roster.manned:
            limit = min(
                (line.limit for line in map(self._line, place.entries) if line.job_id), default=0.0
            )
            if limit and now > limit + self.settings.kill_after:
                self._kill(place, "timed out, ignored its timeout and was killed; ")
            elif self._stops and now > self._stopped_at + too_late:
                self._kill(place, "did not stop in time and was killed; ")

    def _line(self, index: int) -> Running:
        return self.slate.entry(index).read()

    def _kill(self, place: Place, why: str) -> None:
        """With its process group, so that programs started by the job end too."""
        if place.killed_for:
            return
        place.killed_for = why
        emit("child_killed", pid=place.pid, place=place.index, why=why)
        try:
            os.killpg(place.pid, signal.SIGKILL)
        except ProcessLookupError:
            self._tell(place.pid, signal.SIGKILL)

    def _end_keeper(self) -> None:
        """Last, so that the deaths of the workers are still reported."""
        if self._keeper.empty:
            return
        self._tell(self._keeper.pid, signal.SIGTERM)
        deadline = clock.monotonic() + LAST_GRACE
        while reap(self._keeper.pid) is None:
            if clock.monotonic() > deadline:
                self._tell(self._keeper.pid, signal.SIGKILL)
            self._bell.wait(0.05)


def _name(thread: int, threads: int) -> str | None:
    """Workers that share a process are told apart by their thread."""
    return None if threads == 1 else f"host:{host_name()} pid:{os.getpid()} thread:{thread}"


def _work_together(workers: list[Startable]) -> None:
    """One worker in this thread, or several in threads with the signals handled here."""
    if len(workers) == 1:
        workers[0].start()
        return
    bell = Bell()

    def stop(*_: Any) -> None:
        for worker in workers:
            worker.requests.stop()

    def quiet(*_: Any) -> None:
        for worker in workers:
            worker.requests.be_quiet()

    threads = [
        threading.Thread(target=worker.start, name=f"bide-worker-{i}")
        for i, worker in enumerate(workers)
    ]
    with handled({signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGTSTP: quiet}):
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            bell.wait(0.2)
