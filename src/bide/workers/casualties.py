"""Killing the workers that do not heed, and telling the keeper of those that died."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress

from bide import clock
from bide.events import emit
from bide.jobs.store import Lease
from bide.workers.children import SPENT, Ended
from bide.workers.deaths import Death, Deaths
from bide.workers.roster import Place
from bide.workers.settings import Settings
from bide.workers.slate import Running, Slate

#: Seconds beyond the grace time after which a worker that does not stop is killed.
LAST_GRACE = 5.0


class Casualties:
    """What a supervisor does about workers that hang or died; all it knows of them is the slate."""

    def __init__(self, slate: Slate, deaths: Deaths, settings: Settings) -> None:
        self._slate, self._deaths, self._settings = slate, deaths, settings

    def kill_overdue(self, places: Iterable[Place]) -> None:
        """A job that ignores its timeout, and a worker that does not stop, end by SIGKILL."""
        too_late = clock.monotonic() - self._settings.grace_time - LAST_GRACE
        for place in places:
            if self._overdue(place):
                _kill(place, "timed out, ignored its timeout and was killed; ")
            elif place.told_at and place.told_at < too_late:
                _kill(place, "did not stop in time and was killed; ")

    def bury(self, place: Place, ended: Ended) -> tuple[bool, bool]:
        """Tell what was running in `place` and wipe its entries; whether it ended badly, and whether
        it had done anything."""
        lines = [self._slate.entry(index).read() for index in place.entries]
        self._tell(lines, ended, self._overdue(place) if place.killed_for else [], place.killed_for)
        for index in place.entries:
            self._slate.entry(index).wipe()
        bad = bool(ended.signal or ended.status not in (0, SPENT)) or any(
            line.job_id for line in lines
        )
        if bad:
            emit("child_died", pid=ended.pid, place=place.index, how=str(ended))
        return bad, any(line.done or line.job_id for line in lines)

    def _tell(self, lines: list[Running], ended: Ended, late: list[Lease], why: str) -> None:
        """One message for each worker of the process, with all that it was running."""
        workers: defaultdict[int, list[Lease]] = defaultdict(list)
        for line in lines:
            if line.worker_id:
                workers[line.worker_id] += [(line.job_id, line.lease)] if line.job_id else []
        for worker_id, jobs in workers.items():
            its_own = [one for one in jobs if one in late]
            self._deaths.tell(Death(worker_id, ended.pid, jobs, f"{why}{ended}", its_own))

    def _overdue(self, place: Place) -> list[Lease]:
        """The jobs in `place` whose timeout was over so long ago that they must ignore it."""
        lines = [self._slate.entry(index).read() for index in place.entries]
        latest = clock.monotonic() - self._settings.kill_after
        return [
            (line.job_id, line.lease) for line in lines if line.job_id and 0 < line.limit < latest
        ]


def _kill(place: Place, why: str) -> None:
    """With its process group, so that programs started by the job end too."""
    if place.killed_for:
        return
    place.killed_for = why
    emit("child_killed", pid=place.pid, place=place.index, why=why)
    try:
        os.killpg(place.pid, signal.SIGKILL)
    except ProcessLookupError:
        with suppress(ProcessLookupError):
            os.kill(place.pid, signal.SIGKILL)
