"""Bringing tables up to date: one line of numbered steps per product, safe to run at the same time."""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Callable, Iterator
from importlib.resources import as_file, files
from typing import Any, Final, NamedTuple

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

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


#: Seconds to wait for another process that migrates.
PATIENCE: Final = 60


def migrate(database: Database, line: Line, to: str = "head") -> bool:
    """Run the steps that are missing up to `to`; False: nothing was to do.

    Any number of processes may call it at once: one works, the others wait and find it done.
    """
    with _steps(line) as steps, _alone(database, line) as connection:
        before = _version(database, line, connection)
        _run(database, line, steps, steps._upgrade_revs, to, connection=connection)
        return before != _version(database, line, connection)


def downgrade(database: Database, line: Line, to: str = "base") -> bool:
    """Undo the steps after `to`, all of them by default: their tables and what is in them go."""
    with _steps(line) as steps, _alone(database, line) as connection:
        before = _version(database, line, connection)
        _run(database, line, steps, steps._downgrade_revs, to, connection=connection)
        return before != _version(database, line, connection)


def sql(database: Database, line: Line, to: str = "head") -> str:
    """The SQL of all steps from nothing to `to`, for those who run it by hand. Connects to nothing."""
    written = io.StringIO()
    with _steps(line) as steps:
        _run(
            database,
            line,
            steps,
            steps._upgrade_revs,
            to,
            dialect_name="mariadb" if "mariadb" in database.url.drivername else database.kind,
            output_buffer=written,
        )
    return written.getvalue()


def versions(database: Database, line: Line) -> tuple[str | None, str | None]:
    """The version of the tables (None: there are none) and the newest one."""
    with _steps(line) as steps, _translated(), database.engine.connect() as connection:
        return _version(database, line, connection), steps.get_current_head()


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
def _alone(database: Database, line: Line) -> Iterator[SqlConnection]:
    """A connection on which nobody else runs this line; in a transaction where DDL has them."""
    name = database.table_prefix + line.version_table
    with _translated(), database.turn(), database.engine.connect() as connection:
        for statement in _LOCK[database.kind]:
            connection.execute(text(statement), _lock_params(name, statement))
        try:
            yield connection
            connection.commit()
        finally:
            connection.rollback()
            for statement in _UNLOCK[database.kind]:
                connection.execute(text(statement), _lock_params(name, statement))
                connection.commit()


_LOCK: Final[dict[str, tuple[str, ...]]] = {
    "postgresql": (
        f"SET LOCAL lock_timeout = '{PATIENCE}s'",
        "SELECT pg_advisory_xact_lock(:number)",
    ),
    "mysql": (f"SELECT GET_LOCK(:name, {PATIENCE})",),
    "sqlite": ("BEGIN IMMEDIATE",),
}
_UNLOCK: Final[dict[str, tuple[str, ...]]] = {
    "postgresql": (),
    "mysql": ("SELECT RELEASE_LOCK(:name)",),
    "sqlite": (),
}


def _lock_params(name: str, statement: str) -> dict[str, Any]:
    known = {"name": name, "number": zlib.crc32(name.encode())}
    return {key: value for key, value in known.items() if f":{key}" in statement}


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        ours = translate(error, "the migration", connecting=True)
        if ours is None:
            raise
        raise ours from error


def _version(database: Database, line: Line, connection: SqlConnection) -> str | None:
    table = database.table_prefix + line.version_table
    context = MigrationContext.configure(connection, opts={"version_table": table})
    return context.get_current_revision()


def _run(
    database: Database,
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
        starting_rev=None,
        destination_rev=to,
    )
    known: dict[str, Any] = {**dict(line.options), **configuration}
    environment.configure(
        version_table=database.table_prefix + line.version_table,
        table_prefix=database.table_prefix,
        **known,
    )
    with environment.begin_transaction():
        environment.run_migrations()
