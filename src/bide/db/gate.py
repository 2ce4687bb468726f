"""The gate at a fork: no SQLite handle is in use while a process is copied.

SQLite keeps its locks in the process' memory. A child that inherits a lock in the middle of another
thread's transaction believes in it for ever, even on a connection of its own.
"""

from __future__ import annotations

import threading

from bide.clock import monotonic

#: Seconds that a fork waits for the other threads' statements to end.
PATIENCE = 5.0


class Gate:
    """Threads pass it to use a handle; a fork closes it and waits until nobody is inside.

    It opens when the last of several threads that fork at once has done so.
    """

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._inside: dict[int, int] = {}
        self._forking: set[int] = set()
        #: Held while handles are closed before a fork: another thread must not fork in the middle of it.
        self.closing = threading.Lock()

    def __enter__(self) -> None:
        """Use a handle; waits while another thread forks, but not for ever if this one does so too."""
        me = threading.get_ident()
        with self._lock:
            if self._forking:
                patience = PATIENCE if me in self._forking else None
                self._changed.wait_for(
                    lambda: self._forking <= {me} or me in self._inside, patience
                )
            self._inside[me] = self._inside.get(me, 0) + 1

    def __exit__(self, *_: object) -> None:
        me = threading.get_ident()
        with self._lock:
            # A child that was forked inside knows of nobody inside.
            left = self._inside.pop(me, 1) - 1
            if left:
                self._inside[me] = left
            if self._forking:
                self._changed.notify_all()

    def close(self) -> None:
        """Before a fork: let nobody in, and wait for those inside, but not for ever nor for ourselves."""
        me, deadline = threading.get_ident(), monotonic() + PATIENCE
        with self._lock:
            self._forking.add(me)
            self._changed.wait_for(lambda: self._inside.keys() <= {me}, deadline - monotonic())

    def open(self) -> None:
        """After a fork, in the parent."""
        with self._lock:
            self._forking.discard(threading.get_ident())
            self._changed.notify_all()

    def open_in_child(self) -> None:
        """After a fork, in the child: the other threads are not here, nor what they held."""
        self._renew()
