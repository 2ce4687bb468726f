"""Whether all is well: the state of everything, looked at once a second however many pages ask."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from bide import clock
from bide.jobs.job import QueueRow, State, WorkerRow
from bide.jobs.store import Store, Wanted
from bide.workers.settings import Settings

#: Seconds for which what was seen is believed.
_FRESH: Final = 1.0
#: Seconds that a ready job may wait before somebody should look, as `bide check` has it, and before
#: it is said.
LATE: Final = 300.0
SLOW: Final = 60.0


class Trouble(NamedTuple):
    """Something that needs somebody: the text `bide.health.<kind>` with its values, and where to look."""

    level: str
    kind: str
    values: dict[str, Any]
    path: str
    query: Mapping[str, str] = MappingProxyType({})


class Glance(NamedTuple):
    """What was seen at a moment."""

    at: datetime
    counts: dict[State, int]
    queues: list[QueueRow]
    workers: list[WorkerRow]
    next_run_at: datetime | None

    def late_by(self, queue: QueueRow) -> float | None:
        """Seconds for which the oldest ready job of a queue has waited; None when there is none."""
        if queue.oldest_ready is None:
            return None
        return max(0.0, (self.at - queue.oldest_ready).total_seconds())

    @property
    def latency(self) -> float | None:
        """The longest of them, paused queues not considered."""
        waits = [self.late_by(one) for one in self.queues if one.paused_at is None]
        return max((wait for wait in waits if wait is not None), default=None)


class Watch:
    """Looks at the store, at most once a second for all pages together."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._seen: tuple[float, Glance] | None = None
        self._counted: tuple[float, dict[State, int]] | None = None

    def look(self) -> Glance:
        """What is there now."""
        with self._lock:
            if self._seen is None or clock.monotonic() - self._seen[0] > _FRESH:
                self._seen = (clock.monotonic(), self._look())
            return self._seen[1]

    def counts(self) -> dict[State, int]:
        """How many jobs are in each state: the part that lists need."""
        with self._lock:
            if self._counted is None or clock.monotonic() - self._counted[0] > _FRESH:
                self._counted = (clock.monotonic(), self._store().surveys.counts())
            return self._counted[1]

    def forget(self) -> None:
        """Something was changed here, so look anew."""
        self._seen = self._counted = None

    def _look(self) -> Glance:
        store = self._store()
        queues, counts = store.surveys.queues(), Counter[State]()
        for queue in queues:
            counts.update(queue.counts)
        return Glance(
            clock.utc_now(), dict(counts), queues, store.workers(), store.next_run_at(Wanted())
        )


def silent(worker: WorkerRow, now: datetime, settings: Settings) -> bool:
    """Whether a worker has missed its heartbeats."""
    patience = settings.heartbeat_interval * settings.missed_heartbeats
    return now - worker.heartbeat_at > timedelta(seconds=patience)


def troubles(seen: Glance, settings: Settings) -> list[Trouble]:
    """What needs somebody, the worst first; empty when all is well."""
    found = [*_workers(seen, settings), *_queues(seen)]
    failed = seen.counts.get(State.FAILED, 0)
    if failed:
        found.append(Trouble("warn", "failed", {"count": failed}, "/jobs", {"state": "failed"}))
    return sorted(found, key=lambda one: one.level != "bad")


def _workers(seen: Glance, settings: Settings) -> list[Trouble]:
    alive = [one for one in seen.workers if not silent(one, seen.at, settings)]
    gone = len(seen.workers) - len(alive)
    waiting = seen.counts.get(State.READY, 0)
    due = seen.next_run_at is not None and seen.next_run_at <= seen.at
    found = []
    if not alive and (waiting or due):
        found.append(Trouble("bad", "no_workers", {"count": waiting}, "/workers"))
    if gone:
        found.append(Trouble("warn", "silent", {"count": gone}, "/workers"))
    return found


def _queues(seen: Glance) -> list[Trouble]:
    found = []
    for queue in seen.queues:
        wait, query = seen.late_by(queue), {"state": "ready", "queue": queue.name}
        if wait is None:
            continue
        values = {"queue": queue.name, "wait": wait}
        if queue.paused_at is not None:
            found.append(Trouble("warn", "paused", values, "/queues"))
        elif wait >= SLOW:
            level = "bad" if wait >= LATE else "warn"
            found.append(Trouble(level, "late", values, "/jobs", query))
    return found
