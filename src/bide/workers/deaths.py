"""The pipe on which a supervisor tells its keeper of workers that ended."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from bide.jobs.store import Lease

#: Deaths that a new keeper is told again.
REMEMBERED = 64


class Death(NamedTuple):
    """A worker that ended, as the supervisor saw it: who it was, what it was running, how it ended.

    `late` are those of its jobs for whose sake it was killed: they had ignored their timeout.
    """

    worker_id: int
    pid: int
    running: list[Lease]
    how: str
    late: Sequence[Lease] = ()


class Deaths:
    """A pipe of deaths from supervisor to keeper; it outlives keepers, so that no death is missed.

    What a keeper had heard and perhaps not reported when it died is told to the next one again:
    reporting a death twice is harmless. The supervisor never waits for a keeper to listen: what the
    pipe has no room for is said later.
    """

    def __init__(self, ends: tuple[int, int] | None = None) -> None:
        self.reader, self.writer = ends or os.pipe()
        for end in (self.reader, self.writer):
            os.set_blocking(end, False)
        self._heard = b""
        self._told: deque[Death] = deque(maxlen=REMEMBERED)
        self._unsaid: deque[bytes] = deque()
        self._begun = b""

    def tell(self, death: Death) -> None:
        """From the supervisor."""
        self._told.append(death)
        self._unsaid.append(_line(death))
        self.flush()

    def tell_again(self) -> None:
        """From the supervisor, whose keeper died."""
        again = [_line(death) for death in self._told]
        self._unsaid = deque([*(line for line in self._unsaid if line not in again), *again])
        self.flush()

    def flush(self) -> None:
        """From the supervisor, from time to time: say what there was no room for."""
        with suppress(BlockingIOError):
            while self._begun or self._unsaid:
                self._begun = self._begun or self._unsaid.popleft()
                self._begun = self._begun[os.write(self.writer, self._begun) :]

    def heard(self) -> list[Death]:
        """To the keeper: those that came in."""
        with suppress(BlockingIOError):
            while data := os.read(self.reader, 65536):
                self._heard += data
        *lines, self._heard = self._heard.split(b"\n")
        return list(_deaths(lines))


def _line(death: Death) -> bytes:
    return json.dumps(death._asdict()).encode() + b"\n"


def _deaths(lines: Sequence[bytes]) -> Iterator[Death]:
    """The end of a line whose beginning another keeper took is nothing: that death is told again."""
    for line in lines:
        with suppress(ValueError, TypeError):
            yield Death(**json.loads(line))
