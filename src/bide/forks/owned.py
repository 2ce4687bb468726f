"""Owned: a value that belongs to the process that made it, and is made anew in every other."""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from bide import events

T = TypeVar("T")

_ABSENT = object()
_everything: weakref.WeakSet[Owned[object]] = weakref.WeakSet()
_generation = 0
_switched_on = True


class Owned(Generic[T]):
    """One value per process: made by `make()` at the first `get()`, never carried over a fork.

    A child that inherits a value does not close it: closing would say goodbye on the parent's
    connection. It keeps the object alive, unused, until it ends, after handing it once to
    `forget(value)` where one was given (say `lambda engine: engine.dispose(close=False)`), and
    makes its own at the next `get()`. Threads of one process share one value; `make` runs once.

    The process is known by its id and by Python's fork hook together, so that a fork made by C code
    is noticed too. No lock is ever taken that a fork can have copied in its locked state
    (spec: forks.md 2.3; queue.md 7.4).
    """

    def __init__(self, make: Callable[[], T], forget: Callable[[T], object] | None = None) -> None:
        self._make = make
        self._forget = forget
        self._slots: dict[tuple[int, int], _Slot] = {}
        _everything.add(cast("Owned[object]", self))

    def get(self) -> T:
        """The value of this process; what `make` raises is passed on, and tried again next time."""
        slot = self._slots.get(_process()) or self._own_slot()
        if slot.value is _ABSENT:
            with slot.lock:
                if slot.value is _ABSENT:
                    slot.value = self._make()
        return cast(T, slot.value)

    def replace(self, value: T) -> T | None:
        """Make `value` the value of this process; returns the former one, which is the caller's."""
        slot = self._own_slot()
        with slot.lock:
            former, slot.value = slot.value, value
        return None if former is _ABSENT else cast(T, former)

    def reset(self) -> T | None:
        """Take the value out, so that the caller may close it; the next get() makes a new one.

        Returns None where this process has made none. An inherited value is never returned.
        """
        slot = self._own_slot()
        with slot.lock:
            former, slot.value = slot.value, _ABSENT
        return None if former is _ABSENT else cast(T, former)

    def forget(self) -> None:
        """Give up this process' value without closing it, as a child does with an inherited one."""
        self.forget_inherited()
        own = self.reset()
        if own is not None:
            self._give_up(own)

    def forget_inherited(self) -> None:
        """Give up what the parent had made; does nothing in the process that made the value."""
        self._own_slot()

    def _own_slot(self) -> _Slot:
        key = _process()
        slot = self._slots.setdefault(key, _Slot())
        for other in [other for other in list(self._slots) if other != key]:
            inherited = self._slots.pop(other, None)
            if inherited is not None and inherited.value is not _ABSENT:
                self._give_up(cast(T, inherited.value))
        return slot

    def _give_up(self, value: T) -> None:
        keep_for_ever(value)
        if self._forget is None:
            return
        try:
            self._forget(value)
        except Exception as error:  # noqa: BLE001 - the child must be able to make its own
            events.emit("forks.forget_failed", value=value, error=error)


class _Slot:
    """The value of one process; a process that finds another's slot makes its own, lock included.

    The lock is reentrant, so that a `make` which asks for its own value fails by recursion instead
    of waiting for itself.
    """

    __slots__ = ("lock", "value")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.value: object = _ABSENT


def _process() -> tuple[int, int]:
    return (os.getpid(), _generation) if _switched_on else (0, 0)


def keep_for_ever(value: object) -> None:
    """Never let `value` be finalised in this process, not even when the interpreter ends.

    A finaliser may speak to the server over a wire that belongs to the parent.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))


def forget_everything_inherited() -> None:
    """Give up, in a child, every inherited value of every Owned."""
    for owned in list(_everything):
        owned.forget_inherited()


def switch(*, on: bool) -> None:
    """With False, values are shared over forks as if there were no Owned: to show the damage."""
    global _switched_on  # noqa: PLW0603 - one switch for the process
    _switched_on = on


def _after_fork_in_child() -> None:
    global _generation  # noqa: PLW0603 - a process id can be used again by a grandchild
    _generation += 1


os.register_at_fork(after_in_child=_after_fork_in_child)
