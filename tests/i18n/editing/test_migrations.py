"""The tables of editing come and go with what is in them."""

from __future__ import annotations

from bide.db.engine import Database as Door
from bide.db.migrate import downgrade, migrate
from bide.i18n.editing.editor import Editor
from bide.i18n.editing.saving import Edit
from bide.i18n.migrations import TEXTS, texts


def test_the_step_is_made_and_undone_with_data(editor: Editor, door: Door) -> None:
    editor.save(Edit("de", "title", "Geschäft", "Ann"))
    editor.reviews.note("de", "title", "a note", "Ann")
    editor.reviews.suggest("de", "title", "Bude", "Ben")
    downgrade(door, TEXTS, "0001")
    assert editor.sources.i18n.t("title", locale="de") == "Geschäft"
    editor.sources.database.live.tell()
    editor.sources.database.store("de", {"title": "Bude"})
    migrate(door, TEXTS)
    text = editor.text("de", "title")
    assert (text.value, text.note.note, text.proposals) == ("Bude", "a note", [])
    assert len(editor.history.of("de", "title")) == 2


def test_two_tables_of_texts_share_the_side_tables(door: Door) -> None:
    migrate(door, texts("words"))
    downgrade(door, texts("words"), "0001")
    migrate(door, texts("words"))
    downgrade(door, TEXTS)
    migrate(door, TEXTS)
