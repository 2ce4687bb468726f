"""Who is writing at a text right now, among the texts that wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, insert, select

from bide import clock
from bide.db.connection import Connection
from bide.db.dialects import moment_in
from bide.i18n.rows import Rows

#: A row of the proposals that says who writes, and holds no text.
EDITING: Final = "editing"


class EditingRows:
    """Those who write at the texts of one scope."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._table = rows.tables.proposals

    def authors(self, connection: Connection, locale: str, key: str, within: float) -> list[str]:
        """Who has written at a text in the last seconds, by name."""
        columns = self._table.c
        query = select(columns.author).where(
            self._here(locale, key), columns.created_at >= self._ago(within)
        )
        return sorted({str(author) for (author,) in connection.core(query)})

    def put(self, connection: Connection, locale: str, key: str, author: str) -> None:
        """Note that somebody writes."""
        self.remove(connection, locale, key, author)
        values = {"locale": locale, "key": key, "author": author, "kind": EDITING}
        connection.core(
            insert(self._table).values(
                scope=self._rows.side_scope, created_at=self._rows.now(), **values
            )
        )

    def remove(self, connection: Connection, locale: str, key: str, author: str) -> None:
        """Forget that somebody writes."""
        here = self._here(locale, key)
        connection.core(delete(self._table).where(here, self._table.c.author == author))

    def sweep(self, connection: Connection, older: float) -> None:
        """Forget all who wrote nothing for some seconds."""
        columns = self._table.c
        gone = and_(columns.kind == EDITING, columns.created_at < self._ago(older))
        connection.core(delete(self._table).where(gone))

    def _here(self, locale: str, key: str) -> ColumnElement[bool]:
        columns = self._table.c
        return and_(
            columns.scope == self._rows.side_scope,
            columns.locale == locale,
            columns.key == key,
            columns.kind == EDITING,
        )

    def _ago(self, seconds: float) -> Any:
        return moment_in(self._rows.database.kind, clock.utc_now() - timedelta(seconds=seconds))
