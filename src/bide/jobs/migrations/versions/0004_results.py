"""What jobs returned that keep their results; a table of its own, so that others pay nothing for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bide.db.steps import create_index, create_table, drop_table
from bide.db.types import Big, LongText, Moment, Name

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    prefix = op.get_context().opts["table_prefix"]
    create_table(
        f"{prefix}results",
        sa.Column("job_id", Big, primary_key=True, autoincrement=False),
        sa.Column("worker", Name, nullable=False),
        sa.Column("started_at", Moment),
        sa.Column("value", LongText, nullable=False),
        sa.Column("keep_until", Moment, nullable=False),
    )
    create_index(f"{prefix}results_keep_until", f"{prefix}results", ["keep_until"])


def downgrade() -> None:
    drop_table(op.get_context().opts["table_prefix"] + "results")
