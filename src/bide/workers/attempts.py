"""One attempt at a job: perform event, deadline, outcome. Whatever happens in it, the worker lives."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, Protocol

from bide import clock
from bide.errors import WorkerStop
from bide.events import emit
from bide.jobs.handle import Home, Job
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.perform import Performer
from bide.jobs.store import WorkerRef
from bide.workers.insist import Insistence
from bide.workers.outcome import Failures
from bide.workers.reserve import Reserver
from bide.workers.settings import Settings
from bide.workers.signals import Requests
from bide.workers.slate import Entry
from bide.workers.timeouts import Deadline


class Attempting(Protocol):
    """The worker whose attempts these are."""

    requests: Requests

    @property
    def ref(self) -> WorkerRef: ...


class _Attempt:
    """Whether the body of perform ran, and how it ended: the chain's return value is not asked (DJ-506)."""

    __slots__ = ("began", "started_at", "succeeded")

    def __init__(self) -> None:
        self.started_at, self.began = clock.utc_now(), clock.monotonic()
        self.succeeded: bool | None = None


class Attempts:
    """Runs jobs one after the other for one worker, in the thread that calls it."""

    def __init__(
        self,
        worker: Attempting,
        home: Home,
        lifecycle: Lifecycle,
        settings: Settings,
        reserver: Reserver,
        insistence: Insistence,
        entry: Entry | None,
    ) -> None:
        self._worker, self._home, self._lifecycle = worker, home, lifecycle
        self._settings, self._reserver, self._entry = settings, reserver, entry
        self._failures = Failures(home.store, lambda: worker.ref, lifecycle, settings, insistence)
        self._performer = Performer(
            lifecycle, retry_on_hook_error=settings.retry_on_hook_error, run_async=self._run_async
        )
        self._deadline = Deadline()
        self._loop: asyncio.Runner | None = None
        #: The job that is running now, and since when (monotonic).
        self.running: tuple[Job, float] | None = None

    def run(self, job: Job) -> bool:
        """Perform one job inside the perform event; whether it succeeded. Raises WorkerStop only."""
        attempt = _Attempt()
        self.running = (job, attempt.began)
        try:
            self._lifecycle.run(
                "perform", lambda _w, job: self._perform(job, attempt), self._worker, job
            )
        except Exception as error:  # noqa: BLE001 - a callback of the application
            emit("callback_failed", event="perform", job=job, error=error)
            if attempt.succeeded is None:
                self._failed(job, attempt, error)
        finally:
            self.running = None
            if self._entry is not None:
                self._entry.ended()
            self._reserver.took(clock.monotonic() - attempt.began)
        if attempt.succeeded is None:
            self._failures.skip(job, attempt.started_at)
        return bool(attempt.succeeded)

    def interrupt(self, error: BaseException) -> None:
        """Raise `error` in the running job, from another thread."""
        if self.running is not None:
            self._deadline.cut(error)

    def max_run_time(self, job: Job) -> float:
        """The job's own limit in seconds, capped by the setting (DJ-058 to DJ-061)."""
        own = job.option("max_run_time")
        return min(float(own), self._settings.max_run_time) if own else self._settings.max_run_time

    def close(self) -> None:
        """Stop the timer and the event loop, when the worker ends."""
        self._deadline.disarm()
        if self._loop is not None:
            self._loop.close()
            self._loop = None

    def _perform(self, job: Job, attempt: _Attempt) -> bool:
        emit("job_started", worker=self._worker, job=job)
        try:
            payload = job.payload_object
            try:
                self._within_limit(job, attempt)
            finally:
                payload.close()
        except WorkerStop:
            self._given_back(job)
            raise
        except KeyboardInterrupt as error:
            if not self._signals_are_ours():
                self._given_back(job)
                raise
            self._failed(job, attempt, error)
            return False
        except BaseException as error:  # noqa: BLE001 - whatever a job raises is the job's failure
            self._failed(job, attempt, error)
            return False
        self._completed(job, attempt)
        return True

    def _within_limit(self, job: Job, attempt: _Attempt) -> None:
        limit = self.max_run_time(job)
        if self._entry is not None:
            self._entry.started(job.id or 0, job.lease, attempt.began, attempt.began + limit)
        with self._deadline.limit(limit):
            self._performer.invoke(job)

    def _completed(self, job: Job, attempt: _Attempt) -> None:
        """The row goes before perform's after callbacks run, when there are any (queue.md 3.3)."""
        attempt.succeeded = True
        self._reserver.finished(job, at_once="perform" in self._lifecycle.used)
        seconds = clock.monotonic() - attempt.began
        emit("job_completed", worker=self._worker, job=job, seconds=seconds)

    def _failed(self, job: Job, attempt: _Attempt, error: BaseException) -> None:
        attempt.succeeded = False
        self._failures.record(self._worker, job, error, attempt.started_at)

    def _given_back(self, job: Job) -> None:
        """A job whose running was cut short by the worker's end: no attempt counted (DJ-558)."""
        emit("job_given_back", job=job)
        self._home.store.release(self._worker.ref, [(job.id or 0, job.lease)], clock.utc_now())

    def _signals_are_ours(self) -> bool:
        return signal.getsignal(signal.SIGINT) == self._worker.requests.stop

    def _run_async(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        if self._loop is None:
            self._loop = asyncio.Runner()
        return self._loop.run(coroutine)
