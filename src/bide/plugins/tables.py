"""The tables of both products, brought up to date together."""

from __future__ import annotations

from bide.db.engine import Database
from bide.db.migrate import Line, migrate, sql
from bide.i18n.backends.database import databases
from bide.i18n.migrations import texts
from bide.i18n.tables import TRANSLATIONS
from bide.i18n.translator import I18n
from bide.jobs.migrations import JOBS


def migrate_all(database: Database, i18n: I18n | None) -> None:
    """Jobs, and texts under the names of their tables."""
    for line in lines(database, i18n):
        migrate(database, line)


def sql_of_all(database: Database, i18n: I18n | None) -> str:
    """The statements of it on an empty database."""
    return "\n".join(sql(database, line) for line in lines(database, i18n))


def lines(database: Database, i18n: I18n | None) -> list[Line]:
    """The migrations that the application needs in `database`."""
    found = databases(i18n.backend) if i18n is not None else []
    tables = {each.table for each in found if each.live.rows.database is database}
    return [JOBS, *(texts(table) for table in sorted(tables or {TRANSLATIONS}))]
