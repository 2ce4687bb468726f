"""What people say about texts: review states, notes, and the source text that a translation is of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, insert, select, update

from bide.db.connection import Connection
from bide.db.dialects import moment_from
from bide.i18n.rows import Rows


class Note(NamedTuple):
    """What is known of one text. `based_on`: the source text when it was translated, as JSON;
    `proposals`: how many suggestions and drafts wait; `version` grows with every change."""

    locale: str
    key: str
    state: str | None
    note: str | None
    based_on: str | None
    author: str | None
    updated_at: datetime | None
    version: int
    proposals: int


class NoteRows:
    """The notes of one scope."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._table = rows.tables.notes

    def version(self, connection: Connection) -> int:
        """The newest change of any note."""
        [(newest,)] = connection.core(select(func.max(self._table.c.version)))
        return newest or 0

    def changed(self, connection: Connection, locale: str, since: int) -> list[Note]:
        """The notes of a locale that changed after a version."""
        columns = self._table.c
        query = self._select().where(columns.locale == locale, columns.version > since)
        return self._notes(connection, query)

    def get(self, connection: Connection, locale: str, key: str) -> Note:
        """The note of a text; an empty one where nobody said anything."""
        found = self.of(connection, locale, [key])
        return found[0] if found else Note(locale, key, None, None, None, None, None, 0, 0)

    def of(self, connection: Connection, locale: str, keys: Sequence[str]) -> list[Note]:
        """The notes that there are of some texts."""
        columns = self._table.c
        query = self._select().where(columns.locale == locale, columns.key.in_(list(keys)))
        return self._notes(connection, query)

    def put(self, connection: Connection, locale: str, key: str, **changes: Any) -> None:
        """Change columns of a note, making it where there is none; the counter must be held."""
        columns = self._table.c
        changes |= {"updated_at": self._rows.now(), "version": self.version(connection) + 1}
        connection.core(
            update(self._table)
            .where(
                columns.scope == self._rows.side_scope,
                columns.locale == locale,
                columns.key == key,
            )
            .values(**changes)
        )
        if not connection.rowcount:
            name = {"scope": self._rows.side_scope, "locale": locale, "key": key}
            connection.core(insert(self._table).values(**{"proposals": 0, **name, **changes}))

    def _select(self) -> Select[Any]:
        columns = self._table.c
        query: Select[Any] = select(*(columns[name] for name in Note._fields))
        return query.where(columns.scope == self._rows.side_scope)

    def _notes(self, connection: Connection, query: Select[Any]) -> list[Note]:
        notes = [Note(*row) for row in connection.core(query)]
        return [
            note._replace(updated_at=moment_from(note.updated_at)) if note.updated_at else note
            for note in notes
        ]
