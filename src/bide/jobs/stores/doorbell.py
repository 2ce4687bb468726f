"""Bells beside a database file: whoever waits for jobs hangs one out, whoever stores a job rings one.

A bell is a datagram socket in `<file>-wake/`, there under its name only while its owner waits; so a
ring reaches an idle one. The net below: every quarter of a second, and when a wait begins, a look at
whether anything was written to the file since the last look. So a lost ring costs a quarter second.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import selectors
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bide.clock import microseconds, monotonic

#: Seconds between two looks at the file.
_LOOK: Final = 0.25
#: Nanoseconds in which a second change of a directory may leave its time as it was.
_TICK: Final = 50_000_000
#: Directories without a bell, and when they were last changed.
_silent: dict[str, int] = {}
_numbers = itertools.count()


class Doorbell:
    """One waiter's bell beside the database file `file`."""

    def __init__(self, file: Path) -> None:
        self._log = Path(f"{file}-wal")
        self._seen: tuple[int, int] | None = None
        self._place = _place(file)
        self._name = f"{os.getpid()}-{next(_numbers)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):  # a path that is too long: looking at the file remains
            self._socket.bind(str(self._place / f".{self._name}"))
            _take_away_dead(self._place)

    def wait(self, seconds: float, also: Sequence[int] = ()) -> bool:
        """True: a job may have become ready. False: the time is over or `also` is readable."""
        deadline = monotonic() + seconds
        with selectors.DefaultSelector() as selector, self.hung_out():
            for descriptor in {self._socket.fileno(), *also}:
                selector.register(descriptor, selectors.EVENT_READ)
            while not self._something_written():
                left = deadline - monotonic()
                readable = {key.fd for key, _ in selector.select(max(0.0, min(left, _LOOK)))}
                if self._socket.fileno() in readable:
                    self._fall_silent()
                    return True
                if readable or left <= 0:
                    return False
            return True

    def close(self) -> None:
        """Take the bell away."""
        self._socket.close()
        for name in (self._name, f".{self._name}"):
            (self._place / name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def hung_out(self) -> Iterator[None]:
        """Let the bell be rung meanwhile."""
        _rename(self._place, f".{self._name}", self._name)
        try:
            yield
        finally:
            _rename(self._place, self._name, f".{self._name}")

    def _something_written(self) -> bool:
        try:
            found = self._log.stat()
        except OSError:
            return False
        state = (found.st_size, found.st_mtime_ns)
        changed, self._seen = state != self._seen, state
        return changed

    def _fall_silent(self) -> None:
        with contextlib.suppress(OSError):
            while self._socket.recv(16):
                pass


def ring(file: Path) -> None:
    """Ring one bell, any; those whose owners are gone are taken away."""
    place = f"{file}-wake"
    try:
        changed = os.stat(place).st_mtime_ns  # noqa: PTH116 - a Path takes longer than the call
        if _silent.get(place) == changed:
            return
        with os.scandir(place) as bells:
            paths = [bell.path for bell in bells if not bell.name.startswith(".")]
    except OSError:
        return
    if not paths and microseconds() * 1000 - changed > _TICK:
        _silent[place] = changed
        return
    random.shuffle(paths)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        any(_rung(sender, path) for path in paths)


def _rung(sender: socket.socket, path: str) -> bool:
    try:
        sender.sendto(b"!", path)
    except ConnectionRefusedError:
        Path(path).unlink(missing_ok=True)
        return False
    except BlockingIOError:
        return True  # rung more often than its owner can hear
    except OSError:
        return False
    return True


def _take_away_dead(place: Path) -> None:
    for path in place.iterdir():
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as visitor:
            try:
                visitor.connect(str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)


def _place(file: Path) -> Path:
    place = Path(f"{file}-wake")
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o700, exist_ok=True)
    return place


def _rename(place: Path, old: str, new: str) -> None:
    with contextlib.suppress(OSError):
        (place / old).rename(place / new)
