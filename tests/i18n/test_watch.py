"""What was closed stays closed: the watcher of texts opens no connection behind somebody's back."""

from __future__ import annotations

import threading
from typing import Any

import bide
from bide.db.engine import Database as Door
from bide.db.migrate import migrate
from bide.i18n import Chain, Database, I18n, Simple
from bide.i18n.migrations import TEXTS
from bide.i18n.side_tables.readers import ReaderRows
from waiting import wait_until


def test_nobody_asks_the_database_of_texts_that_were_closed(database_url: str) -> None:
    one, another = Door(database_url), Door(database_url)
    migrate(one, TEXTS)
    closed, kept = Database(one), Database(another)
    texts = I18n(Chain(kept, Simple()))
    kept.store("en", {"a": "old"})
    assert I18n(closed).t("a") == texts.t("a") == "old"

    def readers() -> int:
        rows = kept.live.rows
        return len(another.read(lambda c: ReaderRows(rows).alive(c, ["translations"])))

    wait_until(lambda: readers() == 2)
    closed.close()
    one.close()
    assert readers() == 1
    assert texts.t("a") == "old"
    writer = Database(Door(database_url))
    writer.store("en", {"a": "new"})
    wait_until(lambda: texts.t("a") == "new")
    pool: Any = one._pool
    assert pool._engine.reset() is None
    kept.close()
    another.close()
    writer.live.rows.database.close()


def test_an_application_that_was_closed_holds_no_connection_until_it_is_used(
    database_url: str,
) -> None:
    app = bide.App(database_url)
    texts = I18n(Chain(Database(app), Simple()))
    app.use(texts)
    app.migrate()
    texts.store("en", {"a": "old"})
    assert texts.t("a") == "old"
    app.close()
    assert "bide-texts" not in {thread.name for thread in threading.enumerate()}
    database: Any = app.database
    assert database._pool._engine.reset() is None
    assert texts.t("a") == "old"
    writer = Database(Door(database_url))
    writer.store("en", {"a": "new"})
    wait_until(lambda: texts.t("a") == "new")
    app.close()
    writer.live.rows.database.close()
