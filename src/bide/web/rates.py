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

    def begin(self, key: str) -> float:
        """Seconds until the next try; 0: now, and it counts as a failure until it is known for none, so
        that tries at the same time are no more than others."""
        with self._lock:
            recent, now = self._recent(key), clock.monotonic()
            if len(recent) >= self._tries:
                return max(0.001, recent[0] + self._seconds - now)
            if key not in self._failures and len(self._failures) >= _MOST_KEYS:
                self._failures.pop(next(iter(self._failures)))
            self._failures.setdefault(key, deque(maxlen=self._tries)).append(now)
            return 0.0

    def forgive(self, key: str) -> None:
        """Take back the latest failure of a key."""
        with self._lock:
            if failures := self._failures.get(key):
                failures.pop()

    def succeed(self, key: str) -> None:
        """Forget the failures of a key."""
        with self._lock:
            self._failures.pop(key, None)

    def _recent(self, key: str) -> deque[float]:
        failures = self._failures.get(key, deque())
        while failures and failures[0] <= clock.monotonic() - self._seconds:
            failures.popleft()
        return failures
