"""Review states, notes, suggestions and drafts."""

from __future__ import annotations

import pytest

from bide.errors import EditConflict, InvalidTextArgument, TextRefused
from bide.i18n.editing.editor import Editor
from bide.i18n.editing.reviews import LONGEST_NOTE, MOST
from bide.i18n.editing.saving import Edit


def test_a_suggestion_waits_until_somebody_makes_it_live(editor: Editor) -> None:
    editor.reviews.suggest("de", "title", "Geschäft", "Ben")
    assert editor.text("de", "title").value == "Laden"
    [proposal] = editor.text("de", "title").proposals
    assert (proposal.kind, proposal.author, proposal.value) == (
        "suggestion",
        "Ben",
        '"Gesch\\u00e4ft"',
    )
    editor.reviews.accept(proposal.id, Edit("", "", None, "Ann", state="approved"))
    text = editor.text("de", "title")
    assert (text.value, text.proposals, text.note.state) == ("Geschäft", [], "approved")
    assert editor.history.of("de", "title")[0].author == "Ann"
    with pytest.raises(InvalidTextArgument, match="somebody"):
        editor.reviews.accept(proposal.id, Edit("", "", None, "Ann"))


def test_plural_forms_are_suggested_together(editor: Editor) -> None:
    forms = {"one": "ein Ding", "other": "%{count} Dinge"}
    editor.reviews.suggest("de", "cart.items", forms, "Ben")
    [proposal] = editor.reviews.proposals("de", "cart.items")
    editor.reviews.accept(proposal.id, Edit("", "", None, "Ann"))
    assert editor.text("de", "cart.items").value == forms


def test_what_was_suggested_is_checked_against_the_source_text_of_now(light_editor: Editor) -> None:
    with pytest.raises(TextRefused):
        light_editor.reviews.suggest("de", "greeting", "Hallo %{nom}", "Ben")
    light_editor.reviews.suggest("de", "greeting", "Servus %{name}", "Ben")
    light_editor.save(Edit("en", "greeting", "Dear %{who}", "Ann"))
    [proposal] = light_editor.reviews.proposals("de", "greeting")
    with pytest.raises(TextRefused, match="no placeholder name"):
        light_editor.reviews.accept(proposal.id, Edit("", "", None, "Ann", confirmed=True))
    assert light_editor.reviews.proposals("de", "greeting") == [proposal]
    with pytest.raises(TextRefused):
        light_editor.reviews.approve("de", "greeting", "Ann")


def test_accepting_overwrites_nothing_unseen(light_editor: Editor) -> None:
    read = light_editor.text("de", "title").revision
    light_editor.reviews.suggest("de", "title", "Geschäft", "Ben")
    light_editor.save(Edit("de", "title", "Bude", "Eve"))
    [proposal] = light_editor.reviews.proposals("de", "title")
    with pytest.raises(EditConflict):
        light_editor.reviews.accept(proposal.id, Edit("", "", None, "Ann", expected=read))


def test_the_same_suggestion_is_kept_once_and_not_without_end(light_editor: Editor) -> None:
    for author in ("Ben", "Eve"):
        light_editor.reviews.suggest("de", "title", "Geschäft", author)
    assert len(light_editor.reviews.proposals("de", "title")) == 1
    for number in range(MOST - 1):
        light_editor.reviews.suggest("de", "title", f"Laden {number}", "Ben")
    with pytest.raises(InvalidTextArgument, match="look at them"):
        light_editor.reviews.suggest("de", "title", "Bude", "Ben")


def test_a_draft_may_be_wrong_and_each_author_has_one(editor: Editor) -> None:
    editor.reviews.draft("de", "greeting", "Hallo %{nom}", "Ben")
    editor.reviews.draft("de", "greeting", "Hallo %{nam", "Ben")
    editor.reviews.draft("de", "greeting", "Servus %{name}", "Eve")
    bens, eves = editor.reviews.proposals("de", "greeting")
    assert (bens.kind, bens.value) == ("draft", '"Hallo %{nam"')
    with pytest.raises(TextRefused):
        editor.reviews.accept(bens.id, Edit("", "", None, "Ann"))
    editor.reviews.reject(bens.id, "Ben")
    editor.reviews.accept(eves.id, Edit("", "", None, "Eve"))
    assert editor.text("de", "greeting").value == "Servus %{name}"


def test_notes_stay_beside_the_text(editor: Editor) -> None:
    editor.reviews.note("de", "title", "Auf dem Schild <b>", "Ann")
    note = editor.text("de", "title").note
    assert (note.note, note.author) == ("Auf dem Schild <b>", "Ann")
    editor.save(Edit("de", "title", "Geschäft", "Ben"))
    assert editor.text("de", "title").note.note == "Auf dem Schild <b>"
    editor.reviews.note("de", "title", "", "Ann")
    assert editor.text("de", "title").note.note is None
    for bad in ("x" * (LONGEST_NOTE + 1), "a\0"):
        with pytest.raises(InvalidTextArgument):
            editor.reviews.note("de", "title", bad, "Ann")


def test_a_text_knows_what_it_was_translated_from(editor: Editor) -> None:
    editor.save(Edit("de", "cart.empty", "Leer", "Ann"))
    editor.save(Edit("en", "cart.empty", "Nothing in it", "Ann"))
    assert editor.text("de", "cart.empty").based_on == "Empty"
