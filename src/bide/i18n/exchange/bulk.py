"""Writing many rows of the translations table at once, and reading all of a locale's before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import case, delete, insert, select, update

from bide.db.connection import Connection
from bide.i18n.rows import Found, Rows

T = TypeVar("T")

#: Rows of one statement: SQLite takes 32,766 values, and MySQL a packet of 16 MB.
BATCH: Final = 200


class Bulk:
    """The rows of one locale, in a transaction of the caller's. `wrote(number)` hears of progress."""

    def __init__(
        self, rows: Rows, connection: Connection, locale: str, wrote: Callable[[int], None]
    ) -> None:
        self._rows, self._connection, self._locale = rows, connection, locale
        self._table, self._wrote = rows.tables.translations, wrote

    def all(self) -> list[Found]:
        """Every row, in the order of the ids."""
        return standing(self._rows, self._connection, self._locale)

    def delete(self, ids: Sequence[int]) -> None:
        """Take rows away."""
        for batch in _batches(ids):
            self._connection.core(delete(self._table).where(self._table.c.id.in_(batch)))

    def change(self, values: Mapping[int, str | None]) -> None:
        """Give rows other values."""
        columns = self._table.c
        for batch in _batches(list(values)):
            new = case({row: values[row] for row in batch}, value=columns.id)
            changes = {"value": new, "is_proc": False, "updated_at": self._rows.rails_now()}
            self._connection.core(
                update(self._table).where(columns.id.in_(batch)).values(**changes)
            )
            self._wrote(len(batch))

    def add(self, values: Mapping[str, str | None]) -> None:
        """Make new rows."""
        self._rows.refuse_long(values)
        now = self._rows.rails_now()
        common: dict[str, Any] = {
            "scope": self._rows.scope,
            "locale": self._locale,
            "is_proc": False,
            "created_at": now,
            "updated_at": now,
        }
        for batch in _batches(list(values)):
            rows = [{**common, "key": key, "value": values[key]} for key in batch]
            self._connection.core(insert(self._table).values(rows))
            self._wrote(len(batch))


def standing(rows: Rows, connection: Connection, locale: str) -> list[Found]:
    """Every row of a locale, in the order of the ids."""
    texts = rows.tables.translations.c
    query = select(texts.id, texts.key, texts.value, texts.is_proc, texts.locale, texts.scope)
    query = query.where(texts.locale == locale)
    if rows.scope is not None:
        query = query.where(texts.scope == rows.scope)
    # The column may compare without regard to case.
    return [
        Found(*row)
        for *row, at, scope in connection.core(query.order_by(texts.id))
        if at == locale and (rows.scope is None or scope == rows.scope) and row[1]
    ]


def _batches(many: Sequence[T]) -> Iterator[Sequence[T]]:
    return (many[start : start + BATCH] for start in range(0, len(many), BATCH))
