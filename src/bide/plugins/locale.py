"""Each job speaks the language, and keeps the time zone, of whoever enqueued it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from bide import events
from bide.errors import TextError
from bide.i18n.locales import locale_name
from bide.i18n.translator import I18n
from bide.i18n.zones import time_zone, with_time_zone, zone_here
from bide.jobs.handle import Job
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.plugin import Plugin


class Locale(Plugin):
    """What `app.use(i18n)` adds: the locale travels in the job's row, through all retries.

    It is set around the hooks, perform, and the error and failure events, and what was set before
    is restored; a job that runs inline is treated alike. One state of the texts serves a whole job.
    """

    def __init__(self, i18n: Callable[[], I18n]) -> None:
        self._i18n = i18n

    def callbacks(self, lifecycle: Lifecycle) -> None:
        """Write it down at enqueue; set it around everything that runs code of the job."""
        lifecycle.before("enqueue", self._note)
        lifecycle.around("invoke_job", self._invoke)
        lifecycle.around("error", self._around)
        lifecycle.around("failure", self._around)

    def _note(self, job: Job) -> None:
        i18n = self._i18n()
        if job.locale is None and i18n.locale:
            job.locale = i18n.locale
        if (zone := time_zone()) is not None:
            context = json.loads(job.context) if job.context else {}
            job.context = json.dumps({"time_zone": zone, **context})

    def _invoke(self, job: Job, proceed: Callable[[Job], Any]) -> Any:
        if job.context or zone_here() is not None:
            with self._speaking(job), self._i18n().pinned():
                return proceed(job)
        return self._i18n().speaking(job.locale, proceed, job, self._unspoken)

    def _around(self, worker: Any, job: Job, proceed: Callable[[Any, Job], Any]) -> Any:
        with self._speaking(job):
            return proceed(worker, job)

    def _speaking(self, job: Job) -> AbstractContextManager[None]:
        zone = json.loads(job.context).get("time_zone") if job.context else None
        if zone is None and time_zone() is None:
            return self._i18n().with_locale(self._spoken(job))
        return self._there(job, zone)

    @contextmanager
    def _there(self, job: Job, zone: str | None) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(self._i18n().with_locale(self._spoken(job)))
            try:
                stack.enter_context(with_time_zone(zone))
            except TextError as error:
                self._unspoken(job, error)
            yield

    def _spoken(self, job: Job) -> str | None:
        """Its locale, None when there is none of that name (any more)."""
        try:
            if job.locale is not None:
                self._i18n().enforce_locale(locale_name(job.locale))
        except TextError as error:
            self._unspoken(job, error)
            return None
        return job.locale

    def _unspoken(self, job: Job, error: TextError) -> None:
        # A language that was given up must not keep its jobs from being done.
        events.emit("job_without_locale", job=job, error=error)
