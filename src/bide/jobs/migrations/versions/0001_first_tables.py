"""Jobs, workers, attempts, queues."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from bide.db.steps import create_index, create_table, drop_table
from bide.db.types import Big, Key, LongText, Moment, Name

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: A finished job leaves the ready and the running index behind for a vacuum, so it comes often;
#: free space in the pages keeps updates of one row in its page.
_STORAGE = """
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.2,
    toast.autovacuum_vacuum_scale_factor = 0.01
"""


def upgrade() -> None:
    prefix = op.get_context().opts["table_prefix"]
    postgresql = op.get_context().dialect.name == "postgresql"
    if postgresql:
        op.execute(f"CREATE SEQUENCE {prefix}jobs_pos_seq")
    _jobs(prefix, postgresql)
    _indexes(prefix)
    _others(prefix)
    if postgresql:
        op.execute(f"ALTER SEQUENCE {prefix}jobs_pos_seq OWNED BY {prefix}jobs.pos")
        op.execute(f"ALTER TABLE {prefix}jobs SET ({_STORAGE})")


def downgrade() -> None:
    prefix = op.get_context().opts["table_prefix"]
    for name in ("queues", "attempts", "workers", "jobs"):
        drop_table(prefix + name)


def _jobs(prefix: str, postgresql: bool) -> None:
    next_pos = sa.text(f"nextval('{prefix}jobs_pos_seq')") if postgresql else None
    create_table(
        f"{prefix}jobs",
        _id(),
        sa.Column("key", Key, nullable=False),
        sa.Column("name", Name, nullable=False),
        sa.Column("queue", Name, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("payload", LongText, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("crashes", sa.Integer, nullable=False, server_default="0"),
        sa.Column("max_attempts", sa.Integer),
        sa.Column("run_at", Moment, nullable=False),
        sa.Column("locked_at", Moment),
        sa.Column("locked_by", Name),
        sa.Column("worker_id", Big),
        sa.Column("lease", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failed_at", Moment),
        sa.Column("finished_at", Moment),
        sa.Column("last_error", LongText),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("locale", Name),
        sa.Column("context", LongText),
        sa.Column("pos", Big, nullable=False, server_default=next_pos),
        sqlite_autoincrement=True,  # an id that was seen is never another job's
    )


def _indexes(prefix: str) -> None:
    """Ready jobs in the order of the claim, scheduled ones by time, running ones by worker.

    Where a database has no partial indexes, the state leads.
    """
    create_index(f"{prefix}jobs_key", f"{prefix}jobs", ["key"], unique=True)
    partial = op.get_context().dialect.name in ("postgresql", "sqlite")
    state = [] if partial else ["state"]
    _index(prefix, "ready", "state = 0", [*state, "queue", "priority", "pos"])
    _index(prefix, "running", "state = 1", [*state, "worker_id"])
    _index(prefix, "scheduled", "state = 2", [*state, "run_at"])
    _index(prefix, "ended", "state > 2", ["state", "finished_at"])


def _index(prefix: str, name: str, where: str, columns: list[str]) -> None:
    options: dict[str, Any] = {"postgresql_where": sa.text(where), "sqlite_where": sa.text(where)}
    create_index(f"{prefix}jobs_{name}", f"{prefix}jobs", columns, **options)


def _others(prefix: str) -> None:
    create_table(
        f"{prefix}workers",
        _id(),
        sa.Column("name", Name, nullable=False),
        sa.Column("host", Name, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("heartbeat_at", Moment, nullable=False),
        sa.Column("info", LongText, nullable=False),
        sqlite_autoincrement=True,
    )
    create_table(
        f"{prefix}attempts",
        _id(),
        sa.Column("job_id", Big, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("lease", sa.Integer, nullable=False),
        sa.Column("worker", Name, nullable=False),
        sa.Column("started_at", Moment),
        sa.Column("ended_at", Moment, nullable=False),
        sa.Column("kind", Name, nullable=False),
        sa.Column("error", LongText, nullable=False),
    )
    create_index(f"{prefix}attempts_job", f"{prefix}attempts", ["job_id"])
    create_table(
        f"{prefix}queues",
        sa.Column("name", Name, primary_key=True),
        sa.Column("paused_at", Moment),
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", Big, sa.Identity(always=False), primary_key=True)
