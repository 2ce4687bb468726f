"""The report of a daemon to the command that started it: up, or why not."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple


class Said(NamedTuple):
    """What a daemon reported: its pid (0: none), and an error, or a note about a fleet not yet up."""

    pid: int
    error: str = ""
    note: str = ""


class Report:
    """A pipe from the daemon to the command; an end without a word means that the daemon died."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._up = mmap.mmap(-1, 1)

    @property
    def was_up(self) -> bool:
        """Whether the fleet was ever up; known to every process that shares this report."""
        return bool(self._up[0])

    def heard(self) -> Said | None:
        """In the command: what the daemon says, waited for; None when it ended without a word."""
        os.close(self._writer)
        with open(self._reader, "rb") as pipe:  # noqa: PTH123 - a descriptor
            line = pipe.readline()
        return Said(**json.loads(line)) if line.endswith(b"\n") else None

    def to_be_given(self) -> None:
        """In the daemon: it will say, not hear."""
        os.close(self._reader)

    def failed(self, error: str) -> None:
        """It could not start."""
        self._say(Said(os.getpid(), error=error))

    def fds(self) -> list[int]:
        """Nothing to wait for."""
        return []

    def attend(self, state: str, _facts: Callable[[], dict[str, Any]]) -> None:
        """From the supervisor, once per turn."""
        if self._writer < 0:
            return
        if state in ("ready", "reloading", "waiting"):
            self._up[0] = 1
            note = "its workers do not reach the database yet" if state == "waiting" else ""
            self._say(Said(os.getpid(), note=note))

    def _say(self, said: Said) -> None:
        if self._writer < 0:
            return
        with suppress(BrokenPipeError):
            os.write(self._writer, json.dumps(said._asdict()).encode() + b"\n")
        self.close()

    def close(self) -> None:
        """Nothing more is said by this process."""
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1
