"""What a job returned, on its way from the job into the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bide import clock
from bide.jobs.job import Result
from bide.jobs.retries import LATEST


@dataclass(slots=True)
class Kept:
    """The result of a running attempt: its text, the seconds for which it is kept after the job ended.

    `at_once`: the job is reported before the next one starts.
    """

    value: str
    seconds: float
    at_once: bool = False
    started_at: datetime | None = None

    def of(self, job_id: int, lease: int) -> Result:
        """What the store is told of the attempt that has just ended."""
        try:
            until = min(clock.utc_now() + timedelta(seconds=self.seconds), LATEST)
        except OverflowError:
            until = LATEST
        return Result(job_id, lease, self.started_at, self.value, until)
