"""Things done every so often, each for itself: one that fails is reported once and tried again."""

from __future__ import annotations

from collections.abc import Callable

from bide import clock
from bide.events import emit

#: Seconds until what failed is tried again, if it would not be sooner; until an action goes on with the rest.
RETRY = 1.0
REST = 0.1


class Duty:
    """One action with its interval in seconds; True from it means that it left a rest for very soon."""

    def __init__(self, action: Callable[[], bool | None], interval: float) -> None:
        self._action, self._interval = action, interval
        self.due = clock.monotonic() + clock.jitter(min(interval, 1.0))
        self._said = False

    def do(self) -> None:
        """Act if it is time."""
        now = clock.monotonic()
        if now < self.due:
            return
        self.due = now + self._interval
        try:
            more = self._action()
        except Exception as error:  # noqa: BLE001 - a broken duty must not end the others
            self._failed(error)
        else:
            self._said = False
            if more:
                self.due = min(self.due, clock.monotonic() + REST)

    def _failed(self, error: Exception) -> None:
        self.due = min(self.due, clock.monotonic() + RETRY)
        if not self._said:
            self._said = True
            emit("keeper_failed", duty=self._action.__name__.strip("_"), error=error)


def pause(duties: list[Duty]) -> float:
    """Seconds until the next one is due."""
    return max(0.0, min(duty.due for duty in duties) - clock.monotonic())
