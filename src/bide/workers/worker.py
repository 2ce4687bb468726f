"""The worker: execute, loop, perform (queue.md 5.3)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bide import clock
from bide.db.loops import Loop
from bide.errors import DatabaseError, FatalBackendError, SettingsError, WorkerStop
from bide.events import emit
from bide.forks.guard import crossings
from bide.jobs.handle import Home
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.names import problem_with
from bide.jobs.store import Wanted, WorkerRef
from bide.workers.attempts import Attempts
from bide.workers.insist import Insistence
from bide.workers.keeper import Keeper
from bide.workers.processes import host_name, identity, memory_of
from bide.workers.reserve import Reserver
from bide.workers.settings import Settings
from bide.workers.signals import Handler, Held, Requests, any_readable, handled
from bide.workers.slate import Entry
from bide.workers.tally import Tally

#: Jobs of one loop event, as in the original (DJ-529).
BATCH = 100
#: Seconds that a job may run until those claimed behind it are given back.
RELIEF_AFTER = 0.05

EVERYTHING = Wanted()

#: Sleep for so many seconds, also until one of the descriptors is readable; whether there may be work.
Wait = Callable[[float, list[int]], bool]


class Worker:
    """Takes jobs and performs them, one after the other, in the thread that calls it.

    With an `entry` of a slate it is one of a fleet: a supervisor watches it and a keeper says that
    it lives. Alone, a thread of its own does.
    """

    def __init__(
        self,
        home: Home,
        lifecycle: Lifecycle,
        settings: Settings,
        wanted: Wanted = EVERYTHING,
        *,
        name: str | None = None,
        exit_on_complete: bool = False,
        entry: Entry | None = None,
    ) -> None:
        self._home, self._lifecycle, self.settings = home, lifecycle, settings
        self._wanted, self._exit_on_complete = wanted, exit_on_complete
        self.name, self._entry = name, entry
        self.requests = Requests()
        self._insistence = Insistence(self.requests, settings.grace_time, kept=entry is not None)
        self.tally = Tally(home.store.statistics) if settings.statistics else None
        self._reserver = Reserver(home, self, wanted, settings, self._insistence)
        self._attempts = Attempts(self, home, lifecycle, settings, self._reserver, entry)
        self._beside = Loop(getattr(home.store, "database", None), self.requests.loop_bell.ring)
        self._registered: WorkerRef | None = None
        self._handlers = Held({})
        self._given_up, self._doubted = 0, False
        #: Whether it ended because it has done its share: another one goes on.
        self.recycled = False
        self._born, self._done = clock.monotonic(), 0

    @property
    def name(self) -> str:
        """The given name, else host and pid (queue.md 5.2)."""
        return self._given_name or f"host:{host_name()} pid:{os.getpid()}"

    @name.setter
    def name(self, name: str | None) -> None:
        problem = problem_with(name) if name else None
        if name and problem:
            raise SettingsError(f"a worker's name {problem}, got {name[:40]!r}; e.g. mail-1")
        self._given_name = name

    @property
    def ref(self) -> WorkerRef:
        """Who this worker is in the store; entered at the first need."""
        return self._registered or self._enter(migrated=False)

    def start(self) -> None:
        """Work until stopped (or, with exit_on_complete, until nothing is ready).

        Without tables it waits for them; with exit_on_complete it raises NotMigrated.
        """
        stop, quiet = self.requests.stop, self.requests.be_quiet
        handlers: dict[signal.Signals, Handler] = {
            signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGTSTP: quiet, signal.SIGUSR1: quiet,
        }  # fmt: skip
        if threading.current_thread() is threading.main_thread():
            self._handlers = Held({int(number): each for number, each in handlers.items()})
        with handled(handlers):
            emit("worker_started", worker=self)
            self._while_registered(
                lambda: self._lifecycle.run("execute", self._loop, self),
                migrated=self._exit_on_complete,
            )
            emit("worker_stopped", worker=self)
        self._handlers = Held({})

    def stop(self) -> None:
        """Ask it to stop after the running job; a second time, to give the running job back now."""
        self.requests.stop()

    def work_off(self, number: int = BATCH) -> tuple[int, int]:
        """Run up to `number` ready jobs; how many succeeded and how many failed.

        Raises NotMigrated where there are no tables.
        """
        counts: tuple[int, int] = (0, 0)

        def work() -> None:
            nonlocal counts
            counts = self._work_off(number)

        self._while_registered(work, migrated=True)
        return counts

    def _while_registered(self, work: Callable[[], Any], *, migrated: bool) -> None:
        if self._registered is not None:
            work()
            return
        try:
            self._enter(migrated=migrated)
        except WorkerStop:  # the database never answered
            return
        keeper = Keeper(self._home, self._lifecycle, self.settings, self, alone=self._entry is None)
        keeper.start(succeeding=self._given_name)
        try:
            work()
        finally:
            keeper.stop()
            self._leave()

    def _enter(self, *, migrated: bool) -> WorkerRef:
        self._registered = self._insistence.on(self._register, idle=True, migrated=migrated)
        return self._registered

    def _register(self) -> WorkerRef:
        ref = self._home.store.register(self.name, host_name(), os.getpid(), self.info())
        if self._entry is not None:
            self._entry.entered(ref.id, os.getpid(), clock.monotonic())
        return ref

    def _leave(self) -> None:
        """Report what is done, give back what was not started, and go; a lost database is no obstacle."""
        self._attempts.close()
        ref = self._registered
        if ref is None:
            return
        try:
            self._reserver.leave()
            self._home.store.retire(ref, clock.utc_now())
            with suppress(DatabaseError):  # only counts are at stake
                self.report()
        except Exception as error:  # noqa: BLE001 - its jobs are rescued by others when this cannot be said
            emit("leaving_failed", worker=ref.name, error=error)
        finally:
            self._registered = None

    def _loop(self, _worker: Any) -> None:
        wakeups = self._home.store.wakeups()
        if self._entry is not None:
            self._entry.looks_for_jobs()
        try:
            with self._beside.turning():
                while self._go_round(wakeups.wait):
                    pass
        finally:
            wakeups.close()

    def _go_round(self, wait: Wait) -> bool:
        """One loop event and the sleep behind it; whether to go on."""
        began, counts = clock.monotonic(), [0, 0]

        def loop(_worker: Any) -> None:
            counts[:] = self._work_off(self._share(), more=self._goes_on())

        try:
            self._lifecycle.run("loop", loop, self)
        except FatalBackendError:
            raise
        except Exception as error:  # noqa: BLE001 - a callback of the application ends no worker
            emit("callback_failed", event="loop", job=None, error=error)
        done, failed = sum(counts), counts[1]
        if done:
            seconds = clock.monotonic() - began
            emit("jobs_processed", worker=self, count=done, failed=failed, seconds=seconds)
        elif self._exit_on_complete and not self._reserver.troubled:
            emit("nothing_left", worker=self)
            return False
        elif not self.requests.stopping:
            self._rest(wait)
        if self.requests.stopping or self._spent():
            self._reserver.settle()
            return False
        return True

    def _rest(self, wait: Wait) -> None:
        """Sleep until there may be work, the bell rings or the time is over; what looks beside does so."""
        bell, beside = self.requests.loop_bell, self._beside
        end = clock.monotonic() + self._sleep_delay()
        while True:
            beside.look()
            left = max(0.0, end - clock.monotonic())
            woken = wait(min(left, beside.pause()), [bell.fileno(), *beside.descriptors()])
            if woken or clock.monotonic() >= end or any_readable([bell.fileno()], 0.0):
                break
        bell.hush()

    def _goes_on(self) -> bool:
        """Whether nothing comes between one batch of jobs and the next."""
        return "loop" not in self._lifecycle.used and not self.settings.recycle_after_jobs

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

    def _work_off(self, number: int, *, more: bool = False) -> tuple[int, int]:
        """With `more` the next batch follows at once if this one is full: jobs may stay in hand."""
        done = failed = 0
        requests, reserver, run = self.requests, self._reserver, self._attempts.run
        beside, take_back, entry = self._beside, self._handlers.take_back, self._entry
        try:
            while done < number and not requests.stops:
                now = clock.monotonic()
                doubted = self._doubted if entry is None else self._is_doubted
                if doubted or now > reserver.known_until:
                    self._heed_the_keeper()
                if now >= beside.due:
                    beside.look()
                job = reserver.next(number - done, more=more)
                if job is None:
                    break
                failed += not run(job)
                done += 1
                take_back()
        except WorkerStop:
            requests.stop()
        self._done += done
        if not more or done < number or requests.stops:
            reserver.settle()
        return done - failed, failed

    @property
    def _is_doubted(self) -> bool:
        """Whether the keeper says that the store has given this worker up."""
        entry = self._entry
        return self._doubted or (entry is not None and entry.given_up != self._given_up)

    def _heed_the_keeper(self) -> None:
        """Ask the store when the keeper says that it gave this worker up, or could not say anything."""
        if self._entry is not None:
            self._reserver.heard(self._entry.beat)
            given_up = self._entry.given_up
            self._doubted = self._doubted or given_up != self._given_up
            self._given_up = given_up
        if self._doubted or clock.monotonic() > self._reserver.known_until:
            self._insistence.on(self._beat, idle=True)
            self._doubted = False

    def _beat(self) -> None:
        """A worker that was given up (suspended, cut off) enters again; its old leases are refused."""
        known = self._home.store.heartbeat(self.ref)
        if not known:
            emit("given_up", worker=self.name)
            self._registered = self._register()
        self._reserver.trusted(again=known)

    def _share(self) -> int:
        """How many jobs of one batch this process may still do."""
        share = self.settings.recycle_after_jobs
        return min(BATCH, share - self._done) if share and self._entry is not None else BATCH

    def _spent(self) -> bool:
        """Whether this process has done its share and is to be replaced (fleets only)."""
        settings = self.settings
        if self._entry is None:
            return False
        reasons = (
            settings.recycle_after_jobs and self._done >= settings.recycle_after_jobs,
            settings.recycle_after and clock.monotonic() - self._born >= settings.recycle_after,
            settings.recycle_above_memory
            and memory_of(os.getpid()) >= settings.recycle_above_memory,
        )
        if not any(reasons):
            return False
        self.recycled = True
        emit("recycled", worker=self, jobs=self._done)
        return True

    # What the keeper asks, from its own thread.

    @property
    def running(self) -> Any:
        """The job that is running now, None between jobs."""
        running = self._attempts.running
        return running[0] if running else None

    def info(self) -> dict[str, Any]:
        """What others may know of this worker."""
        job = self.running
        return {
            **identity(os.getpid()),
            "queues": list(self._wanted.queues) if self._wanted.queues is not None else None,
            "running": [{"id": job.id, "name": job.name}] if job is not None else [],
            "fork_findings": len(crossings()),
        }

    def waits_behind(self) -> bool:
        """Whether claimed jobs wait behind the running one."""
        return self._reserver.waiting > 0

    def relieve(self) -> None:
        """Give back what waits behind a slow job, and report what was finished before it."""
        running = self._attempts.running
        if running is not None and clock.monotonic() - running[1] >= RELIEF_AFTER:
            self._reserver.relieve()

    def interrupt(self, error: BaseException) -> None:
        """Raise `error` in the running job."""
        self._attempts.interrupt(error)

    def report(self) -> None:
        """Write what was counted."""
        if self.tally is not None:
            self.tally.report()

    def look_at_deadline(self) -> None:
        """End the running job if it is over its limit and the alarm did not ring."""
        self._attempts.look_at_deadline()

    def look_beside(self) -> None:
        """Let what looks beside the jobs do so, if one of them has kept the loop from it for long."""
        if self.running is not None:
            self._beside.look_if_late()

    def beaten(self, *, known: bool) -> None:
        """The store has heard of this worker just now; or had given it up: it asks before it goes on."""
        if known:
            self._reserver.heard(clock.monotonic())
        else:
            self._doubted = True

    def compare(self) -> None:
        """Release what the store says runs here and does not, if the worker's thread is busy."""
        self._reserver.hand.compare(late_by=self.settings.heartbeat_interval)

    def clear_locks(self) -> None:
        """Give back every claimed job that was not started; the plugin of that name calls it at the end.

        A lost database must not hide what ended the worker; leaving tries and reports it again.
        """
        with suppress(DatabaseError):
            self._reserver.leave()
