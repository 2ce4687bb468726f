"""An event loop whose first step can be taken without starting it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVarTuple

Given = TypeVarTuple("Given")


class EventLoop(asyncio.SelectorEventLoop):
    """A loop that can take the first step of a task without being started: most jobs need no other.

    The task is a real one, so jobs may ask for it, limit it or group others under it; it is only
    begun here and now. What it schedules meanwhile is done by the loop, which must be started then.
    """

    def __init__(self) -> None:
        self._expects_step = self._steps = False
        self._step: tuple[Callable[..., Any], Context | None] | None = None
        self._called = False
        #: How many were made besides those begun: most jobs have no task but their own, so nothing is to
        #: be looked for at their end.
        self.tasks = 0
        super().__init__()  # what it calls is overridden here
        self.set_task_factory(self._make_task)

    def begun(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task for it whose first step is yet to be taken."""
        self._expects_step = True
        try:
            return asyncio.Task(coroutine, loop=self)
        finally:
            self._expects_step = False

    def first_step(self) -> bool:
        """Take it. Whether nothing is left to be done by the loop."""
        assert self._step is not None
        (step, context), self._step = self._step, None
        self._called = False
        hooks = sys.get_asyncgen_hooks()
        try:
            self._steps = True
            asyncio._set_running_loop(self)
            sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)  # type: ignore[attr-defined]
            (context or Context()).run(step)
        finally:
            # First: an alarm may ring behind any call, and a loop that seems to run stops all others.
            asyncio._set_running_loop(None)
            self._steps = False
            sys.set_asyncgen_hooks(*hooks)
        return not self._called

    def end_tasks(self) -> None:
        """Cancel what is left of a job."""
        left = asyncio.all_tasks(self)
        if not left:
            return
        for task in left:
            task.cancel()
        self.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    def is_running(self) -> bool:
        """Whether a job is in it."""
        return self._steps or super().is_running()

    def stop(self) -> None:
        """As ever: it is felt by the job that says so, not by the next."""
        self._called = True
        super().stop()

    def call_soon(
        self,
        callback: Callable[[*Given], object],
        *args: *Given,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """As ever, but for the first step of a task that is being begun."""
        self._called = True
        if not self._expects_step:
            return super().call_soon(callback, *args, context=context)
        self._step = callback, context
        return asyncio.Handle(callback, args, self, context)

    def _make_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> asyncio.Task[Any]:
        self.tasks += 1
        return asyncio.Task(coroutine, loop=loop, **options)
