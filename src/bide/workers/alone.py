"""One worker in the foreground without a supervisor, which SIGHUP makes run the new code."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any, Protocol

from bide.workers.renewal import Renewal
from bide.workers.signals import Bell, Requests, handled

#: Seconds between looks at the trial of new code.
LOOK = 0.05


class Startable(Protocol):
    """A worker."""

    requests: Requests

    def start(self) -> None: ...


class Alone:
    """Works until it is told to stop. At SIGHUP the running job ends first, then the new code is tried
    in a process of its own; this process becomes it, or goes on with the old code when it fails.

    A HUP that comes because the terminal has gone is a request to stop.
    """

    def __init__(self, make_worker: Callable[[], Startable], renewal: Renewal) -> None:
        self._make_worker, self._renewal = make_worker, renewal
        self._terminal = os.isatty(0)
        self._reload_wanted = False

    def run(self) -> None:
        """Returns when the work is over; never when the new code took the process."""
        while self._works_until_reload() and self._works_on_after_trial():
            pass

    def _works_until_reload(self) -> bool:
        worker = self._make_worker()

        def hung_up(*_: Any) -> None:
            self._reload_wanted = not (self._terminal and not os.isatty(0))
            if not worker.requests.stopping:
                worker.requests.stop()

        self._reload_wanted = False
        with handled({signal.SIGHUP: hung_up}):
            worker.start()
        return self._reload_wanted and worker.requests.stops == 1

    def _works_on_after_trial(self) -> bool:
        bell, stops = Bell(), []

        def stop(number: int, _frame: Any) -> None:
            stops.append(number)
            bell.ring()

        def ignore(*_: Any) -> None:
            """The newest code is being tried already."""

        with handled({signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: ignore}):
            self._renewal.begin()
            while self._renewal.pid and not stops:
                if self._renewal.passed():
                    self._renewal.run_again()
                bell.wait(LOOK)
        return not stops
