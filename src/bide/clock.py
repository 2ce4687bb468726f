"""Wall time, monotonic time and sleeping: one place, so that tests can own them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_wall: Callable[[], datetime] | None = None


def utc_now() -> datetime:
    """The current moment, aware, in UTC."""
    return datetime.now(UTC) if _wall is None else _wall()


#: Seconds that only grow; for durations and deadlines, never for display.
monotonic = time.monotonic


def microseconds() -> int:
    """Real wall time since 1970 in microseconds, for ordering; tests cannot replace it."""
    return time.time_ns() // 1000


def sleep(seconds: float) -> None:
    """Sleep in the calling thread. Loops that must react use an event or a selector instead."""
    time.sleep(seconds)


#: Of the system: no state that forked children share, or that belongs to the application.
_CHANCE = random.SystemRandom()


def jitter(seconds: float, share: float = 0.25) -> float:
    """`seconds`, changed at random by at most `share` of itself in either direction."""
    return seconds * _CHANCE.uniform(1 - share, 1 + share)


def set_wall(source: Callable[[], datetime] | None) -> None:
    """Let `source` answer utc_now() in this process; None brings the real clock back (tests)."""
    global _wall  # noqa: PLW0603 - the one replaceable clock of the process
    _wall = source


def moment(value: datetime | timedelta | float | str) -> datetime:
    """An aware UTC moment from an aware datetime, a timedelta or seconds from now, or ISO text.

    Raises ValueError for a naive datetime or text that is no ISO 8601 moment, TypeError otherwise.
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(
                f"{value!r} has no time zone; pass an aware datetime, e.g. with tzinfo=datetime.UTC"
            )
        return value.astimezone(UTC)
    if isinstance(value, timedelta):
        return utc_now() + value
    if type(value) in (int, float):
        return utc_now() + timedelta(seconds=float(value))
    raise TypeError(
        f"{value!r} is no moment; pass an aware datetime, a timedelta, seconds or ISO text"
    )
