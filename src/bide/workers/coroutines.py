"""Running `async def` jobs one after the other on one event loop, none of them reaching into the next."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, cast

from bide.jobs.perform import run_here

if TYPE_CHECKING:
    import asyncio

    from bide.workers.event_loop import EventLoop


class Coroutines:
    """The event loop of one worker, made at the first need: without one it needs no asyncio, 7 MB."""

    def __init__(self) -> None:
        self._running_loop: Callable[[], object] = self._look
        self._runner: asyncio.Runner | None = None

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The result of `coroutine`. What it leaves running is cancelled, itself included when it
        was cut off from outside: a loop that is left by an exception keeps its tasks."""
        if self._running_loop() is not None:
            return run_here(coroutine)
        if self._runner is None:
            self._runner = self._started()
        loop = cast("EventLoop", self._runner.get_loop())
        loop.tasks = 0
        task = loop.begun(coroutine)
        try:
            if loop.first_step() and task.done():
                return task.result()
            return loop.run_until_complete(task)
        finally:
            if loop.tasks or not task.done():
                loop.end_tasks()

    def close(self) -> None:
        """Close the loop, when the worker ends."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def _look(self) -> object:
        """The first time; from then on asyncio is asked itself."""
        import asyncio

        self._running_loop = asyncio._get_running_loop
        return asyncio._get_running_loop()

    def _started(self) -> asyncio.Runner:
        import asyncio

        from bide.workers.event_loop import EventLoop

        return asyncio.Runner(loop_factory=EventLoop)
