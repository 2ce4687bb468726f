"""The other threads of this process: after a fork they do not exist, but their locks stay taken."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from bide.forks.trace import place_of


@dataclass(frozen=True, slots=True)
class OtherThread:
    """A thread that a fork now would leave behind: where it stands, which taken locks it sees."""

    name: str
    place: str
    locks: tuple[str, ...] = ()

    def __str__(self) -> str:
        held = f" with {', '.join(self.locks)} taken" if self.locks else ""
        return f"{self.name!r} at {self.place}{held}"


_endings: list[Callable[[], object]] = []


def end_before_fork(end: Callable[[], object]) -> None:
    """Call `end` before every fork: it ends a thread of ours, which starts again when it is needed."""
    _endings.append(end)


def end_ours() -> None:
    """End the threads of ours; does nothing where they have ended."""
    for end in _endings:
        end()


def other_threads() -> list[OtherThread]:
    """Every thread but the calling one; those that may hold a lock are named with the lock.

    Python cannot tell who holds a plain lock: a lock is named when it is taken and in sight of the
    thread (a local, a global of its functions, an attribute of `self`).
    """
    frames = sys._current_frames()
    me = threading.get_ident()
    return [
        OtherThread(each.name, place_of(frames.get(each.ident or 0)), tuple(_locks(each, frames)))
        for each in threading.enumerate()
        if each.ident != me and each.is_alive()
    ]


def _locks(thread: threading.Thread, frames: dict[int, FrameType]) -> Iterator[str]:
    frame = frames.get(thread.ident or 0)
    seen: set[int] = set()
    while frame:
        if frame.f_globals.get("__name__") not in ("threading", "concurrent.futures.thread"):
            for name, value in _in_sight(frame):
                if id(value) not in seen and _is_taken(value):
                    seen.add(id(value))
                    yield name
        frame = frame.f_back


def _in_sight(frame: FrameType) -> Iterator[tuple[str, Any]]:
    yield from frame.f_locals.items()
    for name in frame.f_code.co_names:
        if name in frame.f_globals:
            yield name, frame.f_globals[name]
    owner = frame.f_locals.get("self")
    try:
        attributes = object.__getattribute__(owner, "__dict__")
    except AttributeError:
        return
    for name, value in list(attributes.items()):
        yield f"self.{name}", value


_LOCK, _RLOCK = type(threading.Lock()), type(threading.RLock())


def _is_taken(value: Any) -> bool:
    if type(value) is threading.Condition:
        value = vars(value)["_lock"]
    if type(value) is _LOCK:
        return bool(value.locked())
    return type(value) is _RLOCK and repr(value).startswith("<locked")


os.register_at_fork(before=end_ours)
