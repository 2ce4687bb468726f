"""The log file of a daemon: standard output and standard error, opened again when it was rotated."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bide.events import emit


class LogFile:
    """Appends to `path`; a directory that is missing is made (DJ-577)."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._size = 0

    def open(self) -> None:
        """Make it this process' standard output and standard error; nothing is read from a terminal."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self._over_outputs()

    def reopen(self, *_: Any) -> None:
        """After a rotation: go on in the file that has the name now; also a signal handler."""
        try:
            self._over_outputs()
        except OSError as error:
            emit("log_not_reopened", path=self.path, error=error)

    def _over_outputs(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        fd = os.open(self.path, flags, 0o640)
        os.dup2(fd, 1)
        os.dup2(fd, 2)
        os.close(fd)

    def mark(self) -> None:
        """Remember its end, for `since_mark`."""
        self._size = self.path.stat().st_size if self.path.exists() else 0

    def since_mark(self, most: int = 2000) -> str:
        """What was written since the mark, the last `most` bytes of it."""
        if not self.path.exists():
            return ""
        with self.path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(self._size, end - most))
            return file.read().decode(errors="replace").strip()
