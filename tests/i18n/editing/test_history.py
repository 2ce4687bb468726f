"""Every change is kept with its author, shown as a difference, and can be taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bide import clock
from bide.errors import EditConflict, TextRefused
from bide.i18n.editing.editor import Editor
from bide.i18n.editing.history import compared
from bide.i18n.editing.saving import Edit


def save(editor: Editor, key: str, value: Any, author: str = "Ann", locale: str = "de") -> None:
    editor.save(Edit(locale, key, value, author))


def text(editor: Editor, key: str) -> Any:
    return editor.text("de", key).in_table


def test_each_edit_is_a_step_with_author_and_moment(editor: Editor) -> None:
    save(editor, "title", "Eins")
    save(editor, "title", "Zwei", author="Ben")
    save(editor, "cart.empty", "Leer")
    two, one = editor.history.of("de", "title")
    assert (one.author, one.before, one.after) == ("Ann", None, "Eins")
    assert (two.author, two.before, two.after) == ("Ben", "Eins", "Zwei")
    assert two.moment - clock.utc_now() < timedelta(minutes=1)
    latest = editor.history.latest(most=2)
    assert [(change.key, change.author) for change in latest] == [
        ("cart.empty", "Ann"), ("title", "Ben"),
    ]  # fmt: skip
    assert [change.key for change in editor.history.latest(author="Ben")] == ["title"]
    assert [change.key for change in editor.history.latest(before=latest[1].id)] == ["title"]
    assert editor.history.authors() == ["Ann", "Ben"]


def test_any_state_before_is_brought_back(editor: Editor) -> None:
    for value in ("Eins", "Zwei", "Drei"):
        save(editor, "title", value)
    *_, first = editor.history.of("de", "title")
    edit = Edit("de", "title", None, "Ben", expected=editor.text("de", "title").revision)
    editor.history.restore(edit, first.number)
    assert text(editor, "title") == "Eins"
    newest = editor.history.of("de", "title")[0]
    assert (newest.author, newest.before, newest.after) == ("Ben", "Drei", "Eins")
    editor.history.restore(edit._replace(expected=None), 0)
    assert editor.text("de", "title").value == "Laden"


def test_plural_forms_come_back_together(editor: Editor) -> None:
    old = {"one": "ein Ding", "other": "%{count} Dinge"}
    save(editor, "cart.items", old)
    save(editor, "cart.items", {"one": "1 Ding", "other": "Dinge: %{count}", "0": "nichts"})
    *_, first = editor.history.of("de", "cart.items")
    editor.history.restore(Edit("de", "cart.items", None, "Ben", confirmed=True), first.number)
    assert text(editor, "cart.items") == old


def test_what_is_brought_back_is_checked_anew_and_never_unseen(light_editor: Editor) -> None:
    save(light_editor, "greeting", "Hallo %{name}!")
    save(light_editor, "greeting", "Servus %{name}!")
    stale = light_editor.text("de", "title").revision
    *_, first = light_editor.history.of("de", "greeting")
    with pytest.raises(EditConflict):
        light_editor.history.restore(
            Edit("de", "greeting", None, "Ben", expected=stale), first.number
        )
    save(light_editor, "greeting", "Dear %{who}", locale="en")
    with pytest.raises(TextRefused, match="no placeholder name"):
        light_editor.history.restore(Edit("de", "greeting", None, "Ben"), first.number)


def test_what_an_author_did_is_taken_back_except_where_others_went_on(editor: Editor) -> None:
    save(editor, "title", "Eins")
    save(editor, "cart.empty", "Leer")
    began = clock.utc_now()
    save(editor, "title", "Unsinn", author="Eve")
    save(editor, "title", "Quatsch", author="Eve")
    save(editor, "cart.empty", "Voll", author="Eve")
    save(editor, "fresh", "Neu", author="Eve", locale="de")
    save(editor, "cart.empty", "Wieder leer", author="Ben")
    plan = editor.history.plan("Eve", began)
    done = editor.history.revert("Eve", began, by="Ann")
    assert plan == done
    assert [row[:2] for row in done.undone] == [("de", "fresh"), ("de", "title")]
    assert done.kept == [("de", "cart.empty")]
    assert [text(editor, key) for key in ("title", "cart.empty", "fresh")] == [
        "Eins", "Wieder leer", None,
    ]  # fmt: skip
    assert editor.history.of("de", "title")[0].author == "Ann"
    assert editor.history.revert("Eve", clock.utc_now(), by="Ann").undone == []


def test_changes_of_others_than_this_editor_are_history_too(editor: Editor) -> None:
    editor.sources.database.store("de", {"title": "Eins"})
    rows = editor.sources.database.live.rows
    rows.database.run(lambda c: c.execute("UPDATE translations SET value = 'Zwei'"))
    assert [(step.author, step.after) for step in editor.history.of("de", "title")] == [
        (None, "Zwei"), (None, "Eins"),
    ]  # fmt: skip


def test_a_difference_is_shown_word_by_word() -> None:
    assert [tuple(piece) for piece in compared("Hello old world", "Hello new world!")] == [
        ("same", "Hello "), ("gone", "old"), ("new", "new"), ("same", " world"), ("new", "!"),
    ]  # fmt: skip
    assert [tuple(piece) for piece in compared(None, "x")] == [("new", "x")]
    assert [tuple(piece) for piece in compared({"one": "a"}, None)] == [("gone", "a")]
