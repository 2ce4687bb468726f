"""Jobs in tests: run them at once, run what is stored, and say what must have been stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bide.app import App, current_app
from bide.errors import DeserializationError
from bide.jobs.handle import Job
from bide.jobs.job import UNFINISHED, Filter

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

    `args` and `kwargs` are those of the call; `columns` are attributes of the Job, such as
    queue="mail" or priority=3. `count`: how many there must be exactly; None: at least one.
    """
    found = _found(job, args, kwargs, app, columns)
    if found and (count is None or len(found) == count):
        return found[-1]
    wanted = _words(job, args, kwargs, columns)
    number = "at least one" if count is None else str(count)
    raise AssertionError(
        f"{number} of {wanted} wanted, {len(found)} found. Stored are:\n{_all(app)}"
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
    found = _found(job, args, kwargs, app, columns)
    if found:
        wanted = _words(job, args, kwargs, columns)
        raise AssertionError(f"no {wanted} wanted, {len(found)} found. Stored are:\n{_all(app)}")


def _found(
    job: Any,
    args: Sequence[Any] | None,
    kwargs: Mapping[str, Any] | None,
    app: App | None,
    columns: Mapping[str, Any],
) -> list[Job]:
    return [
        one
        for one in enqueued(app or current_app(), job)
        if (args is None or list(one.payload_object.args) == list(args))
        and (kwargs is None or one.payload_object.kwargs == dict(kwargs))
        and all(getattr(one, name) == value for name, value in columns.items())
    ]


def _is_of(stored: Job, job: Any) -> bool:
    try:
        payload = stored.payload_object
    except DeserializationError:
        return False
    target = payload.declared.target if payload.declared is not None else None
    if isinstance(job, type) or callable(job):
        return target is getattr(job, "original", job)
    return bool(payload.object == job)


def _words(
    job: Any,
    args: Sequence[Any] | None,
    kwargs: Mapping[str, Any] | None,
    columns: Mapping[str, Any],
) -> str:
    name = getattr(job, "__qualname__", repr(job))
    given = [repr(one) for one in args or ()]
    given += [f"{key}={value!r}" for key, value in (kwargs or {}).items()]
    more = "".join(f" {name}={value!r}" for name, value in columns.items())
    return f"{name}({', '.join(given) if given or args is not None else '...'}){more}"


def _all(app: App | None) -> str:
    jobs = enqueued(app or current_app())
    lines = [
        f"  {one.name} queue={one.queue!r} priority={one.priority} {_call(one)}" for one in jobs
    ]
    return "\n".join(lines) or "  nothing"


def _call(job: Job) -> str:
    try:
        payload = job.payload_object
    except DeserializationError as error:
        return f"(unloadable: {error})"
    if payload.object is not None:
        return repr(payload.object)
    given = [repr(one) for one in payload.args]
    given += [f"{key}={value!r}" for key, value in payload.kwargs.items()]
    return f"({', '.join(given)})"
