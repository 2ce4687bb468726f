"""Jobs read on the connection that Django has open, so that a transaction sees what it has stored."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from typing import Any, TypeVar

from bide.app import App
from bide.contrib.django.application import session_of
from bide.contrib.django.results import Found
from bide.jobs.job import AttemptRow, Filter, JobRow, ResultRow

T = TypeVar("T")


def find(app: App, key: str) -> Found | None:
    """The job of that key with its attempts and result; None when there is none."""
    alias = session_of(app)
    if alias is not None:
        return outside_of_loops(lambda: _by_model(app, alias, key))
    for row in app.store.find(Filter(key=key), limit=1):
        return Found(app.held(row), attempts_of(app, row), app.store.result(row.id))
    return None


def attempts_of(app: App, row: Any) -> list[AttemptRow]:
    """The failed attempts of a job, through the App's store."""
    return app.store.attempts(row.id) if row.last_error is not None else []


def _by_model(app: App, alias: str, key: str) -> Found | None:
    from bide.contrib.django.models import Job

    for one in Job.objects.using(alias).select_related("result").filter(key=key):
        row = JobRow(*(_aware(getattr(one, name)) for name in JobRow._fields))
        attempts = (
            [_row(AttemptRow, each) for each in one.failures.order_by("id")]
            if one.last_error
            else []
        )
        kept = getattr(one, "result", None)
        return Found(app.held(row), attempts, None if kept is None else _row(ResultRow, kept))
    return None


def _row(cls: Any, record: Any) -> Any:
    return cls(*(_aware(getattr(record, name)) for name in cls._fields))


def _aware(value: Any) -> Any:
    """A moment as stores return it; anything else as it is."""
    from django.utils import timezone

    if isinstance(value, datetime) and timezone.is_naive(value):
        return timezone.make_aware(value)
    return value


def outside_of_loops(read: Callable[[], T]) -> T:
    """What `read` returns; in a thread of its own where this one runs an event loop.

    Django allows no queries there. What a transaction has not committed is not seen then.
    """
    from django.core.exceptions import SynchronousOnlyOperation
    from django.db import connections

    def alone() -> T:
        try:
            return read()
        finally:
            connections.close_all()

    try:
        return read()
    except SynchronousOnlyOperation:
        with ThreadPoolExecutor(1, "bide-read") as pool:
            return pool.submit(copy_context().run, alone).result()
