"""Jobs that a worker has claimed and not started: as many as it will finish soon, given back otherwise."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from math import inf
from operator import attrgetter
from typing import Final

from bide.jobs.handle import Job
from bide.jobs.store import Lease

#: How often a worker died at the job of a row.
CRASHES: Final = attrgetter("crashes")
#: Seconds of work that a worker may hold claimed.
HORIZON = 0.1


class Ahead:
    """The claimed jobs of one worker, in order. The keeper may take back what waits too long.

    Without a lock: each job is taken from the left by one step that no thread can interrupt.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: deque[Job] = deque()
        #: The next job to start; raises IndexError when there is none.
        self.first: Callable[[], Job] = self._jobs.popleft
        self._average: float | None = None

    def __len__(self) -> int:
        return len(self._jobs)

    def room(self) -> int:
        """How many jobs to claim next: what the running average says fits into the horizon."""
        if self._average is None:
            return 1
        return max(1, min(self._most, int(HORIZON / max(self._average, 1e-6))))

    def seconds(self, jobs: int) -> float:
        """How long so many jobs will take."""
        return inf if self._average is None else jobs * self._average

    def took(self, seconds: float) -> None:
        """Learn how long a job ran; slow ones count at once, fast ones by and by."""
        if self._average is None or seconds > self._average:
            self._average = seconds
        else:
            self._average += (seconds - self._average) * 0.3

    def put(self, jobs: Iterable[Job]) -> None:
        """Hold claimed jobs."""
        self._jobs.extend(jobs)

    def next(self) -> Job | None:
        """The next job to start, if there is one."""
        try:
            return self.first()
        except IndexError:
            return None

    def take(self) -> list[Job]:
        """Take all that wait, to be given back."""
        jobs = []
        while (job := self.next()) is not None:
            jobs.append(job)
        return jobs


def leases(jobs: Iterable[Job]) -> list[Lease]:
    """The attempts that `jobs` stand for."""
    return [(job.id or 0, job.lease) for job in jobs]
