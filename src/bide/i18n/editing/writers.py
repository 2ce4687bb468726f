"""Who else is writing at a text: a hint, so that two people do not do the same work."""

from __future__ import annotations

from typing import Final

from bide.db.connection import Connection
from bide.i18n.editing.sources import Sources
from bide.i18n.editing.standing import checked_author, checked_key
from bide.i18n.locales import locale_name
from bide.i18n.side_tables.editing import EditingRows

#: Seconds for which somebody counts as writing after the last letter.
WRITING: Final = 60.0
#: Seconds between two notes of the same person, who types on.
AGAIN: Final = 15.0


class Writers:
    """Those who write at the texts of some sources. Nobody is locked out: a save that comes second
    is told by its revision."""

    def __init__(self, sources: Sources) -> None:
        self._rows = sources.database.live.rows
        self._editing = EditingRows(self._rows)

    def others(self, locale: str, key: str, author: str) -> list[str]:
        """Who else is writing at a text, by name."""

        def work(connection: Connection) -> list[str]:
            return self._editing.authors(connection, locale, key, WRITING)

        return [name for name in self._rows.database.read(work) if name != author]

    def write(self, locale: str, key: str, author: str) -> list[str]:
        """Note that somebody is writing at a text; who else is."""
        locale, key, author = locale_name(locale), checked_key(key), checked_author(author)
        database, editing = self._rows.database, self._editing
        if author not in database.read(lambda c: editing.authors(c, locale, key, AGAIN)):

            def work(connection: Connection) -> None:
                editing.sweep(connection, WRITING)
                editing.put(connection, locale, key, author)

            database.run(work, repeat=True)
        return self.others(locale, key, author)

    def leave(self, locale: str, key: str, author: str) -> None:
        """Note that somebody has done with a text."""
        self._rows.database.run(lambda c: self._editing.remove(c, locale, key, author), repeat=True)
