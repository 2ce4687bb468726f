"""This process among those that use the texts: it says which version it speaks, and that it lives."""

from __future__ import annotations

import contextlib
import math
import os
import socket
import sys
import uuid
from pathlib import Path
from typing import Final

from bide import clock
from bide.clock import jitter, monotonic
from bide.errors import DatabaseBusy, DatabaseError, NotMigrated
from bide.i18n.rows import Rows
from bide.i18n.side_tables.readers import Reader, ReaderRows
from bide.i18n.snapshot import Versions

#: Seconds between two signs of life.
BEAT: Final = 15.0
#: Seconds from new words to saying so, all that is new by then at once: give or take a quarter, so
#: that not every process writes at the same moment.
SOON: Final = 1.4
#: The same from the first look of a process: what ends before that, nobody had to count.
FIRST: Final = 0.5
#: Seconds to wait for another writer: whoever waits reads no new words meanwhile.
PATIENCE: Final = 0.05
#: Seconds to leave tables alone that are older than this program.
UNMIGRATED: Final = 60.0


class Presence:
    """One use of a table of texts in this process; a forked child has one of its own."""

    def __init__(self, texts: str) -> None:
        self._texts = texts
        self._id = ""
        self._pid = 0
        self._served: Versions | None = None
        self._told = False
        self._waiting = False
        self._due = math.inf

    def tell(self, rows: Rows, versions: Versions) -> float:
        """Write down what is served if it is time; when it will be, in monotonic seconds. Never
        raises for a database that cannot be written to."""
        if self._pid != os.getpid():
            self._id, self._pid = uuid.uuid4().hex, os.getpid()
            self._forget()
        if versions != self._served:
            if not self._waiting:
                pause = FIRST if self._served is None else SOON
                self._waiting, self._due = True, monotonic() + jitter(pause)
            self._served = versions
        if self._due <= monotonic():
            self._waiting = False
            self._due = monotonic() + self._write(rows, versions)
        return self._due

    def _write(self, rows: Rows, versions: Versions) -> float:
        """Seconds until the next time."""
        me = Reader(
            self._id, socket.gethostname(), space(), self._pid, _program(), self._texts, versions,
            clock.utc_now(),
        )  # fmt: skip
        try:
            rows.database.run(lambda c: ReaderRows(rows).tell(c, me), repeat=True, within=PATIENCE)
        except DatabaseBusy:
            self._waiting = True
            return jitter(SOON)
        except NotMigrated:
            return UNMIGRATED
        except DatabaseError:
            return BEAT
        self._told = True
        return BEAT

    def _forget(self) -> None:
        self._served, self._told, self._waiting, self._due = None, False, False, math.inf

    def leave(self, rows: Rows) -> None:
        """Say that this process uses the texts no more."""
        if not self._told or self._pid != os.getpid():
            return
        self._forget()
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
