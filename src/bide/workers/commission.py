"""What a child that begins by spawn is told: its part in the fleet, and the descriptors it needs for it.

On macOS a forked child that uses the system's libraries is aborted: there each child runs the command
line of its supervisor again, finds this and takes its part instead (spec: forks.md 3).
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass

from bide.workers.children import spawn_child

VARIABLE = "BIDE_COMMISSION"


@dataclass(frozen=True, slots=True)
class Commission:
    """The part of one child: a worker in `place` with the entries of `room`, or the keeper (None)."""

    parent: int
    slate: int
    entries: int
    deaths: tuple[int, int]
    place: int | None = None
    room: tuple[int, int] = (0, 0)

    def spawn(self) -> int:
        """Start the child; its process id."""
        environment = {**os.environ, VARIABLE: json.dumps(asdict(self))}
        command = [sys.executable, *sys.orig_argv[1:]]
        return spawn_child(command, environment, [self.slate, *self.deaths])

    @staticmethod
    def waits() -> bool:
        """Whether this process was started to be a child of a supervisor."""
        return VARIABLE in os.environ

    @classmethod
    def received(cls) -> Commission | None:
        """What this process was started for, once; None where it is no child of a supervisor."""
        told = os.environ.pop(VARIABLE, None)
        if told is None:
            return None
        commission = cls(**json.loads(told))
        for fd in (commission.slate, *commission.deaths):
            os.set_inheritable(fd, False)
        return commission
