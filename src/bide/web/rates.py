"""How often somebody may try to log in."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from bide import clock

_MOST_KEYS: Final = 10_000


class Rate:
    """At most `tries` failures of one key in `seconds`; then it waits until the first is that old."""

    def __init__(self, tries: int, seconds: float) -> None:
        self._tries, self._seconds = tries, seconds
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Seconds until the next try; 0: now."""
        with self._lock:
            recent = self._recent(key)
            if len(recent) < self._tries:
                return 0.0
            return max(0.0, recent[0] + self._seconds - clock.monotonic())

    def fail(self, key: str) -> None:
        """Count a failure."""
        with self._lock:
            if key not in self._failures and len(self._failures) >= _MOST_KEYS:
                self._failures.pop(next(iter(self._failures)))
            self._failures.setdefault(key, deque(maxlen=self._tries)).append(clock.monotonic())

    def succeed(self, key: str) -> None:
        """Forget the failures of a key."""
        with self._lock:
            self._failures.pop(key, None)

    def _recent(self, key: str) -> deque[float]:
        failures = self._failures.get(key, deque())
        while failures and failures[0] <= clock.monotonic() - self._seconds:
            failures.popleft()
        return failures
