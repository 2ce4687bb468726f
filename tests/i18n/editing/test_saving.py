"""Saving a text: nothing is overwritten unseen, nothing wrong goes live, everything is signed."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from bide.db.engine import Database as Door
from bide.errors import (
    EditConflict,
    InvalidTextArgument,
    TextReadOnly,
    TextRefused,
    TextReplaces,
)
from bide.i18n import Key
from bide.i18n.editing.editor import Editor
from bide.i18n.editing.saving import Edit, Saved


def save(editor: Editor, key: str, value: Any, locale: str = "de", **options: Any) -> Saved:
    return editor.save(Edit(locale, key, value, options.pop("author", "Ann"), **options))


def rows(editor: Editor, locale: str = "de") -> dict[str, Any]:
    live = editor.sources.database.live
    found = live.rows.database.read(lambda c: list(live.rows.all(c)))
    return {key: value for at, key, value, _ in found if at == locale}


def test_a_saved_text_is_live_signed_and_counted(editor: Editor) -> None:
    before = editor.text("de", "cart.empty")
    assert (before.value, before.source, before.kind) == (None, "Empty", "text")
    saved = save(editor, "cart.empty", "Leer", expected=before.revision)
    after = editor.text("de", "cart.empty")
    assert (after.value, after.in_table, after.in_files) == ("Leer", "Leer", None)
    assert after.revision == saved.revision != before.revision
    assert editor.sources.i18n.t("cart.empty", locale="de") == "Leer"
    [step] = editor.history.of("de", "cart.empty")
    assert (step.author, step.before, step.after) == ("Ann", None, "Leer")
    assert editor.sources.database.live.snapshot.versions[""] == saved.version


def test_a_text_that_was_changed_meanwhile_is_not_overwritten(editor: Editor) -> None:
    read = editor.text("de", "title").revision
    save(editor, "title", "Geschäft", author="Ben", expected=read)
    with pytest.raises(EditConflict, match="Ben") as conflict:
        save(editor, "title", "Lädchen", expected=read)
    assert (conflict.value.theirs, conflict.value.yours) == ("Geschäft", "Lädchen")
    assert conflict.value.author == "Ben"
    assert editor.text("de", "title").value == "Geschäft"
    now = editor.text("de", "title").revision
    save(editor, "title", "Lädchen", expected=now)
    assert editor.text("de", "title").value == "Lädchen"


def test_of_two_who_save_at_once_one_is_told(editor: Editor, open_editor: Any) -> None:
    editors, read = [editor, open_editor()], editor.text("de", "title").revision
    told: list[str] = []
    start = threading.Barrier(2)

    def edit(number: int) -> None:
        start.wait()
        try:
            save(editors[number], "title", f"Laden {number}", expected=read)
            told.append("saved")
        except EditConflict:
            told.append("conflict")

    threads = [threading.Thread(target=edit, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["conflict", "saved"]


def test_an_edit_of_a_sql_console_is_a_conflict_too(editor: Editor, door: Door) -> None:
    save(editor, "title", "Laden")
    read = editor.text("de", "title").revision
    door.run(lambda c: c.execute("UPDATE translations SET value = 'Bude'"))
    with pytest.raises(EditConflict, match="somebody") as conflict:
        save(editor, "title", "Lädchen", expected=read)
    assert conflict.value.theirs == "Bude"


def test_plural_forms_are_rows_of_their_own(editor: Editor) -> None:
    text = editor.text("de", "cart.items")
    assert text.kind == "forms"
    assert [form.name for form in text.forms] == ["one", "other", "0", "1"]
    save(editor, "cart.items", {"one": "ein Ding", "other": "%{count} Dinge", "0": None})
    assert sorted(rows(editor)) == ["cart.items.one", "cart.items.other"]
    assert editor.sources.i18n.t("cart.items", locale="de", count=3) == "3 Dinge"
    save(editor, "cart.items", {"0": "nichts"})
    assert sorted(rows(editor)) == ["cart.items.0", "cart.items.one", "cart.items.other"]
    save(editor, "cart.items", {"0": None, "one": "1 Ding"})
    assert editor.text("de", "cart.items").value == {"one": "1 Ding", "other": "%{count} Dinge"}
    [newest, *_] = editor.history.of("de", "cart.items")
    assert newest.after == {"one": "1 Ding", "other": "%{count} Dinge"}


def test_a_text_becomes_plural_forms_and_the_reverse_without_a_question(editor: Editor) -> None:
    save(editor, "cart.items", "%{count} Dinge", confirmed=True)
    save(editor, "cart.items", {"one": "ein Ding", "other": "%{count} Dinge"})
    assert sorted(rows(editor)) == ["cart.items.one", "cart.items.other"]
    save(editor, "cart.items", "%{count} Dinge", confirmed=True)
    assert sorted(rows(editor)) == ["cart.items"]


def test_whoever_would_replace_other_texts_is_asked(light_editor: Editor) -> None:
    save(light_editor, "a.b.c", "x")
    save(light_editor, "a.b.d", "y")
    with pytest.raises(TextReplaces) as asked:
        save(light_editor, "a.b", "z")
    assert asked.value.keys == ["a.b.c", "a.b.d"]
    save(light_editor, "a.b", "z", replace=True)
    assert sorted(rows(light_editor)) == ["a.b"]
    with pytest.raises(TextReplaces) as asked:
        save(light_editor, "a.b.c", "x")
    assert asked.value.keys == ["a.b"]
    assert light_editor.text("de", "a.b.c").in_the_way == ["a.b"]
    assert light_editor.history.of("de", "a.b.c")[0].before == "x"


def test_errors_cannot_go_live_and_warnings_must_be_confirmed(light_editor: Editor) -> None:
    with pytest.raises(TextRefused, match="no placeholder nom") as refused:
        save(light_editor, "greeting", "Hallo %{nom}", confirmed=True)
    assert not refused.value.confirmable
    with pytest.raises(TextRefused, match="is missing") as refused:
        save(light_editor, "greeting", "Hallo")
    assert refused.value.confirmable
    assert rows(light_editor) == {}
    save(light_editor, "greeting", "Hallo", confirmed=True)
    assert light_editor.text("de", "greeting").value == "Hallo"


def test_a_form_is_checked_together_with_those_that_stay(light_editor: Editor) -> None:
    with pytest.raises(TextRefused, match="other"):
        save(light_editor, "cart.items", {"one": "ein Ding"})
    save(light_editor, "cart.items", {"one": "ein Ding", "other": "%{count} Dinge"})
    save(light_editor, "cart.items", {"one": "1 Ding"})
    with pytest.raises(TextRefused, match="other"):
        save(light_editor, "cart.items", {"other": None})


def test_a_removed_text_gives_way_to_that_of_the_files(editor: Editor) -> None:
    save(editor, "title", "Geschäft")
    save(editor, "title", None, expected=editor.text("de", "title").revision)
    text = editor.text("de", "title")
    assert (text.value, text.in_table) == ("Laden", None)
    assert editor.history.of("de", "title")[0].after is None


def test_numbers_lists_and_booleans_keep_their_kinds(editor: Editor) -> None:
    for key, value in (("rate", 0.75), ("days", ["Sonntag", "Montag"]), ("new", False)):
        save(editor, key, value)
    assert editor.text("de", "rate").value == 0.75
    assert list(editor.text("de", "days").value) == ["Sonntag", "Montag"]
    assert editor.text("de", "new").value is False
    assert [editor.text("de", key).kind for key in ("rate", "days", "new")] == [
        "number", "list", "boolean",
    ]  # fmt: skip
    with pytest.raises(TextRefused):
        save(editor, "rate", "viel")


def test_ruby_code_is_read_only(editor: Editor, door: Door) -> None:
    save(editor, "title", "Laden")
    flag = {"sqlite": "1", "postgresql": "true", "mysql": "1"}[door.kind]
    door.run(lambda c: c.execute(f"UPDATE translations SET is_proc = {flag}, value = 'x'"))
    editor.sources.database.reload()
    assert editor.text("de", "title").read_only == "code"
    for value in ("Lädchen", None):
        with pytest.raises(TextReadOnly, match="Ruby"):
            save(editor, "title", value)


def test_what_nobody_can_read_can_be_replaced(light_editor: Editor) -> None:
    save(light_editor, "title", "Laden")
    database = light_editor.sources.database.live.rows.database
    database.run(lambda c: c.execute("UPDATE translations SET value = '--- ['"))
    light_editor.sources.database.reload()
    text = light_editor.text("de", "title")
    assert (text.value, text.in_table) == ("Laden", None)
    assert text.unreadable
    save(light_editor, "title", "Lädchen", expected=text.revision)
    assert light_editor.text("de", "title").value == "Lädchen"


@pytest.mark.parametrize(
    "key", ["", ".", "a.", ".a", "a..b", "a\x00b", "a\nb", "a" * 2001, 3, None, "a\u202eb", ["a"]]
)
def test_what_is_no_key_is_refused(light_editor: Editor, key: Any) -> None:
    with pytest.raises(InvalidTextArgument, match="key"):
        save(light_editor, key, "x")


@pytest.mark.parametrize("author", ["", "a\x00", "a\n", "a" * 256, None, 3])
def test_an_edit_needs_an_author(light_editor: Editor, author: Any) -> None:
    with pytest.raises(InvalidTextArgument, match="author"):
        save(light_editor, "title", "x", author=author)


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE translations; --",
        "ä\U0001f600\u200f",
        "--- [",
        "\n\n",
        "a\ttab",
        "null",
        "1",
        ":x",
    ],
)
def test_any_text_comes_back_as_it_was_written(editor: Editor, text: str) -> None:
    save(editor, "x.y", text)
    assert editor.text("de", "x.y").in_table == text


def test_half_a_character_and_objects_are_refused(light_editor: Editor) -> None:
    for value in ("\ud800", object(), b"x"):
        with pytest.raises(InvalidTextArgument):
            save(light_editor, "x", value)


def test_links_and_odd_lists_are_shown_and_not_edited(light_editor: Editor) -> None:
    light_editor.sources.database.store("de", {"a": Key("title"), "b": [["x"], 2]})
    assert light_editor.text("de", "a").read_only == "link"
    assert light_editor.text("de", "b").read_only == "other"


def test_scopes_are_kept_apart(open_editor: Any) -> None:
    one, other = open_editor(scope="one"), open_editor(scope="other")
    save(one, "title", "Eins")
    save(other, "title", "Zwei")
    one.reviews.note("de", "title", "of one", "Ann")
    assert (one.text("de", "title").value, other.text("de", "title").value) == ("Eins", "Zwei")
    assert other.text("de", "title").note.note is None
    assert len(one.history.of("de", "title")) == 1
