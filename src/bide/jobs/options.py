"""The options of declarations and calls as type checkers and editors see them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypedDict

from bide.jobs.enqueue import When
from bide.jobs.retries import Backoff


class JobOptions(TypedDict, total=False):
    """What `@app.job(...)` takes; None and what is absent leave it to the settings.

    `name`: what payloads and lists call the job, instead of its import path. `queue`, `priority` (lower
    runs first) and `max_attempts` may be chosen again for a call. `max_run_time`: seconds, capped by
    the setting. `backoff`: from the number of attempts to seconds. `destroy_failed_jobs`: delete the
    job when it failed for the last time. `keep_result`: seconds for which what it returns is kept.
    """

    name: str | None
    queue: str | None
    priority: int | None
    max_attempts: int | None
    max_run_time: float | timedelta | None
    backoff: Backoff | None
    destroy_failed_jobs: bool | None
    keep_result: float | timedelta | None


class CallOptions(TypedDict, total=False):
    """What `job.using(...)`, `app.enqueue(...)` and `bide.delay(record, ...)` take.

    `run_at`: an aware moment, or how long from now (timedelta, seconds). `session`: whose transaction
    the job is stored in: a SQLAlchemy session or connection, a driver's connection, a Django alias.
    """

    queue: str | None
    priority: int | None
    run_at: When
    max_attempts: int | None
    session: Any
