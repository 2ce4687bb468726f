"""Languages that people added, and whether readers see them yet."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, delete, insert, select, update

from bide.db.connection import Connection
from bide.db.statements import Statements
from bide.i18n.rows import Rows

#: Its texts are kept and edited, and served to nobody yet.
PREPARED: Final = "prepared"
PUBLIC: Final = "public"


class LanguageRows:
    """The languages of one scope."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._table = rows.tables.locales

    def states(self, connection: Connection) -> dict[str, str]:
        """Locale -> state, of those that were added by people."""
        columns = self._table.c
        query = select(columns.locale, columns.state).where(self._here())
        return {str(locale): str(state) for locale, state in connection.core(query)}

    def put(self, connection: Connection, locale: str, state: str, author: str) -> None:
        """Add a language or change its state; every process reads its texts anew. The counter must
        be held."""
        values = {"state": state, "author": author, "updated_at": self._rows.now()}
        here = self._here() & (self._table.c.locale == locale)
        connection.core(update(self._table).where(here).values(**values))
        if not connection.rowcount:
            name = {"scope": self._rows.side_scope, "locale": locale}
            connection.core(insert(self._table).values(**name, **values))
        self._tell(connection, locale, author)

    def remove(self, connection: Connection, locale: str, author: str) -> None:
        """Forget that a language was added."""
        connection.core(delete(self._table).where(self._here() & (self._table.c.locale == locale)))
        self._tell(connection, locale, author)

    def _here(self) -> ColumnElement[bool]:
        here: ColumnElement[bool] = self._table.c.scope == self._rows.side_scope
        return here

    def _tell(self, connection: Connection, locale: str, author: str) -> None:
        versions, history, scope = (
            self._rows.tables.versions, self._rows.tables.history, self._rows.side_scope
        )  # fmt: skip
        [(version,)] = connection.core(select(versions.c.version).where(versions.c.scope == scope))
        now = self._rows.now()
        connection.core(
            update(versions)
            .where(versions.c.scope == scope)
            .values(version=version + 1, changed_at=now)
        )
        # Without a key, so that readers take everything anew.
        connection.core(
            insert(history).values(
                scope=scope, locale=locale, action="locale", author=author,
                version=version + 1, created_at=now,
            )
        )  # fmt: skip
        if self._rows.database.kind == "postgresql":
            channel = f"{self._rows.database.table_prefix}texts"
            tell = Statements("bide.i18n.sql", "postgresql")["tell"].text
            connection.execute(tell, {"channel": channel, "word": ""})
