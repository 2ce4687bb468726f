"""An index for one text and for those below a key, compared byte by byte."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bide.db.steps import create_index, drop_index
from bide.i18n.tables import TRANSLATIONS

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    name, table = _names()
    columns: list[sa.TextClause | str] = ["key", "locale"]
    if op.get_context().dialect.name == "postgresql":
        columns = [sa.text(f'{column} COLLATE "C"') for column in ("key", "locale")]
    create_index(name, table, columns)


def downgrade() -> None:
    drop_index(*_names())


def _names() -> tuple[str, str]:
    options = op.get_context().opts
    table = options.get("translations", TRANSLATIONS)
    return f"{options['table_prefix']}{table}_key", table
