"""The monitor: a process that starts the supervisor again when it dies, and knows nothing else."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from bide import clock
from bide.events import emit
from bide.workers.children import Ended, fork_child, reap
from bide.workers.logfile import LogFile
from bide.workers.signals import Bell, handled

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
#: A supervisor that lived longer than this is started again after the first pause.
LONG = 60.0
LOOK = 1.0


class Monitor:
    """Runs `serve` in a child, again and again until that ends well or this process is told to stop.

    `was_up` says whether the fleet was ever up: one that cannot start at all is not tried again.
    """

    def __init__(
        self, serve: Callable[[], int], was_up: Callable[[], bool], log: LogFile | None = None
    ) -> None:
        self._serve, self._was_up, self._log = serve, was_up, log
        self._bell = Bell()
        self._pid, self._stopping = 0, False

    def run(self, started: Callable[[], None] = lambda: None) -> int:
        """The exit status of the supervisor that ended well, or of the one that could not start.

        `started` is called after the first start.
        """
        pause = FIRST_PAUSE
        passed_on = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2)
        with handled({**dict.fromkeys(passed_on, self._pass_on), signal.SIGCHLD: self._wake}):
            while True:
                began = clock.monotonic()
                self._pid = fork_child(self._serve)
                started()
                ended = self._wait()
                if self._stopping or self._well(ended) or not self._was_up():
                    return ended.status
                pause = FIRST_PAUSE if clock.monotonic() - began > LONG else pause
                emit("supervisor_died", pid=ended.pid, how=str(ended), pause=pause)
                if not self._rest(pause):
                    return 0
                pause = min(pause * 2, LONGEST_PAUSE)

    def _well(self, ended: Ended) -> bool:
        return not ended.signal and not ended.status

    def _wait(self) -> Ended:
        while (ended := reap(self._pid)) is None:
            self._bell.wait(LOOK)
        self._pid = 0
        return ended

    def _rest(self, seconds: float) -> bool:
        """Whether nobody asked to stop meanwhile."""
        until = clock.monotonic() + seconds
        while not self._stopping and (left := until - clock.monotonic()) > 0:
            self._bell.wait(left)
        return not self._stopping

    def _wake(self, *_: Any) -> None:
        self._bell.ring()

    def _pass_on(self, number: int, _frame: Any) -> None:
        """What it is asked goes to the supervisor; a request to stop ends the watch too."""
        if number in (signal.SIGTERM, signal.SIGINT):
            self._stopping = True
        if number == signal.SIGUSR2 and self._log is not None:
            self._log.reopen()
        if self._pid:
            os.kill(self._pid, number)
        self._bell.ring()
