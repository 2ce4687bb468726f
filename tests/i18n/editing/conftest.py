"""Texts in files and in a table of each kind of database, and an editor over both."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bide.db.engine import Database as Door
from bide.db.migrate import migrate
from bide.i18n import Chain, Database, I18n, Simple
from bide.i18n.editing.editor import Editor
from bide.i18n.migrations import TEXTS

ENGLISH = {
    "title": "Shop",
    "greeting": "Hello %{name}",
    "cart": {"items": {"one": "%{count} item", "other": "%{count} items"}, "empty": "Empty"},
    "days": ["Sunday", "Monday"],
    "rate": 0.5,
    "new": True,
}
GERMAN = {"title": "Laden", "greeting": "Hallo %{name}"}

Open = Callable[..., Editor]


@pytest.fixture
def light_editor(sqlite_url: str) -> Iterator[Editor]:
    """For what is the same on every database."""
    door = Door(sqlite_url)
    migrate(door, TEXTS)
    files = Simple()
    files.store("en", ENGLISH)
    files.store("de", GERMAN)
    database = Database(door)
    yield Editor(I18n(Chain(database, files)))
    database.close()
    door.close()


@pytest.fixture
def open_editor(door: Door) -> Iterator[Open]:
    """An editor over its own connections, as another process has it."""
    made: list[Database] = []

    def opened(**options: object) -> Editor:
        files = Simple()
        files.store("en", ENGLISH)
        files.store("de", GERMAN)
        made.append(Database(Door(door.url), **options))
        return Editor(I18n(Chain(made[-1], files)))

    yield opened
    for each in made:
        each.close()
        each.live.rows.database.close()


@pytest.fixture
def editor(open_editor: Open) -> Editor:
    return open_editor()
