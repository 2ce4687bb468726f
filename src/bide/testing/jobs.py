"""Jobs in tests: run them at once, run what is stored, and say what must have been stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bide.app import App, current_app
from bide.errors import DeserializationError
from bide.jobs.handle import Job
from bide.jobs.job import UNFINISHED, Filter
from bide.testing.wanted import Wanted

#: Jobs of one look; a test that stores more has other means.
MOST = 1000


@contextmanager
def inline(app: App) -> Iterator[None]:
    """Run jobs where they are enqueued, for the body; errors reach the caller, nothing is stored."""
    before = app.delay_jobs
    app.delay_jobs = False
    try:
        yield
    finally:
        app.delay_jobs = before


def drain(app: App, *, most: int = 10_000) -> tuple[int, int]:
    """Run what is ready, and what that makes ready, until nothing is: (succeeded, failed).

    Jobs for later stay (see `frozen_time`). AssertionError when `most` jobs were not the end of it.
    """
    succeeded, failed = app.worker().work_off(most)
    if succeeded + failed >= most:
        raise AssertionError(f"{most} jobs ran and there are more: do jobs enqueue each other?")
    return succeeded, failed


def clear(app: App) -> int:
    """Delete every stored job, between tests that share a database; how many there were."""
    return app.store.delete(Filter())


def enqueued(app: App, job: Any = None) -> list[Job]:
    """The stored jobs that have not finished, oldest first; those of one declared job if given."""
    rows = app.store.find(Filter(states=UNFINISHED), limit=MOST)
    jobs = [app.held(row) for row in reversed(rows)]
    return jobs if job is None else [one for one in jobs if _is_of(one, job)]


def assert_enqueued(
    job: Any,
    *,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    count: int | None = None,
    app: App | None = None,
    **columns: Any,
) -> Job:
    """That `job` (a declared function, class, or an equal object) is stored; the last such Job.

    `args` and `kwargs` are those of the call; records are equal when their keys are. `columns` are
    attributes of the Job, such as queue="mail" or priority=3. `count`: how many there must be exactly;
    None: at least one. The AssertionError says of each stored job in what it differs.
    """
    app = app or current_app()
    wanted = Wanted(app, job, args, kwargs, columns)
    found = [one for one in enqueued(app, job) if not wanted.differences(one)]
    if found and (count is None or len(found) == count):
        return found[-1]
    number = "at least one" if count is None else str(count)
    raise AssertionError(
        f"{number} of {wanted} wanted, {len(found)} found. {_stored(app, job, wanted)}"
    )


def assert_not_enqueued(
    job: Any,
    *,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    app: App | None = None,
    **columns: Any,
) -> None:
    """That no such job is stored."""
    app = app or current_app()
    wanted = Wanted(app, job, args, kwargs, columns)
    found = [one for one in enqueued(app, job) if not wanted.differences(one)]
    if found:
        raise AssertionError(f"no {wanted} wanted, {len(found)} found. {_stored(app, job, wanted)}")


def _is_of(stored: Job, job: Any) -> bool:
    try:
        payload = stored.payload_object
    except DeserializationError:
        return False
    target = payload.declared.target if payload.declared is not None else None
    if isinstance(job, type) or callable(job):
        return target is getattr(job, "original", job)
    return bool(payload.object == job)


def _stored(app: App, job: Any, wanted: Wanted) -> str:
    """Every stored job, and what is different about those of the same name."""
    jobs = enqueued(app)
    same = {one.id for one in enqueued(app, job)}
    lines = []
    for one in jobs:
        lines.append(f"  {one.id}: {wanted.described(one)}")
        if one.id in same:
            lines += [f"      {line}" for line in wanted.differences(one)]
    return "Stored are:\n" + "\n".join(lines) if lines else "Nothing is stored."
