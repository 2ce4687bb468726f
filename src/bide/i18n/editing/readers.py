"""Which running processes speak a change already: "live in 7 of 7 processes"."""

from __future__ import annotations

import os
import socket
from typing import NamedTuple

from bide.i18n.editing.sources import Sources
from bide.i18n.presence import space
from bide.i18n.side_tables.readers import Reader, ReaderRows


class Progress(NamedTuple):
    """The processes that use the texts, and those among them that speak a version or a later one."""

    readers: list[Reader]
    live: list[Reader]

    @property
    def everywhere(self) -> bool:
        """Whether no process says the old words."""
        return len(self.live) == len(self.readers)


class Readers:
    """Those who read the table of some sources.

    A process counts from about a second after its first look at the texts until it ends, and says
    within two seconds which words it has taken in. One that was killed on another
    host is known to be gone 45 seconds later.
    """

    def __init__(self, sources: Sources) -> None:
        self._rows = sources.database.live.rows
        self._texts = sources.database.table

    def progress(self, version: int) -> Progress:
        """Who speaks `version` of the texts; 0: anybody."""
        rows, scope = self._rows, self._rows.scope
        texts = [self._texts, *([f"{self._texts}:{scope}"] if scope is not None else [])]
        found = rows.database.read(lambda c: ReaderRows(rows).alive(c, texts))
        here = [reader for reader in found if not _ended(reader)]
        oldest = _oldest(here, rows.side_scope)
        live = [each for each in oldest if each.versions.get(rows.side_scope, 0) >= version]
        return Progress(oldest, live)


def _oldest(readers: list[Reader], scope: str) -> list[Reader]:
    """One for each process: a process may read the table several times, and counts as live when
    it says nothing old anywhere."""
    found: dict[tuple[str, str, int], Reader] = {}
    for each in readers:
        process = (each.host, each.space, each.pid)
        known = found.get(process)
        if known is None or each.versions.get(scope, 0) < known.versions.get(scope, 0):
            found[process] = each
    return list(found.values())


def _ended(reader: Reader) -> bool:
    """Whether it is certain that a process ended."""
    if (reader.host, reader.space) != (socket.gethostname(), space()):
        return False
    try:
        os.kill(reader.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False
