"""Running `async def` jobs one after the other on one event loop, none of them reaching into the next."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any

from bide.jobs.perform import run_here


class Coroutines:
    """The event loop of one worker, made at the first need."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The result of `coroutine`. What it leaves running is cancelled, itself included when it
        was cut off from outside: a loop that is left by an exception keeps its tasks."""
        if _inside_a_loop():
            return run_here(coroutine)
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            # Its own, else every coroutine sees the variables of the first one's job.
            return self._runner.run(coroutine, context=copy_context())
        finally:
            self._end_tasks(self._runner.get_loop())

    def close(self) -> None:
        """Close the loop, when the worker ends."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def _end_tasks(self, loop: asyncio.AbstractEventLoop) -> None:
        left = asyncio.all_tasks(loop)
        if not left:
            return
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


def _inside_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
