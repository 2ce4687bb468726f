"""What became of an attempt: recorded in the store, inside the error and failure events (queue.md 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bide import clock
from bide.errors import INTERRUPTIONS, DeserializationError, UnknownJob, WorkerTimeout
from bide.events import emit
from bide.jobs.error_text import describe
from bide.jobs.handle import Job
from bide.jobs.hooks import call_hook
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.retries import may_retry
from bide.jobs.store import Failure
from bide.workers import answers
from bide.workers.settings import Settings
from bide.workers.writing import Writing


class Failures:
    """Records failed attempts. Nothing that hooks or callbacks do keeps an attempt from being recorded."""

    def __init__(
        self,
        writing: Writing,
        lifecycle: Lifecycle,
        settings: Settings,
    ) -> None:
        self._writing, self._lifecycle, self._settings = writing, lifecycle, settings

    def record(self, worker: Any, job: Job, error: BaseException, started_at: datetime) -> None:
        """Count the attempt and schedule the next one, or end the job; inside the error event."""
        job.error = error
        recording = _Recording(self, worker, job, error, started_at)
        try:
            self._guarded("error", recording.in_error_event, worker, job)
        finally:
            recording.once()

    def skip(self, job: Job, started_at: datetime) -> None:
        """An around callback did not proceed: the job comes back later, no attempt is counted (DJ-505)."""
        emit("skipped", job=job)
        text = "an around(perform) callback did not call proceed; the job was not run"
        run_at = clock.moment(self._settings.sleep_delay)
        self._write(
            job, Failure(job.id or 0, job.lease, job.attempts, text, "skipped", started_at, run_at)
        )

    def _guarded(self, event: str, body: Callable[..., Any], worker: Any, job: Job) -> None:
        """Run the event; a callback that raises is reported and changes nothing (DJ-508)."""
        try:
            self._lifecycle.run(event, body, worker, job)
        except INTERRUPTIONS:
            raise
        except BaseException as error:  # noqa: BLE001 - the outcome of the job is recorded all the same
            emit("callback_failed", event=event, job=job, error=error)

    def _write(self, job: Job, failure: Failure) -> None:
        keep = not self._destroys(job)
        now = clock.utc_now()
        if not self._writing.write(failure, now, keep=keep):
            emit("lease_lost", id=job.id, name=job.name, lease=job.lease, outcome=failure.kind)
            return
        job.attempts, job.last_error = failure.attempts, failure.error
        job.state = "scheduled" if failure.run_at is not None else "failed"
        job.run_at = failure.run_at or job.run_at
        job.failed_at = now if failure.run_at is None else None

    def _destroys(self, job: Job) -> bool:
        own = answers.destroy_failed_jobs(job)
        return self._settings.destroy_failed_jobs if own is None else own

    def next_run_at(
        self, job: Job, attempts: int, error: BaseException, now: datetime
    ) -> datetime | None:
        """When the job is tried again; None when that was the last attempt."""
        if isinstance(error, DeserializationError) and not isinstance(error, UnknownJob):
            return None
        own = answers.max_attempts(job)
        if not may_retry(attempts, self._settings.max_attempts if own is None else own):
            return None
        return answers.reschedule_at(job, now, attempts)


class _Recording:
    """One failed attempt on its way into the store, exactly once whatever callbacks do."""

    def __init__(
        self, failures: Failures, worker: Any, job: Job, error: BaseException, started_at: datetime
    ) -> None:
        self._failures, self._worker, self._job = failures, worker, job
        self._error, self._started_at = error, started_at
        self._done = False

    def in_error_event(self, _worker: Any, _job: Job) -> None:
        self.once()

    def once(self) -> None:
        if self._done:
            return
        self._done = True
        now, attempts = clock.utc_now(), self._job.attempts + 1
        self._job.last_error = describe(self._error)
        emit("job_failed", job=self._job, error=self._error, prior_attempts=self._job.attempts)
        run_at = self._failures.next_run_at(self._job, attempts, self._error, now)
        failure = Failure(
            self._job.id or 0, self._job.lease, attempts, self._job.last_error,
            _kind(self._error), self._started_at, run_at,
        )  # fmt: skip
        if run_at is not None:
            self._failures._write(self._job, failure)
        else:
            self._for_good(failure)

    def _for_good(self, failure: Failure) -> None:
        """The failure event with the failure hook inside; then the job ends, whatever they raised."""
        written = False

        def body(_worker: Any, job: Job) -> None:
            nonlocal written
            self._failure_hook(job)
            self._failures._write(job, failure)
            written = True

        emit("job_failed_permanently", job=self._job, error=self._error, attempts=failure.attempts)
        try:
            self._failures._guarded("failure", body, self._worker, self._job)
        finally:
            if not written:
                self._failures._write(self._job, failure)

    def _failure_hook(self, job: Job) -> None:
        """Errors of the failure hook are logged, the job fails all the same (DJ-076, DJ-511)."""
        try:
            call_hook(_target(job), "failure", job)
        except INTERRUPTIONS:
            raise
        except BaseException as error:  # noqa: BLE001 - the job has failed already
            emit("hook_failed", job=job, hook="failure", error=error)


def _target(job: Job) -> object:
    try:
        return job.payload_object.object
    except DeserializationError:
        return None


def _kind(error: BaseException) -> str:
    if isinstance(error, WorkerTimeout):
        return "timeout"
    return "unloadable" if isinstance(error, DeserializationError) else "error"
