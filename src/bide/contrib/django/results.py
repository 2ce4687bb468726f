"""Jobs as Django's TaskResult."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from bide import clock
from bide.contrib.django.call import TaskCall
from bide.contrib.django.errors_of import cancelled_error, task_error
from bide.contrib.django.missing import task_of
from bide.contrib.django.options import shown_id
from bide.contrib.django.tasks_api import TaskResult, TaskResultStatus
from bide.jobs.handle import Job
from bide.jobs.job import AttemptRow, ResultRow

_STATUS = {
    "ready": TaskResultStatus.READY,
    "scheduled": TaskResultStatus.READY,
    "running": TaskResultStatus.RUNNING,
    "failed": TaskResultStatus.FAILED,
    "cancelled": TaskResultStatus.FAILED,
    "succeeded": TaskResultStatus.SUCCESSFUL,
}


class Found(NamedTuple):
    """What is stored of one job: its row, its failed attempts, what it returned."""

    job: Job
    attempts: list[AttemptRow]
    result: ResultRow | None


def result_of(found: Found, call: TaskCall, value: Any = None) -> TaskResult:
    """A stored job as a TaskResult; `value` is what it returned."""
    job, attempts, kept = found
    tries = [attempt for attempt in attempts if attempt.kind != "skipped"]
    errors = [task_error(attempt) for attempt in tries]
    if job.state == "cancelled":
        errors.append(cancelled_error())
    workers, starts = _tries(found, tries)
    result = TaskResult(
        task=task_of(call, -job.priority, job.queue),
        id=shown_id(job.key),
        status=_STATUS[job.state],
        enqueued_at=local(job.created_at),
        started_at=local(min(starts, default=None)),
        finished_at=local(job.finished_at),
        last_attempted_at=local(max(starts, default=None)),
        args=call.args,
        kwargs=call.kwargs,
        backend=call.backend,
        errors=errors,
        worker_ids=workers,
    )
    if kept is not None:
        object.__setattr__(result, "_return_value", value)
    return result


def running_result(found: Found, call: TaskCall) -> TaskResult:
    """The result of a task that starts now."""
    job, result = found.job, result_of(found, call)
    now = local(clock.utc_now())
    if job.state != "running":  # where it was enqueued, without a worker
        result.worker_ids.append("inline")
        object.__setattr__(result, "status", TaskResultStatus.RUNNING)
    object.__setattr__(result, "started_at", result.started_at or now)
    object.__setattr__(result, "last_attempted_at", now)
    return result


def ended(result: TaskResult, value: Any) -> TaskResult:
    """The result of a task that has just returned `value`."""
    object.__setattr__(result, "status", TaskResultStatus.SUCCESSFUL)
    object.__setattr__(result, "finished_at", local(clock.utc_now()))
    object.__setattr__(result, "_return_value", value)
    return result


def _tries(found: Found, tries: Iterable[AttemptRow]) -> tuple[list[str], list[datetime]]:
    """Who tried, and when each try began."""
    known = [(attempt.worker, attempt.started_at) for attempt in tries]
    if found.result is not None:
        known.append((found.result.worker, found.result.started_at))
    elif found.job.state == "running":
        known.append((found.job.locked_by or "", found.job.locked_at))
    return [worker for worker, _ in known], [start for _, start in known if start is not None]


def local(moment: datetime | None) -> datetime | None:
    """An aware moment as the project writes moments."""
    from django.conf import settings
    from django.utils import timezone

    if moment is None or settings.USE_TZ:
        return moment
    return timezone.make_naive(moment)
