"""Workers in threads of a program that does something else: a small site without a worker of its own."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable
from typing import Protocol

from bide.events import emit
from bide.workers.processes import host_name
from bide.workers.reloaders import only_watches
from bide.workers.roster import Lanes
from bide.workers.signals import Requests


class Startable(Protocol):
    """A worker as a thread runs it."""

    requests: Requests

    def start(self) -> None: ...


class Background:
    """Threads that work until `stop`, or until the program ends: then they finish what they run.

    Threads do not cross a fork. With `in_children` every process that is forked later starts its own,
    which is what a server with preloading needs; without it a child runs no jobs until it asks again.
    """

    def __init__(
        self,
        make: Callable[[str], Startable],
        threads: int,
        *,
        in_children: bool,
        grace_time: float,
    ) -> None:
        self._make, self._grace_time = make, grace_time
        self._number = Lanes(threads).threads
        self._pid = 0
        self._workers: list[Startable] = []
        self._threads: list[threading.Thread] = []
        atexit.register(self.stop)
        if in_children:
            os.register_at_fork(after_in_child=self._start_in_child)

    @property
    def running(self) -> bool:
        """Whether threads of this process work."""
        return self._pid == os.getpid() and any(thread.is_alive() for thread in self._threads)

    def start(self) -> Background:
        """Begin in this process; again is harmless, and nothing begins where a reloader only watches."""
        if self.running:
            return self
        if only_watches(sys.argv, os.environ):
            emit("background_not_here", pid=os.getpid())
            return self
        self._pid = os.getpid()
        names = [f"host:{host_name()} pid:{self._pid} thread:{n}" for n in range(self._number)]
        self._workers = [self._make(name) for name in names]
        self._threads = [
            threading.Thread(
                target=_run, args=(worker,), name=f"bide-background-{index}", daemon=True
            )
            for index, worker in enumerate(self._workers)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Let the running jobs end, for the grace time; then they are given back."""
        if not self.running:
            return
        for worker in self._workers:
            worker.requests.stop()
        for thread in self._threads:
            thread.join(self._grace_time + 5)

    def _start_in_child(self) -> None:
        if self._pid:
            self.start()


def _run(worker: Startable) -> None:
    try:
        worker.start()
    except Exception as error:  # noqa: BLE001 - the program around it goes on
        emit("background_failed", error=error)
