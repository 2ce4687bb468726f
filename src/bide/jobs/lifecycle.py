"""Lifecycle events and their callbacks: before, after, around and always (queue.md 4)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

from bide.errors import InvalidCallback

Callback = Callable[..., Any]
F = TypeVar("F", bound=Callback)

#: Every event with the names of its arguments, as the documentation prints it.
EVENTS: dict[str, tuple[str, ...]] = {
    "enqueue": ("job",),
    "execute": ("worker",),
    "loop": ("worker",),
    "perform": ("worker", "job"),
    "error": ("worker", "job"),
    "failure": ("worker", "job"),
    "invoke_job": ("job",),
    "before_fork": ("supervisor",),
    "after_fork": ("worker",),
    "rescue": ("worker", "job"),
}

KINDS = ("before", "after", "around", "always")


class Callbacks:
    """The callbacks of one event, in the order of their registration."""

    __slots__ = ("after", "always", "around", "before", "event", "lone")

    def __init__(self, event: str) -> None:
        self.event = event
        self.before: list[Callback] = []
        self.after: list[Callback] = []
        self.around: list[Callback] = []
        self.always: list[Callback] = []
        #: The only callback, if it is an around: then there is no order to keep, and `run` not needed.
        self.lone: Callback | None = None

    def add(self, kind: str, callback: Callback) -> None:
        """One more of that kind, behind those that are there."""
        getattr(self, kind).append(callback)
        count = sum(len(getattr(self, each)) for each in KINDS)
        self.lone = callback if kind == "around" and count == 1 else None

    def run(self, body: Callback, args: tuple[Any, ...]) -> Any:
        """All before, then the arounds (first registered outermost) about `body`, then all after.

        What an exception leaves out: a raising before stops everything behind it, a raising body or
        around the after callbacks (queue.md 4.2). The always callbacks run in any case.
        """
        try:
            for callback in self.before:
                callback(*args)
            result = self._wrapped(body)(*args)
            for callback in self.after:
                callback(*args)
            return result
        finally:
            for callback in self.always:
                callback(*args)

    def _wrapped(self, body: Callback) -> Callback:
        for callback in reversed(self.around):
            body = _proceeding(callback, body)
        return body


def _proceeding(callback: Callback, inner: Callback) -> Callback:
    def around(*args: Any) -> Any:
        return callback(*args, inner)

    return around


class Lifecycle:
    """The callbacks of one application; it lives as long as the App and survives every Worker.

    >>> lifecycle = Lifecycle()
    >>> @lifecycle.before("execute")
    ... def greet(worker): ...
    """

    def __init__(self) -> None:
        self._events = {event: Callbacks(event) for event in EVENTS}
        #: Events that have callbacks; the hot path asks only this.
        self.used: set[str] = set()

    @overload
    def before(self, event: str) -> Callable[[F], F]: ...
    @overload
    def before(self, event: str, callback: F) -> F: ...
    def before(self, event: str, callback: F | None = None) -> Any:
        """Call `callback(*arguments of the event)` before it; usable as a decorator."""
        return self._register("before", event, callback)

    @overload
    def after(self, event: str) -> Callable[[F], F]: ...
    @overload
    def after(self, event: str, callback: F) -> F: ...
    def after(self, event: str, callback: F | None = None) -> Any:
        """Call it after the event, unless the event raised."""
        return self._register("after", event, callback)

    @overload
    def around(self, event: str) -> Callable[[F], F]: ...
    @overload
    def around(self, event: str, callback: F) -> F: ...
    def around(self, event: str, callback: F | None = None) -> Any:
        """Call `callback(*arguments, proceed)`; it decides when to `return proceed(*arguments)`."""
        return self._register("around", event, callback)

    @overload
    def always(self, event: str) -> Callable[[F], F]: ...
    @overload
    def always(self, event: str, callback: F) -> F: ...
    def always(self, event: str, callback: F | None = None) -> Any:
        """Call it after the event, also when the event or a callback raised (DJ-507)."""
        return self._register("always", event, callback)

    def callbacks(self, event: str) -> Callbacks:
        """Those of one event, for what asks at every job: the same object as long as this one lives."""
        return self._events[event]

    def run(self, event: str, body: Callback, *args: Any) -> Any:
        """Run `body(*args)` inside the callbacks of `event`; returns what the around chain returns."""
        names = EVENTS.get(event)
        if names is None:
            raise InvalidCallback(_unknown(event))
        if len(args) != len(names):
            raise InvalidCallback(
                f"event {event!r} takes {len(names)} argument(s) ({', '.join(names)}), got {len(args)}"
            )
        if event not in self.used:
            return body(*args)
        callbacks = self._events[event]
        return callbacks.lone(*args, body) if callbacks.lone else callbacks.run(body, args)

    def _register(self, kind: str, event: str, callback: Callback | None) -> Any:
        if event not in EVENTS:
            raise InvalidCallback(_unknown(event))
        if callback is None:
            return lambda function: self._register(kind, event, function)
        if not callable(callback):
            raise InvalidCallback(f"{kind}({event!r}) needs a callable, got {callback!r}")
        self._events[event].add(kind, _fitting(kind, event, callback))
        self.used.add(event)
        return callback


def _fitting(kind: str, event: str, callback: Callback) -> Callback:
    """`callback`, or one that drops the arguments when it takes none (queue.md 4.2)."""
    try:
        signature = inspect.signature(callback)
    except (TypeError, ValueError):  # a C function does not say what it takes
        return callback
    names = [*EVENTS[event], "proceed"] if kind == "around" else list(EVENTS[event])
    try:
        signature.bind(*names)
    except TypeError:
        if kind != "around" and not signature.parameters:
            return lambda *_: callback()
        raise InvalidCallback(
            f"{kind}({event!r}) calls {_name(callback)} with ({', '.join(names)}), "
            f"but it takes {signature}"
        ) from None
    return callback


def _name(callback: Callback) -> str:
    return str(getattr(callback, "__qualname__", callback))


def _unknown(event: str) -> str:
    return f"unknown event {event!r}; the events are {', '.join(EVENTS)}"
