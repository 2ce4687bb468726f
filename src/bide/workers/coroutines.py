"""Running `async def` jobs one after the other on one event loop, none of them reaching into the next."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, Final

from bide.jobs.perform import run_here

#: How often in a row the system is not asked whether descriptors are ready while callbacks are.
UNASKED: Final = 2


class Coroutines:
    """The event loop of one worker, made at the first need."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None
        self._tasks = 0

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The result of `coroutine`. What it leaves running is cancelled, itself included when it
        was cut off from outside: a loop that is left by an exception keeps its tasks."""
        if _inside_a_loop():
            return run_here(coroutine)
        if self._runner is None:
            self._runner = asyncio.Runner(loop_factory=self._make_loop)
        loop = self._runner.get_loop()
        self._tasks = 0
        task = loop.create_task(coroutine)
        try:
            return loop.run_until_complete(task)
        finally:
            if self._tasks > 1 or not task.done():
                self._end_tasks(loop)

    def close(self) -> None:
        """Close the loop, when the worker ends."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def _make_loop(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.SelectorEventLoop(_Selector())
        loop.set_task_factory(self._make_task)
        return loop

    def _make_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> asyncio.Task[Any]:
        """Count them: most jobs have no task but their own, so nothing is to be looked for."""
        self._tasks += 1
        return asyncio.Task(coroutine, loop=loop, **options)

    def _end_tasks(self, loop: asyncio.AbstractEventLoop) -> None:
        left = asyncio.all_tasks(loop)
        if not left:
            return
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


class _Selector(selectors.DefaultSelector):
    """A job that waits for nothing costs no system call: the loop has callbacks ready all the time."""

    def __init__(self) -> None:
        super().__init__()
        self._unasked = 0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout <= 0 and self._unasked < UNASKED:
            self._unasked += 1
            return []
        self._unasked = 0
        return super().select(timeout)


def _inside_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
