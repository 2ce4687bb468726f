"""Two tables of texts of one prefix share what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import inspect

from bide.db.engine import Database as Door
from bide.db.migrate import downgrade, migrate, revisions
from bide.i18n import Database, I18n
from bide.i18n.migrations import TEXTS, texts

WORDS = texts("words")


@pytest.fixture
def door(database_url: str) -> Iterator[Door]:
    """With both tables, and a text in the first."""
    door = Door(database_url)
    migrate(door, TEXTS)
    migrate(door, WORDS)
    yield door
    door.close()


def tables(door: Door) -> set[str]:
    return {name for name in inspect(door.engine).get_table_names() if "_version" not in name[-20:]}


def history(door: Door) -> list[tuple[object, ...]]:
    return door.read(
        lambda c: c.execute("SELECT action, author FROM bide_text_history ORDER BY id")
    )


def test_taking_one_back_leaves_the_other_what_it_needs(door: Door) -> None:
    database = Database(door)
    words = I18n(database)
    words.store("en", {"a": "first"}, author="Ann")
    before = tables(door)
    for step in [*reversed(revisions(WORDS)[:-1]), "base"]:
        assert downgrade(door, WORDS, step)
        assert tables(door) == before
        words.store("en", {"a": step}, author="Ben")
    assert history(door) == [("insert", "Ann"), *[("update", "Ben")] * len(revisions(WORDS))]
    assert migrate(door, WORDS)
    assert downgrade(door, TEXTS)
    assert tables(door) == before
    assert downgrade(door, WORDS)
    assert tables(door) == {"translations", "words"}
    assert migrate(door, TEXTS)
    database.close()
