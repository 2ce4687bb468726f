"""The worker: execute, loop, perform (queue.md 5.3)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from bide import clock
from bide.errors import WorkerStop
from bide.events import emit
from bide.jobs.handle import Home, Job
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.perform import Performer
from bide.jobs.store import Wanted, WorkerRef
from bide.workers.insist import Insistence
from bide.workers.keeper import Keeper, host_name, process_started
from bide.workers.outcome import Failures
from bide.workers.reserve import Reserver
from bide.workers.settings import Settings
from bide.workers.signals import Requests, handled
from bide.workers.timeouts import Deadline

#: Seconds that a job may run until those claimed behind it are given back.
RELIEF_AFTER = 0.05


EVERYTHING = Wanted()


class Worker:
    """Takes jobs and performs them, one after the other, in the thread that calls it."""

    def __init__(
        self,
        home: Home,
        lifecycle: Lifecycle,
        settings: Settings,
        wanted: Wanted = EVERYTHING,
        *,
        name: str | None = None,
        exit_on_complete: bool = False,
    ) -> None:
        self._home, self._lifecycle, self.settings = home, lifecycle, settings
        self._wanted, self._exit_on_complete = wanted, exit_on_complete
        self._given_name = name
        self.requests = Requests()
        self._deadline = Deadline()
        self._insistence = Insistence(self.requests.loop_bell, lambda: self.requests.stops > 1)
        self._reserver = Reserver(home, self, wanted, settings, self._insistence)
        self._failures = Failures(
            home.store, lambda: self.ref, lifecycle, settings, self._insistence
        )
        self._runner: asyncio.Runner | None = None
        self._performer = Performer(
            lifecycle, retry_on_hook_error=settings.retry_on_hook_error, run_async=self._run_async
        )
        self._registered: WorkerRef | None = None
        #: The job that is running now, and since when (monotonic).
        self.running: tuple[Job, float] | None = None

    @property
    def name(self) -> str:
        """The given name, else host and pid (queue.md 5.2)."""
        return self._given_name or f"host:{host_name()} pid:{os.getpid()}"

    @name.setter
    def name(self, name: str | None) -> None:
        self._given_name = name

    @property
    def ref(self) -> WorkerRef:
        """Who this worker is in the store; entered at the first need."""
        if self._registered is None:
            register = self._home.store.register
            self._registered = self._insistence.on(
                lambda: register(self.name, host_name(), os.getpid(), self.info())
            )
        return self._registered

    def start(self) -> None:
        """Work until stopped (or, with exit_on_complete, until nothing is ready)."""
        stop, quiet = self.requests.stop, self.requests.be_quiet
        with handled({signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGTSTP: quiet}):
            emit("worker_started", worker=self)
            self._while_registered(lambda: self._lifecycle.run("execute", self._loop, self))
            emit("worker_stopped", worker=self)

    def stop(self) -> None:
        """Ask it to stop after the running job; a second time, to give the running job back now."""
        self.requests.stop()

    def work_off(self, number: int = 100) -> tuple[int, int]:
        """Run up to `number` ready jobs; how many succeeded and how many failed."""
        counts: tuple[int, int] = (0, 0)

        def work() -> None:
            nonlocal counts
            counts = self._work_off(number)

        self._while_registered(work)
        return counts

    def _while_registered(self, work: Callable[[], Any]) -> None:
        if self._registered is not None:
            work()
            return
        _ = self.ref
        keeper = Keeper(self._home, self._lifecycle, self.settings, self)
        keeper.start()
        try:
            work()
        finally:
            keeper.stop()
            self._leave()

    def _leave(self) -> None:
        """Report what is done, give back what was not started, and go; a lost database is no obstacle."""
        self._deadline.disarm()
        if self._runner is not None:
            self._runner.close()
            self._runner = None
        ref, self._registered = self._registered, None
        try:
            if ref is not None:
                self._registered = ref
                self._reserver.leave()
                self._home.store.retire(ref, clock.utc_now())
        except Exception as error:  # noqa: BLE001 - its jobs are rescued by others when this cannot be said
            emit("leaving_failed", worker=ref.name if ref else "", error=error)
        finally:
            self._registered = None

    def _loop(self, _worker: Any) -> None:
        wakeups = self._home.store.wakeups()
        try:
            while self._go_round(wakeups.wait):
                pass
        finally:
            wakeups.close()

    def _go_round(self, wait: Callable[[float, list[int]], bool]) -> bool:
        """One loop event and the sleep behind it; whether to go on."""
        began, counts = clock.monotonic(), [0, 0]

        def loop(_worker: Any) -> None:
            counts[:] = self._work_off(100)

        self._lifecycle.run("loop", loop, self)
        done = sum(counts)
        if done:
            emit(
                "jobs_processed",
                worker=self,
                count=done,
                failed=counts[1],
                seconds=clock.monotonic() - began,
            )
        elif self._exit_on_complete and not self._reserver.troubled:
            emit("nothing_left", worker=self)
            return False
        elif not self.requests.stopping:
            wait(self._sleep_delay(), [self.requests.loop_bell.fileno()])
            self.requests.loop_bell.hush()
        return not self.requests.stopping

    def _sleep_delay(self) -> float:
        """Not longer than until the next scheduled job is due."""
        delay = self.settings.sleep_delay
        try:
            due = self._home.store.next_run_at(self._wanted)
        except Exception:  # noqa: BLE001 - only a nicer moment to wake is at stake
            return delay
        if due is None:
            return delay
        return min(delay, max((due - clock.utc_now()).total_seconds(), 0.0) + 0.001)

    def _work_off(self, number: int) -> tuple[int, int]:
        succeeded = failed = 0
        try:
            while succeeded + failed < number and not self.requests.stopping:
                job = self._reserver.next(number - succeeded - failed)
                if job is None:
                    break
                if self._run(job):
                    succeeded += 1
                else:
                    failed += 1
        except WorkerStop:
            self.requests.stop()
        self._reserver.settle()
        return succeeded, failed

    def _run(self, job: Job) -> bool:
        """Perform one job inside the perform event; whether it succeeded. Never raises but WorkerStop."""
        attempt = _Attempt()
        started_at, began = clock.utc_now(), clock.monotonic()
        self.running = (job, began)
        try:
            self._lifecycle.run(
                "perform", lambda _w, job: self._perform(job, attempt, started_at), self, job
            )
        except WorkerStop:
            raise
        except Exception as error:  # noqa: BLE001 - a callback of the application
            emit("callback_failed", event="perform", job=job, error=error)
            if attempt.succeeded is None:
                attempt.succeeded = False
                self._failures.record(self, job, error, started_at)
        finally:
            self.running = None
            self._reserver.took(clock.monotonic() - began)
        if attempt.succeeded is None:
            self._failures.skip(job, started_at)
        return bool(attempt.succeeded)

    def _perform(self, job: Job, attempt: _Attempt, started_at: datetime) -> bool:
        emit("job_started", worker=self, job=job)
        began = clock.monotonic()
        try:
            _ = job.payload_object
            with self._deadline.limit(self.max_run_time(job)):
                self._performer.invoke(job)
        except WorkerStop:
            self._stopped(job)
            raise
        except KeyboardInterrupt as error:
            if not self._signals_are_ours():
                self._stopped(job)
                raise
            self._failed(job, attempt, started_at, error)
            return False
        except BaseException as error:  # noqa: BLE001 - whatever a job raises is the job's failure
            self._failed(job, attempt, started_at, error)
            return False
        attempt.succeeded = True
        self._complete(job)
        emit("job_completed", worker=self, job=job, seconds=clock.monotonic() - began)
        return True

    def _failed(
        self, job: Job, attempt: _Attempt, started_at: datetime, error: BaseException
    ) -> None:
        attempt.succeeded = False
        self._failures.record(self, job, error, started_at)

    def _complete(self, job: Job) -> None:
        """The row goes before perform's after callbacks run, when there are any (queue.md 3.3)."""
        self._reserver.finished(job, at_once="perform" in self._lifecycle.used)

    def _stopped(self, job: Job) -> None:
        """Give a job back whose running was cut short: no attempt counted (DJ-558)."""
        emit("job_given_back", job=job)
        self._home.store.release(self.ref, [(job.id or 0, job.lease)], clock.utc_now())

    def max_run_time(self, job: Job) -> float:
        """The job's own limit in seconds, capped by the setting (DJ-058 to DJ-061)."""
        own = job.option("max_run_time")
        return min(float(own), self.settings.max_run_time) if own else self.settings.max_run_time

    def _signals_are_ours(self) -> bool:
        return signal.getsignal(signal.SIGINT) == self.requests.stop

    def _run_async(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(coroutine)

    # What the keeper asks, from its own thread.

    def info(self) -> dict[str, Any]:
        """What others may know of this worker."""
        running = self.running
        return {
            "pid": os.getpid(),
            "started": process_started(os.getpid()),
            "queues": list(self._wanted.queues) if self._wanted.queues is not None else None,
            "running": [{"id": running[0].id, "name": running[0].name}] if running else [],
        }

    def waits_behind(self) -> bool:
        """Whether claimed jobs wait behind the running one."""
        return self._reserver.waiting > 0

    def relieve(self) -> None:
        """Give back what waits behind a slow job, and report what was finished before it."""
        running = self.running
        if running is not None and clock.monotonic() - running[1] >= RELIEF_AFTER:
            self._reserver.relieve()

    def interrupt(self, error: BaseException) -> None:
        """Raise `error` in the running job."""
        if self.running is not None:
            self._deadline.cut(error)

    def beaten(self, ref: WorkerRef | None = None) -> None:
        """The store has heard of this worker just now; under a new number, if it had given it up."""
        self._reserver.trusted(again=ref is None)
        if ref is not None:
            self._registered = ref

    def clear_locks(self) -> None:
        """Give back every claimed job that was not started; the plugin of that name calls it at the end."""
        self._reserver.leave()


class _Attempt:
    """Whether the body of perform ran, and how it ended: the chain's return value is not asked (DJ-506)."""

    __slots__ = ("succeeded",)

    def __init__(self) -> None:
        self.succeeded: bool | None = None
