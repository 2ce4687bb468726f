from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import bide.web
from bide import App
from bide.i18n import Chain, Database, I18n, Simple
from bide.web.words import LANGUAGES
from web.browsing import viewed

HERE = Path(bide.web.__file__).parent
PLURALS = {"zero", "one", "two", "few", "many", "other"}


def texts(locale: str) -> dict[str, set[str]]:
    """Every key of a language with its placeholders; plural forms are one text."""
    found: dict[str, set[str]] = {}
    for path in (HERE / "locales").glob("*.yml"):
        for key, text in leaves(yaml.safe_load(path.read_text()).get(locale, {})):
            found.setdefault(key, set()).update(re.findall(r"%\{(\w+)\}", text))
    return found


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    for key, part in tree.items():
        assert isinstance(key, str), f"{path}.{key} is read as {key!r}: quote it"
        if isinstance(part, dict) and part.keys() <= PLURALS:
            yield f"{path}.{key}", " ".join(part.values())
        elif isinstance(part, dict):
            yield from leaves(part, f"{path}.{key}")
        else:
            yield f"{path}.{key}", str(part)


@pytest.mark.parametrize("locale", [name for name in LANGUAGES if name != "en"])
def test_every_language_says_everything_with_the_same_values(locale: str) -> None:
    assert texts(locale) == texts("en")


def test_the_screens_speak_the_words_that_were_edited(sqlite_url: str) -> None:
    app = App(sqlite_url)
    app.use(I18n(Chain(database := Database(app), Simple())))
    app.migrate()
    client = viewed(app)
    assert "Overview" in client.get("/overview").text
    database.store("en", {"bide": {"nav": {"overview": "<b>The bridge</b>"}}})
    client = viewed(app)
    page = client.get("/overview").text
    assert "&lt;b&gt;The bridge" in page
    assert "Queues" in page
    app.close()
