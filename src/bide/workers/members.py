"""What the children of a supervisor are: its keeper, or one worker, or several workers in threads."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from bide.errors import NotMigrated, SettingsError
from bide.jobs.handle import Home
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.store import Wanted
from bide.workers import titles
from bide.workers.children import MISCONFIGURED, SPENT
from bide.workers.commission import Commission
from bide.workers.deaths import Deaths
from bide.workers.fleet import Fleet
from bide.workers.logfile import LogFile
from bide.workers.parent_death import die_with_parent
from bide.workers.processes import host_name, identity
from bide.workers.roster import Lanes, Place, Roster
from bide.workers.settings import Settings
from bide.workers.signals import Bell, Requests, handled
from bide.workers.slate import Entry, Slate
from bide.workers.timeouts import Deadline

#: Seconds for which a supervisor waits for a database that its workers need, before it forks them.
REHEARSAL = 2.0


class Startable(Protocol):
    """A worker of the fleet."""

    requests: Requests
    recycled: bool

    def start(self) -> None: ...


@runtime_checkable
class Preparable(Protocol):
    """A store that has something to load before the forks."""

    def prepare(self, wanted: Iterable[Wanted]) -> None: ...
    def rehearse(self, wanted: Wanted, within: AbstractContextManager[None]) -> None: ...


class MakeWorker(Protocol):
    """How the application makes the worker of one entry, in the child."""

    def __call__(self, wanted: Wanted, entries: Sequence[Entry], name: str | None) -> Startable: ...


class Members:
    """The mains of a supervisor's children; but for the rehearsal, all that touches a database runs in them."""

    def __init__(
        self,
        home: Callable[[], Home],
        lifecycle: Lifecycle,
        settings: Settings,
        make_worker: MakeWorker,
        lanes: Lanes,
    ) -> None:
        self._home, self._lifecycle, self._settings = home, lifecycle, settings
        self._make_worker, self._lanes = make_worker, lanes
        self.log: LogFile | None = None

    def prepare(self, roster: Roster) -> None:
        """Load in the supervisor what every child needs, so that they share it; no connection is left."""
        identity(os.getpid())
        store = self._home().store
        if not isinstance(store, Preparable):
            return
        store.prepare({place.wanted for place in roster.places})
        deadline = Deadline()
        try:
            store.rehearse(roster.places[0].wanted, deadline.limit(REHEARSAL))
        finally:
            deadline.disarm()

    def serve(self, told: Commission, roster: Roster) -> int:
        """Be what this process was spawned for; places that were added by signal are like the last.

        What no other start would mend ends it with the status of a forked child.
        """
        try:
            return self._be(told, roster)
        except (SettingsError, NotMigrated) as error:
            sys.stderr.write(f"{error}\n")
            return MISCONFIGURED

    def _be(self, told: Commission, roster: Roster) -> int:
        slate = Slate(told.entries, told.slate)
        if told.place is None:
            return self.be_keeper(told.parent, roster, slate, Deaths(told.deaths))
        like = roster.places[min(told.place, len(roster.places) - 1)]
        place = Place(told.place, like.wanted, range(*told.room))
        return self.be_worker(told.parent, place, slate)

    def be_keeper(self, parent: int, roster: Roster, slate: Slate, deaths: Deaths) -> int:
        """Keep the fleet of the supervisor `parent`."""
        self._become("keeper", parent)
        queues = {place.index: place.wanted.queues for place in roster.places}
        return Fleet(
            self._home(), self._lifecycle, self._settings, slate, deaths, queues
        ).keep(parent)  # fmt: skip

    def be_worker(self, parent: int, place: Place, slate: Slate) -> int:
        """Work in a place of the fleet."""
        self._become(f"worker {place.index}", parent)
        entries = [slate.entry(index) for index in place.entries]
        size, threads = self._lanes.concurrency, self._lanes.threads
        workers = [
            self._make_worker(place.wanted, entries[n * size : (n + 1) * size], _name(n, threads))
            for n in range(threads)
        ]
        self._lifecycle.run("after_fork", lambda _: None, workers[0])
        _work_together(workers)
        return SPENT if any(worker.recycled for worker in workers) else 0

    def _become(self, role: str, parent: int) -> None:
        """Own process group: Ctrl-C in a terminal is the supervisor's to handle."""
        os.setpgid(0, 0)
        die_with_parent(parent)
        titles.role(role)
        signal.signal(signal.SIGUSR2, self.log.reopen if self.log else signal.SIG_IGN)


def _name(thread: int, threads: int) -> str | None:
    """Workers that share a process are told apart by their thread."""
    return None if threads == 1 else f"host:{host_name()} pid:{os.getpid()} thread:{thread}"


def _work_together(workers: list[Startable]) -> None:
    """One worker in this thread, or several in threads with the signals handled here."""
    if len(workers) == 1:
        workers[0].start()
    else:
        _Threads(workers).work()


class _Threads:
    """Workers in threads of their own; an error that ends one of them ends all."""

    def __init__(self, workers: list[Startable]) -> None:
        self._workers, self._bell = workers, Bell()
        self._ended_by: list[BaseException] = []

    def work(self) -> None:
        """Until all have stopped; raises what ended the first one."""
        threads = [
            threading.Thread(target=self._start, args=(worker,), name=f"bide-worker-{i}")
            for i, worker in enumerate(self._workers)
        ]
        stop = self._stop
        with handled({signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGTSTP: self._quiet}):
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                self._bell.wait(0.2)
        if self._ended_by:
            raise self._ended_by[0]

    def _start(self, worker: Startable) -> None:
        try:
            worker.start()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that ends the process
            self._ended_by.append(error)
            self._let_end()

    def _let_end(self) -> None:
        """Once: a second request would take the running jobs from the others."""
        for worker in self._workers:
            if not worker.requests.stopping:
                worker.requests.stop()

    def _stop(self, *_: Any) -> None:
        for worker in self._workers:
            worker.requests.stop()

    def _quiet(self, *_: Any) -> None:
        for worker in self._workers:
            worker.requests.be_quiet()
