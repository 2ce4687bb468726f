"""An application with texts in files and in a table, for tests of the editor."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

from bide import App
from bide.i18n import Chain, Database, I18n, Simple, watch
from bide.i18n.editing.editor import Editor
from web.browsing import viewed

ENGLISH = {
    "title": "Shop",
    "greeting": "Hello %{name}",
    "cart": {"items": {"one": "%{count} item", "other": "%{count} items"}, "empty": "Empty"},
    "days": ["Sunday", "Monday"],
    "rate": 0.5,
    "new": True,
}
GERMAN = {"title": "Laden", "greeting": "Hallo %{name}"}


def shop(url: str, *, migrate: bool = True) -> App:
    """The application, its tables made."""
    app, files = App(url), Simple()
    files.store("en", ENGLISH)
    files.store("de", GERMAN)
    app.use(I18n(Chain(Database(app), files)))
    if migrate:
        app.migrate()
    return app


def editor_of(app: App) -> Editor:
    """What tests look into the table with."""
    assert app.i18n is not None
    return Editor(app.i18n)


def close(app: App) -> None:
    """End what watches the texts, those of the screens too."""
    for live in [*watch._lives]:
        watch.unwatch(live)
    app.close()


def client(app: App, *roles: str) -> TestClient:
    """A browser of somebody with these roles."""
    return viewed(app, roles or ("everything",))


def form(app: App, key: str, locale: str = "de", **fields: Any) -> dict[str, Any]:
    """The form of a text as its page holds it."""
    return {"key": key, "revision": editor_of(app).text(locale, key).revision, **fields}
