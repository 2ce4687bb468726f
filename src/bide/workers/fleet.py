"""The keeper process of a fleet: the one that talks to the database for all workers of a supervisor."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from bide import clock
from bide.errors import DatabaseError
from bide.events import emit
from bide.jobs.handle import Home
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.store import Lease, WorkerRef
from bide.workers.duties import Duty, pause
from bide.workers.housekeeping import Housekeeping
from bide.workers.processes import process_started
from bide.workers.settings import Settings
from bide.workers.signals import Bell, handled
from bide.workers.slate import Entry, Running, Slate


class Death(NamedTuple):
    """A worker that ended, as the supervisor saw it: who it was, what it was running, how it ended."""

    worker_id: int
    pid: int
    running: list[Lease]
    how: str


class Deaths:
    """A pipe of deaths from supervisor to keeper; it outlives keepers, so that no death is missed."""

    def __init__(self, ends: tuple[int, int] | None = None) -> None:
        self.reader, self.writer = ends or os.pipe()
        os.set_blocking(self.reader, False)
        self._rest = b""

    def tell(self, death: Death) -> None:
        """From the supervisor."""
        os.write(self.writer, json.dumps(death._asdict()).encode() + b"\n")

    def heard(self) -> list[Death]:
        """To the keeper: those that came in."""
        with suppress(BlockingIOError):
            while data := os.read(self.reader, 65536):
                self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        return [Death(**json.loads(line)) for line in lines]


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
        self._stop = Bell()
        self._stopping = False

    def keep(self, parent: int) -> int:
        """Until told to stop, or until the supervisor (whose process is `parent`) is gone."""
        duties = [
            Duty(self._beat, self._settings.heartbeat_interval),
            Duty(lambda: self._watch(parent), 1.0),
            *self._house.duties(self),
        ]
        with handled({signal.SIGTERM: self._asked_to_stop, signal.SIGINT: self._ignore}):
            while not self._stopping or self._waiting:
                self._wait(0.05 if self._waiting else pause(duties))
                self._waiting += self._deaths.heard()
                self._report()
                for duty in duties:
                    duty.do()
        return 0

    def _wait(self, seconds: float) -> None:
        select.select([self._deaths.reader, self._stop.fileno()], [], [], seconds)
        self._stop.hush()

    def _asked_to_stop(self, *_: Any) -> None:
        self._stopping = True
        self._stop.ring()

    def _ignore(self, *_: Any) -> None:
        """Ctrl-C is the supervisor's to handle."""

    def _watch(self, parent: int) -> None:
        if os.getppid() != parent:
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
            "pid": first.pid,
            "started": process_started(first.pid),
            "queues": list(queues) if queues is not None else None,
            "running": [
                {"id": line.job_id, "name": line.job_name} for line in lines if line.job_id
            ],
            "done": sum(line.done for line in lines),
        }

    def _report(self) -> None:
        """The running job's crash is counted on it alone; the others of its batch go back unharmed."""
        while self._waiting:
            try:
                self._report_one(self._waiting[0])
            except DatabaseError as error:
                emit("database_lost", error=error)
                return
            self._waiting.pop(0)
            if not self._waiting:
                self._waiting += self._deaths.heard()

    def _report_one(self, death: Death) -> None:
        """Several jobs may have been running; which of them did it shows when each runs alone."""
        store, now, settings = self._home.store, clock.utc_now(), self._settings
        ref = WorkerRef(death.worker_id, "")
        for job_id, lease in death.running:
            rescued = store.crashed(
                ref,
                (job_id, lease),
                f"the worker process {death.pid} ended while it ran this job: {death.how}",
                now,
                limits=(settings.max_crashes, settings.max_attempts),
            )
            if rescued is not None:
                self._house.tell(rescued)
        store.retire(ref, now)
