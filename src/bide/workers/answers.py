"""What a job answers when its worker asks: limits, next moment, keep or delete. A wrong answer counts as none."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bide import clock
from bide.errors import INTERRUPTIONS, DeserializationError
from bide.events import emit
from bide.jobs.handle import Job
from bide.jobs.retries import LATEST, next_run_at

T = TypeVar("T")


def max_attempts(job: Job) -> int | None:
    """The call's own limit, else the job's (DJ-055, DJ-056)."""
    return job.max_attempts if job.max_attempts is not None else _answer(job, "max_attempts", int)


def max_run_time(job: Job) -> float | None:
    """The job's own limit in seconds; None and 0 mean that it has none (DJ-057, DJ-059)."""
    return _answer(job, "max_run_time", _seconds) or None


def destroy_failed_jobs(job: Job) -> bool | None:
    """Whether the job wants its row deleted when it fails for good (DJ-063)."""
    return _answer(job, "destroy_failed_jobs", bool)


def reschedule_at(job: Job, now: datetime, attempts: int) -> datetime:
    """The job's own wish, else by its back-off, else by Delayed::Job's (DJ-073, DJ-527)."""
    wish = _answer(job, "reschedule_at", _moment, now, attempts)
    if wish is not None:
        return wish
    own = _guarded(job, "backoff", lambda: _by_own_backoff(job, now, attempts))
    return next_run_at(now, attempts) if own is None else own


def _answer(job: Job, name: str, convert: Callable[[Any], T], *args: Any) -> T | None:
    def ask() -> T | None:
        answer = job.option(name, *args)
        return None if answer is None else convert(answer)

    return _guarded(job, name, ask)


def _guarded(job: Job, name: str, ask: Callable[[], T | None]) -> T | None:
    """What `ask` returns; None, and a report, when it raises: no answer stops a worker."""
    try:
        return ask()
    except INTERRUPTIONS:
        raise
    except BaseException as error:  # noqa: BLE001 - the application's code, whatever it raises
        emit("hook_failed", job=job, hook=name, error=error)
        return None


def _seconds(answer: Any) -> float:
    seconds = answer.total_seconds() if isinstance(answer, timedelta) else float(answer)
    if math.isnan(seconds) or seconds < 0:
        raise ValueError(f"max_run_time is {answer!r}, not a number of seconds")
    return seconds


def _moment(answer: Any) -> datetime:
    return max(min(clock.moment(answer), LATEST), clock.utc_now())


def _by_own_backoff(job: Job, now: datetime, attempts: int) -> datetime | None:
    try:
        declared = job.payload_object.declared
    except DeserializationError:
        return None
    backoff = getattr(declared.options, "backoff", None) if declared is not None else None
    return None if backoff is None else next_run_at(now, attempts, backoff)
