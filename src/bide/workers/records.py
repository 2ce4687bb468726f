"""The housekeeping of statistics and of the audit list: count deaths, add up and delete what is old."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Final

from bide import clock
from bide.errors import DatabaseError, NotMigrated
from bide.jobs.store import Rescued, Store
from bide.workers.duties import Duty
from bide.workers.settings import Settings
from bide.workers.tally import INTERVAL, Tally

#: Seconds between two prunings.
PRUNE_INTERVAL: Final = 60.0
#: Batches of one pruning, so that other duties get their turn.
BATCHES: Final = 20


class Records:
    """Any number of processes may do it. Tables that are older than this version are left alone."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._tally = Tally(store.statistics)

    def duties(self) -> list[Duty]:
        """What is done every so often."""
        prune = Duty(self.prune_records, PRUNE_INTERVAL)
        if not self._settings.statistics:
            return [prune]
        return [prune, Duty(self.report, min(self._settings.heartbeat_interval, INTERVAL))]

    def crashed(self, rescued: Rescued) -> None:
        """A worker died at a job."""
        if self._settings.statistics:
            self._tally.crashed(rescued)

    def report(self) -> None:
        """Write what was counted."""
        self._tally.report()

    def leave(self) -> None:
        """Write it once more; a lost database is no obstacle."""
        with suppress(DatabaseError):
            self.report()

    def prune_records(self) -> None:
        """Add up old statistics, delete old entries of the audit list."""
        with suppress(NotMigrated):
            self._prune()

    def _prune(self) -> None:
        now, settings = clock.utc_now(), self._settings
        keep = timedelta(seconds=settings.keep_statistics)
        for _ in range(BATCHES):
            if not self._store.statistics.prune(now, keep=keep):
                break
        if settings.keep_audit:
            self._store.audit.prune(now - timedelta(seconds=settings.keep_audit))
