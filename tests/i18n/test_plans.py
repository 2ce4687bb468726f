"""One text is found by an index on every database, however many texts there are, and byte by byte."""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable
from string import ascii_letters

import pytest
from sqlalchemy import inspect
from sqlalchemy.exc import SAWarning

from bide.db.engine import Database as Door
from bide.db.migrate import downgrade, migrate
from bide.i18n import Database
from bide.i18n.editing.editor import Editor
from bide.i18n.editing.saving import Edit
from bide.i18n.migrations import TEXTS, texts
from bide.i18n.translator import I18n
from plans import Sent, cost, plans, recorded

LOCALES = ("en", "de", "ja")
#: Rows of 5,000 keys in three languages; 250 of each begin alike.
FILL = {
    "sqlite": """
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
        INSERT INTO translations (locale, key, value, created_at, updated_at)
        SELECT :locale, 'area_' || (n % 20) || '.text_' || n, 'text ' || n, 0, 0 FROM numbers
    """,
    "postgresql": """
        INSERT INTO translations (locale, key, value, created_at, updated_at)
        SELECT CAST(:locale AS text), 'area_' || (n % 20) || '.text_' || n, 'text ' || n, now(), now()
        FROM generate_series(1, 5000) AS n
    """,
    "mysql": """
        INSERT INTO translations (locale, `key`, value, created_at, updated_at)
        SELECT :locale, concat('area_', seq % 20, '.text_', seq), concat('text ', seq), now(), now()
        FROM seq_1_to_5000
    """,
}
#: How a plan says that it reads every text, or every change of one.
SCANS = {
    "sqlite": r"SCAN (translations|bide_text_history)\b",
    "postgresql": r"Seq Scan on (translations|bide_text_history)\b",
    "mysql": r'"table_name": "(translations|bide_text_history)",\s*"access_type": "(ALL|index)"',
}
#: Steps, pages and rows for one text, far below what 15,000 rows would take.
ONE = {"sqlite": 1500, "postgresql": 40, "mysql": 40}
#: The same for 250 texts and more.
MANY = {"sqlite": 60_000, "postgresql": 2000, "mysql": 4000}

KEY = "area_7.text_1007"


@pytest.fixture
def crowd(door: Door) -> Door:
    """A table of 15,000 texts."""
    for locale in LOCALES:
        door.run(lambda c, locale=locale: c.execute(FILL[door.kind], {"locale": locale}))
    for table in ("translations", "bide_text_history") if door.kind != "sqlite" else ():
        word = "ANALYZE TABLE" if door.kind == "mysql" else "ANALYZE"
        door.read(lambda c, table=table, word=word: c.execute(f"{word} {table}"))
    return door


def sent_by(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> list[Sent]:
    """The questions about texts that `work` asks."""
    with recorded(monkeypatch, "translations") as texts, recorded(monkeypatch, "_history") as past:
        work()
    return [one for one in (*texts, *past) if one[0].startswith("SELECT")]


def found_by_index(door: Door, sent: list[Sent], most: dict[str, int]) -> None:
    assert sent
    told = plans(door, sent)
    assert not re.search(SCANS[door.kind], told), told
    assert cost(door, sent) < most[door.kind], (cost(door, sent), told)


@pytest.mark.timeout(120)
def test_one_text_among_many_is_found_by_the_index(
    crowd: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = Database(crowd)
    editor = Editor(I18n(texts))
    rows = texts.live.rows

    def standing(*keys: str) -> list[Sent]:
        return sent_by(monkeypatch, lambda: crowd.read(lambda c: rows.standing(c, "de", keys)))

    asked = sent_by(monkeypatch, lambda: editor.text("de", KEY))
    assert "translations_key" in plans(crowd, asked[:1])
    found_by_index(crowd, asked[:1], ONE)
    found_by_index(crowd, standing("area_7.größe"), ONE)
    found_by_index(crowd, standing(*(f"area_{n % 20}.text_{n}" for n in range(1, 201))), MANY)
    texts.close()


@pytest.mark.timeout(120)
def test_whoever_hears_of_a_change_reads_what_begins_like_it_and_nothing_else(
    crowd: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = Database(crowd), Database(Door(crowd.url))
    words = Database(Door(crowd.url), head="bide")
    there.live.current()
    Editor(I18n(here)).save(Edit("de", KEY, "new", "Ann"))
    sent = sent_by(monkeypatch, there.live.refresh)
    assert len(sent) == 2
    found_by_index(crowd, sent, MANY)
    assert there.live.current().trees["de"]["area_7"]["text_1007"] == "new"
    found_by_index(crowd, sent_by(monkeypatch, words.live.current), ONE)
    for each in (here, there, words):
        each.close()
        each.live.rows.database.close()


@pytest.mark.timeout(120)
def test_the_newest_changes_are_found_without_sorting_the_older_ones(
    crowd: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = Editor(I18n(Database(crowd))).history
    for locale in (None, LOCALES[-1]):
        sent = sent_by(monkeypatch, lambda locale=locale: history.latest(locale=locale))
        assert cost(crowd, sent) < {"sqlite": 3000, "postgresql": 100, "mysql": 100}[crowd.kind]


def indexes(door: Door, table: str = "translations") -> set[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # of the unique index on an expression
        return {str(each["name"]) for each in inspect(door.engine).get_indexes(table)}


def insert(door: Door, key: str) -> None:
    """As another program does."""
    quoted = "`key`" if door.kind == "mysql" else "key"
    door.run(
        lambda c: c.execute(
            f"INSERT INTO translations (locale, {quoted}, value, created_at, updated_at) "
            "VALUES ('en', :key, 'found', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)",
            {"key": key},
        )
    )


def test_the_index_comes_and_goes_with_its_step_and_takes_the_longest_keys(door: Door) -> None:
    """What the unique index of the first step has room for, this one has: 2,704 bytes on PostgreSQL,
    which packs them first, 255 characters on MySQL."""
    some = random.Random(7)
    sizes = {"postgresql": 2600, "mysql": 255}
    keys = ["".join(some.choices(ascii_letters, k=sizes.get(door.kind, 10_000)))]
    if door.kind == "mysql":
        keys.append("😀" * 255)
    else:
        keys.append("deep.er." * 1250)
    downgrade(door, TEXTS, "0002")
    assert "bide_translations_key" not in indexes(door)
    for key in keys:
        insert(door, key)
    assert migrate(door, TEXTS)
    assert "bide_translations_key" in indexes(door)
    for key in keys:
        insert(door, f"{key[1:]}x")
    rows = Database(door).live.rows
    for key in keys:
        [row] = door.read(lambda c, key=key: rows.standing(c, "en", [key]))
        assert (row.key, row.value) == (key, "found")


def test_a_table_of_another_name_has_an_index_of_its_own(door: Door) -> None:
    migrate(door, texts("words"))
    assert "bide_words_key" in indexes(door, "words")
    downgrade(door, texts("words"), "0002")
    assert "bide_words_key" not in indexes(door, "words")
    assert "bide_translations_key" in indexes(door)


NARROW = """
    CREATE TABLE words (id bigint PRIMARY KEY AUTO_INCREMENT, scope varchar(255), locale varchar(255),
        `key` varchar(255), value text, interpolations text, is_proc boolean DEFAULT false,
        created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL)
    DEFAULT CHARSET = {characters}
"""
ODD = ("a_b", "a%b", "a/b", "a\\b", "größe", "Straße", "x ")


@pytest.mark.parametrize("collation", ["unicode_ci", "general_ci", "czech_ci", "uca1400_ai_ci"])
def test_keys_are_found_below_others_whatever_character_they_begin_with(
    collation: str, mysql_url: str
) -> None:
    """The index is read up to U+FFFF for LIKE, which comes before an emoji in older collations."""
    door = Door(mysql_url)
    door.run(lambda c: c.execute(NARROW.format(characters=f"utf8mb4 COLLATE utf8mb4_{collation}")))
    migrate(door, texts("words"))
    fill = FILL["mysql"].replace("translations", "words")
    door.run(lambda c: c.execute(fill, {"locale": "de"}))
    rows = Database(door, table="words").live.rows
    there = {f"area.{each}" for each in ("😀", "😀😀.x", "\tz", "x", "語", "𠀀y")}
    door.run(lambda c: rows.put(c, "de", dict.fromkeys(there, "x")))
    door.read(lambda c: c.execute("ANALYZE TABLE words"))
    assert {row.key for row in door.read(lambda c: rows.standing(c, "de", ["area"]))} == there
    assert {row[1] for row in door.read(lambda c: [*rows.below(c, [("de", "area")])])} == there
    door.close()


@pytest.mark.parametrize("characters", ["latin1", "utf8mb3", "utf8mb4"])
def test_a_table_of_rails_that_compares_loosely_or_holds_few_characters_is_searched_exactly(
    characters: str, mysql_url: str
) -> None:
    door = Door(mysql_url)
    door.run(lambda c: c.execute(NARROW.format(characters=characters)))
    migrate(door, texts("words"))
    rows = Database(door, table="words").live.rows
    door.run(lambda c: rows.put(c, "de", {key: key for key in ODD} | {"Ab.c": "c", "a-b.c": "c"}))

    def found(locale: str, *keys: str) -> list[str]:
        return [row.key for row in door.read(lambda c: rows.standing(c, locale, keys))]

    assert found("de", *ODD) == list(ODD)
    assert [each for key in ODD for each in found("de", key)] == list(ODD)
    assert found("de", "a_b", "a%b") == ["a_b", "a%b"]
    for other in ("A_B", "grösse", "GRÖSSE", "x", "ab", "ключ", "ключ.größe", "😀", "ß😀"):
        assert found("de", other) == [], other
    assert found("DE", "a_b") == []
    assert found("de", "Ab") == ["Ab.c"]
    door.close()
