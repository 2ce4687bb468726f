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

from bide import events
from bide.clock import monotonic
from bide.db.connection import Connection
from bide.forks.owned import Owned


class Watchdog:
    """One thread per process that looks after the connections of one Database.

    A statement that has been silent for `silence` seconds (up to a fifth more) is cut off.
    """

    def __init__(self, silence: float) -> None:
        self._silence = silence
        self._watched: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._thread: Owned[threading.Thread] = Owned(self._start)
        self._ended = threading.Event()

    def watch(self, connection: Connection) -> None:
        """Look after `connection` for as long as it exists."""
        self._watched.add(connection)
        self._thread.get()

    def end(self) -> None:
        """Let the thread of this process end."""
        self._ended.set()

    def _start(self) -> threading.Thread:
        self._ended, self._watched = threading.Event(), weakref.WeakSet(self._watched)
        thread = threading.Thread(target=self._look, name="bide-watchdog", daemon=True)
        thread.start()
        return thread

    def _look(self) -> None:
        ended = self._ended
        while not ended.wait(self._silence / 5):
            for connection in list(self._watched):
                since = connection.busy_since
                if (
                    since is not None
                    and not connection.patient
                    and monotonic() - since >= self._silence
                ):
                    cut_off(connection, since)


def cut_off(connection: Connection, since: float) -> None:
    """Shut down the socket of the statement that runs since the monotonic moment `since`."""
    with contextlib.suppress(Exception):
        number = connection.driver.socket_of(connection.raw)
        if number is None:
            return
        duplicate = os.dup(number)
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
