"""Missing keys become rows without a value, as i18n-active_record makes them, but never in a lookup."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bide.db.engine import Database as Door
from bide.db.migrate import migrate
from bide.i18n import Database, I18n, Missing
from bide.i18n.migrations import TEXTS
from waiting import wait_until


@pytest.fixture
def texts(sqlite_url: str) -> Iterator[I18n]:
    door = Door(sqlite_url)
    migrate(door, TEXTS)
    database = Database(door)
    yield I18n(Missing(database, database.record))
    database.close()
    door.close()


def rows(texts: I18n) -> list[tuple[str, str | None, str | None]]:
    door = texts.backend.inner.live.rows.database
    return door.read(
        lambda c: c.execute("SELECT key, value, interpolations FROM translations ORDER BY id")
    )


def written(texts: I18n) -> list[str]:
    texts.backend.inner.live.write_missing()
    return [key for key, _, _ in rows(texts)]


def test_the_watcher_writes_what_was_missing(texts: I18n) -> None:
    """I18N-611."""
    texts.t("foo.bar")
    assert wait_until(lambda: rows(texts)) == [("foo.bar", None, None)]


def test_a_key_is_written_once(texts: I18n) -> None:
    """I18N-612."""
    for _ in range(3):
        texts.t("foo")
        assert written(texts) == ["foo"]


def test_the_names_of_the_values_are_kept(texts: I18n) -> None:
    """I18N-610, I18N-613."""
    texts.t("foo", who="x", thing=1)
    written(texts)
    assert rows(texts) == [("foo", None, "---\n- :who\n- :thing\n")]


def test_a_count_makes_a_row_for_each_form_and_none_for_the_key(texts: I18n) -> None:
    """I18N-614, I18N-615, I18N-617; D7: without `i18n.plural.keys` the language's own forms."""
    texts.t("foo|bar", count=1, separator="|")
    assert written(texts) == ["foo.bar.one", "foo.bar.other"]
    texts.store("en", {"i18n": {"plural": {"keys": ["zero", "one", "other"]}}})
    texts.t("x", count=1)
    assert {"x.zero", "x.one", "x.other"} <= set(written(texts))
    assert texts.t("x", count=1, default="D") == "D"


def test_a_separator_and_a_dot_in_a_part_are_kept_apart(texts: I18n) -> None:
    """I18N-616, I18N-618."""
    texts.t("foo|bar.baz", separator="|")
    assert written(texts) == ["foo.bar\x01baz"]
    door = texts.backend.inner.live.rows.database
    door.run(lambda c: c.execute("UPDATE translations SET value = 'filled in'"))
    wait_until(lambda: texts.t("foo|bar.baz", separator="|") == "filled in")


def test_where_something_stands_no_row_is_made(texts: I18n) -> None:
    texts.store("en", {"foo": {"a": "x"}})
    texts.t("foo.a.b")
    texts.t("foo.b")
    texts.t("gone", default="D")
    assert written(texts) == ["foo.a", "foo.b"]


def test_it_is_known_where_a_key_was_asked_for(texts: I18n) -> None:
    texts.t("foo")
    written(texts)
    door = texts.backend.inner.live.rows.database
    [[place]] = door.read(lambda c: c.execute("SELECT place FROM bide_text_missing"))
    assert "test_missing_keys.py:" in place
