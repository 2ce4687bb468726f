"""Waiting for jobs in MySQL, which can wake nobody: a statement looks, and its answer wakes us.

The statement sleeps on the server, looks for a first job that we have not seen, and sleeps again, for about a
second: this process sleeps meanwhile, and a look inside the server costs a fraction of one from here. It
reads what is not committed yet, so its answer is only a reason to look. Where the driver cannot do that,
or the connection is lost, we look from here, as often as it costs little.

It may ask for others along, which have a place in the same loop: one connection waits for all of them.

One waiter alone looks every 30 ms. Many that have been idle for a while look in turns, by chance: each as
many times more seldom as there are workers, up to four times a second.
"""

from __future__ import annotations

import math
import select
import time
from collections.abc import Sequence
from typing import Final

from bide import clock
from bide.db.engine import Database
from bide.db.lookout import Lookout
from bide.db.loops import loop_of_this_thread
from bide.errors import DatabaseError
from bide.forks.owned import Owned
from bide.jobs.stores.mysql_claims import Claims

#: Seconds between two glimpses: of one waiter, at most, and of a server that answers slowly.
_SHORTEST: Final = 0.03
_LONGEST: Final = 0.25
_SLOWEST: Final = 1.0
#: The shares of the time that glimpses from here may take of this process' core, and of a connection.
_OF_A_CORE: Final = 0.0035
_OF_A_CONNECTION: Final = 0.1
#: Waiters share the glimpses when the idle time divided by this is longer than the pause.
_CALM: Final = 50.0
#: Seconds between two looks (a queue that goes on shows in no glimpse), and until workers are counted again.
_LOOK: Final = 0.25
_COUNT: Final = 10.0
#: Seconds after which a statement that should have ended is given up.
_OVERDUE: Final = 10.0
#: A statement that is answered in less seconds has seen something.
_HASTY: Final = 0.5
#: Where the answer of the statement says whether a question that it asked along is true.
_TOLD: Final = 1
#: Points of which a glimpse is worth it.
_GLIMPSED: Final = 20

#: What was seen ready: queue, priority, place and id of a first job; a due one by its id alone.
_Seen = tuple[object, ...]


class MySQLWakeups:
    """One waiter. It looks for what the process has claimed lately; anything, when nothing yet."""

    def __init__(self, claims: Claims, database: Database) -> None:
        self._claims = claims
        self._database = database
        self._lookout: Owned[Lookout] = Owned(Lookout)
        self._asks_along = False
        self._seen: set[_Seen] = set()
        self._glimpse: set[str] | None = None
        self._woken = True
        self._idle_since = 0.0
        self._took, self._used = 0.0, 0.0
        self._next_at = 0.0
        self._looked_at = self._counted_at = self._sent_at = -math.inf
        self._workers = 1

    def wait(self, seconds: float, also: Sequence[int] = ()) -> bool:
        """True: jobs are ready or due that were not at the last look."""
        end = clock.monotonic() + seconds
        if self._woken:
            self._woken, self._idle_since, self._next_at = False, clock.monotonic(), 0.0
        while True:
            if self._next_look() <= clock.monotonic():
                if self._something_new():
                    self._woken = True
                    return True
                if not self._plan():
                    return False
            left = end - clock.monotonic()
            if left <= 0 or self._interrupted(left, also):
                return False

    def close(self) -> None:
        """Hang up."""
        self._lookout.get().hang_up()

    def _next_look(self) -> float:
        """When to look from here (monotonic); while a statement runs, when it is overdue."""
        overdue = self._lookout.get().until
        return self._next_at if overdue is None else overdue

    def _interrupted(self, seconds: float, also: Sequence[int]) -> bool:
        """Sleep until it is time to look, at most so long; whether a descriptor of `also` ended it, or
        an answer that is for the loop."""
        lookout = self._lookout.get()
        pause = max(0.0, min(seconds, self._next_look() - clock.monotonic()))
        answer = lookout.descriptor()
        poll = select.poll()
        for descriptor in {*also} if answer is None else {*also, answer}:
            poll.register(descriptor, select.POLLIN)
        readable = {descriptor for descriptor, _ in poll.poll(math.ceil(pause * 1000))}
        told = False
        if answer in readable:
            row = lookout.take()
            told = row is not None and bool(row[_TOLD]) and self._told()
            self._next_at = 0.0
        return told or not readable.isdisjoint(also)

    def _told(self) -> bool:
        loop = loop_of_this_thread(self._database)
        if loop is not None:
            loop.told = True
        return loop is not None

    def _something_new(self) -> bool:
        start, used = clock.monotonic(), time.thread_time()
        self._lookout.get().give_up()
        try:
            new = self._glimpsed(start) and self._news()
        except DatabaseError:
            self._took = _SLOWEST
            return False
        self._took, self._used = clock.monotonic() - start, time.thread_time() - used
        return new

    def _glimpsed(self, moment: float) -> bool:
        """Whether a look may show something new."""
        points = self._claims.points()
        if len(points) > _GLIMPSED:
            self._glimpse = None
            return True
        before, self._glimpse = self._glimpse, self._claims.glimpse(points, clock.utc_now())
        if moment - self._looked_at >= _LOOK or before is None:
            return True
        return not self._glimpse <= before

    def _news(self) -> bool:
        self._looked_at = clock.monotonic()
        seen: set[_Seen] = set()
        for look in self._claims.glance(clock.utc_now()):
            seen.update(look.levels)
            if look.due is not None:
                seen.add(("due", look.due))
        new = not seen <= self._seen
        self._seen = seen
        if self._looked_at - self._counted_at >= _COUNT:
            self._counted_at, self._workers = self._looked_at, self._claims.workers()
        return new

    def _plan(self) -> bool:
        """Nothing is new: let the server look, or look from here after a while.

        False: what it asked for the loop is asked no more, and the loop must look itself.
        """
        now = clock.monotonic()
        shared, cost = self._pauses()
        lasted, self._sent_at = now - self._sent_at, now
        # Answered in vain: somebody has stored what is not committed yet.
        pause = max(shared, min(cost, _LONGEST)) if lasted < _HASTY else shared
        at_once = lasted < _SHORTEST / 2
        if at_once or self._took >= _SLOWEST or not self._watch(pause):
            self._next_at = now + max(shared, cost)
            asked, self._asks_along = self._asks_along, False
            return not asked
        return True

    def _watch(self, pause: float) -> bool:
        points = self._claims.points()
        if self._glimpse is None or len(points) > _GLIMPSED:
            return False
        loop = loop_of_this_thread(self._database)
        questions = [] if loop is None else loop.questions()
        now = clock.utc_now()
        statement, params = self._claims.watch(points, self._glimpse, pause, now, questions)
        lookout = self._lookout.get()
        if not lookout.ask(self._database, statement, params, _OVERDUE):
            return False
        if loop is not None:
            loop.asked(questions, lookout.silent)
        self._asks_along = bool(questions)
        return True

    def _pauses(self) -> tuple[float, float]:
        """Seconds between two looks: what a waiter's share is, and what looks from here cost."""
        idle = (clock.monotonic() - self._idle_since) / _CALM
        share = min(_SHORTEST * max(1, self._workers), _LONGEST)
        cost = max(self._used / _OF_A_CORE, self._took / _OF_A_CONNECTION)
        return clock.jitter(min(max(_SHORTEST, idle), share)), min(cost, _SLOWEST)
