"""Texts that are not live: suggestions of others, and drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, select

from bide.db.connection import Connection
from bide.db.dialects import moment_from
from bide.i18n.rows import Rows
from bide.i18n.side_tables.editing import EDITING

Kind = Literal["suggestion", "draft"]


class Proposal(NamedTuple):
    """A text that waits. `value` is JSON, plural forms an object of it; `based_on`: the source text
    that it was written for, in the same way."""

    id: int
    locale: str
    key: str
    kind: str
    value: str | None
    based_on: str | None
    author: str | None
    created_at: datetime


class ProposalRows:
    """The proposals of one scope."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._table = rows.tables.proposals

    def of(self, connection: Connection, locale: str, key: str) -> list[Proposal]:
        """Those of a text, the oldest first."""
        columns = self._table.c
        return self._proposals(
            connection, self._select().where(columns.locale == locale, columns.key == key)
        )

    def get(self, connection: Connection, number: int) -> Proposal | None:
        """One of them."""
        found = self._proposals(connection, self._select().where(self._table.c.id == number))
        return found[0] if found else None

    def add(self, connection: Connection, proposal: Proposal) -> None:
        """Keep one; its number and its moment are given here."""
        values = {**proposal._asdict(), "created_at": self._rows.now()}
        del values["id"]
        connection.core(insert(self._table).values(scope=self._rows.side_scope, **values))

    def remove(self, connection: Connection, *numbers: int) -> None:
        """Forget some."""
        connection.core(delete(self._table).where(self._table.c.id.in_(numbers)))

    def count(self, connection: Connection, locale: str, key: str) -> int:
        """How many a text has."""
        columns = self._table.c
        query = select(func.count()).where(
            self._waits(), columns.locale == locale, columns.key == key
        )
        [(number,)] = connection.core(query)
        return int(number)

    def _select(self) -> Select[Any]:
        columns = self._table.c
        query: Select[Any] = select(*(columns[name] for name in Proposal._fields))
        return query.where(self._waits()).order_by(columns.id)

    def _waits(self) -> ColumnElement[bool]:
        columns = self._table.c
        return and_(columns.scope == self._rows.side_scope, columns.kind != EDITING)

    def _proposals(self, connection: Connection, query: Select[Any]) -> list[Proposal]:
        return [Proposal._make((*row[:-1], moment_from(row[-1]))) for row in connection.core(query)]
