"""What editing needs: suggestions and drafts, languages in preparation, where texts are used, and
which processes speak which version."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from bide.db.steps import add_column, create_index, drop_column, drop_index
from bide.db.types import Big, LongText, Moment, table_options
from bide.i18n.migrations.others import need

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STRING = sa.String().with_variant(mysql.VARCHAR(255), "mysql", "mariadb")


def upgrade() -> None:
    prefix = op.get_context().opts["table_prefix"]
    notes = f"{prefix}text_notes"
    add_column(notes, sa.Column("version", Big, nullable=False, server_default="0"))
    add_column(notes, sa.Column("proposals", sa.Integer, nullable=False, server_default="0"))
    drop_column(notes, "suggestion")
    create_index(f"{notes}_version", notes, ["version"], shared=True)
    create_index(*_authors(prefix), ["author", "created_at"], shared=True)
    _proposals(f"{prefix}text_proposals")
    _create(
        f"{prefix}text_locales",
        sa.Column("scope", _STRING, primary_key=True),
        sa.Column("locale", _STRING, primary_key=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("author", _STRING),
        sa.Column("updated_at", Moment, nullable=False),
    )
    _create(
        f"{prefix}text_uses",
        sa.Column("scope", _STRING, primary_key=True),
        sa.Column("key", _STRING, primary_key=True),
        sa.Column("place", LongText),
        sa.Column("used_at", Moment, nullable=False),
    )
    _create(
        f"{prefix}text_readers",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("host", _STRING, nullable=False),
        sa.Column("space", sa.String(64), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("program", _STRING, nullable=False),
        sa.Column("texts", _STRING, nullable=False),
        sa.Column("versions", LongText, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
    )


def downgrade() -> None:
    """Suggestions, drafts and what is known of processes go, unless another table of texts needs
    them; notes, history and texts stay."""
    if need(revision):
        return
    prefix = op.get_context().opts["table_prefix"]
    notes = f"{prefix}text_notes"
    for name in ("readers", "uses", "locales", "proposals"):
        op.drop_table(f"{prefix}text_{name}", if_exists=True)
    drop_index(*_authors(prefix), shared=True)
    drop_index(f"{notes}_version", notes, shared=True)
    drop_column(notes, "proposals")
    drop_column(notes, "version")
    add_column(notes, sa.Column("suggestion", LongText))


def _authors(prefix: str) -> tuple[str, str]:
    return f"{prefix}text_history_author", f"{prefix}text_history"


def _proposals(name: str) -> None:
    _create(
        name,
        sa.Column("id", Big, sa.Identity(always=False), primary_key=True),
        sa.Column("scope", _STRING, nullable=False),
        sa.Column("locale", _STRING, nullable=False),
        sa.Column("key", _STRING, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("value", LongText),
        sa.Column("based_on", LongText),
        sa.Column("author", _STRING),
        sa.Column("created_at", Moment, nullable=False),
    )
    create_index(f"{name}_key", name, ["locale", "key"], shared=True)


def _create(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(name, *columns, if_not_exists=True, **table_options())
