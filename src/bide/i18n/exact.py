"""Conditions on texts that compare byte by byte, whatever the collation of the columns, in such words
that the index on key and locale serves them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import (
    BINARY,
    ColumnElement,
    Table,
    and_,
    cast,
    func,
    literal_column,
    or_,
)

Condition = ColumnElement[bool]
#: The last of all characters, and how many the columns hold.
_LAST: Final = "\U0010ffff"
_LONGEST: Final = 255


class Exact:
    """For SQLite, which compares bytes."""

    def __init__(self, texts: Table) -> None:
        self._texts = texts.c

    def locale(self, value: str) -> Condition:
        """Texts of a locale."""
        return self._one_of(self._texts.locale, [value])

    def keys(self, values: Iterable[str]) -> Condition:
        """Texts that have one of some keys."""
        return self._one_of(self._texts.key, list(values))

    def below(self, key: str) -> Condition:
        """Texts whose keys begin with `key` and a dot."""
        column = self._texts.key
        return and_(_seldom(column >= f"{key}."), _seldom(column < f"{key}/"))

    def under(self, head: str) -> Condition:
        """Texts whose keys have this first part."""
        return or_(self.keys([head]), self.below(head))

    def _one_of(self, column: Any, values: list[str]) -> Condition:
        among: Condition = column.in_(values)
        return among


def _seldom(condition: Any) -> Any:
    """SQLite takes any range for a quarter of the table, and would rather read it than look for many."""
    return func.likelihood(condition, literal_column("0.0001"))


class ExactInC(Exact):
    """For PostgreSQL, whose collation C compares bytes."""

    def below(self, key: str) -> Condition:
        column = self._texts.key.collate("C")
        return and_(column >= f"{key}.", column < f"{key}/")

    def _one_of(self, column: Any, values: list[str]) -> Condition:
        among: Condition = column.collate("C").in_(values)
        return among


class ExactInBytes(Exact):
    """For MySQL. No index holds the bytes, hence a condition in the column's own collation beside each:
    what is the same byte by byte is the same in every collation.

    `wide`: whether the columns hold every character. If not, a value with characters that they lack
    must not be compared with them: MySQL refuses it.
    """

    def __init__(self, texts: Table, *, wide: bool) -> None:
        super().__init__(texts)
        self._wide = wide

    def below(self, key: str) -> Condition:
        column, first = self._texts.key, f"{key}."
        exact = _bytes_of(column)
        found = and_(exact >= first.encode(), exact < f"{key}/".encode())
        if not self._fits(key):
            return found
        near = column.startswith(first, autoescape=True)
        if self._wide:
            # The index is read for LIKE up to U+FFFF, which many collations put before what lies beyond it.
            near = or_(
                near, column.between(first, func.concat(first, func.repeat(_LAST, _LONGEST)))
            )
        return and_(near, found)

    def _one_of(self, column: Any, values: list[str]) -> Condition:
        exact: Condition = _bytes_of(column).in_([value.encode() for value in values])
        return and_(column.in_(values), exact) if self._fits(*values) else exact

    def _fits(self, *values: str) -> bool:
        return self._wide or all(map(str.isascii, values))


def _bytes_of(column: Any) -> Any:
    return cast(func.convert(column.op("USING")(literal_column("utf8mb4"))), BINARY)
