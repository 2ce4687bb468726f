"""The table of texts where there is none yet, versions, history, notes, missing keys, and triggers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from bide.db.steps import (
    answers,
    columns_of,
    columns_of_bytes,
    create_index,
    drop_index,
    is_for_both,
)
from bide.db.types import Big, LongText, Moment, table_options
from bide.errors import DatabaseError
from bide.i18n.migrations.others import need
from bide.i18n.migrations.triggers import dropped, made
from bide.i18n.tables import TRANSLATIONS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: What stands for a text in the unique index of MySQL and MariaDB, whatever charset and collation the
#: columns have and whatever the session that writes: a hash of its name, byte by byte.
_HASH = """
    UNHEX(CONVERT(SHA2(CONCAT(
        CONVERT(SHA2(coalesce(CONVERT(scope USING utf8mb4), ''), 256) USING utf8mb4),
        CONVERT(SHA2(CONVERT(locale USING utf8mb4), 256) USING utf8mb4),
        CONVERT(`key` USING utf8mb4)
    ), 256) USING ascii))
"""

#: Rails' `string`: of any length where the database allows it.
_STRING = sa.String().with_variant(mysql.VARCHAR(255), "mysql", "mariadb")
_RAILS_MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    prefix, table = _names()
    _translations(table)
    _unique(prefix, table)
    _side_tables(prefix)
    for statement in made(op.get_context().dialect.name, prefix, table):
        op.execute(statement)


def downgrade() -> None:
    """Bide's tables go, unless another table of texts needs them; the texts stay."""
    prefix, table = _names()
    for statement in dropped(op.get_context().dialect.name, prefix, table):
        op.execute(statement)
    drop_index(f"{prefix}{table}_unique", table)
    if getattr(op.get_context().dialect, "is_mariadb", False):
        op.drop_column(table, f"{prefix}text", if_exists=True)
    elif is_for_both():
        op.execute(f"/*M! ALTER TABLE {table} DROP COLUMN IF EXISTS {prefix}text */")
    if not need(revision):
        for name in ("missing", "notes", "history", "versions"):
            op.drop_table(f"{prefix}text_{name}", if_exists=True)


def _names() -> tuple[str, str]:
    options = op.get_context().opts
    return options["table_prefix"], options.get("translations", TRANSLATIONS)


def _translations(table: str) -> None:
    op.create_table(
        table,
        _id(),
        sa.Column("scope", _STRING),
        sa.Column("locale", _STRING),
        sa.Column("key", _STRING),
        sa.Column("value", sa.Text),
        sa.Column("interpolations", sa.Text),
        sa.Column("is_proc", sa.Boolean, server_default=sa.false()),
        sa.Column("created_at", _RAILS_MOMENT, nullable=False),
        sa.Column("updated_at", _RAILS_MOMENT, nullable=False),
        if_not_exists=True,
        **table_options(),
    )


def _unique(prefix: str, table: str) -> None:
    """One row per text. NULL is distinct from NULL in every index, hence the expression."""
    _refuse_bytes(table)
    if not op.get_context().as_sql or columns_of(table):
        _refuse_duplicates(table)
    dialect = op.get_context().dialect
    columns: list[Any] = [sa.text("coalesce(scope, '')"), "locale", "key"]
    # MariaDB has no index on an expression; Rails reads such a column and never writes it.
    name, expression = f"{prefix}text", f"(CAST({_HASH} AS BINARY(32)))"
    column = f"ALTER TABLE {table} ADD COLUMN {name} varbinary(32) AS ({_HASH}) VIRTUAL INVISIBLE"
    if getattr(dialect, "is_mariadb", False):
        columns = [name]
        if name not in columns_of(table):
            op.execute(column)
    elif is_for_both():
        op.execute(f"/*M! {column} */")
        columns = [sa.text(f"/*!80017 {expression} *//*M! {name} */")]
    elif dialect.name == "mysql":
        columns = [sa.text(expression)]
    create_index(f"{prefix}{table}_unique", table, columns, unique=True)


def _refuse_bytes(table: str) -> None:
    found = sorted(columns_of_bytes(table) & {"scope", "locale", "key", "value"})
    if found:
        changes = ", ".join(
            f"MODIFY `{name}` {'text' if name == 'value' else 'varchar(255)'} CHARACTER SET utf8mb4"
            for name in found
        )
        raise DatabaseError(
            f"the table {table} holds bytes where texts are needed, in {', '.join(found)}; say "
            f"ALTER TABLE {table} {changes}, then run `bide migrate` again"
        )


def _refuse_duplicates(table: str) -> None:
    texts = sa.table(table, *map(sa.column, ("scope", "locale", "key")))
    names = (sa.func.coalesce(texts.c.scope, ""), texts.c.locale, texts.c.key)
    apart: Sequence[Any] = names
    if op.get_context().dialect.name in ("mysql", "mariadb"):
        apart = [
            sa.cast(sa.func.convert(name.op("USING")(sa.text("utf8mb4"))), sa.BINARY)
            for name in names
        ]
    query = (
        sa.select(sa.func.min(texts.c.locale), sa.func.min(texts.c.key), sa.func.count())
        .group_by(*apart)
        .having(sa.func.count() > 1)
        .limit(20)
    )
    found = answers(query)
    if found:
        listed = "; ".join(f"{locale}.{key} {times} times" for locale, key, times in found)
        raise DatabaseError(
            f"the table {table} holds texts more than once: {listed}; delete all but one of each, "
            "then run `bide migrate` again"
        )


def _side_tables(prefix: str) -> None:
    _create(
        f"{prefix}text_versions",
        sa.Column("scope", _STRING, primary_key=True),
        sa.Column("version", Big, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
    )
    _create(
        f"{prefix}text_history",
        _id(),
        sa.Column("scope", _STRING, nullable=False),
        sa.Column("locale", _STRING),
        sa.Column("key", _STRING),
        sa.Column("action", sa.String(10), nullable=False),
        sa.Column("old_value", LongText),
        sa.Column("new_value", LongText),
        sa.Column("is_proc", sa.Boolean),
        sa.Column("author", _STRING),
        sa.Column("version", Big, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
    )
    history = f"{prefix}text_history"
    create_index(f"{history}_version", history, ["scope", "version"], shared=True)
    create_index(f"{history}_key", history, ["locale", "key"], shared=True)
    _create(
        f"{prefix}text_notes",
        *_text_key(),
        sa.Column("state", sa.String(20)),
        sa.Column("note", LongText),
        sa.Column("suggestion", LongText),
        sa.Column("based_on", LongText),
        sa.Column("author", _STRING),
        sa.Column("updated_at", Moment, nullable=False),
    )
    _create(
        f"{prefix}text_missing",
        *_text_key(),
        sa.Column("names", LongText),
        sa.Column("place", LongText),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("first_seen", Moment, nullable=False),
        sa.Column("last_seen", Moment, nullable=False),
    )


def _create(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(name, *columns, if_not_exists=True, **table_options())


def _id() -> sa.Column[int]:
    return sa.Column("id", Big, sa.Identity(always=False), primary_key=True)


def _text_key() -> tuple[sa.Column[Any], ...]:
    """Texts by name: Rails deletes and inserts rows, so ids do not last."""
    return tuple(sa.Column(name, _STRING, primary_key=True) for name in ("scope", "locale", "key"))
