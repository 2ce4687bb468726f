"""The loop of a worker, in which something may look at the database that would else need a thread."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from bide.clock import monotonic
from bide.forks.threads import end_ours

#: Seconds between looks while one job follows upon another.
BETWEEN: Final = 0.1
#: Seconds that a look may be late before another thread makes it.
LATE: Final = 0.2


class Lookout(Protocol):
    """What looks now and then, and when one of its descriptors becomes readable."""

    def look(self) -> float:
        """Do what is due; when there is more to do at the latest, in monotonic seconds. Never raises."""
        ...

    def descriptors(self) -> list[int]: ...


class Loop:
    """A loop with room for one lookout: while there is one, at `due` (monotonic seconds), `look`.

    `database` is what the loop waits for anyway: a lookout that waits for another one, which may
    hang while this one answers, needs a thread. `wake` ends the pause of a loop that has nothing
    to do, or its next one.
    """

    def __init__(self, database: object, wake: Callable[[], object]) -> None:
        self.database = database
        self._wake = wake
        self.due = math.inf
        self.lookout: Lookout | None = None
        self._next = math.inf
        self._looking = threading.RLock()

    @contextmanager
    def turning(self) -> Iterator[None]:
        """It runs as long as the body does, if that is in the main thread.

        Threads of ours that can start again end before and after: so lookouts find their place.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        end_ours()
        outer, _here.loop, _here.pid = loop_here(), self, os.getpid()
        try:
            yield
        finally:
            _here.loop = outer
            end_ours()

    def take(self, lookout: Lookout) -> None:
        """Let it look from now on."""
        self.lookout, self._next, self.due = lookout, 0.0, 0.0
        if threading.current_thread() is not threading.main_thread():
            self._wake()

    def let_go(self) -> None:
        """Let nobody look any more; a look that is under way has ended, or takes long."""
        self.lookout, self._next, self.due = None, math.inf, math.inf
        if self._looking.acquire(timeout=2.0):
            self._looking.release()

    def look(self) -> None:
        """Have it look, unless another thread has it do so now: then what it found is seen soon."""
        if not self._looking.acquire(blocking=False):
            self._next = monotonic() + BETWEEN
            return
        try:
            lookout = self.lookout
            self.due = monotonic() + BETWEEN
            self._next = math.inf if lookout is None else lookout.look()
        finally:
            self._looking.release()

    def look_if_late(self) -> None:
        """Have it look, if the loop has not come by for long."""
        if monotonic() > self.due + LATE:
            self.look()

    def pause(self) -> float:
        """Seconds until the next look of a loop that has nothing else to do."""
        return max(0.0, self._next - monotonic())

    def descriptors(self) -> list[int]:
        """What becomes readable when a look is due sooner."""
        lookout = self.lookout
        return [] if lookout is None else lookout.descriptors()


class _Here:
    """Which loop turns in this process; a forked child has none."""

    loop: Loop | None = None
    pid = 0


_here = _Here()


def loop_here() -> Loop | None:
    """The loop that turns in this process, if any does."""
    return _here.loop if _here.pid == os.getpid() else None
