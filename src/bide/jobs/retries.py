"""How often a job is tried, when it is tried again, and when to give up (queue.md 5.4). Pure arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

#: Seconds until the next try, from the attempts made so far.
Backoff = Callable[[int], float]

#: Moments beyond it cannot be stored everywhere.
LATEST = datetime(9999, 12, 30, tzinfo=UTC)


def polynomial(attempts: int) -> float:
    """Delayed::Job's: attempts**4 + 5 seconds: 6, 21, 86, 261 ... 331,781 s for the 24th (DJ-528)."""
    return float(attempts**4 + 5)


def exponential(base: float = 2.0, first: float = 1.0, longest: float = 3600.0) -> Backoff:
    """`first`, then times `base` each, never above `longest` seconds."""
    return lambda attempts: min(longest, first * base ** min(attempts - 1, 512))


def constant(seconds: float) -> Backoff:
    """Always the same pause."""
    return lambda _attempts: seconds


def next_run_at(now: datetime, attempts: int, backoff: Backoff = polynomial) -> datetime:
    """When a job that has failed `attempts` times is tried again."""
    seconds = backoff(attempts)
    try:
        return min(now + timedelta(seconds=seconds), LATEST)
    except OverflowError:
        return LATEST if seconds > 0 else now


def may_retry(attempts: int, max_attempts: int) -> bool:
    """Whether a job with `attempts` failures behind it may run again; 0 and 1 both mean once (DJ-526)."""
    return attempts < max_attempts
