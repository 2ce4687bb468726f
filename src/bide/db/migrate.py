"""Bringing tables up to date: one line of numbered steps per product, safe to run at the same time."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from importlib.resources import as_file, files
from typing import Any, Final, NamedTuple

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SqlConnection
from sqlalchemy.exc import SQLAlchemyError

from bide.db.alone import Ask, alone, alone_in_session, asking
from bide.db.engine import Database
from bide.db.failures import translate
from bide.errors import NotMigrated


class Line(NamedTuple):
    """The migrations of one product: the package that holds `versions/`, and its version table.

    `version_table` lacks the prefix: `jobs_version` becomes `bide_jobs_version`. `options` are what
    the steps find in `op.get_context().opts`, besides `table_prefix`.
    """

    package: str
    version_table: str
    options: tuple[tuple[str, str], ...] = ()


def migrate(database: Database, line: Line, to: str = "head") -> bool:
    """Run the steps that are missing up to `to`; False: nothing was to do.

    Any number of processes may call it at once: one works, the others wait and find it done.
    """
    with _steps(line) as steps, _translated(database), alone(database) as connection:
        before = current(connection, database.table_prefix, line)
        _run(database.table_prefix, line, steps, steps._upgrade_revs, to, connection=connection)
        return before != current(connection, database.table_prefix, line)


def downgrade(database: Database, line: Line, to: str = "base") -> bool:
    """Undo the steps after `to`, all of them by default: their tables and what is in them go."""
    with _steps(line) as steps, _translated(database), alone(database) as connection:
        before = current(connection, database.table_prefix, line)
        _run(database.table_prefix, line, steps, steps._downgrade_revs, to, connection=connection)
        return before != current(connection, database.table_prefix, line)


def sql(database: Database, line: Line, to: str = "head") -> str:
    """The SQL of all steps from nothing to `to`, for those who run it by hand. Connects to nothing.

    It is for the client of the database: in that of MySQL and MariaDB triggers need a command of its own.
    """
    dialect = "mariadb" if "mariadb" in database.url.drivername else database.kind
    return script(dialect, database.table_prefix, line, to)


def script(dialect: str, prefix: str, line: Line, to: str = "head") -> str:
    """The same for SQLAlchemy's name of a dialect and a prefix."""
    written = io.StringIO()
    with _steps(line) as steps:
        _run(
            prefix,
            line,
            steps,
            steps._upgrade_revs,
            to,
            dialect_name=dialect,
            output_buffer=written,
        )
    return _for_client(dialect, written.getvalue())


#: What the clients of MySQL and MariaDB would cut at each of its semicolons.
_TRIGGER: Final = re.compile(r"^(CREATE TRIGGER .*?^END);?$", re.MULTILINE | re.DOTALL)


def _for_client(dialect: str, written: str) -> str:
    if dialect not in ("mysql", "mariadb"):
        return written
    return _TRIGGER.sub(lambda found: f"DELIMITER ;;\n{found[1]};;\nDELIMITER ;", written)


def move(
    context: MigrationContext, prefix: str, line: Line, to: str, *, since: str | None, down: bool
) -> None:
    """Bring the tables up (or `down`) to `to` within an Alembic run of the application's own.

    The steps run on its connection, in its transaction, or are written into its script if it makes
    one; there `since` says from which version. Tables that are there or beyond stay as they are.
    """
    if context.as_sql:
        dialect, written = context.dialect.name, io.StringIO()
        how = {"dialect_name": dialect, "output_buffer": written, "starting_rev": since}
        _advance(prefix, line, since, to, down=down, **how)
        assert context.output_buffer is not None
        context.output_buffer.write(_for_client(dialect, written.getvalue()))
        return
    connection = context.connection
    assert connection is not None
    if not _is_to_move(line, current(connection, prefix, line), to, down=down):
        return
    with _alone_on(connection, prefix):
        start = current(connection, prefix, line)
        _advance(prefix, line, start, to, down=down, connection=connection)


def _advance(
    prefix: str, line: Line, start: str | None, to: str, *, down: bool, **how: Any
) -> None:  # fmt: skip
    if _is_to_move(line, start, to, down=down):
        with _steps(line) as steps:
            plan = steps._downgrade_revs if down else steps._upgrade_revs
            _run(prefix, line, steps, plan, to, **how)


def _is_to_move(line: Line, start: str | None, to: str, *, down: bool) -> bool:
    with _steps(line) as steps:
        behind = _number(steps, start) - _number(steps, to)
    return behind > 0 if down else behind < 0


@contextlib.contextmanager
def _alone_on(connection: SqlConnection, prefix: str) -> Iterator[None]:
    """The connection is the application's; where DDL commits, so may we, to see what others did."""
    if connection.dialect.name not in ("mysql", "mariadb"):
        yield
        return
    with alone_in_session(asking(connection), prefix):
        connection.exec_driver_sql("COMMIT")
        yield
        connection.exec_driver_sql("COMMIT")


def _number(steps: ScriptDirectory, version: str | None) -> int:
    """How many steps a version stands for; None and `base` are none, `head` is all."""
    line = [step.revision for step in steps.walk_revisions("base", version or "base")]
    return 0 if version in (None, "base") else len(line)


def current(connection: SqlConnection, prefix: str, line: Line) -> str | None:
    """The version of the tables as a connection sees it; None: there are none."""
    context = MigrationContext.configure(
        connection, opts={"version_table": prefix + line.version_table}
    )
    return context.get_current_revision()


def newest(line: Line) -> str | None:
    """The version after all steps of the line."""
    with _steps(line) as steps:
        return steps.get_current_head()


def revisions(line: Line) -> list[str]:
    """The steps of a line, in order."""
    with _steps(line) as steps:
        return [step.revision for step in reversed(list(steps.walk_revisions()))]


def step_sql(
    line: Line,
    revision: str,
    *,
    dialect: str,
    prefix: str,
    undo: bool = False,
    ask: Ask | None = None,
) -> list[str]:
    """The statements of one step (or of undoing it), its line in the table of versions among them.

    For those who run migrations on a connection of their own. `dialect` is SQLAlchemy's name. With
    `ask`, which runs a question on it, what a step that was cut off has done already is left out; without,
    the statements are those of a script.
    """
    written = _Statements()
    known = revisions(line)
    before = known[known.index(revision) - 1] if revision != known[0] else "base"
    start, to = (revision, before) if undo else (before, revision)
    with _steps(line) as steps:
        plan = steps._downgrade_revs if undo else steps._upgrade_revs
        how: dict[str, Any] = {"dialect_name": dialect, "output_buffer": written}
        if ask is not None:
            how["ask"] = ask
        _run(prefix, line, steps, plan, to, starting_rev=None if start == "base" else start, **how)
    table = prefix + line.version_table
    statements = [each for each in written.statements if each not in _BRACKETS]
    if ask is None:
        statements = [_for_client(dialect, each) for each in statements]
    if undo and before == "base":
        return [*statements, f"DROP TABLE {table}"]
    return [
        each.replace("CREATE TABLE " + table, "CREATE TABLE IF NOT EXISTS " + table)
        for each in statements
    ]


#: A script begins and ends its own transaction.
_BRACKETS: Final = ("BEGIN", "START TRANSACTION", "COMMIT")


class _Statements(io.StringIO):
    """Where Alembic writes, one statement at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.statements: list[str] = []

    def write(self, text: str) -> int:
        statement = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
        if statement.strip():
            self.statements.append(statement.strip().removesuffix(";"))
        return len(text)


def versions(database: Database, line: Line) -> tuple[str | None, str | None]:
    """The version of the tables (None: there are none) and the newest one."""
    with _steps(line) as steps, _translated(database), database.engine.connect() as connection:
        return current(connection, database.table_prefix, line), steps.get_current_head()


def check(database: Database, line: Line) -> None:
    """Raise NotMigrated, naming the version found and the one needed, unless all steps have run."""
    found, needed = versions(database, line)
    if found != needed:
        state = "are missing" if found is None else f"are at version {found}"
        raise NotMigrated(
            f"the tables {database.table_prefix}{line.version_table.partition('_')[0]}* {state}; "
            f"version {needed} is needed: run `bide migrate`"
        )


@contextlib.contextmanager
def _steps(line: Line) -> Iterator[ScriptDirectory]:
    with as_file(files(line.package)) as folder:
        yield ScriptDirectory(str(folder))


@contextlib.contextmanager
def _translated(database: Database) -> Iterator[None]:
    _ = database.dialect  # connects, so that a URL that cannot be used is told as such
    try:
        yield
    except SQLAlchemyError as error:
        ours = translate(error, "the migration")
        if ours is None:
            raise
        raise ours from error


def _run(
    prefix: str,
    line: Line,
    steps: ScriptDirectory,
    plan: Callable[..., Any],
    to: str,
    **configuration: Any,
) -> None:
    environment = EnvironmentContext(
        Config(),
        steps,
        fn=lambda version, _: plan(to, version),
        as_sql="output_buffer" in configuration,
        destination_rev=to,
    )
    known: dict[str, Any] = {**dict(line.options), **configuration}
    environment.configure(
        version_table=prefix + line.version_table,
        table_prefix=prefix,
        **known,
    )
    with environment.begin_transaction():
        environment.run_migrations()
