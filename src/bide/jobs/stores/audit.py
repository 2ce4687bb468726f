"""The audit list in any SQL database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select

from bide.db.connection import Connection
from bide.db.dialects import moment_from, moment_in
from bide.db.engine import Database
from bide.jobs.audit import AuditEntry, AuditRow, storable
from bide.jobs.tables import tables


class SqlAudit:
    """The group Auditing of every store in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = tables(database.table_prefix).audit

    def write(self, entries: Sequence[AuditEntry]) -> None:
        """Add entries to the list."""
        kind = self._database.kind
        rows = [
            {
                **entry._asdict(),
                "at": moment_in(kind, entry.at),
                "detail": json.dumps(entry.detail, default=str),
            }
            for entry in map(storable, entries)
        ]

        def work(connection: Connection) -> None:
            for row in rows:
                connection.core(insert(self._table).values(row))

        if rows:
            self._database.run(work)

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
        column = self._table.c
        query = select(*(column[name] for name in AuditRow._fields)).limit(limit)
        for one, value in ((column.who, who), (column.action, action), (column.what, what)):
            if value is not None:
                query = query.where(one == value)
        if before_id is not None:
            query = query.where(column.id < before_id)
        query = query.order_by(column.id.desc())
        rows = self._database.read(lambda connection: connection.core(query))
        return [
            AuditRow(number, moment_from(at), who, action, what, json.loads(detail))
            for number, at, who, action, what, detail in rows
        ]

    def prune(self, before: datetime, *, limit: int = 1000) -> int:
        """Delete up to `limit` entries older than the moment, the oldest first."""
        column = self._table.c
        oldest = select(column.id, column.at).order_by(column.id).limit(limit).with_for_update()

        def work(connection: Connection) -> int:
            ids = [number for number, at in connection.core(oldest) if moment_from(at) < before]
            if ids:
                connection.core(delete(self._table).where(column.id.in_(ids)))
            return len(ids)

        return self._database.run(work, repeat=True)
