"""This process among those that use the texts: it says which version it speaks, and that it lives."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import uuid
from pathlib import Path
from typing import Final

from bide import clock
from bide.clock import monotonic
from bide.errors import DatabaseError, NotMigrated
from bide.i18n.rows import Rows
from bide.i18n.side_tables.readers import Reader, ReaderRows
from bide.i18n.snapshot import Versions

#: Seconds between two signs of life.
BEAT: Final = 15.0
#: Seconds to leave tables alone that are older than this program.
UNMIGRATED: Final = 60.0


class Presence:
    """One use of a table of texts in this process; a forked child has one of its own."""

    def __init__(self, texts: str) -> None:
        self._texts = texts
        self._id = ""
        self._pid = 0
        self._told: Versions | None = None
        self._due = 0.0

    def tell(self, rows: Rows, versions: Versions) -> None:
        """Write it down if the version is another, or if it is time. Never raises for a database
        that cannot be written to."""
        if self._pid != os.getpid():
            self._id, self._pid, self._told, self._due = uuid.uuid4().hex, os.getpid(), None, 0.0
        now = monotonic()
        if now < self._due and versions == self._told:
            return
        me = Reader(
            self._id, socket.gethostname(), space(), self._pid, _program(), self._texts, versions,
            clock.utc_now(),
        )  # fmt: skip
        self._due = now + BEAT
        try:
            rows.database.run(lambda c: ReaderRows(rows).tell(c, me), repeat=True)
            self._told = versions
        except NotMigrated:
            self._told, self._due = versions, now + UNMIGRATED
        except DatabaseError:
            self._told = versions

    def leave(self, rows: Rows) -> None:
        """Say that this process uses the texts no more."""
        if self._told is None or self._pid != os.getpid():
            return
        self._told, self._due = None, 0.0
        with contextlib.suppress(DatabaseError):
            rows.database.run(lambda c: ReaderRows(rows).leave(c, self._id), repeat=True)


def space() -> str:
    """What tells the process numbers of one container from those of another on the same host."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _program() -> str:
    path = Path(sys.argv[0] if sys.argv else "")
    name = path.parent.name if path.name == "__main__.py" else path.name
    return name[:100] or "python"
