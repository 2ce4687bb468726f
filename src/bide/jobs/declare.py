"""Declaring jobs: functions and classes, and the ways to enqueue them (API: delay, using, bind)."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, ParamSpec, Protocol, Unpack, overload

from typing_extensions import TypeVar

from bide.errors import SettingsError
from bide.jobs.enqueue import Call, Options
from bide.jobs.handle import Job
from bide.jobs.options import CallOptions, JobOptions
from bide.jobs.retries import Backoff

P = ParamSpec("P")
R = TypeVar("R")
#: The result of the job: what the function returns, or what its coroutine does.
T = TypeVar("T", default=Any)
C = TypeVar("C", bound=type)


class Queueing(Protocol):
    """What a declared job needs of its application."""

    def enqueue(self, call: Call) -> Job: ...
    def aenqueue(self, call: Call) -> Awaitable[Job]: ...


#: What `@app.job(...)` may be told, besides the name.
OPTIONS = tuple(name for name in JobOptions.__annotations__ if name != "name")


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `@app.job(...)` was told; None means the application's setting.

    Its attributes carry the names of the optional methods of job objects (queue.md 3.2), so that both
    are asked in the same way.
    """

    queue_name: str | None = None
    default_priority: int | None = None
    max_attempts: int | None = None
    max_run_time: float | None = None
    backoff: Backoff | None = None
    destroy_failed_jobs: bool | None = None
    keep_result: float | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Declaration:
        """The keywords of `@app.job(...)`; raises SettingsError for an unknown or wrong one."""
        unknown = [name for name in options if name not in OPTIONS]
        if unknown:
            raise SettingsError(
                f"unknown option {unknown[0]!r}; the options are {', '.join(OPTIONS)}"
            )
        return cls.of(**options)

    @classmethod
    def of(
        cls,
        *,
        queue: str | None = None,
        priority: int | None = None,
        max_attempts: int | None = None,
        max_run_time: float | timedelta | None = None,
        backoff: Backoff | None = None,
        destroy_failed_jobs: bool | None = None,
        keep_result: float | timedelta | None = None,
    ) -> Declaration:
        """Checked values; raises SettingsError with every problem at once."""
        seconds, kept = _seconds(max_run_time), _seconds(keep_result)
        wrong = {
            f"queue={queue!r}": _not_name(queue),
            f"priority={priority!r}": _not_whole(priority),
            f"max_attempts={max_attempts!r}": _not_whole(max_attempts),
            f"max_run_time={max_run_time!r}": _not_seconds(seconds),
            f"backoff={backoff!r}": _not_callable(backoff),
            f"keep_result={keep_result!r}": _not_seconds(kept),
        }
        problems = [f"{given} {reason}" for given, reason in wrong.items() if reason]
        if problems:
            raise SettingsError(*problems)
        return cls(queue, priority, max_attempts, seconds, backoff, destroy_failed_jobs, kept)


def _seconds(value: float | timedelta | None) -> float | None:
    return value.total_seconds() if isinstance(value, timedelta) else value


def _not_name(value: object) -> str | None:
    return None if value is None or isinstance(value, str) else "must be the name of a queue"


def _not_whole(value: object) -> str | None:
    right = value is None or (isinstance(value, int) and not isinstance(value, bool))
    return None if right else "must be a whole number"


def _not_seconds(value: object) -> str | None:
    if value is None or (
        isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    ):
        return None
    return "must be seconds above 0 or a timedelta"


def _not_callable(value: object) -> str | None:
    return None if value is None or callable(value) else "must be callable"


class Using(Generic[P, R]):
    """A declared job with options chosen for the next calls."""

    __slots__ = ("_app", "_options", "_target")

    def __init__(self, app: Queueing, target: Any, options: Options) -> None:
        self._app, self._target, self._options = app, target, options

    def using(self, **options: Unpack[CallOptions]) -> Using[P, R]:
        """The same with some options chosen anew."""
        return Using(self._app, self._target, self._options.changed(options))

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        """Store the call as a job."""
        return self._app.enqueue(Call(self._target, args, kwargs or None, self._options))

    async def adelay(self, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        """The same without blocking the event loop."""
        return await self._app.aenqueue(Call(self._target, args, kwargs or None, self._options))

    def bind(self, *args: P.args, **kwargs: P.kwargs) -> Call:
        """The call, to be stored by `app.enqueue_many`."""
        return Call(self._target, args, kwargs or None, self._options)


class JobFunction(Generic[P, R, T]):
    """A function that can be called, delayed and bound. Calling it runs it here and now."""

    def __init__(self, app: Queueing, function: Callable[P, R], declaration: Declaration) -> None:
        functools.update_wrapper(self, function)
        self.original = function
        self.declaration = declaration
        self._using: Using[P, T] = Using(app, self, Options())
        self._app = app

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.original(*args, **kwargs)

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> Job[T]:
        """Store the call as a job and return it."""
        return self._using.delay(*args, **kwargs)

    async def adelay(self, *args: P.args, **kwargs: P.kwargs) -> Job[T]:
        """The same without blocking the event loop."""
        return await self._using.adelay(*args, **kwargs)

    def bind(self, *args: P.args, **kwargs: P.kwargs) -> Call:
        """The call, to be stored by `app.enqueue_many`."""
        return self._using.bind(*args, **kwargs)

    def using(self, **options: Unpack[CallOptions]) -> Using[P, T]:
        """The same job with queue, priority, run_at, max_attempts or session chosen for its next calls."""
        return Using(self._app, self, Options.of(options))

    def __repr__(self) -> str:
        return f"<job {self.original.__module__}.{self.original.__qualname__}>"


class Declaring(Protocol):
    """What `@app.job(...)` with options returns: it declares a function, or a class that stays itself."""

    @overload
    def __call__(self, target: C, /) -> C: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(
        self, target: Callable[P, Coroutine[Any, Any, T]], /
    ) -> JobFunction[P, Coroutine[Any, Any, T], T]: ...
    @overload
    def __call__(self, target: Callable[P, R], /) -> JobFunction[P, R, R]: ...
