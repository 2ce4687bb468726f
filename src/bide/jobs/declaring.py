"""The part of an application that declares: jobs, arguments, and methods that may be delayed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar, Unpack, overload

from bide.errors import NotAJob
from bide.jobs.declare import Declaration, Declaring, JobFunction
from bide.jobs.delayed import Asynchronous, Asynchronously
from bide.jobs.handle import Job
from bide.jobs.options import CallOptions, JobOptions
from bide.jobs.registry import Registry

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=type)


class Declarer(ABC):
    """What is declared here is known to `registry`, and stored by `enqueue`."""

    registry: Registry

    @abstractmethod
    def enqueue(self, target: Any = None, /, **options: Unpack[CallOptions]) -> Job:
        """Store a bound call or a job object."""

    @abstractmethod
    async def aenqueue(self, target: Any = None, /, **options: Unpack[CallOptions]) -> Job:
        """The same without blocking the event loop."""

    @overload
    def job(self, target: T, /) -> T: ...  # type: ignore[overload-overlap]  # a class stays itself
    @overload
    def job(
        self, target: Callable[P, Coroutine[Any, Any, R]], /
    ) -> JobFunction[P, Coroutine[Any, Any, R], R]: ...
    @overload
    def job(self, target: Callable[P, R], /) -> JobFunction[P, R, R]: ...
    @overload
    def job(self, /, **options: Unpack[JobOptions]) -> Declaring: ...
    def job(self, target: Any = None, /, *, name: str | None = None, **options: Any) -> Any:
        """Declare a function, or a class with perform(), a job.

        Options: queue, priority, max_attempts, max_run_time, backoff, destroy_failed_jobs, and `name`
        (what payloads and lists call it, instead of its import path). Raises SettingsError, NotAJob.
        """
        declaration = Declaration.from_options(options)
        if target is None:
            return lambda target: self._declare(target, name, declaration)
        return self._declare(target, name, declaration)

    def _declare(self, target: Any, name: str | None, declaration: Declaration) -> Any:
        if isinstance(target, type):
            if not callable(getattr(target, "perform", None)):
                raise NotAJob(f"{target.__qualname__} needs a perform() method to be a job")
            self.registry.register_class(target, name=name, options=declaration)
            return target
        if not callable(target):
            raise NotAJob(f"{target!r} is no function and no class; nothing to perform")
        function: JobFunction[..., Any] = JobFunction(self, target, declaration)
        self.registry.register_function(target, name=name, options=declaration)
        return function

    def register(self, cls: T) -> T:
        """Declare a class whose instances may be arguments of jobs; usable as a decorator."""
        self.registry.register_class(cls)
        return cls

    def delayable(self, cls: T) -> T:
        """Declare a class whose methods may be delayed; usable as a decorator."""
        self.registry.register_delayable(cls)
        return cls

    @overload
    def asynchronously(self, method: Callable[Concatenate[Any, P], R], /) -> Asynchronous[P, R]: ...
    @overload
    def asynchronously(self, /, **options: Any) -> Asynchronously: ...
    def asynchronously(self, method: Any = None, /, **options: Any) -> Any:
        """Make calls of a method enqueue it; `.now(...)` runs it. Options as for `using`, values or
        callables that are asked at each call."""

        def declare(method: Any) -> Asynchronous[..., Any]:
            return Asynchronous(self, self._delayable_class, method, options)

        return declare if method is None else declare(method)

    def _delayable_class(self, cls: type) -> None:
        self.registry.register_delayable(cls)
