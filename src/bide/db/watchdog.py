"""Cutting off statements that a frozen server never answers.

The kernel of a frozen server goes on acknowledging TCP, so neither keep-alives nor timeouts of the
transport see anything, and the drivers wait for ever. Shutting the socket down turns the wait into
the driver's ordinary error of a lost connection.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import weakref
from collections.abc import Callable

from bide import events
from bide.clock import monotonic
from bide.db.connection import Connection
from bide.forks.owned import Owned
from bide.forks.threads import end_before_fork

_watchdogs: weakref.WeakSet[Watchdog] = weakref.WeakSet()


class Watchdog:
    """One thread per process that looks after the connections of one Database.

    A statement that has been silent for `silence` seconds, or those of its connection, is cut off; up to
    a fifth of `silence` later.
    """

    def __init__(self, silence: float) -> None:
        self._silence = silence
        #: A child minds none of its parent's, whose statements never end there.
        self._watched: Owned[weakref.WeakSet[Connection]] = Owned(weakref.WeakSet)
        self._thread: Owned[_Thread] = Owned(self._start)
        _watchdogs.add(self)

    def watch(self, connection: Connection) -> None:
        """Look after `connection` for as long as it exists."""
        if connection.socket is None:
            with contextlib.suppress(Exception):
                connection.socket = connection.driver.socket_of(connection.raw)
        if connection.watched_by is not self:
            connection.watched_by = self
            self._watched.get().add(connection)
        self._thread.get()

    def end(self) -> None:
        """Let the thread of this process end; the next `watch` starts another."""
        thread = self._thread.reset()
        if thread is not None:
            thread.ended.set()
            thread.join(1.0)

    def _start(self) -> _Thread:
        thread = _Thread(self._look, self._silence / 5)
        thread.start()
        return thread

    def _look(self) -> None:
        with contextlib.suppress(RuntimeError):  # a connection was added meanwhile: next time
            for connection in list(self._watched.get()):
                since = connection.busy_since
                if since is None or connection.patient:
                    continue
                limit = self._silence if connection.silence is None else connection.silence
                if monotonic() - since >= limit:
                    cut_off(connection, since)


class _Thread(threading.Thread):
    """Calls `look` every `pause` seconds until it is ended."""

    def __init__(self, look: Callable[[], None], pause: float) -> None:
        super().__init__(name="bide-watchdog", daemon=True)
        self.ended = threading.Event()
        self._look = look
        self._pause = pause

    def run(self) -> None:
        while not self.ended.wait(self._pause):
            self._look()


def _end_before_fork() -> None:
    # A process that forks should have one thread; ours is started again when it is needed.
    for watchdog in list(_watchdogs):
        watchdog.end()


end_before_fork(_end_before_fork)


def cut_off(connection: Connection, since: float) -> None:
    """Shut down the socket of the statement that runs since the monotonic moment `since`."""
    with contextlib.suppress(Exception):
        if connection.socket is None:
            return
        duplicate = os.dup(connection.socket)
        try:
            # Still in that statement, so its connection was open when the number was duplicated.
            if connection.busy_since == since:
                _shut_down(duplicate)
                events.emit("db.cut_off", seconds=monotonic() - since)
        finally:
            os.close(duplicate)


def _shut_down(descriptor: int) -> None:
    with socket.socket(fileno=os.dup(descriptor)) as wire:
        wire.shutdown(socket.SHUT_RDWR)
