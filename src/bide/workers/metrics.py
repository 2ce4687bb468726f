"""What monitoring systems are told: read from the database, so that it is true of all processes together."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final, NamedTuple

from bide.db.engine import Database
from bide.errors import DatabaseError, NotMigrated
from bide.jobs.job import QueueRow, State, WorkerRow
from bide.jobs.statistics import BOUNDS, MINUTE, Statistic, added_up, start_of
from bide.jobs.store import Store
from bide.workers.processes import host_name
from bide.workers.settings import Settings

#: Jobs of one queue and state are counted no further.
MOST: Final = 100_000
#: Nobody writes to minutes that are older, and pruning moves only what is older still.
SETTLED: Final = timedelta(hours=2)
#: Who did not ask for so long reads all again: pruning moves what is a day old.
MOVED: Final = timedelta(hours=20)
#: After so long more has settled.
STEP: Final = timedelta(minutes=10)
SHOWN: Final = (State.READY, State.RUNNING, State.SCHEDULED, State.FAILED)

#: Every metric: its kind, and what it means. The documentation prints this table.
METRICS: Final[dict[str, tuple[str, str]]] = {
    "bide_up": ("gauge", "1 when the database could be asked, else 0 and nothing else is told."),
    "bide_queue_jobs": ("gauge", f"Jobs by queue and state, counted up to {MOST}."),
    "bide_queue_oldest_ready_seconds": (
        "gauge",
        "Seconds since the oldest ready job of the queue became due, 0 when none is ready.",
    ),
    "bide_queue_paused": ("gauge", "1 for a paused queue, else 0."),
    "bide_jobs_succeeded": ("counter", "Jobs that succeeded."),
    "bide_jobs_failed": ("counter", "Jobs that failed for the last time."),
    "bide_attempts_failed": (
        "counter",
        "Attempts that failed, the last ones too, by reason: error, timeout, crash.",
    ),
    "bide_job_run_seconds": ("histogram", "Seconds that attempts ran."),
    "bide_job_wait_seconds": ("histogram", "Seconds from a job's due time to its start."),
    "bide_workers": ("gauge", "Workers by host and state: working, idle, silent."),
    "bide_worker_heartbeat_age_seconds": (
        "gauge",
        "Seconds since the last heartbeat, of the host's worker that is silent for the longest.",
    ),
    "bide_fork_findings": (
        "gauge",
        "Inherited connections that the fork guard had to take from the host's workers.",
    ),
    "bide_database_free_bytes": (
        "gauge",
        "SQLite: bytes left where the file is. For servers ask the exporter of their machine.",
    ),
}


class Sample(NamedTuple):
    """One value: what comes behind the metric's name (_total, _bucket, ...), labels, value."""

    suffix: str
    labels: dict[str, str]
    value: float


class Family(NamedTuple):
    """A metric with its values; `name` is one of METRICS."""

    name: str
    samples: list[Sample]

    @property
    def kind(self) -> str:
        """gauge, counter or histogram."""
        return METRICS[self.name][0]

    @property
    def help(self) -> str:
        """What it means."""
        return METRICS[self.name][1]


class Totals:
    """Sums over all time by queue and name. What has settled is read once; any thread may ask."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._settled: list[Statistic] = []
        self._until: datetime | None = None
        self._lock = threading.Lock()

    def read(self, now: datetime) -> list[Statistic]:
        """The sums up to now; no sum is ever less than before."""
        statistics = self._store.statistics
        with self._lock:
            if self._until is not None and now - self._until > MOVED:
                self._settled, self._until = [], None
            until = start_of(now - SETTLED, MINUTE)
            if self._until is None or until - self._until > STEP:
                more = statistics.read(self._until, until)
                self._settled, self._until = added_up([*self._settled, *more]), until
            return added_up([*self._settled, *statistics.read(self._until)])


class Metrics:
    """The metrics of one store, in `database` unless it is in memory. Keep it: later answers are cheaper."""

    def __init__(self, store: Store, settings: Settings, database: Database | None) -> None:
        self._store, self._totals = store, Totals(store)
        self._silent_after = settings.heartbeat_interval * settings.missed_heartbeats
        sqlite = database is not None and database.kind == "sqlite"
        self._file = database.file if database is not None and sqlite else None
        #: Why the database could not be asked the last time; None: it was.
        self.trouble: DatabaseError | None = None

    def families(self, now: datetime) -> list[Family]:
        """What is known now; when the database cannot be asked only that."""
        try:
            found = [*self._queues(now), *self._counts(now), *self._workers(now), *self._space()]
        except DatabaseError as error:
            self.trouble = error
            return [_gauge("bide_up", [({}, 0)])]
        self.trouble = None
        return [_gauge("bide_up", [({}, 1)]), *found]

    def _queues(self, now: datetime) -> Iterator[Family]:
        rows = self._store.surveys.queues(at_most=MOST)
        depths = (
            ({"queue": row.name, "state": state.name.lower()}, row.counts.get(state, 0))
            for row in rows
            for state in SHOWN
        )
        yield _gauge("bide_queue_jobs", depths)
        ages = (({"queue": row.name}, _age(row, now)) for row in rows)
        yield _gauge("bide_queue_oldest_ready_seconds", ages)
        paused = (({"queue": row.name}, int(row.paused_at is not None)) for row in rows)
        yield _gauge("bide_queue_paused", paused)

    def _counts(self, now: datetime) -> Iterator[Family]:
        try:
            rows = self._totals.read(now)
        except NotMigrated:
            return
        yield _counter("bide_jobs_succeeded", ((_job(row), row.succeeded) for row in rows))
        yield _counter("bide_jobs_failed", ((_job(row), row.failed) for row in rows))
        yield _counter(
            "bide_attempts_failed",
            (
                ({**_job(row), "reason": reason}, number)
                for row in rows
                for reason, number in _reasons(row).items()
            ),
        )
        yield Family(
            "bide_job_run_seconds",
            [one for row in rows for one in _histogram(row, row.run_buckets, row.run_seconds)],
        )
        yield Family(
            "bide_job_wait_seconds",
            [one for row in rows for one in _histogram(row, row.wait_buckets, row.wait_seconds)],
        )

    def _workers(self, now: datetime) -> Iterator[Family]:
        hosts: dict[str, list[WorkerRow]] = {}
        for row in self._store.workers():
            hosts.setdefault(row.host, []).append(row)
        states = (
            ({"host": host, "state": state}, sum(self._state(row, now) == state for row in rows))
            for host, rows in sorted(hosts.items())
            for state in ("working", "idle", "silent")
        )
        yield _gauge("bide_workers", states)
        ages = (
            ({"host": host}, max(_silence(row, now) for row in rows))
            for host, rows in sorted(hosts.items())
        )
        yield _gauge("bide_worker_heartbeat_age_seconds", ages)
        findings = (
            ({"host": host}, sum(row.info.get("fork_findings", 0) for row in rows))
            for host, rows in sorted(hosts.items())
        )
        yield _gauge("bide_fork_findings", findings)

    def _space(self) -> Iterator[Family]:
        if self._file is not None:
            free = shutil.disk_usage(self._file.parent).free
            yield _gauge("bide_database_free_bytes", [({"host": host_name()}, free)])

    def _state(self, row: WorkerRow, now: datetime) -> str:
        if _silence(row, now) > self._silent_after:
            return "silent"
        return "working" if row.info.get("running") else "idle"


def exposition(families: Iterable[Family]) -> str:
    """The text format that Prometheus scrapes, version 0.0.4."""
    lines: list[str] = []
    for family in families:
        name = family.name + ("_total" if family.kind == "counter" else "")
        lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.kind}"]
        lines += [
            f"{family.name}{suffix}{_labels(labels)} {_number(value)}"
            for suffix, labels, value in family.samples
        ]
    return "\n".join(lines) + "\n"


#: What the answer says it is.
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def _gauge(name: str, values: Iterable[tuple[dict[str, str], float]]) -> Family:
    return Family(name, [Sample("", labels, value) for labels, value in values])


def _counter(name: str, values: Iterable[tuple[dict[str, str], float]]) -> Family:
    return Family(name, [Sample("_total", labels, value) for labels, value in values])


def _histogram(row: Statistic, buckets: Sequence[int], seconds: float) -> Iterator[Sample]:
    bounds = (*(f"{bound:g}" for bound in BOUNDS), "+Inf")
    for bound, count in zip(bounds, accumulate(buckets), strict=True):
        yield Sample("_bucket", {**_job(row), "le": bound}, count)
    yield Sample("_sum", _job(row), seconds)
    yield Sample("_count", _job(row), sum(buckets))


def _job(row: Statistic) -> dict[str, str]:
    # Not `job`: Prometheus calls what it scrapes so, and would rename ours.
    return {"queue": row.queue, "name": row.name}


def _reasons(row: Statistic) -> dict[str, int]:
    other = row.failed_attempts - row.timed_out - row.crashed
    return {"error": other, "timeout": row.timed_out, "crash": row.crashed}


def _age(row: QueueRow, now: datetime) -> float:
    return 0.0 if row.oldest_ready is None else max((now - row.oldest_ready).total_seconds(), 0.0)


def _silence(row: WorkerRow, now: datetime) -> float:
    return max((now - row.heartbeat_at).total_seconds(), 0.0)


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))
