"""A wake-up inside one process: whoever waits is woken through a pipe of its own."""

from __future__ import annotations

import contextlib
import os
import selectors
from collections.abc import Sequence


class Bell:
    """One waiter's bell. A ring before the wait counts: the next wait returns at once."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def wait(self, seconds: float, also: Sequence[int] = ()) -> bool:
        """True: it rang. False: `seconds` are over or a descriptor of `also` is readable."""
        with selectors.DefaultSelector() as selector:
            for descriptor in {self._reader, *also}:
                selector.register(descriptor, selectors.EVENT_READ)
            readable = {key.fd for key, _ in selector.select(max(0.0, seconds))}
        if self._reader not in readable:
            return False
        self._fall_silent()
        return True

    def ring(self) -> None:
        """Wake the waiter; a pipe that is full has been rung often enough."""
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._writer, b"!")

    def close(self) -> None:
        """Give the descriptors back; ringing a closed bell does nothing."""
        if self._reader >= 0:
            os.close(self._reader)
            os.close(self._writer)
            self._reader = self._writer = -1

    def _fall_silent(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass

    def __del__(self) -> None:
        self.close()
