"""Going on when the database is away: one log line, jittered back-off, for as long as it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bide import clock
from bide.errors import DatabaseError, NotMigrated, WorkerStop
from bide.events import emit
from bide.workers.signals import Requests

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0


class Insistence:
    """Repeats what the database refused, whatever the reason, until the worker must end."""

    def __init__(self, requests: Requests, grace_time: float, *, kept: bool = False) -> None:
        """`kept`: the keeper of a fleet says for all its workers that there are no tables."""
        self._requests, self._grace_time, self._kept = requests, grace_time, kept
        self.lost = self._said = False

    def on(self, action: Callable[[], T], *, idle: bool = False, migrated: bool = False) -> T:
        """What `action` returns, as soon as the database lets it.

        Raises WorkerStop when the worker shall stop: an `idle` one, which has nothing to report, at
        once, another at the second request or at the end of its grace time. Raises NotMigrated when
        there are no tables, if it must be `migrated` already.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                result = action()
            except DatabaseError as error:
                if migrated and isinstance(error, NotMigrated):
                    raise
                self._say_lost(error)
            else:
                self._say_back()
                return result
            if self._must_end(idle=idle):
                raise WorkerStop
            self._requests.loop_bell.wait(clock.jitter(min(pause, self._grace_left()), 0.5))
            pause = min(pause * 2, LONGEST_PAUSE)

    def _must_end(self, *, idle: bool) -> bool:
        requests = self._requests
        return requests.stopping and (idle or requests.stops > 1 or self._grace_left() <= 0)

    def _grace_left(self) -> float:
        if not self._requests.stopping:
            return LONGEST_PAUSE
        return max(0.0, self._requests.stopped_at + self._grace_time - clock.monotonic())

    def _say_lost(self, error: Exception) -> None:
        self.lost = True
        if not (self._said or (self._kept and isinstance(error, NotMigrated))):
            self._said = True
            emit("database_lost", error=error)

    def _say_back(self) -> None:
        self.lost = False
        if self._said:
            self._said = False
            emit("database_back")
