"""The turn: one writer of ours at a time on a SQLite file, checkpoints included.

SQLite's own waiting has no queue, and two checkpoints that race a writer can lose pages on SQLite
before 3.51.3. A lock of the kernel beside the file is freed by it when the holder dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from bide.clock import jitter, monotonic, sleep
from bide.errors import DatabaseBusy

_open_turns: set[int] = set()


class Turn:
    """An exclusive lock on `<path>-turn`, between threads and processes of one machine."""

    def __init__(self, path: Path) -> None:
        self._path = f"{path}-turn"

    @contextlib.contextmanager
    def taken(self, within: float) -> Iterator[None]:
        """Hold the turn; DatabaseBusy naming the holder after `within` seconds."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        _open_turns.add(descriptor)
        try:
            self._take(descriptor, within)
            yield
        finally:
            if descriptor in _open_turns:
                _open_turns.discard(descriptor)
                with contextlib.suppress(OSError):
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
                os.close(descriptor)

    def _take(self, descriptor: int, within: float) -> None:
        deadline = None
        while not _locked(descriptor):
            if deadline is None:
                deadline = monotonic() + within
            if monotonic() >= deadline:
                raise DatabaseBusy(
                    f"no turn to write on {self._path!r} within {within:g} s: {_holder(descriptor)}"
                )
            short_pause()


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
