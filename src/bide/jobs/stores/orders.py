"""In which order a list shows jobs, so that an index gives it, and how it goes on behind a mark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, ColumnElement, Table, and_, or_, true, tuple_

from bide.db.dialects import moment_from
from bide.jobs.job import Filter, State
from bide.jobs.surveys import mark_of, moment_of

#: Kinds of columns.
_TEXT: Final = "text"
_NUMBER: Final = "number"
_MOMENT: Final = "moment"


class Order(NamedTuple):
    """The columns that a list is sorted by, with their kinds; the last tells equals apart."""

    columns: tuple[Column[Any], ...]
    kinds: tuple[str, ...]
    descending: bool = False

    def by(self) -> list[ColumnElement[Any]]:
        """What a query is ordered by."""
        return [column.desc() if self.descending else column.asc() for column in self.columns]

    def mark(self, values: Sequence[Any]) -> str:
        """The place of a row, by its values of the columns. A text, which may hold dots, comes last."""
        told = sorted(zip(self.kinds, values, strict=True), key=lambda pair: pair[0] == _TEXT)
        return ".".join(
            str(mark_of(moment_from(value)) if kind == _MOMENT else value) for kind, value in told
        )

    def values(self, mark: str | None, moment: Callable[[datetime], Any]) -> list[Any] | None:
        """The values that a mark holds, as the database's columns do; None when it is none of ours."""
        parts = (mark or "").split(".", len(self.kinds) - 1)
        kinds = sorted(self.kinds, key=lambda kind: kind == _TEXT)
        if len(parts) != len(kinds):
            return None
        try:
            read = [_value(kind, part, moment) for kind, part in zip(kinds, parts, strict=True)]
        except (ValueError, OverflowError):
            return None
        texts = len([kind for kind in kinds if kind == _TEXT])
        return read[len(read) - texts :] + read[: len(read) - texts]

    def behind(self, values: Sequence[Any] | None, dialect: str) -> ColumnElement[bool]:
        """The condition that a row comes after a place, in the form that the database's planner knows
        how to begin an index at."""
        if values is None:
            return true()
        if dialect == "mysql":
            return _either(list(zip(self.columns, values, strict=True)), self.descending)
        here, there = tuple_(*self.columns), tuple_(*values)
        return here < there if self.descending else here > there


def order_of(jobs: Table, which: Filter) -> Order:
    """The order of the list that shows `which`."""
    c = jobs.c
    if which.states is None or len(which.states) != 1:
        return Order((c.id,), (_NUMBER,), descending=True)
    [state] = which.states
    if state == State.READY:
        return Order((c.queue, c.priority, c.pos, c.id), (_TEXT, _NUMBER, _NUMBER, _NUMBER))
    if state == State.SCHEDULED:
        return Order((c.run_at, c.id), (_MOMENT, _NUMBER))
    moment = c.locked_at if state == State.RUNNING else c.finished_at
    return Order((moment, c.id), (_MOMENT, _NUMBER), descending=True)


def _value(kind: str, part: str, moment: Callable[[datetime], Any]) -> Any:
    if kind == _TEXT:
        return part.replace("\0", "")
    number = int(part)
    if abs(number) >= 2**63:
        raise OverflowError(part)
    return moment(moment_of(number)) if kind == _MOMENT else number


def _either(pairs: list[tuple[Column[Any], Any]], descending: bool) -> ColumnElement[bool]:
    ways = []
    for place, (column, value) in enumerate(pairs):
        equal = [before == same for before, same in pairs[:place]]
        ways.append(and_(*equal, column < value if descending else column > value))
    return or_(*ways)
