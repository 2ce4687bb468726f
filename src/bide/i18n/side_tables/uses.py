"""Where in the program a text was last asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from bide.db.connection import Connection
from bide.db.dialects import moment_from
from bide.i18n.rows import Rows


class Use(NamedTuple):
    """Where and when a text was asked for, as far as processes told."""

    place: str
    used_at: datetime


class Asked(NamedTuple):
    """A key that was asked for in vain: the names of the values given, and where."""

    key: str
    names: tuple[str, ...]
    place: str
    first_seen: datetime
    last_seen: datetime


class UseRows:
    """The uses of one scope."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._table = rows.tables.uses

    def tell(self, connection: Connection, places: Mapping[str, str]) -> None:
        """Note key by key where it was used just now; the counter must be held."""
        columns, scope, now = self._table.c, self._rows.side_scope, self._rows.now()
        old = delete(self._table).where(columns.scope == scope, columns.key.in_(list(places)))
        connection.core(old)
        rows = [
            {"scope": scope, "key": key, "place": place, "used_at": now}
            for key, place in places.items()
        ]
        connection.core(insert(self._table).values(rows))

    def get(self, connection: Connection, key: str) -> Use | None:
        """The last use that is known of."""
        columns = self._table.c
        query = select(columns.place, columns.used_at).where(
            columns.scope == self._rows.side_scope, columns.key == key
        )
        found = connection.core(query)
        return Use(found[0][0] or "", moment_from(found[0][1])) if found else None

    def all(self, connection: Connection) -> dict[str, Use]:
        """Every key whose use is known of."""
        columns = self._table.c
        query = select(columns.key, columns.place, columns.used_at).where(
            columns.scope == self._rows.side_scope
        )
        return {
            key: Use(place or "", moment_from(used)) for key, place, used in connection.core(query)
        }

    def missing(
        self, connection: Connection, locale: str, keys: Sequence[str] | None = None
    ) -> list[Asked]:
        """The keys of a locale that were asked for in vain, or those of them among `keys`."""
        columns = self._rows.tables.missing.c
        query = (
            select(columns.key, columns.names, columns.place, columns.first_seen, columns.last_seen)
            .where(columns.scope == self._rows.side_scope, columns.locale == locale)
            .order_by(columns.key)
        )
        if keys is not None:
            query = query.where(columns.key.in_(list(keys)))
        return [
            Asked(key, tuple((names or "").split()), place or "", *map(moment_from, moments))
            for key, names, place, *moments in connection.core(query)
        ]
