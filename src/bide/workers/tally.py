"""What one process counts: a line in memory per minute, queue and job name, written now and then."""

from __future__ import annotations

import os
from bisect import bisect_left
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from bide import clock
from bide.errors import NotMigrated, WorkerTimeout
from bide.events import emit
from bide.jobs.handle import Job
from bide.jobs.statistics import ALL_TIME, BOUNDS, MINUTE, Statistic, start_of
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

Key = tuple[datetime, str, str]


class Tally:
    """Counts that only grow, so that one thread may count while another writes what it sees.

    What is written stands in place of what was written before: a report that was lost or torn is made
    good by the next. Only one thread counts.
    """

    def __init__(self, store: Counting) -> None:
        self._store = store
        self._lines: dict[Key, list[Any]] = {}
        self._written: dict[Key, tuple[Any, ...]] = {}
        self._since = self._until = ALL_TIME
        self._apart = 0
        self._off = False

    @cached_property
    def writer(self) -> int:
        """The number that no other process writes under, drawn at the first report."""
        return int.from_bytes(os.urandom(8)) >> 2 | 1

    def ended(
        self, job: Job, started_at: datetime, seconds: float, how: int = SUCCEEDED
    ) -> list[Any]:
        """An attempt that began at `started_at` ran so long, and ended thus; its line."""
        if seconds > SHORT:
            self._turn(clock.utc_now())
        elif not self._since <= started_at < self._until:
            self._turn(started_at)
        key = (self._since, job.queue, job.name)
        line = self._lines.get(key) or self._line(key)
        line[how] += 1
        line[_RUN] += seconds
        if seconds > line[_RUN_LONGEST]:
            line[_RUN_LONGEST] = seconds
        line[_RUN_BUCKET + bisect_left(BOUNDS, seconds)] += 1
        due = job.run_at
        waited = (started_at - due).total_seconds() if due is not None and due < started_at else 0.0
        line[_WAIT] += waited
        if waited > line[_WAIT_LONGEST]:
            line[_WAIT_LONGEST] = waited
        line[_WAIT_BUCKET + bisect_left(BOUNDS, waited)] += 1
        return line

    def failed(self, job: Job, started_at: datetime, seconds: float, error: BaseException) -> None:
        """An attempt failed; its outcome is known."""
        line = self.ended(job, started_at, seconds, FAILED_ATTEMPTS)
        line[_TIMED_OUT] += isinstance(error, WorkerTimeout)
        line[_FAILED] += job.state == "failed"

    def crashed(self, rescued: Rescued) -> None:
        """A worker died at it."""
        self._turn(clock.utc_now())
        line = self._line((self._since, rescued.queue, rescued.name))
        line[FAILED_ATTEMPTS] += 1
        line[_CRASHED] += 1
        line[_FAILED] += rescued.failed

    def report(self) -> None:
        """Write what has changed; raises what the store raises, then nothing is lost."""
        seen = {key: tuple(line) for key, line in list(self._lines.items())}
        changed = {key: line for key, line in seen.items() if self._written.get(key) != line}
        if changed and not self._off:
            try:
                self._store.write(self.writer, [_row(*one) for one in changed.items()])
            except NotMigrated as error:
                emit("statistics_off", error=error)
                self._off = True
        self._written |= changed
        self._forget(clock.utc_now() - REMEMBERED)

    def _turn(self, moment: datetime) -> None:
        """Count in the minute of `moment` from now on."""
        self._since = since = start_of(moment, MINUTE)
        self._until = since + MINUTE
        self._apart = sum(1 for minute, _, _ in list(self._lines) if minute == since)

    def _line(self, key: Key) -> list[Any]:
        if key not in self._lines and self._apart >= MOST:
            key = (key[0], OTHERS, OTHERS)
        line = self._lines.get(key)
        if line is None:
            self._apart += 1
            line = self._lines[key] = [0] * 5 + [0.0] * 4 + [0] * (2 * _BUCKETS)
        return line

    def _forget(self, before: datetime) -> None:
        for key in [key for key in list(self._lines) if key[0] < before]:
            del self._lines[key]
            self._written.pop(key, None)


def _row(key: Key, line: tuple[Any, ...]) -> Statistic:
    run, wait = line[_RUN_BUCKET:_WAIT_BUCKET], line[_WAIT_BUCKET:]
    return Statistic._make((*key, *line[:_RUN_BUCKET], run, wait))
