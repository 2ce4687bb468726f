"""What is there, missing, outdated, to be reviewed or wrong, in lists that keep up with changes."""

from __future__ import annotations

from typing import Any

import pytest

from bide.db.connection import Connection
from bide.db.engine import Database as Door
from bide.errors import ConnectionLost, InvalidTextArgument
from bide.i18n import Database, Fallbacks, I18n, LocaleFallbacks, Missing
from bide.i18n.editing.editor import Editor
from bide.i18n.editing.listing import Search
from bide.i18n.editing.saving import Edit
from bide.i18n.side_tables.history import HistoryRows
from bide.i18n.snapshot import Versions


def keys(editor: Editor, locale: str = "de", state: str = "", words: str = "") -> list[str]:
    page = editor.listing(locale).page(Search.of(state, words))
    return [line.key for line in page.lines]


def save(editor: Editor, key: str, value: Any, locale: str = "de", **options: Any) -> None:
    editor.save(Edit(locale, key, value, "Ann", confirmed=True, state="approved", **options))


def test_every_text_of_the_source_is_listed_with_its_translation(light_editor: Editor) -> None:
    lines = light_editor.listing("de").page(Search()).lines
    assert [(line.key, line.states) for line in lines] == [
        ("cart.empty", ("missing",)),
        ("cart.items", ("missing",)),
        ("days", ("missing",)),
        ("greeting", ("ok",)),
        ("new", ("missing",)),
        ("rate", ("missing",)),
        ("title", ("ok",)),
    ]
    assert (lines[3].source, lines[3].target) == ("Hello %{name}", "Hallo %{name}")
    assert lines[1].source == {"one": "%{count} item", "other": "%{count} items"}
    assert lines[1].target is None


def test_counts_say_how_many_texts_are_in_each_state(light_editor: Editor) -> None:
    assert light_editor.listing("de").counts() == {
        "all": 7, "missing": 5, "changed": 0, "review": 0, "failing": 0, "ok": 2,
        "inherited": 0,
    }  # fmt: skip
    save(light_editor, "cart.empty", "Leer")
    counts = light_editor.listing("de").counts()
    assert (counts["missing"], counts["ok"]) == (4, 3)
    assert light_editor.listing("fr").counts()["missing"] == 7


def test_edits_of_other_processes_are_in_the_next_list(editor: Editor, open_editor: Any) -> None:
    assert "cart.empty" in keys(editor, state="missing")
    save(open_editor(), "cart.empty", "Leer")
    assert "cart.empty" not in keys(editor, state="missing")


def test_a_changed_source_text_makes_its_translations_outdated(editor: Editor) -> None:
    save(editor, "greeting", "Guten Tag, %{name}")
    assert keys(editor, state="changed") == []
    save(editor, "greeting", "Dear %{name}", locale="en")
    assert keys(editor, state="changed") == ["greeting"]
    save(editor, "greeting", "Sehr geehrte %{name}")
    assert keys(editor, state="changed") == []


def test_a_translation_that_is_right_as_it_is_is_outdated_no_more(light_editor: Editor) -> None:
    save(light_editor, "greeting", "Guten Tag, %{name}")
    save(light_editor, "greeting", "Dear %{name}", locale="en")
    light_editor.reviews.approve("de", "greeting", "Ann")
    assert keys(light_editor, state="changed") == []


def test_translations_that_were_not_made_here_are_outdated_by_the_history(editor: Editor) -> None:
    database = editor.sources.database
    database.store("en", {"title": "Shop 1", "plain": "Plain"})
    database.store("de", {"title": "Laden 1", "plain": "Schlicht"})
    assert keys(editor, state="changed") == []
    database.store("en", {"title": "Shop 2"})
    assert keys(editor, state="changed") == ["title"]
    database.store("de", {"title": "Laden 2"})
    assert keys(editor, state="changed") == []


def test_every_language_keeps_its_own_account_of_changed_source_texts(
    editor: Editor, open_editor: Any
) -> None:
    database = editor.sources.database
    for locale in ("en", "de", "fr"):
        database.store(locale, {"plain": "1", "sum": {"one": "1", "other": "2"}})
    assert keys(editor, "de", "changed") == keys(editor, "fr", "changed") == []
    database.store("en", {"plain": "2", "sum": {"other": "3"}})
    assert keys(editor, "fr", "changed") == ["plain", "sum"]
    database.store("fr", {"plain": "2", "sum": {"one": "2"}})
    for each in (editor, open_editor()):
        assert keys(each, "fr", "changed") == []
        assert keys(each, "de", "changed") == ["plain", "sum"]
    database.store("de", {"plain": "2"})
    database.store("en", {"plain": "3"})
    for each in (editor, open_editor()):
        assert keys(each, "fr", "changed") == ["plain"]
        assert keys(each, "de", "changed") == ["plain", "sum"]


def test_a_change_that_is_counted_before_it_is_read_is_listed_at_once(
    editor: Editor, open_editor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor.sources.database.store("en", {"plain": "1"})
    editor.sources.database.store("de", {"plain": "1"})
    assert keys(editor, state="changed") == []
    open_editor().sources.database.store("en", {"plain": "2"})
    monkeypatch.setattr(editor.sources.database.live, "refresh", lambda: False)
    assert keys(editor, state="changed") == ["plain"]


def test_what_was_read_before_the_connection_was_lost_is_in_the_list(
    editor: Editor, open_editor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keys(editor, state="review") == []
    open_editor().reviews.request("de", "title", "Ann")
    monkeypatch.setattr(editor.sources.database.live, "refresh", lambda: False)
    rows = editor.sources.database.live.rows
    ask, lost = rows.versions, [ConnectionLost("gone"), ConnectionLost("gone")]

    def versions(connection: Connection) -> Versions:
        if lost:
            raise lost.pop()
        return ask(connection)

    monkeypatch.setattr(rows, "versions", versions)
    with pytest.raises(ConnectionLost):
        editor.listing("de")
    assert keys(editor, state="review") == ["title"]


def test_a_first_list_reads_no_changes_but_those_of_source_texts(
    editor: Editor, open_editor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that was filled once has a history as long as itself."""
    for locale in ("en", "de"):
        editor.sources.database.store(locale, {f"text{each}": "x" for each in range(20)})

    def read() -> int:
        found = []
        ask = HistoryRows._keys
        with monkeypatch.context() as patch:
            patch.setattr(
                HistoryRows, "_keys", lambda *words: found.append(ask(*words)) or found[-1]
            )
            fresh = open_editor()
            assert keys(fresh, "en")
            assert keys(fresh, "de")
        return sum(map(len, found))

    assert read() == 0
    editor.sources.database.store("en", {"text1": "y"})
    assert read() == 1
    editor.sources.database.store("de", {"text1": "y"})
    assert read() == 2


def test_failing_checks_are_listed_whoever_wrote_the_text(light_editor: Editor) -> None:
    light_editor.sources.database.store(
        "de", {"greeting": "Hallo %{nom}", "cart": {"items": {"one": "x"}}}
    )
    assert keys(light_editor, state="failing") == ["cart.items", "greeting"]
    save(light_editor, "greeting", "Hallo %{name}")
    assert keys(light_editor, state="failing") == ["cart.items"]


def test_a_warning_fails_until_somebody_confirms_it(light_editor: Editor) -> None:
    light_editor.sources.database.store("de", {"greeting": "Hallo"})
    assert keys(light_editor, state="failing") == ["greeting"]
    light_editor.reviews.approve("de", "greeting", "Ann")
    assert keys(light_editor, state="failing") == []


def test_suggestions_and_requests_ask_for_review(editor: Editor) -> None:
    editor.reviews.suggest("de", "title", "Geschäft", "Ben")
    editor.reviews.request("de", "greeting", "Ben")
    assert keys(editor, state="review") == ["greeting", "title"]
    [proposal] = editor.reviews.proposals("de", "title")
    editor.reviews.reject(proposal.id, "Ann")
    assert keys(editor, state="review") == ["greeting"]


def test_a_search_looks_in_key_source_and_text_for_every_word(light_editor: Editor) -> None:
    assert keys(light_editor, words="HELLO") == ["greeting"]
    assert keys(light_editor, words="hallo") == ["greeting"]
    assert keys(light_editor, words="cart.") == ["cart.empty", "cart.items"]
    assert keys(light_editor, words="cart items") == ["cart.items"]
    assert keys(light_editor, words="sunday") == ["days"]
    assert keys(light_editor, state="missing", words="hello") == []
    assert light_editor.listing("de").counts("cart")["missing"] == 2
    assert keys(light_editor, words="% _ ' \" \\ <") == []


def test_pages_go_on_from_a_key_in_both_directions(light_editor: Editor) -> None:
    listing, every = light_editor.listing("de"), keys(light_editor)
    first = listing.page(Search(), size=3)
    assert [line.key for line in first.lines] == every[:3]
    assert first.before is None
    second = listing.page(Search(), after=first.after, size=3)
    assert [line.key for line in second.lines] == every[3:6]
    last = listing.page(Search(), after=second.after, size=3)
    assert [line.key for line in last.lines] == every[6:]
    assert last.after is None
    back = listing.page(Search(), before=last.before, size=3)
    assert back == second
    assert listing.page(Search(), before=back.before, size=3).before is None
    for gone in ("cart.gone", "a", "zzz", "d"):
        assert [line.key for line in listing.page(Search(), after=gone).lines] == [
            key for key in every if key > gone
        ]
        assert [line.key for line in listing.page(Search(), before=gone).lines] == [
            key for key in every if key < gone
        ]


def test_the_next_text_of_a_filter_follows_and_goes_round(light_editor: Editor) -> None:
    listing, search = light_editor.listing("de"), Search.of("missing")
    assert listing.next(search, "cart.empty") == "cart.items"
    assert listing.next(search, "greeting") == "new"
    assert listing.next(search, "rate") == "cart.empty"
    assert listing.previous(search, "cart.items") == "cart.empty"
    assert listing.previous(search, "cart.empty") is None
    assert listing.next(Search.of("", "hallo"), "greeting") is None


def test_keys_that_programs_asked_for_in_vain_are_missing(door: Door, editor: Editor) -> None:
    database = Database(Door(door.url))
    texts = I18n(Missing(database, database.record), enforce_available_locales=False)
    texts.t("basket.title", locale="de", who="x")
    texts.t("basket.items", locale="de", count=2)
    database.live.write_missing()
    assert keys(editor, words="basket") == ["basket.items", "basket.title"]
    text = editor.text("de", "basket.items")
    assert text.kind == "forms"
    assert text.asked[0].names == ("count",)
    assert "test_catalogue.py" in text.asked[0].place
    save(editor, "basket.items", {"one": "eins", "other": "%{count}"})
    assert keys(editor, state="missing", words="basket") == ["basket.title"]
    database.close()
    database.live.rows.database.close()


def test_texts_of_the_source_language_are_edited_too(light_editor: Editor) -> None:
    assert light_editor.listing("en").counts()["ok"] == 7
    save(light_editor, "cart.empty", "Nothing here", locale="en")
    [line] = light_editor.listing("en").page(Search.of(words="nothing")).lines
    assert line.key == "cart.empty"


def test_the_engines_own_settings_are_no_texts(light_editor: Editor) -> None:
    light_editor.sources.database.store("de", {"i18n": {"plural": {"keys": ["one", "other"]}}})
    assert keys(light_editor, words="plural") == []


def test_only_what_changed_is_made_anew(light_editor: Editor) -> None:
    before = light_editor.listing("de").sections
    save(light_editor, "cart.empty", "Leer")
    after = light_editor.listing("de").sections
    assert after["title"] is before["title"]
    assert after["cart"] is not before["cart"]
    assert light_editor.listing("de").sections["cart"] is after["cart"]


def test_changed_files_are_seen(light_editor: Editor) -> None:
    [files] = light_editor.sources.files
    keys(light_editor)
    files.store("en", {"later": "Later"})
    assert keys(light_editor, state="missing", words="later") == ["later"]


def test_a_text_that_fallbacks_give_from_the_same_language_is_inherited_not_missing(
    light_editor: Editor,
) -> None:
    sources = light_editor.sources
    i18n = I18n(Fallbacks(sources.i18n.backend), fallbacks=LocaleFallbacks("en"))
    editor = Editor(i18n)
    assert editor.sources.inherited("de-AT") == ["de"]
    assert keys(editor, "de-AT", "inherited") == ["greeting", "title"]
    assert len(keys(editor, "de-AT", "missing")) == 5
    save(editor, "title", "Geschäft", "de-AT")
    assert keys(editor, "de-AT", "inherited") == ["greeting"]
    save(editor, "cart.empty", "Leer", "de")
    assert keys(editor, "de-AT", "inherited") == ["cart.empty", "greeting"]
    assert "title" in keys(editor, "fr", "missing")
    assert len(keys(editor, "en-GB", "inherited")) == 7


def test_without_fallbacks_nothing_is_inherited(light_editor: Editor) -> None:
    assert light_editor.sources.inherited("de-AT") == []
    assert keys(light_editor, "de-AT", "inherited") == []


def test_fallbacks_that_change_are_followed(light_editor: Editor) -> None:
    i18n = I18n(Fallbacks(light_editor.sources.i18n.backend), fallbacks={})
    editor = Editor(i18n)
    assert keys(editor, "de-AT", "inherited") == []
    i18n.fallbacks = {"de-AT": ["de-AT", "de"]}
    assert keys(editor, "de-AT", "inherited") == ["greeting", "title"]


def test_a_key_with_a_thousand_parts_breaks_no_list(light_editor: Editor) -> None:
    key = ".".join(["d"] * 990)
    with pytest.raises(InvalidTextArgument, match="no key"):
        save(light_editor, key, "x")
    rows = light_editor.sources.database.live.rows
    rows.database.run(lambda c: rows.put(c, "en", {key: "--- x\n"}))
    assert key in keys(light_editor)
