"""Rings the alarm before each opcode of a limit in turn; fails where something is left behind.

In an interpreter of its own: where the timeout of another thread was taken back before, 3.11 hangs
when it traces.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from bide import clock
from bide.errors import WorkerTimeout
from bide.workers import timeouts
from bide.workers.timeouts import Deadline

Body = Callable[[int, int], object]


class AtOpcode:
    """Does something before one of the opcodes of the module of limits."""

    def __init__(self, number: int, does: Callable[[], None]) -> None:
        self.left, self._does = number, does

    def __call__(self, frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename != timeouts.__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.left -= 1
            if self.left < 0:
                sys.settrace(None)
                self._does()
        return self


def quick(one: int, other: int) -> None:
    assert one != other


def swallowing(one: int, other: int) -> None:
    with suppress(BaseException):
        signal.raise_signal(signal.SIGALRM)
    assert one != other


def busy(_one: int, _other: int) -> None:
    end = clock.monotonic() + 10
    while clock.monotonic() < end:
        clock.sleep(0.001)


def within(deadline: Deadline, seconds: float, body: Body) -> None:
    deadline.within(seconds, clock.monotonic(), body, 1, 2)


def rings_at(number: int, body: Body, *, inner: bool) -> bool:
    """Whether there is such an opcode; asserts that nothing is left behind."""
    deadline = Deadline()
    alarm = deadline._alarm

    def ring() -> None:
        if alarm.holds is not None:
            alarm.holds.until = 0.0
            signal.raise_signal(signal.SIGALRM)

    at = AtOpcode(number, ring)

    def traced(*_: int) -> None:
        sys.settrace(at)
        try:
            within(deadline, 60, body)
        finally:
            sys.settrace(None)

    within(deadline, 60, quick)
    with suppress(WorkerTimeout):
        if inner:
            within(deadline, 60, traced)
        else:
            traced()
    assert alarm.holds is None
    within(deadline, 60, quick)
    try:
        within(deadline, 0.001, busy)
    except WorkerTimeout:
        pass
    else:
        raise AssertionError(f"there is no limit behind opcode {number}")
    deadline.disarm()
    return at.left < 0


def main() -> None:
    sys._getframe().f_trace_opcodes = True  # heeded by 3.12 only where it is set before
    tried = 0
    for body in (quick, swallowing):
        for inner in (False, True):
            number = 0
            while rings_at(number, body, inner=inner):
                number += 1
            tried += number
    sys.stdout.write(f"{tried}\n")


if __name__ == "__main__":
    main()
