"""Shared memory between supervisor, keeper and workers: who runs which job, since when, how long it may.

A worker writes its entry without a system call; after its death the supervisor reads there, without
asking the database, which job was running.
"""

from __future__ import annotations

import mmap
import os
import struct
from typing import NamedTuple

#: worker id, job id, lease, began, limit, beat, given up, jobs done, pid, place, at work, name.
_LAYOUT = struct.Struct("=qqqdddqqqqq40s")
_SIZE = 128
_WORKER, _JOB, _BEAT, _GIVEN_UP, _DONE, _PID, _PLACE = 0, 8, 40, 48, 56, 64, 72
_AT_WORK, _NAME = 80, 88
_AS_JOB, _AS_NAME = struct.Struct("=qqdd"), struct.Struct("40s")
_AS_MOMENT = struct.Struct("=d")
#: Of the numbers in a slate, each of 8 bytes.
_WORD = 8


class Running(NamedTuple):
    """An entry as it stands. `job_id` 0: no job runs. Moments are monotonic seconds."""

    worker_id: int
    job_id: int
    lease: int
    began: float
    limit: float
    beat: float
    given_up: int
    done: int
    pid: int
    place: int
    at_work: int
    name: bytes

    @property
    def job_name(self) -> str:
        """What the running job is called, its first 40 bytes."""
        return self.name.rstrip(b"\0").decode(errors="replace")


class Slate:
    """A number of entries in a file without a name, mapped by all processes of the tree.

    LAYOUT tells one way of writing from another, for those who continue a slate.

    `fd` continues an existing one, after the supervisor has replaced its code by exec.
    """

    LAYOUT = f"{_LAYOUT.format}/{_SIZE}"

    def __init__(self, entries: int, fd: int | None = None) -> None:
        self.entries = entries
        self.fd = _nameless_file() if fd is None else fd
        if fd is None:
            os.ftruncate(self.fd, entries * _SIZE)
        self._memory = mmap.mmap(self.fd, entries * _SIZE)
        self._words = memoryview(self._memory).cast("q")

    def entry(self, index: int) -> Entry:
        """One entry; each has one writer for what its worker says, and the keeper for the rest."""
        if not 0 <= index < self.entries:
            raise IndexError(f"entry {index} of {self.entries}")
        return Entry(self._memory, self._words, index * _SIZE)


class Entry:
    """One worker's lines on the slate."""

    __slots__ = ("_at", "_done", "_given_up", "_memory", "_name", "_words")

    def __init__(self, memory: mmap.mmap, words: memoryview[int], at: int) -> None:
        self._memory, self._words, self._at = memory, words, at
        self._given_up, self._done = (at + _GIVEN_UP) // _WORD, (at + _DONE) // _WORD
        #: What stands there as the name of the job, as far as this process knows.
        self._name: str | None = None

    def read(self) -> Running:
        """What stands there now."""
        return Running._make(_LAYOUT.unpack_from(self._memory, self._at))

    @property
    def beat(self) -> float:
        """When the keeper last heard from the store of this worker (monotonic)."""
        (beat,) = _AS_MOMENT.unpack_from(self._memory, self._at + _BEAT)
        return beat  # type: ignore[no-any-return]

    @property
    def given_up(self) -> int:
        """How often, by the keeper, the store had given this worker up."""
        return self._words[self._given_up]

    def wipe(self, place: int = 0) -> None:
        """Before a new worker takes the entry, in this place of the fleet."""
        self._memory[self._at : self._at + _SIZE] = bytes(_SIZE)
        self._name = None
        self._write("q", _PLACE, place)

    def entered(self, worker_id: int, pid: int, now: float) -> None:
        """The worker is registered under this id (again, if it was given up)."""
        self._write("q", _WORKER, worker_id)
        self._write("q", _PID, pid)
        self._write("d", _BEAT, now)

    def looks_for_jobs(self) -> None:
        """The worker has passed everything that comes before its loop."""
        self._write("q", _AT_WORK, 1)

    def started(self, job_id: int, lease: int, began: float, limit: float, name: str = "") -> None:
        """A job runs now, until `limit` at the latest."""
        if name != self._name:
            _AS_NAME.pack_into(self._memory, self._at + _NAME, name.encode())
            self._name = name
        _AS_JOB.pack_into(self._memory, self._at + _JOB, job_id, lease, began, limit)

    def ended(self) -> None:
        """No job runs; one more was done."""
        _AS_JOB.pack_into(self._memory, self._at + _JOB, 0, 0, 0.0, 0.0)
        self._words[self._done] += 1

    def beaten(self, now: float) -> None:
        """The keeper: the database knows that this worker lives."""
        self._write("d", _BEAT, now)

    def gave_up(self) -> None:
        """The keeper: the database had given this worker up; it must register anew."""
        self._write("q", _GIVEN_UP, self.read().given_up + 1)

    def _write(self, kind: str, offset: int, value: float) -> None:
        struct.pack_into(f"={kind}", self._memory, self._at + offset, value)


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("bide-slate")
    import tempfile

    with tempfile.TemporaryFile(prefix="bide-slate-") as file:
        return os.dup(file.fileno())
