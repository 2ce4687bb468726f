"""The pid file of a daemon: locked for as long as the daemon lives, so that no number is trusted alone."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bide import clock
from bide.errors import AlreadyRunning, DaemonError
from bide.workers.processes import is_process, process_started

#: Seconds for which a lock may be held by somebody who only looks, or who has not written yet.
PATIENCE = 1.0
PAUSE = 0.02


class Owner(NamedTuple):
    """The process that holds a pid file, and when it was started (empty where the system tells not)."""

    pid: int
    started: str


class PidFile:
    """A file with the pid of the process that holds its lock and, below, when that was started.

    `fd` continues a lock that this process holds already, after it replaced its code by exec.
    """

    def __init__(self, path: Path, fd: int = -1) -> None:
        self.path, self.fd = path, fd

    def take(self) -> None:
        """Hold it for this process; raises AlreadyRunning when another process does (DJ-561)."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        deadline = clock.monotonic() + PATIENCE
        while not self._locked():
            if clock.monotonic() > deadline:
                raise AlreadyRunning(self.path, self.owner())
            clock.sleep(PAUSE)
        text = f"{os.getpid()}\n{process_started(os.getpid()) or ''}\n".encode()
        os.pwrite(self.fd, text, 0)
        os.ftruncate(self.fd, len(text))

    def _locked(self) -> bool:
        """Lock the file of that name; not one that its owner has removed meanwhile."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(self.path, flags, 0o644)
        if _lock(fd, fcntl.LOCK_EX) and _is_at(fd, self.path):
            self.fd = fd
            return True
        os.close(fd)
        return False

    def owner(self) -> Owner | None:
        """The living process that holds it; None for a file that is missing, empty or stale.

        Raises DaemonError when the lock is held by a process that the file does not name.
        """
        deadline = clock.monotonic() + PATIENCE
        while (text := self._text_if_locked()) is not None:
            owner = _parsed(text)
            if owner is not None and is_process(owner.pid, owner.started):
                return owner
            if clock.monotonic() > deadline:
                raise DaemonError(
                    f"{self.path} is locked, but not by the process that it names ({text!r}); "
                    "nothing was signalled. Find the holder with `fuser -v` or `lsof`"
                )
            clock.sleep(PAUSE)
        return None

    def _text_if_locked(self) -> str | None:
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        try:
            if _lock(fd, fcntl.LOCK_SH):
                return None
            return os.pread(fd, 200, 0).decode(errors="replace")
        finally:
            os.close(fd)

    def clear_stale(self) -> str | None:
        """Remove a file that nobody holds; returns what it said, None when there was none."""
        if not self.path.exists() or not self._locked():
            return None
        said = os.pread(self.fd, 200, 0).decode(errors="replace").strip()
        self.let_go()
        return said

    def let_go(self) -> None:
        """Remove it, if this process holds it."""
        if self.fd < 0:
            return
        if _is_at(self.fd, self.path):
            with suppress(FileNotFoundError):
                self.path.unlink()
        self.close()

    def close(self) -> None:
        """In a child: the lock is the parent's, and ends with it alone."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


def _parsed(text: str) -> Owner | None:
    number, _, started = text.partition("\n")
    return Owner(int(number), started.strip()) if number.strip().isdecimal() else None
