"""The table of i18n-active_record, row for row: what its own calls leave there, and what is found again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bide.db.engine import Database as Door
from bide.db.migrate import migrate
from bide.i18n import Database, I18n, Key
from bide.i18n.migrations import TEXTS
from bide.i18n.row_values import decoded

SCENARIOS = json.loads((Path(__file__).parent / "data" / "active_record_rows.json").read_text())[
    "scenarios"
]

# The data that each scenario stores, in order; the calls in the file are Ruby.
STORED: dict[str, list[dict[Any, Any]]] = {
    "string": [{"foo": "bar"}],
    "nested": [{"a": {"b": {"c": "x", "d": "y"}}}],
    "empty hash": [{"e": {}}],
    "key with a dot": [{"a.b": "x"}],
    "overwrite a value": [{"foo": "a"}, {"foo": "b"}],
    "siblings kept": [{"a": {"b": 1}}, {"a": {"c": 2}}],
    "key prefix is not a parent": [{"foo": "x", "foobar": "y"}, {"foo": {"a": 1}}],
    "plural forms": [{"msg": {"zero": "none", "one": "one", "other": "%{count}"}}],
    "string keys and integer keys": [{"s": "1", 5: "five"}],
    "reload! keeps rows": [{"a": "x"}],
}


def named(name: str) -> dict[str, Any]:
    return next(each for each in SCENARIOS if each["scenario"] == name)


@pytest.fixture
def texts(door: Door) -> Iterator[I18n]:
    database = Database(door)
    yield I18n(database)
    database.close()


def rows(door: Door) -> list[tuple[Any, ...]]:
    quoted = "`key`" if door.kind == "mysql" else "key"
    found = door.read(
        lambda c: c.execute(f"SELECT scope, locale, {quoted}, value FROM translations ORDER BY id")
    )
    return [(scope, locale, key, decoded(value)) for scope, locale, key, value in found]


def expected(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["scope"], row["locale"], row["key"], decoded(row["value"])) for row in rows]


def test_what_is_stored_stands_in_the_rows_that_the_gem_makes(door: Door, texts: I18n) -> None:
    """I18N-589..591, I18N-593, I18N-597, I18N-598."""
    for name, calls in STORED.items():
        door.run(lambda c: c.execute("DELETE FROM translations"))
        texts.reload()
        for data in calls:
            texts.store("en", data)
        scenario = named(name)
        assert sorted(rows(door), key=str) == sorted(expected(scenario["rows"]), key=str), name
        for key, value in scenario["lookups"].items():
            if key not in ("separator |", "msg") and not str(value).startswith("I18n::"):
                assert texts.t(key) == value, (name, key)


def test_the_rows_that_the_gem_wrote_are_read_as_it_reads_them(door: Door, texts: I18n) -> None:
    for name in STORED:
        door.run(lambda c: c.execute("DELETE FROM translations"))
        scenario = named(name)
        for row in scenario["rows"]:
            insert(door, row["locale"], row["key"], row["value"])
        texts.reload()
        for key, value in scenario["lookups"].items():
            if key not in ("separator |", "msg") and not str(value).startswith("I18n::"):
                assert texts.t(key) == value, (name, key)


def insert(door: Door, locale: str, key: str, value: str | None) -> None:
    quoted = "`key`" if door.kind == "mysql" else "key"
    door.run(
        lambda c: c.execute(
            f"INSERT INTO translations (locale, {quoted}, value, created_at, updated_at) "
            "VALUES (:locale, :key, :value, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)",
            {"locale": locale, "key": key, "value": value},
        )
    )


def test_a_text_and_what_is_below_it_replace_each_other(door: Door, texts: I18n) -> None:
    """I18N-589, I18N-590; the old stays in the history."""
    texts.store("en", {"foo": "foo"})
    texts.store("en", {"foo": {"bar": "bar", "baz": "baz"}})
    assert texts.t("foo") == {"bar": "bar", "baz": "baz"}
    assert [row[2] for row in rows(door)] == ["foo.bar", "foo.baz"]
    texts.store("en", {"foo": "again"}, author="Ann")
    assert [row[2:] for row in rows(door)] == [("foo", "again")]
    history = door.read(
        lambda c: c.execute("SELECT action, old_value, author FROM bide_text_history ORDER BY id")
    )
    assert ("delete", '--- "bar"\n', "Ann") in history


def test_an_apostrophe_is_a_letter_of_a_key(texts: I18n) -> None:
    """I18N-591."""
    texts.store("en", {"that's": {"it": "x"}})
    assert texts.t("that's.it") == "x"


def test_locales_are_told_once(texts: I18n) -> None:
    """I18N-594."""
    for data in ({"a": 1}, {"b": 2}):
        texts.store("en", data)
        texts.store("de", data)
    assert texts.available_locales == ["en", "de"]


def test_a_dot_alone_is_the_whole_locale(texts: I18n) -> None:
    """I18N-599..601."""
    assert texts.t(".") == "Translation missing: en.no key"
    texts.store("en", {"foo": {"bar": "b"}})
    assert texts.t(".") == {"foo": {"bar": "b"}}
    assert [texts.t(key) for key in (".foo.bar", "foo.bar.", ".foo.bar.")] == ["b"] * 3


def test_texts_are_read_when_needed_and_once(door: Door, texts: I18n) -> None:
    """I18N-602..605."""
    database = texts.backend
    assert not database.initialized()
    assert database.translations(do_init=False) == {}
    insert(door, "en", "foo.bar", "--- b\n")
    assert database.translations() == {"en": {"foo": {"bar": "b"}}}
    assert database.initialized()
    database.reload()
    assert not database.initialized()
    door.run(lambda c: c.execute("DELETE FROM translations"))
    texts.t("a", default="D")
    snapshot = database.live.snapshot
    for key in "abc":
        assert texts.t(key, default="D") == "D"
    assert database.live.snapshot is snapshot


def test_a_stub_changes_nothing_until_it_is_filled_in(door: Door, texts: I18n) -> None:
    """D8."""
    insert(door, "en", "foo", None)
    assert texts.t("foo", default="D") == "D"
    assert not texts.exists("foo")


def test_links_and_odd_values_come_back(door: Door, texts: I18n) -> None:
    """D4."""
    odd = ["1,000", "+.5", ":x!", "no", "~", " a ", "a: b", "", "\x01x", "é☕😀", "---", "a\nb\n"]
    texts.store(
        "en", {"target": "T", "link": Key("target"), "n": {str(i): s for i, s in enumerate(odd)}}
    )
    texts.store("en", {"list": ["a", 1, 2.5], "yes": True, "no": False, "big": 10**20})
    texts.reload()
    assert texts.t("link") == "T"
    assert [texts.t(f"n.{i}") for i in range(len(odd))] == odd
    assert (texts.t("list"), texts.t("yes"), texts.t("no")) == (["a", 1, 2.5], True, False)
    assert texts.t("big") == 10**20


RUBY = """
require "active_record"; require "sqlite3"; require "yaml"; require "json"
ActiveRecord::Base.establish_connection(adapter: "sqlite3", database: ARGV[0])
class Translation < ActiveRecord::Base; end
given = JSON.parse(STDIN.read)
given.each { |key, value| Translation.create!(locale: "en", key: "ruby." + key, value: YAML.dump(value)) }
read = Translation.where("key LIKE 'python.%'").map { |row|
  [row.key.delete_prefix("python."), YAML.load(row.value, permitted_classes: [Symbol])] }
puts JSON.generate(read.to_h)
"""


def test_rails_and_we_share_one_table_in_both_directions(
    sqlite_url: str, run_ruby: Callable[[str, str, str], str]
) -> None:
    values = {"plain": "Hello", "number": "1,000", "colon": ":x!", "lines": "a\nb", "word": "yes",
              "cup": "☕😀", "quoted": "\"'", "spaces": "  a  ", "empty": "", "percent": "%{x}"}  # fmt: skip
    door = Door(sqlite_url)
    migrate(door, TEXTS)
    database = Database(door)
    texts = I18n(database)
    texts.store("en", {"python": values})
    answer = run_ruby(RUBY, str(door.file), json.dumps(values))
    assert json.loads(answer) == values
    texts.reload()
    assert texts.t("ruby") == values
    database.close()
    door.close()


@pytest.fixture
def run_ruby() -> Callable[[str, str, str], str]:
    def run(script: str, argument: str, given: str) -> str:
        done = subprocess.run(
            ["ruby", "-e", script, argument], input=given, capture_output=True, text=True,
            env={**os.environ, "LANG": "C.UTF-8"}, timeout=50, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    asks = ["ruby", "-e", "require 'active_record'; require 'sqlite3'"]
    known = shutil.which("ruby") and subprocess.run(asks, capture_output=True, check=False)
    if not known or known.returncode:
        message = "apt-get install ruby ruby-activerecord ruby-sqlite3"
        if "ruby" in os.environ.get("BIDE_REQUIRE", "").split(","):
            pytest.fail(f"BIDE_REQUIRE lists ruby, but it is absent: {message}")
        pytest.skip(f"Ruby's ActiveRecord is absent: {message}")
    return run
