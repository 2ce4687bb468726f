"""Bide's tables in the MetaData of an application: made and dropped by their own steps."""

from __future__ import annotations

from typing import Any

from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, MetaData, Table, event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import BLANK_SCHEMA, CreateTable, DropTable

from bide.app import App
from bide.contrib.alembic import KEY, Included, watch
from bide.db.migrate import move
from bide.errors import SettingsError
from bide.i18n.tables import TRANSLATIONS
from bide.i18n.tables import tables as tables_of_texts
from bide.jobs.tables import tables as tables_of_jobs
from bide.plugins.tables import lines


def include(metadata: MetaData, app: App) -> None:
    """What `bide.contrib.sqlalchemy.include_tables` says."""
    database = app.database
    if database is None:
        raise SettingsError("an App in memory has no tables that a MetaData could hold")
    watch()
    if KEY not in metadata.info:
        event.listen(metadata, "before_create", _make)
        event.listen(metadata, "before_drop", _undo)
    included = Included(database.table_prefix, lambda: lines(database, app.i18n))
    metadata.info[KEY] = included
    for table in _tables(included):
        if table.name not in metadata.tables:
            _copy(table, metadata)


def _copy(table: Table, metadata: MetaData) -> None:
    """In no schema, whatever the MetaData's own: statements of Bide name none."""
    columns = [Column(one.name, one.type, primary_key=one.primary_key) for one in table.columns]
    Table(table.name, metadata, *columns, schema=BLANK_SCHEMA, info={KEY: True})


def _tables(included: Included) -> list[Table]:
    _, *texts = included.lines()
    found = [*tables_of_jobs(included.prefix)]
    for line in texts:
        name = dict(line.options).get("translations", TRANSLATIONS)
        found += tables_of_texts(included.prefix, name)
    return found


def _make(metadata: MetaData, connection: Connection, tables: list[Table], **_: Any) -> None:
    _move(metadata, connection, tables, "head")


def _undo(metadata: MetaData, connection: Connection, tables: list[Table], **_: Any) -> None:
    _move(metadata, connection, tables, "base")


def _move(metadata: MetaData, connection: Connection, tables: list[Table], to: str) -> None:
    """SQLAlchemy's own CREATE and DROP come afterwards and find it done."""
    if any(KEY in table.info for table in tables):
        included: Included = metadata.info[KEY]
        context = MigrationContext.configure(connection)
        for line in included.lines():
            move(context, included.prefix, line, to, since=None, down=to == "base")


@compiles(CreateTable)
def _create(element: CreateTable, compiler: Any, **how: Any) -> str:
    if KEY in element.element.info:
        return "SELECT 1"  # the steps have made it
    return str(compiler.visit_create_table(element, **how))


@compiles(DropTable)
def _drop(element: DropTable, compiler: Any, **how: Any) -> str:
    element.if_exists = element.if_exists or KEY in element.element.info
    return str(compiler.visit_drop_table(element, **how))
