"""The gate at a fork: no SQLite handle is in use while a process is copied.

SQLite keeps its locks in the process' memory. A child that inherits a lock in the middle of another
thread's transaction believes in it for ever, even on a connection of its own.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from bide.clock import monotonic

#: Seconds that a fork waits for the other threads' statements to end.
PATIENCE = 5.0


class Gate:
    """Threads pass it to use a handle; a fork closes it and waits until nobody is inside."""

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        self._changed = threading.Condition()
        self._inside: dict[int, int] = {}
        self._forking: int | None = None

    @contextlib.contextmanager
    def passed(self) -> Iterator[None]:
        """Use a handle; waits while another thread forks."""
        me = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: self._forking in (None, me) or me in self._inside)
            self._inside[me] = self._inside.get(me, 0) + 1
        pid = os.getpid()
        try:
            yield
        finally:
            if pid == os.getpid():
                self._leave(me)

    def close(self) -> None:
        """Before a fork: let nobody in, and wait for those inside, but not for ever nor for ourselves."""
        me, deadline = threading.get_ident(), monotonic() + PATIENCE
        with self._changed:
            self._forking = me
            self._changed.wait_for(lambda: self._inside.keys() <= {me}, deadline - monotonic())

    def open(self) -> None:
        """After a fork, in the parent."""
        with self._changed:
            self._forking = None
            self._changed.notify_all()

    def open_in_child(self) -> None:
        """After a fork, in the child: the other threads are not here, nor what they held."""
        self._renew()

    def _leave(self, me: int) -> None:
        with self._changed:
            left = self._inside.get(me, 1) - 1
            if left:
                self._inside[me] = left
            else:
                self._inside.pop(me, None)
            self._changed.notify_all()
