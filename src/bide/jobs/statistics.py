"""What is counted per minute, queue and job name: a row, how rows add up, what can be asked of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

#: Upper bounds, in seconds, of the buckets of both histograms; one more bucket holds what is longer.
BOUNDS: Final = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0, 300.0, 1800.0, 7200.0)
#: An empty histogram.
EMPTY: Final = (0,) * (len(BOUNDS) + 1)
#: The minute of rows that stand for all time.
ALL_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: What rows can be told apart by.
DIMENSIONS: Final = ("queue", "name")
MINUTE: Final = timedelta(minutes=1)


class Statistic(NamedTuple):
    """What became of the attempts that ended in one minute, of one job name in one queue.

    `failed_attempts` counts those that timed out (`timed_out`) or killed their worker (`crashed`) too,
    and the last ones; `failed` counts jobs that ended failed. Run time is from start to end of an
    attempt, waiting time from the moment a job was due to the start of the attempt; of both the sum,
    the longest, and a histogram whose buckets are bounded by BOUNDS (each counted once, not cumulative).
    Attempts that crashed have neither time.
    """

    minute: datetime
    queue: str
    name: str
    succeeded: int = 0
    failed_attempts: int = 0
    timed_out: int = 0
    crashed: int = 0
    failed: int = 0
    run_seconds: float = 0.0
    run_longest: float = 0.0
    wait_seconds: float = 0.0
    wait_longest: float = 0.0
    run_buckets: tuple[int, ...] = EMPTY
    wait_buckets: tuple[int, ...] = EMPTY

    @property
    def attempts(self) -> int:
        """All attempts that ended."""
        return self.succeeded + self.failed_attempts

    @property
    def run_average(self) -> float | None:
        """Seconds; None when nothing ran."""
        return _average(self.run_seconds, self.run_buckets)

    @property
    def wait_average(self) -> float | None:
        """Seconds; None when nothing ran."""
        return _average(self.wait_seconds, self.wait_buckets)

    def run_percentile(self, share: float) -> float | None:
        """About how many seconds `share` (0 to 1) of the attempts ran at most; None when nothing ran."""
        return _percentile(self.run_buckets, self.run_longest, share)

    def wait_percentile(self, share: float) -> float | None:
        """About how many seconds `share` (0 to 1) of the attempts waited at most."""
        return _percentile(self.wait_buckets, self.wait_longest, share)

    def plus(self, other: Statistic) -> Statistic:
        """Both together, under the minute, queue and name of this one."""
        counts = (mine + theirs for mine, theirs in zip(self[3:8], other[3:8], strict=True))
        times = (
            self.run_seconds + other.run_seconds,
            max(self.run_longest, other.run_longest),
            self.wait_seconds + other.wait_seconds,
            max(self.wait_longest, other.wait_longest),
        )
        run = _sums(self.run_buckets, other.run_buckets)
        wait = _sums(self.wait_buckets, other.wait_buckets)
        return Statistic._make((*self[:3], *counts, *times, run, wait))


def added_up(rows: Iterable[Statistic]) -> list[Statistic]:
    """One row per minute, queue and name, in that order."""
    found: dict[tuple[datetime, str, str], Statistic] = {}
    for row in rows:
        key = row[:3]
        found[key] = found[key].plus(row) if key in found else row
    return [found[key] for key in sorted(found)]


def grouped(
    rows: Iterable[Statistic], step: timedelta | None, by: Collection[str]
) -> list[Statistic]:
    """Added up over steps of time (None: over all of it) and whatever is not in `by`."""
    queue, name = ("queue" in by), ("name" in by)
    return added_up(
        row._replace(
            minute=ALL_TIME if step is None else start_of(row.minute, step),
            queue=row.queue if queue else "",
            name=row.name if name else "",
        )
        for row in rows
    )


def start_of(moment: datetime, step: timedelta) -> datetime:
    """The beginning of the step of time that `moment` is in; steps are counted from 1970, in UTC."""
    return moment - (moment - ALL_TIME) % step


def checked(step: timedelta | None, by: Collection[str]) -> None:
    """Raise ValueError for what no reading can answer."""
    if step is not None and step < MINUTE:
        raise ValueError(f"step={step!r} is less than a minute, the shortest that is counted")
    unknown = set(by) - set(DIMENSIONS)
    if isinstance(by, str) or unknown:
        raise ValueError(f"by={by!r} must be some of {DIMENSIONS}, e.g. ('queue',)")


def _average(seconds: float, buckets: tuple[int, ...]) -> float | None:
    count = sum(buckets)
    return seconds / count if count else None


def _percentile(buckets: tuple[int, ...], longest: float, share: float) -> float | None:
    """Within the bucket as if its values lay evenly in it."""
    wanted, below = share * sum(buckets), 0
    if not any(buckets):
        return None
    for place, count in enumerate(buckets):
        if count and below + count >= wanted:
            low = BOUNDS[place - 1] if place else 0.0
            high = min(BOUNDS[place], longest) if place < len(BOUNDS) else longest
            return low + max(high - low, 0.0) * max(wanted - below, 0.0) / count
        below += count
    return longest


def _sums(mine: tuple[int, ...], theirs: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(one + other for one, other in zip(mine, theirs, strict=True))
