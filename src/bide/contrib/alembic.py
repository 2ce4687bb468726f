"""Bide's tables in the migrations of an application that uses Alembic.

`bide.contrib.sqlalchemy.include_tables` makes autogenerate write `upgrade` and `downgrade` into new
revisions; they run Bide's own steps, so that its indexes, triggers and version tables are as they
should be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from alembic import op
from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import Operations
from alembic.operations.ops import MigrateOperation, UpgradeOps
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import MetaData

from bide.db.migrate import Line, current, move, newest, script
from bide.errors import SettingsError
from bide.i18n.migrations import texts
from bide.i18n.tables import TRANSLATIONS
from bide.jobs.migrations import JOBS

PREFIX: Final = "bide_"

#: Where a MetaData and its tables keep what is ours.
KEY: Final = "bide"


class Included(NamedTuple):
    """What a MetaData holds of Bide: the prefix of the tables, and the lines of steps that make them."""

    prefix: str
    lines: Callable[[], list[Line]]


def upgrade(
    product: str,
    to: str = "head",
    *,
    since: str = "base",
    prefix: str = PREFIX,
    table: str = TRANSLATIONS,
) -> None:
    """In a revision: bring the tables of a product (`jobs` or `texts`) up to version `to`.

    `since` is where they were; only scripts (`alembic upgrade --sql`) need it. Tables that are newer
    stay. `table`: what the table of texts is called.
    """
    _within(_line(product, table), to, since, prefix, down=False)


def downgrade(
    product: str,
    to: str = "base",
    *,
    since: str = "head",
    prefix: str = PREFIX,
    table: str = TRANSLATIONS,
) -> None:
    """In a revision: undo the steps after version `to`; their tables and what is in them go."""
    _within(_line(product, table), to, since, prefix, down=True)


def _line(product: str, table: str) -> Line:
    if product not in ("jobs", "texts"):
        raise SettingsError(f"{product!r} has no tables; say 'jobs' or 'texts'")
    return JOBS if product == "jobs" else texts(table)


def _within(line: Line, to: str, since: str, prefix: str, *, down: bool) -> None:
    context = op.get_context()
    start = newest(line) if since == "head" else since
    move(context, prefix, line, to, since=None if start == "base" else start, down=down)
    # Our steps spoke through the same `op`; the revision's own goes on with its own context.
    Operations.context(context).__enter__()


class MoveTables(MigrateOperation):
    """What autogenerate finds to do: a product's tables from one version to another."""

    def __init__(self, line: Line, prefix: str, since: str, to: str, *, down: bool = False) -> None:
        self.line, self.prefix, self.since, self.to, self.down = line, prefix, since, to, down

    def reverse(self) -> MoveTables:
        """The way back."""
        return MoveTables(self.line, self.prefix, self.to, self.since, down=not self.down)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """How `alembic check` names it."""
        return ("move_tables", self.prefix + self.line.version_table, self.since, self.to)

    def words(self) -> str:
        """The call as it stands in a revision."""
        named = {
            "since": self.since if self.since != "base" else None,
            "prefix": self.prefix if self.prefix != PREFIX else None,
            "table": dict(self.line.options).get("translations"),
        }
        product = "jobs" if self.line is JOBS else "texts"
        more = "".join(f", {name}={value!r}" for name, value in named.items() if value)
        verb = "downgrade" if self.down else "upgrade"
        return f"bide.contrib.alembic.{verb}({product!r}, {self.to!r}{more})"


@renderers.dispatch_for(MoveTables)
def _render(context: AutogenContext, move: MoveTables) -> str:
    context.imports.add("import bide.contrib.alembic")
    return move.words()


def watch() -> None:
    """Let autogenerate see Bide's tables through their steps instead of their columns."""
    if _watched:
        return
    _watched.append(True)

    @comparators.dispatch_for("schema", priority=DispatchPriority.FIRST)
    def compare(
        context: AutogenContext, upgrade_ops: UpgradeOps, _schemas: Any
    ) -> PriorityDispatchResult:
        for included in _included(context.metadata):
            _compare(context, upgrade_ops, included)
        return PriorityDispatchResult.CONTINUE


_watched: list[bool] = []


def _included(given: Any) -> list[Included]:
    metadatas = [given] if isinstance(given, MetaData) else list(given or ())
    return [metadata.info[KEY] for metadata in metadatas if KEY in metadata.info]


def _compare(context: AutogenContext, upgrade_ops: UpgradeOps, included: Included) -> None:
    assert context.connection is not None
    assert context.dialect is not None
    prefix, lines = included.prefix, included.lines()
    ours = {name for line in lines for name in _names(context.dialect.name, prefix, line)}
    # include_name and include_object belong to env.py, which fills these same lists with them.
    context._name_filters.append(lambda name, kind, parents: kind != "table" or name not in ours)
    context._object_filters.append(
        lambda thing, name, kind, reflected, other: kind != "table" or KEY not in thing.info
    )
    for line in lines:
        found, wanted = current(context.connection, prefix, line), newest(line)
        if found != wanted and wanted is not None:
            upgrade_ops.ops.append(MoveTables(line, prefix, found or "base", wanted))


def _names(dialect: str, prefix: str, line: Line) -> list[str]:
    """Every table that the steps make, asked of the steps themselves, and their version table."""
    written = script(dialect, prefix, line)
    made = re.findall(r"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?[`\"]?(\w+)", written)
    return [prefix + line.version_table, *made]
