"""Synchronous code in a greenlet on an event loop, for which the loop is not there.

Hooks, callbacks and records must do with many jobs at a time what they do with one: Django refuses
queries, and `asyncio.run` refuses to run, where a loop is seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from bide.db.awaiting import await_here, greenlet

T = TypeVar("T")


class Beside:
    """One task's greenlet. Its code runs on the thread of the loop, and nothing else does meanwhile."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def place(self) -> tuple[asyncio.Task[Any], asyncio.AbstractEventLoop]:
        """The task whose code runs beside the loop, and the loop."""
        assert self._task is not None
        assert self._loop is not None
        return self._task, self._loop

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function(*args)`; inside it `wait` waits without blocking the event loop."""
        self._task, self._loop = asyncio.current_task(), asyncio.get_running_loop()
        return await greenlet(self._away, function, args)

    def wait(self, awaitable: Awaitable[T]) -> T:
        """The result of `awaitable`, for which the loop is there."""
        self._step_on()
        try:
            return await_here(awaitable)
        finally:
            self._step_off()

    def _away(self, function: Callable[..., T], args: tuple[Any, ...]) -> T:
        self._step_off()
        try:
            return function(*args)
        finally:
            self._step_on()

    def _step_off(self) -> None:
        task, loop = self.place()
        asyncio._leave_task(loop, task)
        asyncio._set_running_loop(None)

    def _step_on(self) -> None:
        task, loop = self.place()
        asyncio._set_running_loop(loop)
        asyncio._enter_task(loop, task)
