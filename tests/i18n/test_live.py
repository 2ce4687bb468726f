"""Texts in a database are live in every process, and serve whatever becomes of the database."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bide import events
from bide.db import drivers
from bide.db.engine import Database as Door
from bide.db.migrate import downgrade, migrate
from bide.i18n import Chain, Database, I18n, Simple, watch
from bide.i18n.backends.database import databases
from bide.i18n.migrations import TEXTS, texts
from bide.i18n.row_values import encoded
from bide.i18n.snapshot import trees_of
from in_child import finish, in_child, start
from servers.postgresql import PostgreSQL
from waiting import wait_until

Open = Callable[..., I18n]
#: The promise is one second, which a machine that is busy with other tests need not keep.
WITHIN = 5.0


@pytest.fixture
def open_texts(door: Door) -> Iterator[Open]:
    """Texts over their own connections, as another process has them."""
    made: list[Database] = []

    def opened(url: str | None = None, **options: object) -> I18n:
        made.append(Database(Door(url or door.url), **options))
        return I18n(Chain(made[-1], Simple()))

    yield opened
    for each in made:
        each.close()
        each.live.rows.database.close()


def insert(door: Door, key: str, value: str, scope: str | None = None, locale: str = "en") -> None:
    """As a SQL console would."""
    quoted = "`key`" if door.kind == "mysql" else "key"
    now = "CURRENT_TIMESTAMP"
    door.run(
        lambda c: c.execute(
            f"INSERT INTO translations (scope, locale, {quoted}, value, created_at, updated_at) "
            f"VALUES (:scope, :locale, :key, :value, {now}, {now})",
            {"scope": scope, "locale": locale, "key": key, "value": value},
        )
    )


def run(door: Door, sql: str) -> None:
    door.run(lambda c: c.execute(sql.replace("key", "`key`") if door.kind == "mysql" else sql))


def seen(i18n: I18n, key: str, expected: object) -> float:
    """Seconds until `key` says what is expected."""
    began = time.monotonic()
    wait_until(lambda: i18n.t(key) == expected, within=10)
    return time.monotonic() - began


def test_an_edit_by_another_process_is_seen_within_a_second(door: Door, open_texts: Open) -> None:
    here, there = open_texts(), open_texts()
    here.store("en", {"a": {"b": "old"}, "c": "kept"})
    assert there.t("a.b") == "old"
    here.store("en", {"a": {"b": "new"}})
    assert here.t("a.b") == "new"
    assert seen(there, "a.b", "new") < WITHIN
    assert there.t("c") == "kept"


def test_whoever_writes_by_hand_is_heard_too(door: Door, open_texts: Open) -> None:
    texts = open_texts()
    assert texts.t("x", default="none") == "none"
    insert(door, "x", "plain text")
    assert seen(texts, "x", "plain text") < WITHIN
    run(door, "UPDATE translations SET value = '--- new\n' WHERE key = 'x'")
    assert seen(texts, "x", "new") < WITHIN
    run(door, "UPDATE translations SET key = 'y.z' WHERE key = 'x'")
    assert seen(texts, "y.z", "new") < WITHIN
    assert seen(texts, "x", "Translation missing: en.x") < WITHIN
    run(door, "DELETE FROM translations")
    assert seen(texts, "y.z", "Translation missing: en.y.z") < WITHIN


def test_a_rolled_back_edit_is_never_seen(door: Door, open_texts: Open) -> None:
    texts = open_texts()
    texts.store("en", {"a": "old"})

    def fails(connection: object) -> None:
        connection.execute("UPDATE translations SET value = 'new'")  # type: ignore[attr-defined]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        door.run(fails)
    texts.reload()
    assert texts.t("a") == "old"


def test_only_the_namespaces_that_changed_are_read_again(door: Door, open_texts: Open) -> None:
    here, there = open_texts(), open_texts()
    here.store("en", {"a": {"b": "1"}, "z": {"y": "2"}})
    there.t("z.y")
    database = there.backend.members[0]
    untouched = database.live.snapshot.trees["en"]["z"]
    here.store("en", {"a": {"b": "3"}})
    assert seen(there, "a.b", "3") < WITHIN
    assert database.live.snapshot.trees["en"]["z"] is untouched


def test_whoever_reads_one_namespace_keeps_what_it_knows_while_others_change(
    door: Door, open_texts: Open
) -> None:
    here, there = open_texts(), open_texts(head="bide")
    here.store("en", {"bide": {"title": "Jobs"}, "bidet": "1", "a": {"b": "1"}})
    assert there.t("bide.title") == "Jobs"
    live = there.backend.members[0].live
    assert live.snapshot.trees == {"en": {"bide": {"title": "Jobs"}}}
    view = there._view()
    here.store("en", {"a": {"b": "2"}, "new": "1"})
    wait_until(
        lambda: live.snapshot.versions == here.backend.members[0].live.snapshot.versions, within=10
    )
    assert there._view() is view
    here.store("en", {"bide": {"title": "Work"}})
    assert seen(there, "bide.title", "Work") < WITHIN
    assert there.t("a.b", default="none") == "none"


def test_keys_with_empty_parts_are_read_as_if_they_had_none() -> None:
    rows = [("en", key, f"--- {key}\n", None) for key in ("a..b", "a.c.", ".d", "...", "a.b")]
    rows.append(("en", "a", "--- {x: y}\n", None))
    rows.append(("en", "a.e", "--- last\n", None))
    assert trees_of(rows) == {
        "en": {"a": {"b": "a..b", "c": "a.c.", "x": "y", "e": "last"}, "d": ".d"}
    }


@pytest.mark.parametrize("form", ['--- "{}"\n', "--- {}\n", "{}", "--- '{}'\n"])
def test_a_part_is_read_in_the_same_way_wherever_it_comes_first(form: str) -> None:
    """Numbers have one spelling, `\\x01` is a dot, and the first of two rows for one text counts."""
    keys = ("a.x", "a.+3", "a.3", "a.b\x01c", "a.-0", "a.01", "a.x", "a.x.y", "a..x", "a.w", "a.w")
    rows = [("en", key, form.format(f"text {number}"), 0) for number, key in enumerate(keys)]
    texts = {"x": {"y": "text 7"}, "3": "text 1", "b.c": "text 3", "0": "text 4", "01": "text 5"}
    texts["w"] = "text 9"
    assert trees_of(rows) == {"en": {"a": texts}}
    assert trees_of([("en", "a.x", "--- puts\n", 1), ("en", "a.x", '--- "kept"\n', b"\x00")]) == {
        "en": {"a": {"x": "kept"}}
    }


def test_a_history_with_gaps_means_reading_everything(door: Door, open_texts: Open) -> None:
    here, there = open_texts(), open_texts()
    here.store("en", {"a": "1", "b": "1"})
    there.t("a")
    there.backend.members[0].close()
    here.store("en", {"a": "2"})
    here.store("en", {"b": "2"})
    run(door, "DELETE FROM bide_text_history")
    assert seen(there, "a", "2") < WITHIN
    assert there.t("b") == "2"


def test_a_counter_that_was_only_made_is_no_reason_to_read_anything(
    door: Door, open_texts: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = open_texts(scope="new"), open_texts()
    there.store("en", {"a": "1"})
    assert there.t("a") == "1"
    live = databases(there.backend)[0].live
    watch.unwatch(live)
    rows = databases(here.backend)[0].live.rows
    door.run(rows.locked)
    monkeypatch.setattr(live.rows, "changed", lambda *_: pytest.fail("read"))
    assert live.refresh()
    assert live.snapshot is not None
    assert live.snapshot.versions == {"": 1, "new": 0}


def test_scopes_are_kept_apart(door: Door, open_texts: Open) -> None:
    """I18N-607, I18N-608."""
    one, two, all_ = open_texts(scope="one"), open_texts(scope="two"), open_texts()
    one.store("en", {"a": "first"})
    two.store("en", {"a": "second", "b": "only two"})
    assert (one.t("a"), two.t("a")) == ("first", "second")
    assert one.t("b", default="none") == "none"
    assert seen(all_, "b", "only two") < WITHIN
    assert all_.t("a") == "first"
    all_.store("en", {"a": "everywhere"})
    assert seen(two, "a", "Translation missing: en.a") < WITHIN


def test_a_forked_child_hears_of_edits_and_leaves_the_parent_alone(
    door: Door, open_texts: Open
) -> None:
    texts = open_texts()
    texts.store("en", {"a": "old"})
    assert texts.t("a") == "old"
    ready, told = os.pipe(), os.pipe()

    def child() -> tuple[str, float]:
        before = texts.t("a")
        os.write(ready[1], b"x")
        os.read(told[0], 1)
        return before, seen(texts, "a", "new")

    def edit() -> None:
        os.read(ready[0], 1)
        texts.store("en", {"a": "new"})
        os.write(told[1], b"x")

    started = start(child)
    edit()
    before, seconds = finish(*started)
    assert before == "old"
    assert seconds < WITHIN
    assert texts.t("a") == "new"


def test_the_first_word_after_a_fork_is_fresh_however_late_it_is_asked_for(
    open_texts: Open,
) -> None:
    """In the child, and in the parent, which has let its watcher end."""
    texts, elsewhere = open_texts(), open_texts()
    texts.store("en", {"a": "old"})
    assert texts.t("a") == "old"
    asked = os.pipe()

    def child() -> str:
        os.read(asked[0], 1)
        return str(texts.t("a"))

    started = start(child)
    elsewhere.store("en", {"a": "new"})
    stored = time.monotonic()
    wait_until(lambda: time.monotonic() > stored + 1.0, within=10)
    os.write(asked[1], b"x")
    assert finish(*started) == "new"
    assert texts.t("a") == "new"


def test_the_first_word_of_a_child_is_no_older_than_the_fork(open_texts: Open) -> None:
    texts, elsewhere = open_texts(), open_texts()
    texts.store("en", {"a": "0"})
    for number in range(1, 6):
        texts.t("a")
        elsewhere.store("en", {"a": str(number)})
        assert in_child(lambda: texts.t("a")) == str(number)


def test_no_thread_of_ours_is_alive_at_a_fork(door: Door, open_texts: Open) -> None:
    texts = open_texts()
    texts.t("a")
    assert "bide-texts" in {thread.name for thread in threading.enumerate()}
    assert in_child(threading.active_count) == 1
    assert "bide-texts" not in {thread.name for thread in threading.enumerate()}
    texts.t("b")
    assert "bide-texts" in {thread.name for thread in threading.enumerate()}


def test_nothing_is_opened_before_the_first_lookup(tmp_path: Path) -> None:
    file = tmp_path / "texts.db"
    files = Simple()
    files.store("en", {"a": "file"})
    texts = I18n(Chain(Database(Door(f"sqlite:///{file}")), files), default_locale="en")
    assert texts.available_locales == ["en"]
    texts.locale = "en"
    assert not file.exists()


def test_without_its_table_the_files_serve(door: Door, open_texts: Open) -> None:
    """I18N-592."""
    downgrade(door, TEXTS)
    run(door, "DROP TABLE translations")
    texts = open_texts()
    texts.backend.members[1].store("en", {"a": "file"})
    assert texts.t("a") == "file"
    assert texts.backend.members[0].available_locales() == ()
    migrate(door, TEXTS)
    texts.backend.members[0].store("en", {"a": "table"})
    assert seen(texts, "a", "table") < 2 * WITHIN


def test_ruby_code_is_never_run_and_broken_rows_break_nothing(door: Door, open_texts: Open) -> None:
    """D18."""
    told: list[str] = []
    unsubscribe = events.subscribe(lambda name, facts: told.append(name))
    insert(door, "code", "--- lambda { system('rm') }\n")
    flag = {"sqlite": "1", "postgresql": "true", "mysql": "1"}[door.kind]
    run(door, f"UPDATE translations SET is_proc = {flag}")
    insert(door, "broken", "--- [\n")
    insert(door, "object", "--- !ruby/object:Object {}\n")
    insert(door, "fine", "--- ok\n")
    texts = open_texts()
    assert texts.t("fine") == "ok"
    assert [texts.t(key, default="D") for key in ("code", "broken", "object")] == ["D"] * 3
    unsubscribe()
    assert told.count("text_unreadable") == 2


@pytest.mark.parametrize("order", [("foo", "foo.bar"), ("foo.bar", "foo")])
def test_a_text_among_those_below_it_is_passed_over_in_any_order(
    door: Door, open_texts: Open, order: tuple[str, str]
) -> None:
    """D6."""
    for key in order:
        insert(door, key, f"--- {key}\n")
    texts = open_texts()
    assert texts.t("foo") == {"bar": "foo.bar"}
    assert texts.t("foo.bar") == "foo.bar"
    run(door, "DELETE FROM translations WHERE key = 'foo.bar'")
    assert seen(texts, "foo", "foo") < WITHIN


def test_names_with_wildcards_and_capitals_are_only_themselves(
    door: Door, open_texts: Open
) -> None:
    """D1, D2, D16."""
    texts = open_texts()
    texts.store(
        "en", {"aXb": {"c": "x"}, "FOO": {"baz": "y"}, "café": {"x": "z"}, "a%": {"q": "r"}}
    )
    texts.store("en", {"a_b": "1", "foo": "2", "cafe": "3", "a": "4", "foo ": "5"})
    found = [texts.t(key) for key in ("aXb.c", "FOO.baz", "café.x", "a%.q", "a_b", "foo", "cafe")]
    assert found == ["x", "y", "z", "r", "1", "2", "3"]


def test_two_rows_for_one_text_cannot_be_stored(door: Door) -> None:
    """D17."""
    insert(door, "a", "1")
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        insert(door, "a", "2")
    insert(door, "a", "3", scope="other")


def test_a_store_is_whole_or_not_at_all(door: Door, open_texts: Open) -> None:
    """D5."""
    texts = open_texts()
    texts.store("en", {"a": "old"})
    with pytest.raises(ValueError, match="can not be kept"):
        texts.store("en", {"a": "new", "b": {"c": object()}})
    texts.reload()
    assert texts.t("a") == "old"


def test_the_table_may_have_another_name(database_url: str, open_texts: Open) -> None:
    """I18N-606."""
    door = Door(database_url)
    migrate(door, texts("words"))
    here, there = open_texts(table="words"), open_texts(table="words")
    here.store("en", {"a": "b"})
    assert there.t("a") == "b"
    here.store("en", {"a": "c"})
    assert seen(there, "a", "c") < WITHIN
    door.close()


def test_a_look_in_vain_compiles_no_question(
    door: Door, open_texts: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Idle processes look four times a second."""
    database = databases(open_texts().backend)[0]
    database.store("en", {"a": "b"})

    def refuse(query: object, dialect: object) -> None:
        raise AssertionError(f"compiled {query}")

    monkeypatch.setattr(drivers, "_compile", refuse)
    assert not database.live.refresh()


def test_a_watcher_that_begins_while_another_ends_is_known(
    open_texts: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = open_texts()
    assert words.t("a", default="none") == "none"
    live = databases(words.backend)[0].live
    owned = watch._watcher
    take_out = owned.reset

    def reset() -> object:
        former = take_out()
        watch.watch(live)  # as another thread would by a lookup
        return former

    monkeypatch.setattr(owned, "reset", reset)
    watch.end()
    assert watch.watching(live)


def test_behind_a_dead_database_the_last_texts_serve(own_postgresql: PostgreSQL) -> None:
    own_postgresql.create_database("texts")
    door = Door(own_postgresql.url("texts"))
    migrate(door, TEXTS)
    database = Database(door)
    texts = I18n(Chain(database, Simple()))
    texts.store("en", {"a": "old"})
    assert texts.t("a") == "old"
    told: list[str] = []
    unsubscribe = events.subscribe(lambda name, facts: told.append(name))
    own_postgresql.stop()
    wait_until(lambda: "texts_unreachable" in told, within=15)
    assert texts.t("a") == "old"
    texts.reload()
    assert texts.t("a") == "old"
    own_postgresql.start()
    wait_until(lambda: "texts_reachable" in told, within=15)
    other = Door(own_postgresql.url("texts"))
    other.run(lambda c: c.execute("UPDATE translations SET value = 'new'"))
    assert seen(texts, "a", "new") < 2 * WITHIN
    assert told.count("texts_unreachable") == 1
    assert told.count("db.not_listening") <= 1
    unsubscribe()
    database.close()
    door.close()
    other.close()


def test_values_are_written_so_that_ruby_reads_them() -> None:
    assert encoded("k", True) == '--- "\\x01"\n'
    assert encoded("k", "a\nb") == '--- "a\\nb"\n'
    assert encoded("k", ["a", 1, None]) == '--- ["a", 1, ~]\n'
    assert encoded("k", 1e16) == "--- 1.0e+16\n"
