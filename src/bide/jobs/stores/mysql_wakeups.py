"""Waiting for jobs in MySQL, which can wake nobody: a look from time to time, seldom when idle."""

from __future__ import annotations

import math
import selectors
from collections.abc import Sequence
from typing import Final

from bide import clock
from bide.errors import DatabaseError
from bide.jobs.stores.mysql_claims import Claims

#: Seconds between two looks: right after work, when long idle, and for a server that answers slowly.
_SHORTEST: Final = 0.02
_LONGEST: Final = 0.25
_SLOWEST: Final = 1.0
#: Between the first two lies the idle time divided by this.
_CALM: Final = 50.0
#: The share of the time that looking may take.
_SHARE: Final = 0.01

#: What was seen ready: queue, priority, place and id of a first job; a due one by its id alone.
_Seen = tuple[object, ...]


class MySQLWakeups:
    """One waiter. It looks for what the process has claimed lately; anything, when nothing yet."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._seen: set[_Seen] = set()
        self._woken = True
        self._idle_since = 0.0
        self._took = 0.0
        self._looked_at = -math.inf

    def wait(self, seconds: float, also: Sequence[int] = ()) -> bool:
        """True: jobs are ready or due that were not at the last look."""
        start = clock.monotonic()
        # Who sleeps in short pieces looks no more often for it.
        just_looked = not self._woken and start - self._looked_at < _SHORTEST
        if self._woken:
            self._woken, self._idle_since = False, start
        with selectors.DefaultSelector() as selector:
            for descriptor in set(also):
                selector.register(descriptor, selectors.EVENT_READ)
            while True:
                if not just_looked and self._something_new():
                    self._woken = True
                    return True
                just_looked = False
                left = start + seconds - clock.monotonic()
                if left <= 0 or selector.select(max(0.0, min(left, self._pause()))):
                    return False

    def close(self) -> None:
        """Nothing to give back."""

    def _something_new(self) -> bool:
        start = clock.monotonic()
        try:
            seen = self._look()
        except DatabaseError:
            self._took = _SLOWEST
            return False
        self._looked_at = clock.monotonic()
        self._took = self._looked_at - start
        new = not seen <= self._seen
        self._seen = seen
        return new

    def _look(self) -> set[_Seen]:
        seen: set[_Seen] = set()
        for look in self._claims.glance(clock.utc_now()):
            seen.update(look.levels)
            if look.due is not None:
                seen.add(("due", look.due))
        return seen

    def _pause(self) -> float:
        idle = (clock.monotonic() - self._idle_since) / _CALM
        calm = min(max(_SHORTEST, idle), _LONGEST)
        return max(calm, min(self._took / _SHARE, _SLOWEST))
