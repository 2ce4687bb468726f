"""Going on when the database is away: one log line, jittered back-off, for as long as it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bide import clock
from bide.errors import DatabaseError, WorkerStop
from bide.events import emit
from bide.workers.signals import Bell

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0


class Insistence:
    """Repeats what the database refused, whatever the reason: an outcome must be recorded.

    `give_up` is asked between tries.
    """

    def __init__(self, bell: Bell, give_up: Callable[[], bool]) -> None:
        self._bell, self._give_up = bell, give_up
        self.lost = False

    def on(self, action: Callable[[], T]) -> T:
        """What `action` returns, as soon as the database lets it; WorkerStop when told to give up."""
        pause = FIRST_PAUSE
        while True:
            try:
                result = action()
            except DatabaseError as error:
                self._say_lost(error)
            else:
                self._say_back()
                return result
            if self._give_up():
                raise WorkerStop
            self._bell.wait(clock.jitter(pause, 0.5))
            pause = min(pause * 2, LONGEST_PAUSE)

    def _say_lost(self, error: Exception) -> None:
        if not self.lost:
            self.lost = True
            emit("database_lost", error=error)

    def _say_back(self) -> None:
        if self.lost:
            self.lost = False
            emit("database_back")
