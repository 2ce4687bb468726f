"""One attempt at a job: perform event, deadline, outcome. Whatever happens in it, the worker lives."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, Protocol

from bide import clock
from bide.errors import WorkerStop
from bide.events import Ear, emit
from bide.jobs.brought_back import Payload
from bide.jobs.handle import Home, Job
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.perform import Performer, RunAsync, RunSync, call
from bide.jobs.store import WorkerRef
from bide.workers import answers
from bide.workers.children import leave_stray, lineage
from bide.workers.coroutines import Coroutines
from bide.workers.outcome import Failures
from bide.workers.reserve import Reserver
from bide.workers.settings import Settings
from bide.workers.signals import Requests
from bide.workers.slate import Entry
from bide.workers.tally import Tally
from bide.workers.timeouts import A, B, Deadline
from bide.workers.writing import Writing


class Attempting(Protocol):
    """The worker whose attempts these are."""

    requests: Requests
    tally: Tally | None

    @property
    def ref(self) -> WorkerRef: ...


class Limiting(Protocol):
    """How the running job is ended from outside."""

    def within(
        self, seconds: float, now: float, body: Callable[[A, B], object], first: A, second: B
    ) -> None: ...
    def cut(self, error: BaseException) -> None: ...
    def look(self) -> None: ...
    def disarm(self) -> None: ...


class Means(NamedTuple):
    """How jobs are run: one at a time in this thread, or many on an event loop."""

    deadline: Limiting
    run_async: RunAsync
    run_sync: RunSync
    close: Callable[[], None]

    @classmethod
    def of_one_thread(cls) -> Means:
        """In the calling thread."""
        coroutines = Coroutines()
        return cls(Deadline(), coroutines.run, call, coroutines.close)


class _Attempt:
    """Whether the body of perform ran, and how it ended: the chain's return value is not asked (DJ-506).

    Moments are monotonic; `ended` is 0 until it has succeeded, and where others had their turn then.
    `births` tells the process in which it began from children that the job forks. It may begin again.
    """

    __slots__ = ("began", "births", "ended", "succeeded")

    began: float
    ended: float
    births: int
    succeeded: bool | None

    @property
    def started_at(self) -> datetime:
        """By the wall clock, reckoned back from now: few attempts are ever asked."""
        return clock.utc_now() - timedelta(seconds=clock.monotonic() - self.began)


class Attempts:
    """Runs jobs one after the other for one worker, in the thread that calls it."""

    def __init__(
        self,
        worker: Attempting,
        home: Home,
        lifecycle: Lifecycle,
        settings: Settings,
        reserver: Reserver,
        entry: Entry | None,
        means: Means | None = None,
    ) -> None:
        self._worker, self._lifecycle, self._tally = worker, lifecycle, worker.tally
        self._used = lifecycle.used
        self._settings, self._reserver, self._entry = settings, reserver, entry
        self._finished, self._took = reserver.finishes.add, reserver.took
        writing = Writing(home.store, lambda: worker.ref, reserver.hand, reserver.insistence)
        self._failures = Failures(writing, lifecycle, settings)
        self._means = means or Means.of_one_thread()
        self._performer = Performer(
            lifecycle,
            retry_on_hook_error=settings.retry_on_hook_error,
            run_async=self._means.run_async,
            run_sync=self._means.run_sync,
        )
        self._deadline = self._means.deadline
        self._most = settings.max_run_time
        self._start_is, self._end_is = Ear("job_started"), Ear("job_completed")
        self._outermost = _Attempt()
        #: The job that is running now, and since when (monotonic).
        self.running: tuple[Job, float] | None = None

    def run(self, job: Job) -> bool:
        """Perform one job inside the perform event; whether it succeeded.

        Raises nothing but WorkerStop, and KeyboardInterrupt when Ctrl-C was pressed and is not ours.
        """
        began = clock.monotonic()
        outer, self.running = self.running, (job, began)
        attempt = self._outermost if outer is None else _Attempt()
        attempt.began, attempt.ended, attempt.succeeded = began, 0.0, None
        attempt.births = lineage.births
        job.at_work = True
        try:
            if "perform" in self._used:
                body = partial(self._proceeded, job, attempt)
                self._lifecycle.run("perform", body, self._worker, job)
            else:
                self._perform(job, attempt, began)
        except WorkerStop:
            raise
        except BaseException as error:  # noqa: BLE001 - judged, raised again if it was the keyboard
            self._callback_failed(job, attempt, error)
        finally:
            if lineage.births != attempt.births:  # a hook or a callback has forked it
                leave_stray(None)
            if job.at_work:
                job.let_go()
            self.running = outer
            if self._entry is not None:
                self._entry.ended()
                if outer is not None:  # it goes on
                    self._on_the_slate(*outer, self.max_run_time(outer[0]))
            self._took((attempt.ended or clock.monotonic()) - began)
        succeeded = bool(attempt.succeeded)
        if attempt.succeeded is None:
            # Who hears of it may work off others, whose attempt this object is then.
            self._failures.skip(job, attempt.started_at)
        return succeeded

    def interrupt(self, error: BaseException) -> None:
        """Raise `error` in the running job, from another thread."""
        if self.running is not None:
            self._deadline.cut(error)

    def look_at_deadline(self) -> None:
        """End the running job if it is over its limit and nothing has told it; from another thread."""
        self._deadline.look()

    def max_run_time(self, job: Job) -> float:
        """The job's own limit in seconds, capped by the setting (DJ-058 to DJ-061)."""
        own = answers.max_run_time(job)
        return self._most if own is None else min(own, self._most)

    def close(self) -> None:
        """Stop the timer and the event loop, when the worker ends; no job runs any more."""
        self.running = None
        self._deadline.disarm()
        self._means.close()

    def _proceeded(self, job: Job, attempt: _Attempt, *_: object) -> bool:
        """A callback that proceeds twice does not run the job twice; the limit is not of what it does before."""
        if attempt.succeeded is None:
            return self._perform(job, attempt, clock.monotonic())
        return attempt.succeeded

    def _perform(self, job: Job, attempt: _Attempt, now: float) -> bool:
        """The body of the event, which begins now (monotonic)."""
        began, ear = attempt.began, self._start_is
        if began > ear.deaf_until and ear.hears(began):
            emit("job_started", worker=self._worker, job=job)
            now = clock.monotonic()
        most, entry = self._most, self._entry
        if entry is not None:
            entry.started(job.id or 0, job.lease, began, began + most, job.name)
        try:
            # What cannot be brought back fails before anything is limited.
            payload = job.payload_object
            if payload.silent:
                self._deadline.within(most, now, self._performer.invoke, job, payload)
                job.at_work = False  # it has no records
            else:
                self._by_its_own_limit(job, payload, attempt)
        except BaseException as error:
            if lineage.births != attempt.births:
                leave_stray(error)
            if isinstance(error, WorkerStop) or self._is_ctrl_c(error):
                self._given_back(job)
                raise
            # Whatever else a job raises is the job's failure.
            self._failed(job, attempt, error)
            return False
        if lineage.births != attempt.births:
            leave_stray(None)
        self._completed(job, attempt)
        return True

    def _by_its_own_limit(self, job: Job, payload: Payload, attempt: _Attempt) -> None:
        """A job that may have a limit, and records that live as long as it runs."""
        try:
            limit = self.max_run_time(job)
            if limit != self._most:
                self._on_the_slate(job, attempt.began, limit)
            now = clock.monotonic()  # reading it may have taken long
            self._deadline.within(limit, now, self._performer.invoke, job, payload)
        finally:
            # A child that the job forked has its parent's session, with its parent's connection.
            if lineage.births == attempt.births:
                job.let_go()

    def _completed(self, job: Job, attempt: _Attempt) -> None:
        """The row goes before perform's after callbacks run, when there are any (queue.md 3.3)."""
        attempt.succeeded = True
        at_once = "perform" in self._used
        if job.kept is not None:
            job.kept.started_at = attempt.started_at
            at_once = at_once or job.kept.at_once
        now = clock.monotonic()
        if not at_once:
            attempt.ended = now
        if self._finished(job, now) or at_once:
            self._reserver.report()
        if self._tally is not None:
            self._tally.ended(job, attempt.began, now)
        if now > self._end_is.deaf_until and self._end_is.hears(now):
            emit("job_completed", worker=self._worker, job=job, seconds=now - attempt.began)

    def _failed(self, job: Job, attempt: _Attempt, error: BaseException) -> None:
        due = job.run_at
        try:
            self._failures.record(self._worker, job, error, attempt.started_at)
        finally:
            attempt.succeeded = False
            if self._tally is not None:
                self._tally.failed(job, due, attempt.began, clock.monotonic(), error)

    def _callback_failed(self, job: Job, attempt: _Attempt, error: BaseException) -> None:
        """A callback of perform raised: the job's failure, unless its outcome stands (DJ-508)."""
        if self._is_ctrl_c(error):
            if attempt.succeeded is None:
                self._given_back(job)
            raise error
        emit("callback_failed", event="perform", job=job, error=error)
        if attempt.succeeded is None:
            self._failed(job, attempt, error)

    def _given_back(self, job: Job) -> None:
        """A job whose running was cut short by the worker's end: no attempt counted (DJ-558)."""
        emit("job_given_back", job=job)
        self._reserver.give_up(job)

    def _on_the_slate(self, job: Job, began: float, limit: float) -> None:
        if self._entry is not None:
            self._entry.started(job.id or 0, job.lease, began, began + limit, job.name)

    @staticmethod
    def _is_ctrl_c(error: BaseException) -> bool:
        """Whether Python raised it for the keyboard, not a job or callback by itself."""
        return (
            isinstance(error, KeyboardInterrupt)
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
