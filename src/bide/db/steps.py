"""What the steps of migrations are made of, so that one that was cut off can be run again.

MySQL and MariaDB commit each of these statements by itself: what an earlier run has done is looked for
there and left out. In other databases a step is one transaction. A script can look for nothing, unless
whoever runs its statements gives the option `ask`, which puts a question to the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from bide.db.types import table_options

_QUESTIONS: Final = {
    "columns": "SELECT column_name FROM information_schema.columns "
    "WHERE table_schema = DATABASE() AND table_name = :table",
    "bytes": "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() "
    "AND table_name = :table AND (data_type LIKE '%binary' OR data_type LIKE '%blob')",
    "indexes": "SELECT index_name FROM information_schema.statistics "
    "WHERE table_schema = DATABASE() AND table_name = :table",
}


def create_table(name: str, *columns: sa.Column[Any], **options: Any) -> None:
    """Make a table, unless an earlier run did; one with other columns makes it fail."""
    made = _looks() and columns_of(name) == {column.name for column in columns}
    if not made:
        op.create_table(name, *columns, **table_options(), **options)


def drop_table(name: str) -> None:
    """Take a table away, unless an earlier run did."""
    op.drop_table(name, if_exists=_looks())


def create_index(
    name: str,
    table: str,
    columns: Sequence[str | sa.TextClause],
    *,
    shared: bool = False,
    **options: Any,
) -> None:
    """Make an index, unless an earlier run did, or another line of steps for a table that is `shared`."""
    if not (_looks(shared) and name in _indexes_of(table)):
        op.create_index(name, table, columns, **options)


def drop_index(name: str, table: str, *, shared: bool = False) -> None:
    """Take an index away, unless it is gone in the same way."""
    if not _looks(shared) or name in _indexes_of(table):
        op.drop_index(name, table)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Give a shared table a column that it lacks."""
    if not (_looks(True) and column.name in columns_of(table)):
        op.add_column(table, column)


def drop_column(table: str, name: str) -> None:
    """Take a column of a shared table away that it has."""
    if not _looks(True) or name in columns_of(table):
        op.drop_column(table, name)


def columns_of(table: str) -> set[str]:
    """The names of a table's columns; none in a script."""
    if not _can_look():
        return set()
    if _commits_each():
        return _names("columns", table)
    return {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}


def columns_of_bytes(table: str) -> set[str]:
    """The names of a table's columns that MySQL or MariaDB has as bytes without a charset."""
    return _names("bytes", table) if _looks() else set()


def is_for_both() -> bool:
    """Whether this is a script that MySQL or MariaDB may run: a URL says `mysql` for either."""
    named = getattr(op.get_context().dialect, "is_mariadb", False)
    return _commits_each() and not _can_look() and not named


def answers(question: sa.Executable) -> list[Sequence[Any]]:
    """What the database says to a question."""
    context = op.get_context()
    if not context.as_sql:
        return [*op.get_bind().execute(question)]
    assert isinstance(question, sa.ClauseElement)
    written = question.compile(dialect=context.dialect, compile_kwargs={"literal_binds": True})
    return [*context.opts["ask"](str(written))]


def _indexes_of(table: str) -> set[str]:
    if _commits_each():
        return _names("indexes", table)
    return {str(each["name"]) for each in sa.inspect(op.get_bind()).get_indexes(table)}


def _looks(shared: bool = False) -> bool:
    return _can_look() and (shared or _commits_each())


def _can_look() -> bool:
    context = op.get_context()
    return not context.as_sql or "ask" in context.opts


def _commits_each() -> bool:
    return op.get_context().dialect.name in ("mysql", "mariadb")


def _names(kind: str, table: str) -> set[str]:
    """Not by SQLAlchemy's inspector, which warns of what it does not know in tables of others."""
    return {name for (name,) in answers(sa.text(_QUESTIONS[kind]).bindparams(table=table))}
