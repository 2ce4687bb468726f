"""Reading the history that the triggers write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, select

from bide.db.connection import Connection
from bide.db.dialects import moment_from, moment_in
from bide.i18n.rows import Rows


class Change(NamedTuple):
    """One change of one row. Values as the table holds them; None: there was, or is, no row.

    `action`: insert, update, delete; truncate (everything at once) and locale have no key.
    """

    id: int
    locale: str | None
    key: str | None
    action: str
    old_value: str | None
    new_value: str | None
    author: str | None
    version: int
    created_at: datetime


class Wanted(NamedTuple):
    """Which changes: of a locale, of keys, by an author, in a time; `before`: of smaller numbers."""

    locale: str | None = None
    keys: Sequence[str] | None = None
    author: str | None = None
    before: int | None = None
    since: datetime | None = None
    until: datetime | None = None


class HistoryRows:
    """The history of one scope, the newest first."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._table = rows.tables.history

    def of(self, connection: Connection, wanted: Wanted, most: int = 50) -> list[Change]:
        """The newest of the wanted changes."""
        columns, kind = self._table.c, self._rows.database.kind
        conditions: dict[str, Callable[[Any], ColumnElement[bool]]] = {
            "locale": lambda locale: self._often(columns.locale == locale, wanted),
            "keys": lambda keys: columns.key.in_(list(keys)),
            "author": lambda author: columns.author == author,
            "before": lambda number: columns.id < number,
            "since": lambda moment: columns.created_at >= moment_in(kind, moment),
            "until": lambda moment: columns.created_at <= moment_in(kind, moment),
        }
        given = {name: value for name, value in wanted._asdict().items() if value is not None}
        query = (
            self._select()
            .where(self._often(columns.scope == self._rows.side_scope, wanted))
            .where(*(conditions[name](value) for name, value in given.items()))
            .order_by(columns.id.desc())
            .limit(most)
        )
        return self._changes(connection, query)

    def get(self, connection: Connection, number: int) -> Change | None:
        """One change."""
        columns = self._table.c
        query = self._select().where(columns.scope == self._rows.side_scope, columns.id == number)
        found = self._changes(connection, query)
        return found[0] if found else None

    def updated(self, connection: Connection, locale: str, since: int) -> list[tuple[int, str]]:
        """(number, key) of texts of a locale that got another value after version `since`, in order."""
        columns = self._table.c
        return self._keys(connection, locale, since, columns.action == "update")

    def written(
        self, connection: Connection, locale: str, since: int, after: int
    ) -> list[tuple[int, str]]:
        """The same of texts that were written, from behind the change numbered `after` on."""
        columns = self._table.c
        return self._keys(
            connection, locale, since, and_(columns.action != "delete", columns.id > after)
        )

    def _keys(
        self, connection: Connection, locale: str, since: int, condition: ColumnElement[bool]
    ) -> list[tuple[int, str]]:
        columns = self._table.c
        query = (
            select(columns.id, columns.key)
            .where(
                columns.scope == self._rows.side_scope,
                columns.version > since,
                columns.locale == locale,
                columns.key.is_not(None),
                condition,
            )
            .order_by(columns.id)
        )
        return [(number, key) for number, key in connection.core(query)]

    def authors(self, connection: Connection) -> list[str]:
        """Who changed anything, by name."""
        author = self._table.c.author
        query = select(author).where(author.is_not(None)).group_by(author).order_by(author)
        return [name for (name,) in connection.core(query.limit(200))]

    def _select(self) -> Select[Any]:
        columns = self._table.c
        return select(*(columns[name] for name in Change._fields))

    def _often(self, condition: ColumnElement[bool], wanted: Wanted) -> ColumnElement[bool]:
        """SQLite would sort all that an index finds for it, where reading from the newest on is enough."""
        few = wanted.keys is not None or self._rows.database.kind != "sqlite"
        return condition if few else func.likely(condition)

    def _changes(self, connection: Connection, query: Select[Any]) -> list[Change]:
        return [Change._make((*row[:-1], moment_from(row[-1]))) for row in connection.core(query)]
