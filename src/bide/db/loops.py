"""The loop of a worker, in which something may look at the database that would else need a thread."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, Protocol

from bide.clock import monotonic
from bide.forks.threads import end_ours

#: Seconds between looks while one job follows upon another.
BETWEEN: Final = 0.1
#: Seconds that a look may be late before another thread makes it.
LATE: Final = 0.2


class Question(NamedTuple):
    """A condition that is true when a lookout would see something new; `:name` parameters and their values.

    For a statement that reads by turns: it must mention `turns.n`, their number, to be read at each.
    """

    text: str
    params: Mapping[str, Any]


class Lookout(Protocol):
    """What looks now and then, and when one of its descriptors becomes readable."""

    def look(self) -> float:
        """Do what is due; when there is more to do at the latest, in monotonic seconds. Never raises."""
        ...

    def descriptors(self) -> list[int]: ...

    def questions(self) -> list[Question]:
        """What a statement that waits in the server may ask for it meanwhile."""
        ...


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
        self._asked: Sequence[Question] = ()
        self._unanswered: Callable[[], bool] = bool
        #: Whether the last statement that asked questions of the lookout found one of them true.
        self.told = False

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

    def questions(self) -> list[Question]:
        """What the statement with which the loop waits may ask along."""
        lookout = self.lookout
        return [] if lookout is None else lookout.questions()

    def asked(self, questions: Sequence[Question], unanswered: Callable[[], bool]) -> None:
        """A statement asks them now, as long as it is `unanswered`."""
        self._asked, self._unanswered, self.told = questions, unanswered, False

    def asks(self, question: Question) -> bool:
        """Whether a statement that runs asks just this."""
        return question in self._asked and self._unanswered()


class _Here:
    """Which loop turns in this process; a forked child has none."""

    loop: Loop | None = None
    pid = 0


_here = _Here()


def loop_here() -> Loop | None:
    """The loop that turns in this process, if any does."""
    return _here.loop if _here.pid == os.getpid() else None


def loop_of_this_thread(database: object) -> Loop | None:
    """The loop that turns in this thread, if it does and waits for `database`."""
    loop = loop_here()
    mine = threading.current_thread() is threading.main_thread()
    return loop if mine and loop is not None and loop.database is database else None
