"""Delayed methods: the `delay` proxy, and methods that enqueue when they are called (queue.md 2.1)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from bide.jobs.declare import Queueing
from bide.jobs.enqueue import Call, Options
from bide.jobs.handle import Job
from bide.jobs.payload import MethodCall

P = ParamSpec("P")
R = TypeVar("R")


class Delay:
    """`delay(order).invoice(gross=True)` stores a job that calls the method later.

    `enqueue` stores the call; what it returns, a Job or an awaitable of one, is the method's answer.
    """

    __slots__ = ("_enqueue", "_options", "_receiver")

    def __init__(self, enqueue: Callable[[Call], Any], receiver: object, options: Options) -> None:
        self._enqueue, self._receiver, self._options = enqueue, receiver, options

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = MethodCall(self._receiver, name)

        def enqueue(*args: Any, **kwargs: Any) -> Any:
            return self._enqueue(Call(call, args, kwargs, self._options))

        return enqueue


class Asynchronous(Generic[P, R]):
    """A method that enqueues itself when it is called; `.now(...)` runs it at once.

    Option values that are callables are evaluated at each call: with the instance if they take one
    argument, with nothing otherwise (DJ-151, DJ-152).
    """

    def __init__(
        self,
        app: Queueing,
        register: Callable[[type], None],
        method: Any,
        options: Mapping[str, Any],
    ) -> None:
        self._app, self._register, self._options = app, register, options
        #: The method itself, which jobs call (see bide.jobs.signatures).
        self.__bide_original__ = method
        Options.of({name: None if callable(value) else value for name, value in options.items()})
        self.__doc__ = method.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name
        self._register(owner)

    @overload
    def __get__(self, instance: None, owner: type) -> AsynchronousMethod[P, R]: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> AsynchronousMethod[P, R]: ...
    def __get__(
        self, instance: object | None, owner: type | None = None
    ) -> AsynchronousMethod[P, R]:
        bound = self.__bide_original__.__get__(instance, owner)
        receiver = instance if inspect.ismethod(bound) and bound.__self__ is instance else owner
        return AsynchronousMethod(self._app, receiver, self._name, bound, self._options)


class AsynchronousMethod(Generic[P, R]):
    """One such method, bound to its object or class."""

    __slots__ = ("_app", "_name", "_options", "_receiver", "now")

    def __init__(
        self,
        app: Queueing,
        receiver: object,
        name: str,
        bound: Callable[P, R],
        options: Mapping[str, Any],
    ) -> None:
        self._app, self._receiver, self._name, self._options = app, receiver, name, options
        #: The method itself: runs at once and returns what it returns.
        self.now = bound

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        return self._app.enqueue(self._call(args, kwargs))

    async def adelay(self, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        """The same without blocking the event loop."""
        return await self._app.aenqueue(self._call(args, kwargs))

    def _call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
        options = {name: self._value(value) for name, value in self._options.items()}
        return Call(MethodCall(self._receiver, self._name), args, kwargs, Options.of(options))

    def _value(self, value: Any) -> Any:
        if not callable(value):
            return value
        # A scoped_session takes keywords alone: asked, it answers with its session.
        kinds = {parameter.kind for parameter in inspect.signature(value).parameters.values()}
        return value() if kinds <= _BY_NAME else value(self._receiver)


_BY_NAME = {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}


class Asynchronously(Protocol):
    """What `app.asynchronously(...)` with options returns."""

    def __call__(self, method: Callable[Concatenate[Any, P], R], /) -> Asynchronous[P, R]: ...
