"""A page of memory that all processes of a run share: how many jobs each has performed, and when.

Standard library only: it is imported in the environment of every peer.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from pathlib import Path

#: Processes that may count at once, and the numbers of each: count, first, last (nanoseconds, monotonic).
SLOTS, NUMBERS = 256, 3


class Board:
    """`tick` is what every no-op job does; it costs a fraction of a microsecond."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            self.path.write_bytes(bytes(8 * (1 + SLOTS * NUMBERS)))
        self._file = self.path.open("r+b")
        self._cells = memoryview(mmap.mmap(self._file.fileno(), 0)).cast("Q")
        self._pid = self._at = 0

    def tick(self) -> None:
        """One job has begun in this process (and, being a no-op, is done)."""
        if self._pid != os.getpid():
            self._take_slot()
        cells, at = self._cells, self._at
        now = time.monotonic_ns()
        if not cells[at]:
            cells[at + 1] = now
        cells[at + 2] = now
        cells[at] += 1

    def _take_slot(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        taken = self._cells[0]
        self._cells[0] = taken + 1
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._pid, self._at = os.getpid(), 1 + taken * NUMBERS

    @property
    def count(self) -> int:
        """Jobs begun in all processes."""
        return sum(self._cells[1 + slot * NUMBERS] for slot in range(self._cells[0]))

    @property
    def span(self) -> float:
        """Seconds from the first job to the last."""
        slots = [1 + slot * NUMBERS for slot in range(self._cells[0])]
        firsts = [self._cells[at + 1] for at in slots if self._cells[at]]
        lasts = [self._cells[at + 2] for at in slots if self._cells[at]]
        return (max(lasts) - min(firsts)) / 1e9 if firsts else 0.0

    @property
    def latest(self) -> int:
        """When the last job began: nanoseconds, monotonic."""
        return max(self._cells[1 + slot * NUMBERS + 2] for slot in range(self._cells[0]))
