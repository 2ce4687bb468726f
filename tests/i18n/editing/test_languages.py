"""Adding a language, preparing it unseen, and letting readers have it."""

from __future__ import annotations

import os
from typing import Any

import pytest

from bide.clock import utc_now
from bide.errors import InvalidTextArgument
from bide.i18n import Used
from bide.i18n.editing import languages
from bide.i18n.editing.editor import Editor
from bide.i18n.editing.languages import direction, name
from bide.i18n.editing.saving import Edit
from bide.i18n.side_tables.readers import Reader, ReaderRows
from in_child import finish, start
from waiting import wait_until


def states(editor: Editor) -> dict[str, str]:
    return {each.locale: each.state for each in editor.languages.all()}


def test_a_language_is_prepared_unseen_and_then_public(editor: Editor, open_editor: Any) -> None:
    other = open_editor()
    other.sources.i18n.t("title")
    editor.languages.add("ar", "Ann")
    editor.save(Edit("ar", "title", "متجر", "Ann"))
    assert states(editor) == {"en": "public", "ar": "prepared", "de": "public"}
    i18n = other.sources.i18n
    assert wait_until(lambda: other.sources.in_table("ar"), within=10) == {"title": "متجر"}
    assert "ar" not in i18n.available_locales
    editor.languages.publish("ar", "Ann")
    wait_until(lambda: "ar" in i18n.available_locales, within=10)
    assert i18n.t("title", locale="ar") == "متجر"
    editor.languages.withdraw("ar", "Ann")
    wait_until(lambda: "ar" not in i18n.available_locales, within=10)
    assert editor.listing("ar").counts()["ok"] == 1


@pytest.mark.parametrize(
    "tag", ["", "x", "zz-top", "de_DE", "../de", "<b>", "de\n", 3, None, "a" * 300, "qq"]
)
def test_what_is_no_language_is_refused(light_editor: Editor, tag: Any) -> None:
    with pytest.raises(InvalidTextArgument, match="no language"):
        light_editor.languages.add(tag, "Ann")


def test_a_language_is_added_once_and_that_of_files_stays_public(light_editor: Editor) -> None:
    with pytest.raises(InvalidTextArgument, match="already"):
        light_editor.languages.add("de", "Ann")
    light_editor.languages.add("pt-BR", "Ann")
    with pytest.raises(InvalidTextArgument, match="already"):
        light_editor.languages.add("pt-BR", "Ann")
    for change in (light_editor.languages.publish, light_editor.languages.withdraw):
        with pytest.raises(InvalidTextArgument, match="not added"):
            change("de", "Ann")


def test_languages_have_names_and_directions() -> None:
    assert name("ar", "de") == "Arabisch"
    assert languages.own_name("ja") == "日本語"
    assert (name("tlh-xx", "en"), direction("tlh-xx")) == ("tlh-xx", "ltr")
    assert [direction(tag) for tag in ("ar", "he-IL", "fa", "de", "ja")] == [
        "rtl", "rtl", "rtl", "ltr", "ltr",
    ]  # fmt: skip


def test_an_edit_is_live_when_every_process_says_so(open_editor: Any) -> None:
    editor = open_editor()
    editor.sources.i18n.t("title")
    readers = editor.readers
    wait_until(lambda: len(readers.progress(0).readers) == 1, within=15)

    def serve() -> None:
        editor.sources.i18n.t("greeting", name="x")
        wait_until(lambda: editor.sources.i18n.t("title", locale="de") == "Geschäft", within=15)
        version = editor.sources.database.live.snapshot.versions[""]
        wait_until(lambda: len(readers.progress(version).live) == 2, within=15)

    child = start(serve)
    editor.sources.i18n.t("greeting", name="x")
    wait_until(lambda: len(readers.progress(0).readers) == 2, within=15)
    saved = editor.save(Edit("de", "title", "Geschäft", "Ann"))
    wait_until(lambda: readers.progress(saved.version).everywhere, within=15)
    assert not readers.progress(saved.version + 1).live
    finish(*child)
    wait_until(lambda: len(readers.progress(0).readers) == 1, within=15)
    assert readers.progress(0).readers[0].pid == os.getpid()


def test_a_process_is_live_when_it_says_nothing_old_anywhere(
    light_editor: Editor,
) -> None:
    rows = light_editor.sources.database.live.rows
    for number, version in enumerate((7, 5)):
        reader = Reader(
            str(number), "elsewhere", "", 1, "x", "translations", {"": version}, utc_now()
        )
        rows.database.run(lambda c, reader=reader: ReaderRows(rows).tell(c, reader))
    assert [len(light_editor.readers.progress(version).live) for version in (5, 6)] == [1, 0]
    assert len(light_editor.readers.progress(0).readers) == 1


def test_a_process_that_left_is_counted_no_more(light_editor: Editor) -> None:
    light_editor.sources.i18n.t("title")
    wait_until(lambda: len(light_editor.readers.progress(0).readers) == 1, within=15)
    light_editor.sources.database.close()
    assert light_editor.readers.progress(0).readers == []


def test_where_a_text_was_used_is_noted_beside_the_lookups(editor: Editor) -> None:
    database = editor.sources.database
    i18n = editor.sources.i18n
    i18n.backend = Used(i18n.backend, database.note_use)
    for _ in range(3):
        i18n.t("greeting", name="x")
    i18n.t("cart.items", count=2)
    i18n.t("nowhere")
    database.live.write_uses()
    use = editor.text("de", "greeting").use
    assert use is not None
    assert "test_languages.py" in use.place
    assert editor.text("de", "cart.items").use is not None
    assert editor.text("de", "nowhere").use is None
