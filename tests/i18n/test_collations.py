"""Tables of Rails' in MySQL and MariaDB, in whatever charset and collation they were made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import IntegrityError

from bide.db.engine import Database as Door
from bide.db.migrate import downgrade, migrate
from bide.errors import DatabaseError
from bide.i18n import Database, I18n
from bide.i18n.migrations import TEXTS
from in_child import finish, start
from waiting import wait_until

RAILS = """
    CREATE TABLE translations (
        id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, scope varchar(255), locale varchar(255),
        `key` varchar(255), value text, interpolations text, is_proc tinyint(1) DEFAULT 0,
        created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL
    ) ENGINE=InnoDB
"""
COLLATIONS = [
    *("utf8mb4_bin", "utf8mb4_unicode_ci", "utf8mb4_general_ci", "utf8mb4_nopad_bin"),
    *("utf8mb3_bin", "utf8mb3_general_ci", "latin1_bin", "latin1_swedish_ci"),
    *("utf16_bin", "utf16_general_ci", "utf16le_general_ci", "utf32_unicode_ci"),
]
#: Same to one collation or another.
ALIKE = {"a": "1", "A": "2", "a ": "3", "é": "4", "e": "5", "ss": "6", "ß": "7"}


def executed(door: Door, *statements: str) -> None:
    for statement in statements:
        door.run(lambda c, statement=statement: c.execute(statement))


def inserted(*keys: str, locale: str = "en") -> str:
    rows = ", ".join(f"('{locale}', '{key}', '--- old\n', now(), now())" for key in keys)
    return f"INSERT INTO translations (locale, `key`, value, created_at, updated_at) VALUES {rows}"


def history(door: Door) -> list[tuple[object, ...]]:
    return door.read(
        lambda c: c.execute("SELECT action, locale, `key`, author FROM bide_text_history ORDER BY id")
    )  # fmt: skip


@pytest.fixture
def door(mysql_url: str) -> Iterator[Door]:
    """An empty database."""
    door = Door(mysql_url)
    yield door
    door.close()


@pytest.fixture(params=COLLATIONS)
def table(request: pytest.FixtureRequest, door: Door) -> str:
    """A table made by Rails in a database of that collation, with texts; not migrated."""
    executed(
        door, f"ALTER DATABASE COLLATE {request.param}", RAILS, inserted("old", "Old", "old ")
    )  # fmt: skip
    return str(request.param)


def test_a_table_of_rails_is_migrated_and_live_whatever_its_collation(
    table: str, door: Door
) -> None:
    migrate(door, TEXTS)
    database = Database(door)
    texts = I18n(database)
    assert [texts.t(key) for key in ("old", "Old", "old ")] == ["old"] * 3
    url = door.url

    def another() -> bool:
        there = I18n(Database(Door(url)))
        return wait_until(lambda: there.t("shown") == "old" and there.t("old") == "new", within=15)

    child = start(another)
    executed(door, inserted("shown"))
    texts.store("en", {"old": "new", **ALIKE}, author="Ann")
    assert finish(*child)
    texts.reload()
    assert {key: texts.t(key) for key in ALIKE} == ALIKE
    assert [texts.t(key) for key in ("old", "Old")] == ["new", "old"]
    signed = {(action, key) for action, _, key, author in history(door) if author == "Ann"}
    assert signed == {("update", "old"), *(("insert", key) for key in ALIKE)}
    database.close()


def test_characters_that_the_charset_lacks_are_refused_with_the_remedy_and_stored_after_it(
    table: str, door: Door
) -> None:
    migrate(door, TEXTS)
    database = Database(door)
    texts = I18n(database)
    words = {"🙂": "face", "face": "🙂", "word": "ж"}
    if table.startswith(("latin1", "utf8mb3")):
        refused = {"🙂": "face"} | ({"word": "ж"} if table.startswith("latin1") else {})
        for key, text in refused.items():
            with pytest.raises(DatabaseError, match=r"ALTER TABLE .* CHARACTER SET utf8mb4"):
                texts.store("en", {key: text})
        executed(door, "ALTER TABLE translations CONVERT TO CHARACTER SET utf8mb4")
    texts.store("en", words)
    texts.store("en", {"🙂": "again"}, author="Ann")
    texts.reload()
    assert {key: texts.t(key) for key in words} == {**words, "🙂": "again"}
    assert history(door)[-1] == ("update", "en", "🙂", "Ann")
    database.close()


def test_other_sessions_write_as_they_like_and_are_counted(table: str, door: Door) -> None:
    """Each text is there once, whatever the charset of the session that writes it."""
    migrate(door, TEXTS)
    sessions = [
        *("SET NAMES latin1", "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci"),
        *("SET collation_connection = utf16_bin", "SET sql_mode = 'PAD_CHAR_TO_FULL_LENGTH'"),
    ]
    for number, names in enumerate(sessions):
        with door.engine.connect() as session:
            session.exec_driver_sql(names)
            session.exec_driver_sql(inserted(f"by{number}"))
            with pytest.raises(IntegrityError, match="Duplicate entry"):
                session.exec_driver_sql(inserted("old"))
            session.exec_driver_sql(
                f"UPDATE translations SET locale = 'EN' WHERE `key` = 'by{number}'"
            )
            session.commit()
            session.invalidate()
        assert history(door)[-3:] == [
            ("insert", "en", f"by{number}", None),
            ("update", "EN", f"by{number}", None),
            ("delete", "en", f"by{number}", None),
        ]


def test_texts_that_are_there_twice_are_told_apart_byte_by_byte(table: str, door: Door) -> None:
    executed(door, inserted("twice", "twice", "Twice"))
    with pytest.raises(DatabaseError, match=r"more than once: en\.twice 2 times; delete") as told:
        migrate(door, TEXTS)
    assert "en.old" not in str(told.value).casefold()
    executed(door, "DELETE FROM translations WHERE `key` = 'twice' LIMIT 1")
    migrate(door, TEXTS)
    downgrade(door, TEXTS)
    assert door.read(lambda c: c.execute("SHOW COLUMNS FROM translations LIKE 'bide%'")) == []


def test_columns_of_bytes_are_refused_with_the_remedy(door: Door) -> None:
    executed(door, RAILS.replace("text", "blob").replace("varchar", "varbinary"), inserted("old"))
    with pytest.raises(DatabaseError, match="holds bytes where texts are needed") as told:
        migrate(door, TEXTS)
    remedy = str(told.value).partition("say ")[2].partition(", then run")[0]
    executed(door, remedy)
    migrate(door, TEXTS)
    database = Database(door)
    assert I18n(database).t("old") == "old"
    database.close()


def test_two_prefixes_count_the_texts_of_one_table(mysql_url: str) -> None:
    doors = [Door(mysql_url, table_prefix=prefix) for prefix in ("bide_", "shop_")]
    for door in doors:
        migrate(door, TEXTS)
    executed(doors[0], inserted("both"))
    for door in doors:
        asked = f"SELECT count(*) FROM {door.table_prefix}text_history"
        assert door.read(lambda c, asked=asked: c.execute(asked)) == [(1,)]
        door.close()


def test_a_row_format_without_room_for_the_index_is_changed_and_the_migration_goes_on(
    door: Door,
) -> None:
    executed(door, f"{RAILS} CHARACTER SET utf8mb4 ROW_FORMAT=COMPACT", inserted("old"))
    with pytest.raises(DatabaseError, match="Index column size too large"):
        migrate(door, TEXTS)
    executed(door, "ALTER TABLE translations ROW_FORMAT=DYNAMIC")
    assert migrate(door, TEXTS)
