"""What one process counts: a line in memory per minute, queue and job name, written now and then."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import inf
from operator import sub
from typing import Any, Final, NamedTuple

from bide import clock
from bide.errors import NotMigrated, WorkerTimeout
from bide.events import emit
from bide.jobs.handle import Job
from bide.jobs.statistics import ALL_TIME, BOUNDS, MINUTE, Statistic
from bide.jobs.store import Counting, Rescued

#: Seconds between reports.
INTERVAL: Final = 5.0
#: An attempt that ran longer counts in the minute of its end, a shorter one in that of its start.
SHORT: Final = 1.0
#: Queues and names of one minute that are counted apart; what comes on top counts under OTHERS.
MOST: Final = 200
OTHERS: Final = "(others)"
#: How long a minute is remembered here; the store adds up older ones twice as late.
REMEMBERED: Final = timedelta(minutes=30)

#: Places in a line, in the order of the fields of Statistic; each histogram has BUCKETS places.
SUCCEEDED, FAILED_ATTEMPTS, _TIMED_OUT, _CRASHED, _FAILED = range(5)
_RUN, _RUN_LONGEST, _WAIT, _WAIT_LONGEST = range(5, 9)
_BUCKETS: Final = len(BOUNDS) + 1
_RUN_BUCKET: Final = 9
_WAIT_BUCKET: Final = 9 + _BUCKETS

#: A minute (how many since 1970), a queue, a name.
Key = tuple[int, str, str]
#: Queue, name, due time, start and end (both monotonic) of an attempt.
_Ended = tuple[str, str, datetime, float, float]
_FACTS: Final = 5
#: When a job is due that is not said to be: later than any attempt, so that it has not waited.
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
#: So many facts of ended attempts are added up together at the latest.
TOGETHER: Final = 500 * _FACTS


class Tally:
    """Counts that only grow. One thread counts and another one writes what it sees.

    What is written stands in place of what was written before: a report that was lost or torn is made
    good by the next.
    """

    def __init__(self, store: Counting) -> None:
        self._store = store
        self._lines: dict[Key, list[Any]] = {}
        self._written: dict[Key, tuple[Any, ...]] = {}
        #: The facts of one attempt behind those of another: a tuple each would keep the collector busy.
        self._ended: list[Any] = []
        #: What the wall clock (seconds since 1970) is ahead of the monotonic one, and until when that is
        #: believed.
        self._clocks, self._clocks_until = 0.0, -inf
        self._adding = threading.Lock()
        self._off = False

    @cached_property
    def writer(self) -> int:
        """The number that no other process writes under, drawn at the first report."""
        return int.from_bytes(os.urandom(8)) >> 2 | 1

    def ended(self, job: Job, began: float, now: float) -> None:
        """An attempt succeeded that ran between these monotonic moments; added up with others later."""
        ended = self._ended
        if now > self._clocks_until or len(ended) >= TOGETHER:
            self._add_up()
            self._clocks, self._clocks_until = clock.utc_now().timestamp() - now, now + SHORT
        ended += (job.queue, job.name, job.run_at or _NEVER, began, now)

    def failed(
        self, job: Job, due: datetime | None, began: float, now: float, error: BaseException
    ) -> None:
        """An attempt failed that was due at a moment; its outcome is known, and `job` due again."""
        clocks = clock.utc_now().timestamp() - now
        one = (job.queue, job.name, due or _NEVER, began, now)
        with self._adding:
            line = self._attempts(_key(one, clocks), _Moments.of([one]), clocks, FAILED_ATTEMPTS)
            line[_TIMED_OUT] += isinstance(error, WorkerTimeout)
            line[_FAILED] += job.state == "failed"

    def crashed(self, rescued: Rescued) -> None:
        """A worker died at it."""
        minute = int(clock.utc_now().timestamp() // 60)
        with self._adding:
            line = self._line((minute, rescued.queue, rescued.name))
            line[FAILED_ATTEMPTS] += 1
            line[_CRASHED] += 1
            line[_FAILED] += rescued.failed

    def report(self) -> None:
        """Write what has changed; raises what the store raises, then nothing is lost."""
        self._add_up()
        with self._adding:
            seen = {key: tuple(line) for key, line in self._lines.items()}
        changed = {key: line for key, line in seen.items() if self._written.get(key) != line}
        if changed and not self._off:
            try:
                self._store.write(self.writer, [_row(*one) for one in changed.items()])
            except NotMigrated as error:
                emit("statistics_off", error=error)
                self._off = True
        self._written |= changed
        self._forget(clock.utc_now() - REMEMBERED)

    def _add_up(self) -> None:
        """Count the attempts that have ended since the last time, those of one line together."""
        with self._adding:
            # Another thread may add behind what is copied here.
            ended = self._ended[:]
            del self._ended[: len(ended)]
            self._clocks_until = -inf
            for key, moments in _by_line(ended, self._clocks):
                self._attempts(key, moments, self._clocks, SUCCEEDED)

    def _attempts(self, key: Key, moments: _Moments, clocks: float, how: int) -> list[Any]:
        """Count attempts that ended in the same way; their line."""
        line = self._line(key)
        dues, begans, nows = moments
        line[how] += len(nows)
        _measure(line, [*map(sub, nows, begans)], _RUN, _RUN_BUCKET)
        _measure(line, _waits(dues, begans, clocks), _WAIT, _WAIT_BUCKET)
        return line

    def _line(self, key: Key) -> list[Any]:
        line = self._lines.get(key)
        if line is None and sum(minute == key[0] for minute, _, _ in self._lines) >= MOST:
            key = (key[0], OTHERS, OTHERS)
            line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = [0] * 5 + [0.0] * 4 + [0] * (2 * _BUCKETS)
        return line

    def _forget(self, before: datetime) -> None:
        minute = before.timestamp() // 60
        with self._adding:
            for key in [key for key in self._lines if key[0] < minute]:
                del self._lines[key]
                self._written.pop(key, None)


class _Moments(NamedTuple):
    """Of attempts that are counted together, one of each: due, began, ended."""

    dues: Sequence[datetime]
    begans: Sequence[float]
    nows: Sequence[float]

    @classmethod
    def of(cls, ended: list[_Ended]) -> _Moments:
        """At least one attempt."""
        return cls._make([*zip(*ended, strict=True)][2:])


def _by_line(facts: list[Any], clocks: float) -> Iterable[tuple[Key, _Moments]]:
    """Attempts by their lines; most often all are of one job and one minute."""
    if not facts:
        return []
    queues, names, dues, begans, nows = (facts[fact::_FACTS] for fact in range(_FACTS))
    minute = (clocks + min(begans)) // 60
    if _are_one(queues) and _are_one(names) and minute == (clocks + max(nows)) // 60:
        return [((int(minute), queues[0], names[0]), _Moments(dues, begans, nows))]
    lines: dict[Key, list[_Ended]] = {}
    for one in zip(queues, names, dues, begans, nows, strict=True):
        lines.setdefault(_key(one, clocks), []).append(one)
    return [(key, _Moments.of(each)) for key, each in lines.items()]


def _are_one(texts: list[str]) -> bool:
    return texts.count(texts[0]) == len(texts)


def _key(one: _Ended, clocks: float) -> Key:
    queue, name, _, began, now = one
    return int((clocks + (now if now - began > SHORT else began)) // 60), queue, name


def _waits(dues: Sequence[datetime], begans: Sequence[float], clocks: float) -> list[float]:
    """How many seconds each attempt began after it was due; jobs that were stored together are due together."""
    first = dues[0]
    if first is dues[-1] and dues.count(first) == len(dues):
        ahead = clocks - first.timestamp()
        waits = [began + ahead for began in begans]
    else:
        stamps = map(datetime.timestamp, dues)
        waits = [clocks + began - due for began, due in zip(begans, stamps, strict=True)]
    return waits if min(waits) >= 0 else [max(0.0, wait) for wait in waits]


def _measure(line: list[Any], values: list[float], sums: int, buckets: int) -> None:
    """Add seconds to a sum, its longest and its histogram. Short jobs mostly fall into one bucket."""
    longest = max(values)
    line[sums] += sum(values)
    line[sums + 1] = max(line[sums + 1], longest)
    place = bisect_left(BOUNDS, longest)
    if place == bisect_left(BOUNDS, min(values)):
        line[buckets + place] += len(values)
        return
    values.sort()
    below = 0
    for place, bound in enumerate((*BOUNDS, inf)):
        up_to = bisect_right(values, bound, below)
        line[buckets + place] += up_to - below
        if up_to == len(values):
            return
        below = up_to


def _row(key: Key, line: tuple[Any, ...]) -> Statistic:
    run, wait = line[_RUN_BUCKET:_WAIT_BUCKET], line[_WAIT_BUCKET:]
    minute = ALL_TIME + key[0] * MINUTE
    return Statistic._make((minute, *key[1:], *line[:_RUN_BUCKET], run, wait))
