"""Which processes use the texts, and which version each of them speaks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, insert, select, update

from bide import clock
from bide.db.connection import Connection
from bide.db.dialects import moment_from, moment_in
from bide.i18n.rows import Rows
from bide.i18n.snapshot import Versions

#: Seconds after which a process that said nothing is taken for gone.
GONE: Final = 45.0
_FORGOTTEN: Final = 600.0
#: Of those, how many one process takes away.
_MOST: Final = 100


class Reader(NamedTuple):
    """A process that uses the texts; `space` is that of its process number."""

    id: str
    host: str
    space: str
    pid: int
    program: str
    texts: str
    versions: Versions
    seen_at: datetime


class ReaderRows:
    """Those who read one table of texts."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._table = rows.tables.readers

    def tell(self, connection: Connection, reader: Reader) -> None:
        """Say which version a process speaks, and that it lives."""
        known = {"versions": json.dumps(dict(reader.versions)), "seen_at": self._rows.now()}
        columns = self._table.c
        connection.core(update(self._table).where(columns.id == reader.id).values(**known))
        if not connection.rowcount:
            self._forget(connection)
            connection.core(insert(self._table).values(**{**reader._asdict(), **known}))

    def _forget(self, connection: Connection) -> None:
        # Found first: MySQL's DELETE waits for every row that it passes, also those of the living.
        columns = self._table.c
        old = select(columns.id).where(columns.seen_at < self._ago(_FORGOTTEN)).order_by(columns.id)
        forgotten = [each for (each,) in connection.core(old.limit(_MOST))]
        if forgotten:
            connection.core(delete(self._table).where(columns.id.in_(forgotten)))

    def leave(self, connection: Connection, reader: str) -> None:
        """Say that a process uses the texts no more."""
        connection.core(delete(self._table).where(self._table.c.id == reader))

    def alive(self, connection: Connection, texts: Sequence[str]) -> list[Reader]:
        """The processes that use one of some sets of texts, and were heard of lately."""
        columns = self._table.c
        query = (
            select(*(columns[name] for name in Reader._fields))
            .where(columns.texts.in_(list(texts)), columns.seen_at >= self._ago(GONE))
            .order_by(columns.host, columns.pid, columns.id)
        )
        return [
            Reader._make((*row, json.loads(versions), moment_from(seen)))
            for *row, versions, seen in connection.core(query)
        ]

    def _ago(self, seconds: float) -> Any:
        moment = clock.utc_now() - timedelta(seconds=seconds)
        return moment_in(self._rows.database.kind, moment)
