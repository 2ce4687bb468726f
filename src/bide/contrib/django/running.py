"""What a project expects around its jobs: connections looked after, signals of tasks, language and zone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from inspect import iscoroutinefunction
from typing import Any

from bide import events
from bide.contrib.django.testing_mode import in_tests
from bide.errors import BideError
from bide.jobs.handle import Job
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.plugin import Plugin

#: Before and after what uses connections, in the thread that does.
_BOUNDS = ("job_started", "job_completed", "thread_lent", "thread_returned")


class Running(Plugin):
    """Part of every project's App."""

    def __init__(self) -> None:
        self._unsubscribe = events.subscribe(self._heard, wants=_BOUNDS.__contains__)

    def callbacks(self, lifecycle: Lifecycle) -> None:
        """What jobs carry from where they are enqueued to where they run; the end of those that failed."""
        lifecycle.before("enqueue", self._note)
        lifecycle.around("invoke_job", self._as_noted)
        lifecycle.after("error", self._failed)

    def _heard(self, name: str, facts: dict[str, Any]) -> None:
        """Connections as around a request: one that is too old or broken is closed."""
        if name == "job_completed":
            self._tell(facts["job"])
        if name in _BOUNDS:
            look_after_connections()

    def _failed(self, _worker: Any, job: Job) -> None:
        if job.state == "failed":
            self._tell(job)
        look_after_connections()

    def _tell(self, job: Job) -> None:
        try:
            ended = getattr(job.payload_object.object, "tell_finished", None)
            if ended is not None:
                ended(job)
        except BideError:  # the failure of the job says it already
            return

    def _note(self, job: Job) -> None:
        from django.utils import timezone, translation

        if job.locale is None:
            job.locale = translation.get_language()
        if getattr(timezone._active, "value", None) is not None:
            context = json.loads(job.context) if job.context else {}
            job.context = json.dumps({"time_zone": timezone.get_current_timezone_name(), **context})

    def _as_noted(self, job: Job, proceed: Callable[[Job], Any]) -> Any:
        from django.utils import timezone, translation

        zone = json.loads(job.context).get("time_zone") if job.context else None
        with ExitStack() as stack:
            if job.locale:
                stack.enter_context(translation.override(job.locale))
            if zone:
                try:
                    stack.enter_context(timezone.override(zone))
                except (ValueError, OSError, LookupError) as error:
                    events.emit("job_without_locale", job=job, error=error)
            if iscoroutinefunction(job.payload_object.call):
                stack.enter_context(coroutines_looked_after())
            return proceed(job)


def look_after_connections() -> None:
    """What Django does at the beginning and the end of a request."""
    from django.db import close_old_connections, reset_queries

    if not in_tests():
        reset_queries()
        close_old_connections()


@contextmanager
def coroutines_looked_after() -> Iterator[None]:
    """The same in the thread in which Django queries for coroutines: before they ask, and after.

    What that thread is given it does in turn, so nobody need wait; waiting could be for oneself.
    """
    from asgiref.sync import SyncToAsync

    there = SyncToAsync.single_thread_executor
    if not in_tests():
        there.submit(look_after_connections)
    try:
        yield
    finally:
        if not in_tests():
            there.submit(look_after_connections)
