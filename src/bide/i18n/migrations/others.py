"""The side tables are shared by all tables of texts of a prefix; whether another one needs a step's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

_VERSIONS = "texts_version"


def need(revision: str) -> bool:
    """Whether another line of texts has made this step and not undone it. A script cannot know."""
    context = op.get_context()
    if context.as_sql:
        return False
    ours, prefix = context.version_table, context.opts["table_prefix"]
    versions = [
        name
        for name in sa.inspect(op.get_bind()).get_table_names()
        if name.startswith(prefix + _VERSIONS) and name != ours
    ]
    return any(_reached(name, revision) for name in versions)


def _reached(versions: str, revision: str) -> bool:
    found = op.get_bind().scalar(
        sa.select(sa.column("version_num")).select_from(sa.table(versions))
    )
    return found is not None and str(found) >= revision
