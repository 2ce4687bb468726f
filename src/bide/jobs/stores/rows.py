"""Between the rows of a database and what stores return: moments, texts, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from bide.db.connection import Row
from bide.db.dialects import moment_from
from bide.jobs.job import AttemptRow, JobRow, NewJob, State, WorkerRow
from bide.jobs.store import Lease

_JOB_MOMENTS: Final = tuple(
    JobRow._fields.index(name)
    for name in ("run_at", "locked_at", "failed_at", "finished_at", "created_at")
)


def values_of(job: NewJob, moment: Callable[[datetime], Any]) -> dict[str, Any]:
    """The columns of a new job, `pos` not among them; `moment` writes one for this database."""
    run_at = job.created_at if job.run_at is None else job.run_at
    state = State.SCHEDULED if run_at > job.created_at else State.READY
    values = job._asdict()
    values["state"] = int(state)
    values["run_at"], values["created_at"] = moment(run_at), moment(job.created_at)
    return values


def jobs_from(rows: Iterable[Row]) -> list[JobRow]:
    """Rows whose columns are JobRow's, in its order."""
    return [job_from(row) for row in rows]


def job_from(row: Row) -> JobRow:
    """A row whose columns are JobRow's, in its order."""
    values = list(row)
    for place in _JOB_MOMENTS:
        if values[place] is not None:
            values[place] = moment_from(values[place])
    return JobRow._make(values)


def attempt_from(row: Row) -> AttemptRow:
    """A row whose columns are AttemptRow's, in its order."""
    attempt = AttemptRow._make(row)
    started_at = attempt.started_at and moment_from(attempt.started_at)
    return attempt._replace(started_at=started_at, ended_at=moment_from(attempt.ended_at))


def worker_from(row: Row) -> WorkerRow:
    """A row whose columns are WorkerRow's, in its order."""
    worker = WorkerRow._make(row)
    return worker._replace(
        started_at=moment_from(worker.started_at),
        heartbeat_at=moment_from(worker.heartbeat_at),
        info=json.loads(row[-1]),
    )


def info_text(info: dict[str, Any]) -> str:
    """What a worker tells of itself, as its column holds it: ASCII, so that every text fits."""
    return json.dumps(info)


def by_number(leases: Sequence[Lease]) -> dict[int, list[int]]:
    """Ids by the number of their lease, which is 1 for most; in one order for everybody, so that two reports
    cannot wait for each other."""
    if not leases:
        return {}
    ids, numbers = zip(*leases, strict=True)
    if numbers.count(numbers[0]) == len(numbers):
        return {numbers[0]: sorted({*ids})}
    many: dict[int, list[int]] = {}
    for job_id, number in sorted({*leases}):
        many.setdefault(number, []).append(job_id)
    return many


def recordable(error: str) -> str:
    """An error text that every database can hold: NUL and lone surrogates become question marks."""
    return error.replace("\0", "?").encode("utf-8", "replace").decode()
