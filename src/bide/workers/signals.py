"""Signals become counts and bytes on pipes: a handler only records and wakes."""

from __future__ import annotations

import math
import os
import select
import signal
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from bide import clock

try:
    # Who handles a signal, without signal.getsignal's search for an enum member: 40 times as fast.
    from _signal import getsignal as _getsignal  # type: ignore[import-not-found]
except ImportError:
    from signal import getsignal as _getsignal

handler_of: Callable[[int], Any] = _getsignal


class Bell:
    """A pipe: `ring` from anywhere (also a signal handler), `wait` in one thread.

    `close` closes both ends; so does the end of the object.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        for end in (self._read, self._write):
            os.set_blocking(end, False)
        self.close = weakref.finalize(self, _close, self._read, self._write)

    def fileno(self) -> int:
        return self._read

    def ring(self) -> None:
        """Wake the waiter, now or when it next waits."""
        with suppress(BlockingIOError):
            os.write(self._write, b".")

    def wait(self, seconds: float, also: Sequence[int] = ()) -> bool:
        """Whether it rang within `seconds`, or one of the descriptors in `also` became readable."""
        readable = any_readable([self._read, *also], seconds)
        self.hush()
        return readable

    def hush(self) -> None:
        """Forget rings that were not waited for."""
        with suppress(BlockingIOError):
            while os.read(self._read, 4096):
                pass


def any_readable(descriptors: Iterable[int], seconds: float) -> bool:
    """Whether one of them becomes readable within `seconds`; with numbers that select() refuses, too."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(max(0, math.ceil(seconds * 1000))))


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


class Requests:
    """What a worker was asked to do: stop (how often, since when) and quiet. Safe from any thread."""

    def __init__(self) -> None:
        self.stops = 0
        self.stopped_at = 0.0
        self.quiet = False
        self.loop_bell = Bell()
        self.keeper_bell = Bell()
        #: The keeper has seen that jobs wait behind the running one, and will look again very soon.
        self.keeper_watches = False

    def stop(self, *_: Any) -> None:
        """Stop after the running job; the second time: now."""
        if not self.stops:
            self.stopped_at = clock.monotonic()
        self.stops += 1
        self.loop_bell.ring()
        self.keeper_bell.ring()

    def be_quiet(self, *_: Any) -> None:
        """Claim nothing any more, go on living."""
        self.quiet = True
        self.loop_bell.ring()

    def call_keeper(self) -> None:
        """Jobs wait behind the running one, from now on; the keeper must know, unless it does."""
        if not self.keeper_watches:
            self.keeper_bell.ring()

    @property
    def stopping(self) -> bool:
        return self.stops > 0

    def close(self) -> None:
        """Close the bells."""
        self.loop_bell.close()
        self.keeper_bell.close()


Handler = Callable[[int, FrameType | None], Any]


class Held:
    """Handlers that a worker has installed; a job may replace them and leave it so."""

    def __init__(self, handlers: Mapping[int, Handler]) -> None:
        self._numbers, self._handlers = tuple(handlers), [*handlers.values()]

    def take_back(self) -> None:
        """Install again those that were replaced."""
        if [*map(handler_of, self._numbers)] == self._handlers:
            return
        for number, handler in zip(self._numbers, self._handlers, strict=True):
            if handler_of(number) != handler:
                signal.signal(number, handler)


@contextmanager
def handled(handlers: dict[signal.Signals, Handler]) -> Iterator[None]:
    """Install `handlers` for the body, if this is the main thread, and restore the earlier ones."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
