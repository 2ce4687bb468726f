"""Importing into the table: the dry run, the ways to import, and nothing by halves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

import bide
from bide.errors import InvalidTextArgument, TextConflict
from bide.i18n import Chain, Database, I18n, Key, Simple
from bide.i18n.exchange.entries import Entry
from bide.i18n.exchange.importing import imported, planned


@pytest.fixture
def i18n(database_url: str) -> Iterator[I18n]:
    app = bide.App(database_url)
    database = Database(app)
    i18n = I18n(Chain(database, Simple()))
    app.use(i18n)
    app.migrate()
    i18n.store("en", {"a": "A", "menu": {"file": "File", "edit": "Edit"}, "title": "T"})
    yield i18n
    database.close()
    app.close()


def database_of(i18n: I18n) -> Database:
    backend = i18n.backend
    assert isinstance(backend, Chain)
    database = backend.members[0]
    assert isinstance(database, Database)
    return database


def entries(locale: str = "en", /, **flat: Any) -> list[Entry]:
    return [Entry(locale, key.replace("__", "."), value) for key, value in flat.items()]


def told(i18n: I18n, found: list[Entry], mode: Any = "overwrite") -> dict[str, str]:
    plan = planned(database_of(i18n), found, mode)
    return {change.key: change.action for change in plan.changes}


def test_a_dry_run_tells_what_would_change_and_changes_nothing(i18n: I18n) -> None:
    found = entries(a="A", title="Title", new="N", menu="M", none=None)
    before = i18n.backend.translations()
    plan = planned(database_of(i18n), found, "overwrite")
    assert {change.key: change.action for change in plan.changes} == {
        "a": "same", "title": "change", "new": "add", "menu": "replace", "none": "empty",
    }  # fmt: skip
    [conflict] = plan.conflicts
    assert dict(conflict.gone) == {"menu.file": "File", "menu.edit": "Edit"}
    assert i18n.backend.translations() == before


def test_importing_overwrites_in_one_transaction(i18n: I18n) -> None:
    done: list[int] = []
    plan = imported(
        database_of(i18n), entries(title="Title", new=("x", 1), link=Key("a")), "overwrite",
        author="Ann", wrote=done.append,
    )  # fmt: skip
    assert plan.count("add") == 2
    assert sum(done) == 3
    assert i18n.t("title") == "Title"
    assert i18n.t("new") == ["x", 1]
    assert i18n.t("link") == "A"
    assert authors(i18n)["title"] == "Ann"


def authors(i18n: I18n) -> dict[str, str]:
    rows = database_of(i18n).live.rows
    history = rows.tables.history
    query = history.select().with_only_columns(history.c.key, history.c.author)
    return dict(rows.database.read(lambda connection: connection.core(query)))  # type: ignore[arg-type]


def test_only_missing_leaves_what_stands_and_fills_stubs(i18n: I18n) -> None:
    i18n.store("en", {"stub": None})
    found = entries(a="other", stub="S", menu="M", title__below="B", fresh="F")
    assert told(i18n, found, "missing") == {
        "a": "keep", "stub": "add", "menu": "keep", "title.below": "keep", "fresh": "add",
    }  # fmt: skip
    imported(database_of(i18n), found, "missing", author="Ann")
    assert [i18n.t(key) for key in ("a", "stub", "menu.file", "title", "fresh")] == [
        "A", "S", "File", "T", "F",
    ]  # fmt: skip


def test_a_text_above_or_below_others_replaces_them_only_when_agreed(i18n: I18n) -> None:
    found = entries(menu="M", title__below="B")
    before = i18n.backend.translations()
    with pytest.raises(
        TextConflict, match=r"en\.menu, en\.title\.below; nothing was changed"
    ) as caught:
        imported(database_of(i18n), found, "overwrite", author="Ann", agreed=[("en", "other")])
    assert caught.value.keys == ["en.menu", "en.title.below"]
    assert i18n.backend.translations() == before
    imported(
        database_of(i18n), found, "overwrite", author="Ann",
        agreed=[("en", "menu"), ("en", "title.below")],
    )  # fmt: skip
    assert i18n.backend.translations() == {"en": {"a": "A", "menu": "M", "title": {"below": "B"}}}


def test_a_stub_in_the_way_is_no_conflict(i18n: I18n) -> None:
    i18n.store("en", {"count": None})
    imported(database_of(i18n), entries(count__one="1", count__other="n"), "overwrite", author="A")
    assert i18n.t("count", count=2) == "n"


def test_a_file_with_a_text_above_others_is_refused(i18n: I18n) -> None:
    with pytest.raises(InvalidTextArgument, match=r"for 'x' and others below it, such as 'x\.y'"):
        planned(database_of(i18n), entries(x__y="1", x="2"), "overwrite")


def test_what_no_table_holds_changes_nothing(i18n: I18n) -> None:
    before = i18n.backend.translations()
    for bad in ("half \ud800", object()):
        with pytest.raises(InvalidTextArgument):
            imported(database_of(i18n), entries(x="fine", a=bad), "overwrite", author="A")
    with pytest.raises(InvalidTextArgument, match="characters; this database holds"):
        imported(database_of(i18n), [Entry("en", "k" * 3000, "x")], "overwrite", author="A")
    assert i18n.backend.translations() == before


def test_an_unknown_way_to_import_lists_the_known_ones(i18n: I18n) -> None:
    with pytest.raises(InvalidTextArgument, match="missing, overwrite, suggest"):
        planned(database_of(i18n), [], "sometimes")  # type: ignore[arg-type]


def test_many_texts_are_imported_and_changed(i18n: I18n) -> None:
    many = [Entry("en", f"s{number % 7}.k{number}", f"text {number}") for number in range(3000)]
    imported(database_of(i18n), many, "overwrite", author="A")
    changed = [entry._replace(value=entry.value + "!") for entry in many]
    plan = imported(database_of(i18n), changed, "overwrite", author="A")
    assert plan.count("change") == 3000
    assert i18n.t("s1.k2997") == "text 2997!"


def test_two_imports_at_once_leave_one_text_for_each_key(i18n: I18n) -> None:
    database = database_of(i18n)

    def run(word: str) -> None:
        imported(
            database, [Entry("en", f"k{n}", word) for n in range(50)], "overwrite", author=word
        )

    threads = [threading.Thread(target=run, args=(word,)) for word in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    words = {i18n.t(f"k{n}") for n in range(50)}
    assert len(words) == 1
    assert words < {"one", "two", "three"}
