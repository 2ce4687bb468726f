"""The steps that make and change the tables of texts, one file each, in order."""

from __future__ import annotations

from typing import Final

from bide.db.migrate import Line
from bide.i18n.tables import TRANSLATIONS

TEXTS: Final = Line(package="bide.i18n.migrations", version_table="texts_version")


def texts(table: str = TRANSLATIONS) -> Line:
    """The line for a table of texts with a name of its own."""
    if table == TRANSLATIONS:
        return TEXTS
    return Line(TEXTS.package, f"texts_version_of_{table}", (("translations", table),))
