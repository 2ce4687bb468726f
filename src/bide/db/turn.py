"""The turn: one writer of ours at a time on a SQLite file, checkpoints included.

SQLite's own waiting has no queue, and two checkpoints that race a writer can lose pages on SQLite
before 3.51.3. A lock of the kernel beside the file is freed by it when the holder dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from bide.clock import jitter, monotonic, sleep
from bide.errors import DatabaseBusy, DatabaseError

_open_turns: set[int] = set()


class Turn:
    """An exclusive lock on `<path>-turn`, between threads and processes of one machine."""

    def __init__(self, path: Path) -> None:
        self._path = f"{path}-turn"

    def taken(self, within: float) -> Taken:
        """Hold the turn; DatabaseBusy naming the holder after `within` seconds, DatabaseError where
        none can be held."""
        return Taken(self._path, within)


class Taken:
    """One holder's turn, for as long as the `with` lasts."""

    __slots__ = ("_descriptor", "_path", "_within")

    def __init__(self, path: str, within: float) -> None:
        self._path, self._within = path, within
        self._descriptor = -1

    def __enter__(self) -> None:
        self._descriptor = _opened(self._path)
        _open_turns.add(self._descriptor)
        try:
            if not _locked(self._descriptor):
                self._wait()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        descriptor = self._descriptor
        if descriptor in _open_turns:
            _open_turns.discard(descriptor)
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def _wait(self) -> None:
        deadline = monotonic() + self._within
        while not _locked(self._descriptor):
            if monotonic() >= deadline:
                holder = _holder(self._descriptor)
                raise DatabaseBusy(
                    f"no turn to write on {self._path!r} within {self._within:g} s: {holder}"
                )
            short_pause()


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise DatabaseError(
            f"the file {path!r}, by which writers take turns, cannot be opened: {error.strerror}; "
            "the directory of the database must be writable"
        ) from error


def short_pause() -> None:
    """0.2 to 1 ms: short enough for the next writer, uneven enough that nobody starves."""
    sleep(jitter(0.0006, 0.66))


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    inode = os.fstat(descriptor).st_ino
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = line.split()
            if "FLOCK" in fields and "->" not in fields and fields[5].endswith(f":{inode}"):
                return f"process {fields[4]} holds it"
    return "another process holds it"


def _let_go_in_child() -> None:
    # A copy of the descriptor would hold the parent's turn should the parent be killed in it.
    for descriptor in list(_open_turns):
        _open_turns.discard(descriptor)
        with contextlib.suppress(OSError):
            os.close(descriptor)


os.register_at_fork(after_in_child=_let_go_in_child)
