"""Statistics per minute, and the list of what operators did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bide.db.steps import create_index, create_table, drop_table
from bide.db.types import Big, LongText, Moment, Name

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: Buckets of each histogram.
_BUCKETS = 11


def upgrade() -> None:
    prefix = op.get_context().opts["table_prefix"]
    create_table(
        f"{prefix}statistics",
        # Small or negative: rows of many writers that were added up.
        sa.Column("writer", Big, primary_key=True, autoincrement=False),
        sa.Column("minute", Moment, primary_key=True),
        sa.Column("queue", Name, primary_key=True),
        sa.Column("name", Name, primary_key=True),
        *(_count(name) for name in ("succeeded", "failed_attempts", "timed_out", "crashed")),
        _count("failed"),
        *(
            sa.Column(f"{measure}_{kind}", sa.Double, nullable=False)
            for measure in ("run", "wait")
            for kind in ("seconds", "longest")
        ),
        *(_count(f"run_{place}") for place in range(_BUCKETS)),
        *(_count(f"wait_{place}") for place in range(_BUCKETS)),
    )
    create_index(f"{prefix}statistics_minute", f"{prefix}statistics", ["minute"])
    create_table(
        f"{prefix}audit",
        sa.Column("id", Big, sa.Identity(always=False), primary_key=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("who", Name, nullable=False),
        sa.Column("action", Name, nullable=False),
        sa.Column("what", Name, nullable=False),
        sa.Column("detail", LongText, nullable=False),
        sqlite_autoincrement=True,
    )
    create_index(f"{prefix}audit_what", f"{prefix}audit", ["what", "id"])


def downgrade() -> None:
    prefix = op.get_context().opts["table_prefix"]
    drop_table(f"{prefix}audit")
    drop_table(f"{prefix}statistics")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, Big, nullable=False)
