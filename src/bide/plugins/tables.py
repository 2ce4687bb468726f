"""The tables of both products, brought up to date together."""

from __future__ import annotations

from typing import NamedTuple

from bide.db.engine import Database
from bide.db.migrate import Line, downgrade, migrate, revisions, sql, versions
from bide.errors import SettingsError
from bide.i18n.backends.database import databases
from bide.i18n.migrations import TEXTS, texts
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


class Move(NamedTuple):
    """The tables of one product on their way to a step, from where they are."""

    database: Database
    line: Line
    product: str
    known: list[str]
    at: int
    to: str

    @classmethod
    def named(cls, database: Database | None, i18n: I18n | None, named: str) -> Move:
        """«jobs:0003» in words of steps; raises SettingsError for what is none."""
        product, _, to = named.partition(":")
        found = {} if database is None else by_name(database, i18n)
        if database is None or product not in found:
            raise SettingsError(
                f"--to {named!r} names no tables here; they are {', '.join(found) or 'none'}, e.g. "
                "jobs:0003"
            )
        known = ["base", *revisions(found[product])]
        if to not in known:
            raise SettingsError(f"--to {named!r}: the steps of {product} are {', '.join(known)}")
        now = versions(database, found[product])[0]
        if now not in (None, *known):
            raise SettingsError(
                f"the tables of {product} are at {now}, which this version of Bide does not know"
            )
        return cls(database, found[product], product, known, known.index(now or "base"), to)

    @property
    def undone(self) -> list[str]:
        """The steps that will be undone, the last first."""
        return self.known[self.known.index(self.to) + 1 : self.at + 1][::-1]

    @property
    def goes_down(self) -> bool:
        """Whether any step will be undone."""
        return bool(self.undone)

    def run(self) -> None:
        """Go there."""
        if self.goes_down:
            downgrade(self.database, self.line, self.to)
        elif self.to != "base":
            migrate(self.database, self.line, self.to)


def by_name(database: Database, i18n: I18n | None) -> dict[str, Line]:
    """The lines of `lines` by what people call them: jobs, texts, texts.<table> for another table."""
    known = {JOBS.package: "jobs", TEXTS.package: "texts"}
    return {
        ".".join([known[line.package], *(value for _, value in line.options)]): line
        for line in lines(database, i18n)
    }
