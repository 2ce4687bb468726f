"""Statistics and the audit list in this process' memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, islice

from bide.jobs.audit import AuditEntry, AuditRow, storable
from bide.jobs.statistics import ALL_TIME, Statistic, added_up, checked, grouped


class MemoryStatistics:
    """The group Counting of the memory store."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, datetime, str, str], Statistic] = {}
        self._lock = threading.Lock()

    def write(self, writer: int, rows: Sequence[Statistic]) -> None:
        """Store what one process has counted, in place of what it wrote for those minutes before."""
        with self._lock:
            self._rows.update({(writer, *row[:3]): row for row in rows})

    def read(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        step: timedelta | None = None,
        by: Collection[str] = ("queue", "name"),
        queue: str | None = None,
        name: str | None = None,
    ) -> list[Statistic]:
        """What was counted from `since` to before `until`, oldest first."""
        checked(step, by)
        with self._lock:
            rows = list(self._rows.values())
        meant = (
            row
            for row in rows
            if (since is None or row.minute >= since)
            and (until is None or row.minute < until)
            and queue in (None, row.queue)
            and name in (None, row.name)
        )
        return grouped(meant, step, by)

    def prune(self, now: datetime, *, keep: timedelta, limit: int = 1000) -> int:
        """Add up what is too old to be told apart."""
        with self._lock:
            old = sorted(
                key for key, row in self._rows.items() if ALL_TIME < row.minute < now - keep
            )[:limit]
            rows = [self._rows.pop(key)._replace(minute=ALL_TIME) for key in old]
            kept = [row for row in self._rows.values() if row.minute == ALL_TIME]
            self._rows.update({(0, *row[:3]): row for row in added_up(rows + kept)})
        return len(old)


class MemoryAudit:
    """The group Auditing of the memory store."""

    def __init__(self) -> None:
        self._rows: dict[int, AuditRow] = {}
        self._ids = count(1)
        self._lock = threading.Lock()

    def write(self, entries: Sequence[AuditEntry]) -> None:
        """Add entries to the list."""
        with self._lock:
            for entry in map(storable, entries):
                number = next(self._ids)
                detail = json.loads(json.dumps(entry.detail, default=str))
                at = entry.at.astimezone(UTC)
                self._rows[number] = AuditRow(number, at, *entry[1:4], detail)

    def read(
        self,
        *,
        limit: int = 50,
        before_id: int | None = None,
        who: str | None = None,
        action: str | None = None,
        what: str | None = None,
    ) -> list[AuditRow]:
        """Newest first, a page at a time."""
        with self._lock:
            rows = list(reversed(self._rows.values()))
        meant = (
            row
            for row in rows
            if (before_id is None or row.id < before_id)
            and who in (None, row.who)
            and action in (None, row.action)
            and what in (None, row.what)
        )
        return list(islice(meant, limit))

    def prune(self, before: datetime, *, limit: int = 1000) -> int:
        """Delete up to `limit` entries older than the moment, the oldest first."""
        with self._lock:
            old = [row.id for row in islice(self._rows.values(), limit) if row.at < before]
            for number in old:
                del self._rows[number]
        return len(old)
