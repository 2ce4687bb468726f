"""Bide's own steps as operations of Django's migrations, one Django migration for each."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db.migrations.operations.base import Operation

from bide.contrib.django.settings import ProjectSettings, table
from bide.db.alias import version_of
from bide.db.alone import Ask, alone_in_session
from bide.db.migrate import Line, revisions, step_sql
from bide.i18n.migrations import TEXTS
from bide.jobs.migrations import JOBS

#: The products by name.
LINES: dict[str, Line] = {"jobs": JOBS, "texts": TEXTS}


class BideStep(Operation):
    """Runs one step of Bide's migrations on Django's connection, or writes its SQL for `sqlmigrate`.

    Steps that `bide migrate` has run already are passed over: both keep the same table of versions.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, product: str, revision: str) -> None:
        self.product, self.revision = product, revision

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """As a migration file writes it."""
        return type(self).__name__, [self.product, self.revision], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models that read the tables are in the state by themselves."""

    def database_forwards(self, app_label: str, editor: Any, old: Any, new: Any) -> None:
        """Do the step."""
        self._run(editor, undo=False)

    def database_backwards(self, app_label: str, editor: Any, old: Any, new: Any) -> None:
        """Undo the step; what is in its tables goes."""
        self._run(editor, undo=True)

    def describe(self) -> str:
        """For `migrate --plan`."""
        return f"Bide's tables of {self.product}, step {self.revision}"

    @property
    def migration_name_fragment(self) -> str:
        """For names of migrations."""
        return f"{self.product}_{self.revision}"

    def _run(self, editor: Any, *, undo: bool) -> None:
        settings, connection = ProjectSettings.load(), editor.connection
        here = settings.database_url is None and settings.app is None
        if not here or connection.alias != settings.database:
            return
        prefix = table("")
        if editor.collect_sql:
            self._execute(editor, prefix, undo)
        elif self._is_done(connection, prefix) is undo:
            with self._alone(connection, prefix):
                if self._is_done(connection, prefix) is undo:
                    self._execute(editor, prefix, undo)

    def _execute(self, editor: Any, prefix: str, undo: bool) -> None:
        connection = editor.connection
        looks = connection.vendor == "mysql" and not editor.collect_sql
        statements = step_sql(
            LINES[self.product],
            self.revision,
            dialect=_dialect(connection),
            prefix=prefix,
            undo=undo,
            ask=_asking(connection) if looks else None,
        )
        for statement in statements:
            editor.execute(statement, params=None)

    def _alone(self, connection: Any, prefix: str) -> AbstractContextManager[None]:
        """Where a step is a transaction, whoever comes second fails and has changed nothing."""
        if connection.vendor != "mysql":
            return nullcontext()
        return alone_in_session(_asking(connection), prefix)

    def _is_done(self, connection: Any, prefix: str) -> bool:
        """Whether the table of versions says that the step was run."""
        line = LINES[self.product]
        found, known = version_of(connection, prefix + line.version_table), revisions(line)
        if found not in known:
            return found is not None  # by a newer version of Bide
        return known.index(found) >= known.index(self.revision)


def _asking(connection: Any) -> Ask:
    def ask(question: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(question)
            return list(cursor.fetchall())

    return ask


def _dialect(connection: Any) -> str:
    """SQLAlchemy's name of the database."""
    if connection.vendor == "mysql":
        return "mariadb" if connection.mysql_is_mariadb else "mysql"
    return str(connection.vendor)
