"""A job: one durable row, its states, and what may be done with it. No SQL here."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple


class State(IntEnum):
    """The state of a job as the column `state` holds it."""

    READY = 0
    RUNNING = 1
    SCHEDULED = 2
    FAILED = 3
    SUCCEEDED = 4
    CANCELLED = 5


#: States of a job that still wants to run; the others are only kept to be looked at.
UNFINISHED = (State.READY, State.RUNNING, State.SCHEDULED)


class NewJob(NamedTuple):
    """A prepared job, ready to be stored.

    `key` (32 hex digits, a UUIDv7 made by the client) makes storing it twice harmless.
    `run_at` None means now; times are aware. `payload` and `context` are JSON text.
    `max_attempts` None means the worker's setting.
    """

    key: str
    name: str
    queue: str
    priority: int
    payload: str
    run_at: datetime | None
    created_at: datetime
    max_attempts: int | None = None
    locale: str | None = None
    context: str | None = None


class JobRow(NamedTuple):
    """A stored job as every store returns it, in the order of its columns. Times are aware, UTC.

    `locked_at`, `locked_by` and `worker_id` are set while it runs and only then (DJ-556).
    `finished_at` is when it succeeded, failed for good or was cancelled; `failed_at` only the second.
    """

    id: int
    key: str
    name: str
    queue: str
    priority: int
    state: int
    payload: str
    attempts: int
    crashes: int
    max_attempts: int | None
    run_at: datetime
    locked_at: datetime | None
    locked_by: str | None
    worker_id: int | None
    lease: int
    failed_at: datetime | None
    finished_at: datetime | None
    last_error: str | None
    created_at: datetime
    locale: str | None
    context: str | None


class AttemptRow(NamedTuple):
    """One attempt that did not succeed, with its whole error text."""

    job_id: int
    attempt: int
    lease: int
    worker: str
    started_at: datetime | None
    ended_at: datetime
    kind: str
    error: str


class Result(NamedTuple):
    """What a successful attempt returned: JSON text, kept with its job until `keep_until`."""

    id: int
    lease: int
    started_at: datetime | None
    value: str
    keep_until: datetime


class ResultRow(NamedTuple):
    """What a job returned, as JSON text; which worker did it, from when; until when it is kept."""

    job_id: int
    worker: str
    started_at: datetime | None
    value: str
    keep_until: datetime


class Filter(NamedTuple):
    """Which jobs a listing or a bulk operation means; None means any.

    `text` is looked for in name, payload and last_error as it stands: no character of it is a wildcard.
    `error` is what last_error begins with.
    `created_before` excludes that moment, `created_after` includes it. `worker` is a locked_by.
    """

    ids: tuple[int, ...] | None = None
    states: tuple[State, ...] | None = None
    queue: str | None = None
    name: str | None = None
    key: str | None = None
    worker: str | None = None
    priority: int | None = None
    text: str | None = None
    created_before: datetime | None = None
    created_after: datetime | None = None
    locale: str | None = None
    error: str | None = None


class QueueRow(NamedTuple):
    """A queue as listings show it. `oldest_ready` is the moment its oldest ready job became due."""

    name: str
    paused_at: datetime | None
    counts: dict[State, int]
    oldest_ready: datetime | None


class WorkerRow(NamedTuple):
    """A registered worker process tree. `info` is JSON-able: pids, versions, queues, running jobs."""

    id: int
    name: str
    host: str
    pid: int
    started_at: datetime
    heartbeat_at: datetime
    info: dict[str, Any]
