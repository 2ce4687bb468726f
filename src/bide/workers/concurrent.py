"""A worker that runs many jobs at a time: `async def` ones on an event loop, the others in threads."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

from bide import clock
from bide.errors import WorkerStop, WorkerTimeout
from bide.events import emit, heard
from bide.jobs.handle import Home, Job
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.store import Wanted, WorkerRef
from bide.workers.attempts import Attempts, Means
from bide.workers.beside import Beside
from bide.workers.settings import Settings
from bide.workers.slate import Entry
from bide.workers.timeouts import ThreadBomb
from bide.workers.worker import BATCH, EVERYTHING, Wait, Worker

#: Seconds between looks for more work while some jobs run and there is room for others.
LOOK = 0.1


class Slot(NamedTuple):
    """A place for one job at a time."""

    beside: Beside
    attempts: Attempts


class Running(dict[asyncio.Task[bool], Slot]):
    """Which job's task runs in which place."""


class LoopDeadline:
    """Limits one job on the loop: its task is cancelled, or its thread gets the exception."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._task: asyncio.Task[Any] | None = None
        self._bomb: ThreadBomb | None = None
        self._error: BaseException | None = None

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Raise WorkerTimeout in the body after `seconds`; swallowed, it is raised at the end."""
        self._error = None
        self._task, loop = self._beside.place()
        timer = loop.call_later(seconds, self.cut, WorkerTimeout(seconds))
        try:
            yield
        except (asyncio.CancelledError, WorkerTimeout, WorkerStop):
            if self._error is None:
                raise
        finally:
            timer.cancel()
            self._task = None
        if self._error is not None:
            raise self._error from None

    def within(self, seconds: float, _now: float, body: Callable[..., object], *args: Any) -> None:
        """Call `body` under that limit."""
        with self.limit(seconds):
            body(*args)

    def cut(self, error: BaseException) -> None:
        """End the limited body with `error`; on the loop's thread only."""
        if self._task is None or self._error is not None:
            return
        self._error = error
        if self._bomb is not None:
            self._bomb.go_off(error)
        else:
            self._task.cancel()

    def in_thread(self, body: Callable[[], Any]) -> Any:
        """Run a job that is no coroutine, beside the loop."""
        return self._beside.wait(asyncio.to_thread(self._bombed, body))

    def look(self) -> None:
        """The loop's own timer is nobody's to take away."""

    def disarm(self) -> None:
        """Nothing is left to stop."""

    def _bombed(self, body: Callable[[], Any]) -> Any:
        if heard("thread_lent"):
            emit("thread_lent")
        self._bomb = bomb = ThreadBomb(threading.get_ident())
        try:
            return body()
        finally:
            self._bomb = None
            bomb.defuse()
            if heard("thread_returned"):
                emit("thread_returned")


class ConcurrentWorker(Worker):
    """`concurrency` jobs at a time in one process; everything else is as in Worker.

    Database calls of the worker itself are short and made on the loop's thread. Jobs run on from one loop
    event to the next: a long one does not keep others from starting.
    """

    def __init__(
        self,
        home: Home,
        lifecycle: Lifecycle,
        settings: Settings,
        wanted: Wanted = EVERYTHING,
        *,
        concurrency: int,
        entries: Sequence[Entry] = (),
        **options: Any,
    ) -> None:
        entry = entries[0] if entries else None
        super().__init__(home, lifecycle, settings, wanted, entry=entry, **options)
        self._entries = entries
        self._slots = [
            self._slot(entries[index] if entries else None) for index in range(concurrency)
        ]
        self._free, self._tasks = deque(self._slots), Running()
        self._runs_on = False
        self._runner: asyncio.Runner | None = None

    def _slot(self, entry: Entry | None) -> Slot:
        beside = Beside()
        deadline = LoopDeadline(beside)
        attempts = Attempts(
            self, self._home, self._lifecycle, self.settings, self._reserver, entry,
            Means(deadline, beside.wait, deadline.in_thread, deadline.disarm),
        )  # fmt: skip
        return Slot(beside, attempts)

    def _go_round(self, wait: Wait) -> bool:
        self._runs_on = True
        try:
            goes_on = super()._go_round(wait)
        finally:
            self._runs_on = False
        if not goes_on and self._tasks:
            self._work_off(0)
        return goes_on

    def _rest(self, wait: Wait) -> None:
        """Where a callback has kept the loop event from taking place, what runs goes on all the same."""
        if not self._tasks:
            super()._rest(wait)
            return
        self._beside.look()
        self._run(self._go_on(min(self.settings.sleep_delay, self._beside.pause())))

    def _share(self) -> int:
        """Every place can be filled in one loop event; jobs that still run count as done already."""
        most, share = max(BATCH, len(self._slots)), self.settings.recycle_after_jobs
        return min(most, share - self._done - len(self._tasks)) if share and self._entries else most

    def _work_off(self, number: int, *, more: bool = False) -> tuple[int, int]:
        if self._runner is None:
            self._runner = asyncio.Runner()
            threads = ThreadPoolExecutor(len(self._slots), "bide-job")
            self._runner.get_loop().set_default_executor(threads)
        return self._run(self._together(number))

    def _run(self, coroutine: Coroutine[Any, Any, tuple[int, int]]) -> tuple[int, int]:
        assert self._runner is not None
        counts = self._runner.run(coroutine)
        self._done += sum(counts)
        self._reserver.settle()
        return counts

    async def _together(self, number: int) -> tuple[int, int]:
        free, running = self._free, self._tasks
        counts = [0, 0]
        started = 0
        while True:
            if self._beside.lookout and clock.monotonic() >= self._beside.due:
                self._beside.look()
            while free and started < number and not self.requests.stopping:
                job = self._next(min(len(free), number - started))
                if job is None:
                    break
                if job.crashes and running and not await self._alone(running, free, counts):
                    self._reserver.give_up(job)
                    break
                slot = free.popleft()
                running[asyncio.create_task(slot.beside.run(slot.attempts.run, job))] = slot
                started += 1
                if job.crashes:
                    await self._alone(running, free, counts)
            if not running or (self._runs_on and started >= number and self._may_go_round(counts)):
                return counts[0], counts[1]
            more = free and started < number
            patience = LOOK if more or self._beside.lookout else None
            await self._some_done(running, free, counts, patience)

    async def _go_on(self, patience: float) -> tuple[int, int]:
        counts = [0, 0]
        await self._some_done(self._tasks, self._free, counts, patience)
        return counts[0], counts[1]

    def _may_go_round(self, counts: list[int]) -> bool:
        """Whether what runs may be left to the next loop event: not by a worker that ends."""
        return any(counts) and not self.requests.stopping

    async def _alone(self, running: Running, free: deque[Slot], counts: list[int]) -> bool:
        """A job that was running when a worker died waits until nothing else runs beside it.

        Whether jobs may still be started then.
        """
        while running:
            await self._some_done(running, free, counts, None)
        return not self.requests.stopping

    async def _some_done(
        self,
        running: Running,
        free: deque[Slot],
        counts: list[int],
        patience: float | None,
    ) -> None:
        first = asyncio.FIRST_COMPLETED
        done, _ = await asyncio.wait(running, timeout=patience, return_when=first)
        for task in done:
            free.append(running.pop(task))
            self._count(task, counts)

    def _next(self, most: int) -> Job | None:
        """None also when this worker must stop while the database is away: what runs may end first."""
        try:
            self._heed_the_keeper()
            return self._reserver.next(most)
        except WorkerStop:
            return None

    def _count(self, task: asyncio.Task[bool], counts: list[int]) -> None:
        error = task.exception()
        if error is None:
            counts[0 if task.result() else 1] += 1
        elif isinstance(error, WorkerStop):
            self.requests.stop()
        else:
            raise error

    def _register(self) -> WorkerRef:
        """Every slot's entry tells who it belongs to, so that each slot's job is reported if we die."""
        ref = super()._register()
        for entry in self._entries:
            entry.entered(ref.id, os.getpid(), clock.monotonic())
        return ref

    def _leave(self) -> None:
        super()._leave()
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def _under_way(self) -> Iterator[tuple[Job, float]]:
        for _, attempts in self._slots:
            if attempts.running is not None:
                yield attempts.running

    @property
    def running(self) -> Any:
        """One of the jobs that are running now, None when none is."""
        return next((job for job, _ in self._under_way()), None)

    def info(self) -> dict[str, Any]:
        """What others may know of this worker."""
        jobs = [job for job, _ in self._under_way()]
        return {**super().info(), "running": [{"id": job.id, "name": job.name} for job in jobs]}

    def interrupt(self, error: BaseException) -> None:
        """Raise `error` in every running job."""
        if self._runner is None:
            return
        loop = self._runner.get_loop()
        for slot in self._slots:
            loop.call_soon_threadsafe(slot.attempts.interrupt, error)
