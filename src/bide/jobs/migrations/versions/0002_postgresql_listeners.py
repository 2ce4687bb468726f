"""PostgreSQL: who waits for notifications, so that nobody notifies in vain."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    prefix = op.get_context().opts["table_prefix"]
    # Unlogged: a listener that a crash forgets says again within seconds that it waits.
    op.execute(
        f"CREATE UNLOGGED TABLE {prefix}listeners (id uuid PRIMARY KEY, until timestamptz NOT NULL) "
        "WITH (fillfactor = 50)"
    )


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.drop_table(op.get_context().opts["table_prefix"] + "listeners")
