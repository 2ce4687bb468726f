"""Invoke one job: its hooks in order, the invoke_job event, and what each exception means (queue.md 3.3, 3.4)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

from bide.errors import INTERRUPTIONS
from bide.events import emit
from bide.jobs.brought_back import Payload
from bide.jobs.error_text import message_of
from bide.jobs.handle import Job, _current
from bide.jobs.hooks import call_hook
from bide.jobs.lifecycle import Lifecycle

RunAsync = Callable[[Coroutine[Any, Any, Any]], Any]
RunSync = Callable[[Callable[[], Any]], Any]


def call(body: Callable[[], Any]) -> Any:
    """Run it here and now."""
    return body()


def run_here(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of `coroutine`; on a thread where this one runs an event loop already."""
    import asyncio  # few applications have use for it, and it is large
    from concurrent.futures import ThreadPoolExecutor

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1, "bide-inline") as pool:
        return pool.submit(copy_context().run, asyncio.run, coroutine).result()


class Performer:
    """Runs jobs. `run_async` runs the coroutine of an `async def` job to its end, `run_sync` others."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        *,
        retry_on_hook_error: bool = False,
        run_async: RunAsync = run_here,
        run_sync: RunSync = call,
    ) -> None:
        self._lifecycle = lifecycle
        self._retry_on_hook_error = retry_on_hook_error
        self._run_async, self._run_sync = run_async, run_sync
        self._used, self._around = lifecycle.used, lifecycle.callbacks("invoke_job")

    def running_async(self, run_async: RunAsync) -> Performer:
        """The same with another way to run coroutines."""
        return Performer(
            self._lifecycle, retry_on_hook_error=self._retry_on_hook_error, run_async=run_async
        )

    def invoke(self, job: Job, payload: Payload) -> Any:
        """Run hooks and perform of the job's payload inside the invoke_job event; what perform raised is
        raised.

        An around callback that does not proceed leaves the job undone and successful, as in the
        original (oracle: «around(:invoke_job) does not call the block»).
        """
        token = _current.set(job)
        try:
            if "invoke_job" in self._used:
                lone = self._around.lone
                if lone is not None:
                    return lone(job, self._hooked)
                return self._lifecycle.run("invoke_job", self._hooked, job)
            # A function, which cannot have hooks; callbacks of perform may have given it keywords.
            if payload.silent and self._run_sync is call and not payload.kwargs:
                result = payload.call(*payload.args)
                if result is None or not inspect.iscoroutine(result):
                    return result
                return self._run_async(result)
            return self._hooked(job)
        finally:
            _current.reset(token)

    def _hooked(self, job: Job) -> Any:
        payload = job.payload_object
        target = payload.object
        if target is None:
            return self._perform(job, payload)
        try:
            call_hook(target, "before", job)
            result = self._perform(job, job.payload_object)
        except BaseException as error:
            self._tell(target, "error", error, job, error)
            self._tell(target, "after", error, job)
            raise
        self._succeeded(target, job)
        return result

    def _perform(self, job: Job, payload: Payload) -> Any:
        if self._run_sync is not call and not inspect.iscoroutinefunction(payload.call):
            result = self._run_sync(payload.perform)
        else:
            result = payload.call(*payload.args, **payload.kwargs)
        if result is not None and inspect.iscoroutine(result):
            result = self._run_async(result)
        declared = payload.declared
        if payload.silent or declared is None:
            return result
        if seconds := getattr(declared.options, "keep_result", None):
            job.keep(result, seconds)
        return result

    def _succeeded(self, target: object, job: Job) -> None:
        """The success and after hooks; what they raise is reported, or fails the job by setting (DJ-509)."""
        if not self._retry_on_hook_error:
            self._tell(target, "success", None, job)
            self._tell(target, "after", None, job)
            return
        try:
            call_hook(target, "success", job)
        except BaseException as error:
            self._tell(target, "error", error, job, error)
            self._tell(target, "after", error, job)
            raise
        call_hook(target, "after", job)

    def _tell(
        self, target: object, hook: str, cause: BaseException | None, job: Job, *more: Any
    ) -> None:
        """Call a hook that must not change the outcome; its own error joins the cause (DJ-510)."""
        try:
            call_hook(target, hook, job, *more)
        except INTERRUPTIONS:
            raise
        except BaseException as error:  # noqa: BLE001 - no hook may replace the outcome of the job
            emit("hook_failed", job=job, hook=hook, error=error)
            if cause is not None:
                cause.add_note(
                    f"The {hook} hook of the job failed too: "
                    f"{type(error).__name__}: {message_of(error)}"
                )
