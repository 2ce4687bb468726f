"""A process says which words it serves: after it serves them, seldom, and never in anybody's way."""

from __future__ import annotations

import pytest

from bide.db.connection import Connection
from bide.db.engine import Database as Door
from bide.db.migrate import migrate
from bide.errors import DatabaseBusy
from bide.i18n import Database
from bide.i18n.migrations import TEXTS
from bide.i18n.presence import BEAT, SOON, Presence
from bide.i18n.side_tables.readers import Reader, ReaderRows
from bide.i18n.watch import Ear
from plans import recorded

#: No pause lasts longer than it is meant to by more than this share.
LATEST = 1.25


class Now:
    """The monotonic clock of presence and watcher, which stands until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1000.0
        for module in ("presence", "watch"):
            monkeypatch.setattr(f"bide.i18n.{module}.monotonic", lambda: self.seconds)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    return Now(monkeypatch)


@pytest.fixture
def texts(door: Door) -> Database:
    """Nobody watches them: the test looks itself."""
    texts = Database(door)
    texts.store("en", {"a": "old"})
    return texts


def readers(texts: Database) -> list[Reader]:
    rows = texts.live.rows
    return rows.database.read(lambda c: ReaderRows(rows).alive(c, ["translations"]))


def spoken(texts: Database) -> list[int]:
    return [reader.versions[""] for reader in readers(texts)]


def test_many_edits_are_told_of_once(
    texts: Database, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    presence, rows = Presence("translations"), texts.live.rows
    with recorded(monkeypatch, "bide_text_readers") as sent:
        due = presence.tell(rows, {"": 1})
        for version in range(2, 50):
            assert presence.tell(rows, {"": version}) == due
        assert sent == []
        now.seconds = due
        assert presence.tell(rows, {"": 50}) == due + BEAT
        told = len(sent)
        assert spoken(texts) == [50]
        soon = presence.tell(rows, {"": 51})
        assert now.seconds < soon <= now.seconds + SOON * LATEST
        assert presence.tell(rows, {"": 52}) == soon
        assert len(sent) == told + 1  # that of the test itself
    now.seconds = soon
    presence.tell(rows, {"": 52})
    assert spoken(texts) == [52]


def test_new_words_are_served_before_it_is_told_and_told_without_another_edit(
    texts: Database, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = Ear(texts.live)
    ear.look()
    ear.tell()
    now.seconds = ear.next + SOON * LATEST
    ear.look()
    ear.tell()
    [before] = spoken(texts)
    Database(texts.live.rows.database).store("en", {"a": "new"})
    now.seconds += SOON * LATEST
    with recorded(monkeypatch, "bide_text_") as sent:
        ear.look()
        assert texts.live.snapshot is not None
        assert texts.live.snapshot.trees["en"] == {"a": "new"}
        ear.tell()
        assert not any("bide_text_readers" in text for text, _ in sent)
    assert spoken(texts) == [before]
    now.seconds += SOON * LATEST
    assert ear.next <= now.seconds
    with recorded(monkeypatch, "bide_text_") as sent:
        ear.look()
        ear.tell()
    assert "bide_text_versions" in sent[0][0]
    assert "bide_text_readers" in sent[-1][0]
    assert spoken(texts) == [before + 1]
    ear.wire.hang_up()


def test_who_would_have_to_wait_for_another_writer_tells_later(sqlite_url: str, now: Now) -> None:
    door, other = Door(sqlite_url), Door(sqlite_url)
    migrate(door, TEXTS)
    texts = Database(door)
    presence, rows = Presence("translations"), texts.live.rows
    now.seconds = presence.tell(rows, {"": 7})

    def meanwhile(connection: Connection) -> float:
        with pytest.raises(DatabaseBusy):
            door.run(lambda c: None, within=0.0)
        return presence.tell(rows, {"": 7})

    later = other.run(meanwhile)
    assert now.seconds < later <= now.seconds + SOON * LATEST
    assert spoken(texts) == []
    now.seconds = later
    presence.tell(rows, {"": 7})
    assert spoken(texts) == [7]
    door.close()
    other.close()


def test_those_long_silent_are_forgotten_when_another_comes(
    texts: Database, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = texts.live.rows
    gone = Presence("translations")
    now.seconds = gone.tell(rows, {"": 1})
    gone.tell(rows, {"": 1})
    door = rows.database
    door.run(lambda c: c.execute("UPDATE bide_text_readers SET seen_at = :old", {"old": _LONG_AGO}))
    come = Presence("translations")
    now.seconds = come.tell(rows, {"": 2})
    come.tell(rows, {"": 2})
    [(left,)] = door.read(lambda c: c.execute("SELECT count(*) FROM bide_text_readers"))
    assert left == 1
    with recorded(monkeypatch, "DELETE") as sent:
        another = Presence("translations")
        now.seconds = another.tell(rows, {"": 2})
        another.tell(rows, {"": 2})
    assert sent == []


_LONG_AGO = "2020-01-01 00:00:00.000000"
