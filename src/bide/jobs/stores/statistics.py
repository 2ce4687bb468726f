"""Statistics in any SQL database: each process writes rows of its own, which are added up later."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select

from bide.db.connection import Connection, Row
from bide.db.dialects import moment_from, moment_in
from bide.db.engine import Database
from bide.db.statements import Statement
from bide.jobs.statistics import ALL_TIME, EMPTY, Statistic, added_up, checked, grouped, start_of
from bide.jobs.tables import tables

#: Values of `writer` that name no process: rows added up over writers, over the hour, over all time.
MERGED, HOURLY, TOTAL = 0, -1, -2
#: After this nobody writes to a minute any more.
MERGED_AFTER: Final = timedelta(hours=1)
#: After this only hours are kept.
HOURLY_AFTER: Final = timedelta(days=2)

_KEY: Final = ("writer", "minute", "queue", "name")
_LONGEST: Final = ("run_longest", "wait_longest")
#: Columns in the order of Statistic's fields behind minute, queue and name.
_MEASURES: Final = (
    *Statistic._fields[3:-2],
    *(f"run_{place}" for place in range(len(EMPTY))),
    *(f"wait_{place}" for place in range(len(EMPTY))),
)


class SqlStatistics:
    """The group Counting of every store in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = tables(database.table_prefix).statistics
        self._statements = _Upserts(database.kind, self._table.name)

    def write(self, writer: int, rows: Sequence[Statistic]) -> None:
        """Store what one process has counted, in place of what it wrote for those minutes before."""
        if rows:
            put = self._statements.replace
            self._database.run(lambda c: self._put(c, put, writer, rows), repeat=True)

    def read(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        step: timedelta | None = None,
        by: Collection[str] = ("queue", "name"),
        queue: str | None = None,
        name: str | None = None,
    ) -> list[Statistic]:
        """What was counted from `since` to before `until`, oldest first."""
        checked(step, by)
        column = self._table.c
        conditions: dict[ColumnElement[bool], Any] = {
            column.queue == queue: queue,
            column.name == name: name,
        }
        if since is not None:
            conditions[column.minute >= self._moment(since)] = since
        if until is not None:
            conditions[column.minute < self._moment(until)] = until
        keys = [*(["minute"] if step is not None else []), *by]
        query = self._sums(keys).where(
            *(one for one, value in conditions.items() if value is not None)
        )
        rows = self._database.read(lambda connection: connection.core(query))
        return grouped((_statistic(keys, row) for row in rows), step, by)

    def prune(self, now: datetime, *, keep: timedelta, limit: int = 1000) -> int:
        """Add up what nobody writes to any more: writers, then hours, then all time."""
        writer = self._table.c.writer
        return (
            self._merge(writer > MERGED, now - MERGED_AFTER, MERGED, limit)
            + self._merge(writer == MERGED, now - min(HOURLY_AFTER, keep), HOURLY, limit)
            + self._merge(writer == HOURLY, now - keep, TOTAL, limit)
        )

    def _merge(self, level: ColumnElement[bool], before: datetime, into: int, limit: int) -> int:
        """Rows that another process is taking are waited for, and then gone."""
        column = self._table.c
        query = (
            select(*(column[name] for name in (*_KEY, *_MEASURES)))
            .where(level, column.minute < self._moment(before))
            .order_by(*(column[name] for name in _KEY))
            .limit(limit)
            .with_for_update()
        )

        def work(connection: Connection) -> int:
            found = connection.core(query)
            if found:
                taken = [dict(zip(_KEY, row, strict=False)) for row in found]
                connection.executemany(self._statements.delete, taken)
                rows = added_up(_moved(_statistic(_KEY[1:], row[1:]), into) for row in found)
                self._put(connection, self._statements.add, into, rows)
            return len(found)

        return self._database.run(work)

    def _put(
        self, connection: Connection, statement: Statement, writer: int, rows: Iterable[Statistic]
    ) -> None:
        connection.executemany(
            statement,
            [
                {
                    "writer": writer,
                    "minute": self._moment(row.minute),
                    "queue": row.queue,
                    "name": row.name,
                    **dict(zip(_MEASURES, _measures(row), strict=True)),
                }
                for row in sorted(rows)
            ],
        )

    def _sums(self, keys: Sequence[str]) -> Select[Any]:
        column = self._table.c
        sums = [
            (func.max if name in _LONGEST else func.sum)(column[name]).label(name)
            for name in _MEASURES
        ]
        told_apart = [column[name] for name in keys]
        return select(*told_apart, *sums).group_by(*told_apart).having(func.count() > 0)

    def _moment(self, moment: datetime) -> Any:
        return moment_in(self._database.kind, moment)


class _Upserts:
    """The statements that change the table, in the words of one kind of database."""

    def __init__(self, kind: str, table: str) -> None:
        self._mysql, self._table = kind == "mysql", table
        longer = "max" if kind == "sqlite" else "greatest"
        where = " AND ".join(f"{name} = :{name}" for name in _KEY)
        drop = f"DELETE FROM {table} WHERE {where}"  # noqa: S608 - names of columns, a checked prefix
        self.delete = Statement(drop, "delete_statistics")
        self.replace = self._upsert("replace_statistics", dict.fromkeys(_MEASURES, "{new}"))
        sums = dict.fromkeys(_MEASURES, "{old} + {new}")
        longest = dict.fromkeys(_LONGEST, f"{longer}({{old}}, {{new}})")
        self.add = self._upsert("add_statistics", sums | longest)

    def _upsert(self, name: str, changes: dict[str, str]) -> Statement:
        columns = (*_KEY, *_MEASURES)
        new = "VALUES({})" if self._mysql else "excluded.{}"
        change = ", ".join(
            f"{column} = {how.format(old=f'{self._table}.{column}', new=new.format(column))}"
            for column, how in changes.items()
        )
        conflict = "ON DUPLICATE KEY UPDATE"
        if not self._mysql:
            conflict = f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET"
        values = ", ".join(f":{column}" for column in columns)
        put = f"INSERT INTO {self._table} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608 - the same
        return Statement(f"{put} {conflict} {change}", name)


def _moved(row: Statistic, into: int) -> Statistic:
    """To the period that rows of the level `into` stand for."""
    if into == MERGED:
        return row
    hour = start_of(row.minute, timedelta(hours=1))
    return row._replace(minute=hour if into == HOURLY else ALL_TIME)


def _measures(row: Statistic) -> tuple[float, ...]:
    return (*row[3:-2], *row.run_buckets, *row.wait_buckets)


def _statistic(keys: Sequence[str], row: Row) -> Statistic:
    """A row of the columns `keys` and all measures; databases add up whole numbers as decimals."""
    known: dict[str, Any] = {"minute": ALL_TIME, "queue": "", "name": ""} | dict(
        zip(keys, row, strict=False)
    )
    measures = row[len(keys) :]
    run, wait = measures[9 : 9 + len(EMPTY)], measures[9 + len(EMPTY) :]
    return Statistic._make(
        (
            moment_from(known["minute"]),
            known["queue"],
            known["name"],
            *map(int, measures[:5]),
            *map(float, measures[5:9]),
            tuple(map(int, run)),
            tuple(map(int, wait)),
        )
    )
