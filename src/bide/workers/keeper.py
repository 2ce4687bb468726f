"""The keeper: says that the worker lives, rescues the jobs of the dead, promotes, prunes, relieves."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

from bide import clock
from bide.errors import BideError, WorkerStop
from bide.events import emit
from bide.jobs.handle import Home, Job
from bide.jobs.job import State, WorkerRow
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.store import Rescued, WorkerRef
from bide.workers.settings import Settings
from bide.workers.signals import Requests

#: Seconds between looks at a running job that others wait behind.
RELIEF_INTERVAL = 0.05
#: Seconds between looks for dead processes on this host and for due jobs.
LOCAL_INTERVAL = 1.0


class Kept(Protocol):
    """What the keeper needs of the worker that it looks after."""

    requests: Requests

    @property
    def ref(self) -> WorkerRef: ...
    def info(self) -> dict[str, Any]: ...
    def relieve(self) -> None: ...
    def waits_behind(self) -> bool: ...
    def interrupt(self, error: BaseException) -> None: ...
    def beaten(self, ref: WorkerRef | None = None) -> None: ...


class Keeper:
    """A thread beside the worker; it owns nothing that the worker waits for."""

    def __init__(self, home: Home, lifecycle: Lifecycle, settings: Settings, worker: Kept) -> None:
        self._home, self._lifecycle, self._settings = home, lifecycle, settings
        self._worker = worker
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bide-keeper", daemon=True)
        self._duties = [
            _Duty(self._worker.relieve, 0.0),
            _Duty(self._beat, settings.heartbeat_interval),
            _Duty(self._rescue_local, LOCAL_INTERVAL),
            _Duty(self._rescue_silent, settings.heartbeat_interval),
            _Duty(self._prune, max(1.0, min(60.0, settings.keep_finished / 10))),
        ]

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End and wait until the thread is gone."""
        self._ended.set()
        self._worker.requests.keeper_bell.ring()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._worker.requests.keeper_bell.wait(self._pause())
            if self._ended.is_set():
                return
            self._stop_in_time()
            for duty in self._duties:
                self._do(duty)

    def _pause(self) -> float:
        if self._worker.waits_behind() or self._worker.requests.stopping:
            return RELIEF_INTERVAL
        return max(0.0, min(duty.due for duty in self._duties[1:]) - clock.monotonic())

    def _stop_in_time(self) -> None:
        """The second request to stop, or the end of the grace time, takes the running job back."""
        requests = self._worker.requests
        if not requests.stopping:
            return
        over = clock.monotonic() - requests.stopped_at >= self._settings.grace_time
        if requests.stops > 1 or over:
            self._worker.interrupt(WorkerStop())

    def _do(self, duty: _Duty) -> None:
        if clock.monotonic() < duty.due:
            return
        duty.due = clock.monotonic() + duty.interval
        try:
            duty.action()
        except BideError as error:
            duty.failed(error)
        except Exception as error:  # noqa: BLE001 - a broken duty must not end the others
            duty.failed(error)
        else:
            duty.said = False

    def _beat(self) -> None:
        """A worker that was given up (suspended, cut off) enters again; its old leases are refused."""
        worker = self._worker
        if self._home.store.heartbeat(worker.ref, worker.info()):
            worker.beaten()
            return
        emit("given_up", worker=worker.ref.name)
        store = self._home.store
        worker.beaten(store.register(worker.ref.name, host_name(), os.getpid(), worker.info()))

    def _rescue_local(self) -> None:
        """Workers of this host whose process is gone need not be waited for."""
        dead = [row for row in self._home.store.workers() if self._is_dead(row)]
        if dead:
            self._rescue(dead=[row.id for row in dead])

    def _is_dead(self, row: WorkerRow) -> bool:
        return row.host == host_name() and row.id != self._worker.ref.id and not process_lives(row)

    def _rescue_silent(self) -> None:
        self._rescue()

    def _rescue(self, dead: list[int] | None = None) -> None:
        settings = self._settings
        silent = settings.heartbeat_interval * settings.missed_heartbeats
        rescued = self._home.store.rescue(
            timedelta(seconds=silent),
            clock.utc_now(),
            max_crashes=settings.max_crashes,
            max_attempts=settings.max_attempts,
            dead=dead or (),
        )
        for one in rescued:
            self._tell(one)

    def _tell(self, rescued: Rescued) -> None:
        emit("rescued", rescued=rescued)
        if "rescue" not in self._lifecycle.used:
            return
        row = self._home.store.get(rescued.id)
        if row is not None:
            self._lifecycle.run("rescue", lambda *_: None, self._worker, Job(self._home, row))

    def _prune(self) -> None:
        if self._settings.keep_finished:
            before = clock.utc_now() - timedelta(seconds=self._settings.keep_finished)
            self._home.store.prune(before, states=(State.SUCCEEDED, State.CANCELLED))


class _Duty:
    """Something done every so often."""

    def __init__(self, action: Callable[[], None], interval: float) -> None:
        self.action, self.interval = action, interval
        self.due = clock.monotonic() + clock.jitter(min(interval, 1.0))
        self.said = False

    def failed(self, error: Exception) -> None:
        if not self.said:
            self.said = True
            emit("keeper_failed", duty=self.action.__name__.strip("_"), error=error)


def host_name() -> str:
    """This host, as workers are registered with it."""
    return os.uname().nodename or "localhost"


def process_started(pid: int) -> str | None:
    """When the process was started, as the system says it; None when that cannot be known."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - a pseudo file
            return stat.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return None


def process_lives(row: WorkerRow) -> bool:
    """Whether the process that registered still runs, and is not another one with its number."""
    try:
        os.kill(row.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    started = process_started(row.pid)
    return started is None or row.info.get("started") in (None, started)
