"""Low-water marks: where in the order of the claim the next claim starts, per queue and priority.

Dead rows at the head of the index cost a claim everything while an old snapshot is held open, so a
claim never looks before its marks (measured: 40 to 100 times as many claims). What stands before a
mark all the same, because it was committed late or its claim was rolled back, is found by hints and
by looks from zero, whose frequency is bounded by their own cost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Final, NamedTuple

from bide.clock import monotonic
from bide.jobs.store import Wanted
from bide.jobs.stores.shelf import covers

#: A queue and a priority.
Level = tuple[str, int]

#: A look may be repeated when it cost at most this many seconds, or when this many times its cost are over.
CHEAP: Final = 0.02
SHARE: Final = 20
#: Seconds after which levels that others have begun to use are looked for even while claims come back full.
LOOK_EVERY: Final = 0.5
#: Seconds after which a level without jobs is forgotten.
REMEMBERED: Final = 60.0
#: Scheduled jobs are looked for this far behind the last promotion: what is committed late, other clocks.
MARGIN: Final = timedelta(seconds=10)
#: How many kinds of workers one process remembers.
INTERESTS: Final = 8

BEGINNING: Final = datetime(1, 1, 2, tzinfo=UTC)


class Mark(NamedTuple):
    """No job of the level before `pos` is believed ready. `touched` grows with every hint."""

    pos: int
    touched: int
    seen_at: float


class Used(NamedTuple):
    """The marks that a claim or a look started from, to be handed back with what it found."""

    marks: dict[Level, Mark]
    newest: int
    due_touched: int


class Marks:
    """The marks of one process. Threads may share it; nothing in it is a promise, only a place to start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._marks: dict[Level, Mark] = {}
        self._newest = self._known = 0
        self._told = False
        self._interests: dict[Wanted, None] = {}
        self._costs = (inf, inf, inf)  # of the last looks: one that was held up does not count
        self._looked_at: float | None = None
        self._due_since = BEGINNING
        self._due_touched = 0

    @property
    def newest(self) -> int:
        """The last place that was given when a claim or look last asked."""
        return self._newest

    @property
    def known(self) -> int:
        """Up to which place everything that became ready is known: by a claim or look, or by hints without
        a gap between them."""
        return self._known

    @property
    def due_since(self) -> datetime:
        """No scheduled job with an earlier run_at is believed to wait."""
        return self._due_since

    def start(self, wanted: Wanted) -> Used:
        """The marks of the levels that `wanted` covers, in the order of priority."""
        with self._lock:
            self._interests.pop(wanted, None)
            self._interests[wanted] = None
            while len(self._interests) > INTERESTS:
                del self._interests[next(iter(self._interests))]
            return self._used(lambda level: covers(wanted, *level))

    def everything(self) -> Used:
        """The marks of the levels that any worker of this process takes."""
        with self._lock:
            return self._used(self._interesting)

    def lower(self, level: Level, pos: int) -> None:
        """A job of `level` became ready at `pos`."""
        with self._lock:
            known = self._marks.get(level)
            if known is None:
                self._marks[level] = Mark(pos, 1, monotonic())
            else:
                self._marks[level] = Mark(min(known.pos, pos), known.touched + 1, monotonic())

    def hear(self, level: Level, pos: int) -> None:
        """Another process tells that a job of `level` became ready at `pos`."""
        self.lower(level, pos)
        with self._lock:
            self._told = True
            if pos == self._known + 1:
                self._known = pos

    def take_told(self) -> bool:
        """Whether a hint was heard since this was asked last."""
        told, self._told = self._told, False
        return told

    def expect(self, run_at: datetime) -> None:
        """A job was scheduled for `run_at`."""
        with self._lock:
            self._due_since = min(self._due_since, run_at)
            self._due_touched += 1

    def interesting(self, level: Level) -> bool:
        """Whether a worker of this process takes `level`; every level before the first claim."""
        with self._lock:
            return self._interesting(level)

    def claimed(
        self, used: Used, lowest: Mapping[Level, int], empty: Collection[Level], newest: int
    ) -> None:
        """Move the marks a claim started from: to the lowest place it took, or past an empty level.

        An empty level moves to where the sequence stood at the claim before, never to where it stands:
        a transaction that has its place already may still have been open.
        """
        with self._lock:
            for level, mark in used.marks.items():
                if self._marks.get(level, mark).touched != mark.touched:
                    continue
                if level in lowest:
                    self._marks[level] = mark._replace(pos=lowest[level], seen_at=monotonic())
                elif level in empty and used.newest > mark.pos:
                    self._marks[level] = mark._replace(pos=used.newest)
            self._renew(newest)

    def promoted(self, used: Used, now: datetime) -> None:
        """Nothing that was due at `now` is left, as far as could be seen."""
        with self._lock:
            if used.due_touched == self._due_touched and now - BEGINNING > MARGIN:
                self._due_since = now - MARGIN

    def distrust(self) -> None:
        """Look from zero before the next claim, whatever it costs."""
        with self._lock:
            self._looked_at = None

    def overdue(self, *, told: bool = False) -> bool:
        """Whether the next claim must look from zero first; one that was just told what to take need not
        unless it is distrusted."""
        if self._looked_at is None or told:
            return self._looked_at is None
        return monotonic() - self._looked_at > max(LOOK_EVERY, SHARE * min(self._costs))

    def cheap(self) -> bool:
        """Whether a look costs so little that the order may be kept over all processes at any moment."""
        return min(self._costs) <= CHEAP

    def may_look(self) -> bool:
        """Whether a look is cheap, or long enough ago for what it costs."""
        cost = min(self._costs)
        if self._looked_at is None or cost <= CHEAP:
            return True
        return monotonic() - self._looked_at > SHARE * cost

    def looked(
        self,
        used: Used,
        found: Iterable[tuple[Level, int]],
        newest: int,
        due: datetime | None,
        cost: float,
    ) -> None:
        """Set every mark to what a look from zero, which took `cost` seconds, has found."""
        now, first = monotonic(), dict(found)
        with self._lock:
            for level in self._marks.keys() | first.keys():
                known, before = self._marks.get(level), used.marks.get(level)
                pos = first.get(level, used.newest)
                if known is None:
                    self._marks[level] = Mark(pos, 0, now)
                elif before is None or known.touched != before.touched:
                    self._marks[level] = known._replace(pos=min(known.pos, pos))
                elif level in first:
                    self._marks[level] = known._replace(pos=pos, seen_at=now)
                elif now - known.seen_at > REMEMBERED:
                    del self._marks[level]
                else:
                    self._marks[level] = known._replace(pos=max(known.pos, pos))
            if due is not None:
                self._due_since = min(self._due_since, due)
            self._renew(newest)
            self._looked_at, self._costs = now, (*self._costs[1:], cost)

    def _renew(self, newest: int) -> None:
        self._newest = max(self._newest, newest)
        self._known = max(self._known, newest)

    def _used(self, which: Callable[[Level], bool]) -> Used:
        chosen = {level: mark for level, mark in self._marks.items() if which(level)}
        ordered = dict(sorted(chosen.items(), key=lambda item: (item[0][1], item[0][0])))
        return Used(ordered, self._newest, self._due_touched)

    def _interesting(self, level: Level) -> bool:
        return not self._interests or any(covers(wanted, *level) for wanted in self._interests)
