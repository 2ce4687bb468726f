"""Writing many rows of the translations table at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import delete, insert

from bide.db.connection import Connection
from bide.i18n.rows import Rows

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

    def delete(self, ids: Sequence[int]) -> None:
        """Take rows away."""
        for batch in _batches(ids):
            self._connection.core(delete(self._table).where(self._table.c.id.in_(batch)))

    def change(self, values: Mapping[int, str | None]) -> None:
        """Give rows other values."""
        for batch in _batches(list(values)):
            self._rows.change(self._connection, {row: values[row] for row in batch})
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


def _batches(many: Sequence[T]) -> Iterator[Sequence[T]]:
    return (many[start : start + BATCH] for start in range(0, len(many), BATCH))
