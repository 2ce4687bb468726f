"""Time that stands still and moves when the test says so, for schedules and retries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from bide import clock


class FrozenTime:
    """What `bide.clock` says while it is frozen."""

    def __init__(self, at: datetime) -> None:
        self.now = at

    def move(self, by: timedelta | float) -> datetime:
        """Go forward by a timedelta or seconds; the new moment."""
        self.now += by if isinstance(by, timedelta) else timedelta(seconds=by)
        return self.now


@contextmanager
def frozen_time(at: datetime | None = None) -> Iterator[FrozenTime]:
    """Freeze Bide's wall clock at an aware moment (default: now) for the body, in this process.

    >>> with frozen_time() as time:
    ...     job = welcome.using(run_at=timedelta(days=1)).delay(1)
    ...     time.move(timedelta(days=1))
    ...     drain(app)
    """
    time = FrozenTime((at or clock.utc_now()).astimezone(UTC))
    clock.set_wall(lambda: time.now)
    try:
        yield time
    finally:
        clock.set_wall(None)
