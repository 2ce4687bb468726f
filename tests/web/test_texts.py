"""The editor of texts over HTTP: pages, what forms do, roles and refusals."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bide import App, clock
from bide.i18n import I18n, Simple
from bide.i18n.editing.saving import Edit
from web.browsing import post
from web.shop_texts import client, close, editor_of, form, shop

HOSTILE = "\"><script>alert(1)</script>{{7*7}}%{x}&amp;'"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables, to be copied: that takes less time than to make them."""
    file = tmp_path_factory.mktemp("migrated") / "test.db"
    close(shop(f"sqlite:///{file}"))
    return file


@pytest.fixture
def app(migrated: Path, tmp_path: Path) -> Iterator[App]:
    shutil.copy(migrated, tmp_path / "test.db")
    app = shop(f"sqlite:///{tmp_path / 'test.db'}", migrate=False)
    yield app
    close(app)


@pytest.fixture
def each_app(database_url: str) -> Iterator[App]:
    app = shop(database_url)
    yield app
    close(app)


def value(app: App, key: str, locale: str = "de") -> Any:
    return editor_of(app).text(locale, key).value


def test_the_languages_are_shown_with_what_is_left_to_do(each_app: App) -> None:
    page = client(each_app).get("/texts/app").text
    assert ["German" in page, "Deutsch" in page, "28 %" in page] == [True, True, True]
    assert "/texts/app/de?state=missing" in page


def test_a_text_is_filled_in_and_the_next_one_follows(each_app: App) -> None:
    browser = client(each_app)
    page = browser.get("/texts/app/de?state=missing").text
    assert "cart.empty" in page
    assert "Hallo" not in page
    assert "Empty" in browser.get("/texts/app/de/text?key=cart.empty&state=missing").text
    fields = form(each_app, "cart.empty", value="Leer", then="next", state="missing")
    answer = post(browser, "/texts/app/de/text", fields)
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert "key=cart.items" in address
    assert "state=missing" in address
    assert value(each_app, "cart.empty") == "Leer"
    followed = browser.get(address).text
    assert "“cart.empty” is saved." in followed
    assert "No process uses these texts" in followed or "Live in" in followed


def test_after_the_last_text_of_a_filter_its_list_says_so(app: App) -> None:
    browser = client(app)
    for key, fields in (
        ("cart.empty", {"value": "Leer"}),
        ("cart.items", {"form.one": "ein Ding", "form.other": "%{count} Dinge"}),
        ("days", {"value": "Sonntag\r\nMontag"}),
        ("new", {"value": "false"}),
        ("rate", {"value": "0.75"}),
    ):
        data = form(app, key, then="next", state="missing", **fields)
        answer = post(browser, "/texts/app/de/text", data)
    assert answer.headers["location"].startswith("/texts/app/de?state=missing&saved=")
    assert "last text" in browser.get(answer.headers["location"]).text
    assert value(app, "cart.items") == {"one": "ein Ding", "other": "%{count} Dinge"}
    assert [list(value(app, "days")), value(app, "new"), value(app, "rate")] == [
        ["Sonntag", "Montag"], False, 0.75,
    ]  # fmt: skip


def test_two_editors_at_once_see_both_texts_and_lose_none(each_app: App) -> None:
    ada, ben = client(each_app), client(each_app)
    stale = form(each_app, "title", value="Lädchen")
    post(ben, "/texts/app/de/text", form(each_app, "title", value="Geschäft"))
    answer = post(ada, "/texts/app/de/text", stale)
    assert answer.status_code == 409
    assert ["Geschäft" in answer.text, "Lädchen" in answer.text] == [True, True]
    assert value(each_app, "title") == "Geschäft"
    revision = re.search(r'name="revision" value="(\w+)"', answer.text)
    assert revision
    post(ada, "/texts/app/de/text", {**stale, "revision": revision[1]})
    assert value(each_app, "title") == "Lädchen"


def test_errors_are_refused_and_kept_as_a_draft_warnings_confirmed(app: App) -> None:
    browser = client(app)
    wrong = form(app, "greeting", value="Hallo %{nom}")
    answer = post(browser, "/texts/app/de/text", wrong)
    assert answer.status_code == 409
    assert "no placeholder nom" in answer.text
    assert "Hallo %{nom}</textarea>" in answer.text
    assert 'name="confirmed"' not in answer.text
    assert post(browser, "/texts/app/de/text", {**wrong, "confirmed": "yes"}).status_code == 409
    post(browser, "/texts/app/de/text", {**wrong, "do": "draft"})
    assert value(app, "greeting") == "Hallo %{name}"
    assert "Draft" in browser.get("/texts/app/de/text?key=greeting").text
    short = form(app, "greeting", value="Hallo")
    answer = post(browser, "/texts/app/de/text", short)
    assert 'name="confirmed"' in answer.text
    assert post(browser, "/texts/app/de/text", {**short, "confirmed": "yes"}).status_code == 303
    assert value(app, "greeting") == "Hallo"


def test_who_would_replace_other_texts_is_asked(app: App) -> None:
    editor_of(app).save(Edit("de", "a.b", "x", "Ann"))
    browser = client(app)
    asked = form(app, "a", value="y")
    answer = post(browser, "/texts/app/de/text", asked)
    assert "a.b" in answer.text
    assert 'name="replace"' in answer.text
    post(browser, "/texts/app/de/text", {**asked, "replace": "yes"})
    assert value(app, "a") == "y"


def test_an_emptied_field_gives_way_to_the_files_and_an_empty_one_saves_nothing(app: App) -> None:
    browser = client(app)
    post(browser, "/texts/app/de/text", form(app, "title", value="Geschäft"))
    post(browser, "/texts/app/de/text", form(app, "title", value=""))
    assert value(app, "title") == "Laden"
    answer = post(browser, "/texts/app/de/text", form(app, "cart.empty", value=""))
    assert "saved=nothing" in answer.headers["location"]
    assert "nothing was saved" in browser.get(answer.headers["location"]).text


def test_the_checks_are_shown_while_somebody_types(app: App) -> None:
    browser = client(app)
    answer = post(browser, "/texts/app/de/check", form(app, "greeting", value="Hallo %{nom}"))
    assert answer.is_success
    assert "no placeholder nom" in answer.text
    assert "<html" not in answer.text
    shown = post(
        browser, "/texts/app/de/check", form(app, "cart.items", **{"form.other": "%{count} Dinge"})
    )
    assert "16 Dinge" in shown.text or "Dinge" in shown.text
    assert "no number" in post(browser, "/texts/app/de/check", form(app, "rate", value="x")).text
    assert value(app, "greeting") == "Hallo %{name}"


def test_whoever_writes_at_a_text_is_named_to_others_until_they_are_done(each_app: App) -> None:
    ben, ada = editor_of(each_app).writers, client(each_app)
    address = "/texts/app/de/text?key=greeting"
    assert ben.write("de", "greeting", "Ben") == []
    assert "Ben is editing this text right now." in ada.get(address).text
    assert "is editing" not in ada.get("/texts/app/en/text?key=greeting").text
    shown = post(ada, "/texts/app/de/check", form(each_app, "greeting", value="Hi %{name}")).text
    assert "Ben is editing this text right now." in shown
    assert ben.write("de", "greeting", "Ben") == ["ada"]
    assert "Suggestion" not in ada.get(address).text
    fields = form(each_app, "greeting", value="Hi %{name}", then="stay")
    assert post(ada, "/texts/app/de/text", fields).status_code == 303
    assert ben.others("de", "greeting", "Ben") == []
    ben.leave("de", "greeting", "Ben")
    assert "is editing" not in ada.get(address).text


def test_who_stopped_writing_is_forgotten(app: App) -> None:
    writers = editor_of(app).writers
    writers.write("de", "title", "Ben")
    assert writers.others("de", "title", "Ada") == ["Ben"]
    later = clock.utc_now() + timedelta(minutes=2)
    clock.set_wall(lambda: later)
    try:
        assert writers.others("de", "title", "Ada") == []
        writers.write("de", "greeting", "Carla")
    finally:
        clock.set_wall(None)
    assert app.database is not None
    rows = app.database.read(lambda c: c.execute("SELECT author FROM bide_text_proposals"))
    assert rows == [("Carla",)]


def test_suggestions_are_made_accepted_and_removed(app: App) -> None:
    guest, editor = client(app, "texts.suggest"), client(app, "texts.edit:de")
    page = guest.get("/texts/app/de/text?key=title").text
    assert 'value="suggest"' in page
    assert 'value="next"' not in page
    for text in ("Geschäft", "Bude"):
        post(guest, "/texts/app/de/text", form(app, "title", value=text, do="suggest"))
    assert value(app, "title") == "Laden"
    first, second = editor_of(app).reviews.proposals("de", "title")
    deed = {"key": "title", "number": str(first.id), "do": "accept"}
    assert post(guest, "/texts/app/de/review", deed).status_code == 403
    assert post(editor, "/texts/app/de/review", deed).status_code == 303
    assert value(app, "title") == "Geschäft"
    assert editor_of(app).text("de", "title").note.state == "needs_review"
    post(editor, "/texts/app/de/review", {**deed, "number": str(second.id), "do": "reject"})
    assert editor_of(app).reviews.proposals("de", "title") == []
    assert post(editor, "/texts/app/de/review", deed).status_code == 409


def test_a_suggestion_of_another_language_cannot_be_taken_by_its_number(app: App) -> None:
    editor_of(app).reviews.suggest("en", "title", "Store", "Ben")
    [proposal] = editor_of(app).reviews.proposals("en", "title")
    for deed in ("accept", "reject"):
        fields = {"key": "title", "number": str(proposal.id), "do": deed}
        assert post(client(app, "texts.edit:de"), "/texts/app/de/review", fields).status_code == 404
    assert value(app, "title", "en") == "Shop"


def test_what_was_there_is_brought_back_with_one_click(app: App) -> None:
    browser = client(app)
    for text in ("Eins", "Zwei"):
        post(browser, "/texts/app/de/text", form(app, "title", value=text))
    *_, first = editor_of(app).history.of("de", "title")
    fields = form(app, "title", number=str(first.number), do="restore")
    assert post(browser, "/texts/app/de/review", fields).status_code == 303
    assert value(app, "title") == "Eins"
    page = browser.get("/texts/app/de/text?key=title").text
    assert "<del>Zwei</del>" in page
    assert "ada" in page
    stale = post(browser, "/texts/app/de/review", {**fields, "revision": "old"})
    assert stale.status_code == 409


def test_review_states_and_notes_are_kept(app: App) -> None:
    browser = client(app)
    post(browser, "/texts/app/de/review", {"key": "title", "do": "request"})
    assert "title" in browser.get("/texts/app/de?state=review").text
    post(browser, "/texts/app/de/review", {"key": "title", "do": "approve"})
    post(browser, "/texts/app/de/review", {"key": "title", "do": "note", "note": "Über der Tür"})
    note = editor_of(app).text("de", "title").note
    assert (note.state, note.note) == ("approved", "Über der Tür")
    assert post(browser, "/texts/app/de/review", {"key": "title", "do": "shout"}).status_code == 404


READING = (
    "/texts", "/texts/app", "/texts/app/history", "/texts/app/de", "/texts/app/de/text?key=title",
    "/texts/app/de/exchange", "/texts/app/de/export?format=yaml", "/texts/app/de/live?saved=1",
    "/texts/screens", "/texts/screens/de", "/texts/screens/de/text?key=bide.nav.texts",
)  # fmt: skip
DEEDS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("/texts/app", {"do": "add", "locale": "fr"}, "texts.administer"),
    (
        "/texts/app/history",
        {"do": "plan", "author": "x", "since": "2020-01-01"},
        "texts.administer",
    ),
    ("/texts/app/de/text", {"key": "title", "value": "x", "do": "save"}, "texts.edit"),
    ("/texts/app/de/text", {"key": "title", "value": "x", "do": "suggest"}, "texts.suggest"),
    ("/texts/app/de/check", {"key": "title", "value": "x"}, "texts.suggest"),
    ("/texts/app/de/review", {"key": "title", "do": "approve"}, "texts.approve"),
    ("/texts/app/de/review", {"key": "title", "do": "restore", "number": "0"}, "texts.edit"),
    ("/texts/app/de/review", {"key": "title", "do": "note"}, "texts.suggest"),
    ("/texts/app/de/exchange", {"mode": "suggest"}, "texts.suggest"),
    ("/texts/app/de/exchange", {"mode": "overwrite"}, "texts.edit"),
)
LADDER = ("texts.view", "texts.suggest", "texts.edit", "texts.approve", "texts.administer")


def test_every_page_is_closed_to_whoever_may_not_see_texts(app: App) -> None:
    jobs, reader = client(app, "jobs.administer"), client(app, "texts.view")
    assert [jobs.get(path).status_code for path in READING] == [403] * len(READING)
    assert [reader.get(path).status_code for path in READING] == [303] + [200] * (len(READING) - 1)


@pytest.mark.parametrize(("path", "fields", "role"), DEEDS, ids=lambda each: str(each)[:40])
def test_every_deed_is_refused_below_its_role(
    app: App, path: str, fields: dict[str, str], role: str
) -> None:
    below = LADDER[LADDER.index(role) - 1]
    assert post(client(app, below), path, fields).status_code == 403
    if role != "texts.administer":
        assert post(client(app, f"{role}:en"), path, fields).status_code == 403
    assert post(client(app, role), path, fields).status_code != 403
    assert client(app, role).post(path, data=fields).status_code == 403, "without the form's token"
    assert client(app, role).get(path).status_code in (200, 400, 404, 405)


def test_a_session_that_ended_changes_nothing(app: App) -> None:
    from bide.web import Viewer, create_app
    from web.browsing import client_of

    viewers: list[Viewer | None] = [Viewer("ada")]
    browser = client_of(create_app(app, auth=lambda request: viewers[0]))
    fields = form(app, "title", value="Geschäft")
    browser.get("/texts/app/de/text?key=title")
    viewers[0] = None
    assert post(browser, "/texts/app/de/text", fields).status_code in (303, 401, 403)
    assert value(app, "title") == "Laden"


@pytest.mark.parametrize(
    "path",
    [
        "/texts/nothing", "/texts/app/xx", "/texts/nothing/de", "/texts/app/xx/text?key=a",
        "/texts/app/de/text?key=bide.nav.texts", "/texts/app/de/text?key=i18n.plural",
        "/texts/screens/de/text?key=title", "/texts/app/de/export?format=exe",
        "/texts/screens/pl",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(app: App, path: str) -> None:
    assert client(app).get(path).status_code == 404


@pytest.mark.parametrize("key", ["", "a..b", ".", "a\n", "a" * 3000])
def test_what_is_no_key_is_refused(app: App, key: str) -> None:
    browser = client(app)
    assert browser.get("/texts/app/de/text", params={"key": key}).status_code == 400
    assert post(browser, "/texts/app/de/text", {"key": key, "value": "x"}).status_code == 400


def test_hostile_text_stays_text_in_every_field(app: App) -> None:
    editor = editor_of(app)
    key = f"a.{HOSTILE}"
    editor.sources.database.store("en", {"a": {HOSTILE: HOSTILE}}, author=HOSTILE)
    editor.sources.database.store("de", {"a": {HOSTILE: HOSTILE + "2"}}, author=HOSTILE)
    editor.reviews.note("de", key.replace(".", "."), HOSTILE, HOSTILE)
    editor.reviews.draft("de", key, HOSTILE, HOSTILE)
    browser = client(app)
    for path in (
        "/texts/app/de", f"/texts/app/de?q={HOSTILE[:20]}", "/texts/app/history",
        "/texts/app/de/exchange",
    ):  # fmt: skip
        assert "<script>alert" not in browser.get(path).text, path
    page = browser.get("/texts/app/de/text", params={"key": key})
    assert page.is_success
    assert "<script>alert" not in page.text
    assert "49" not in page.text.split("<main")[1].split('name="csrf"')[0]
    for name in ("q", "state", "ref", "after", "before", "saved", "saved_key", "notice"):
        for path in ("/texts/app/de", "/texts/app/de/text?key=title"):
            shown = browser.get(path, params={"key": "title", name: HOSTILE})
            assert "<script>alert" not in shown.text, (path, name)
    answer = post(browser, "/texts/app/de/text", form(app, "title", value=HOSTILE))
    assert "<script>alert" not in answer.text
    added = post(browser, "/texts/app", {"do": "add", "locale": HOSTILE})
    assert (added.status_code, "<script>alert" in added.text) == (400, False)


def test_a_search_keeps_the_filter_and_pages_go_on(app: App) -> None:
    many = {f"text{number:03}": f"Text {number}" for number in range(120)}
    editor_of(app).sources.database.store("en", {"many": many})
    browser = client(app)
    page = browser.get("/texts/app/de?state=missing&q=many").text
    assert "many.text049" in page
    assert "many.text050" not in page
    link = re.search(r'rel="next" href="([^"]+)"', page)
    assert link
    following = browser.get(link[1].replace("&amp;", "&")).text
    assert "many.text050" in following
    assert ">many.text049<" not in following
    assert 'rel="prev"' in following
    assert ">120<" in re.sub(r"\s", "", page)


def test_a_second_language_stands_beside(app: App) -> None:
    editor_of(app).sources.database.store("fr", {"title": "Boutique"})
    browser = client(app)
    assert "Boutique" in browser.get("/texts/app/de?ref=fr").text
    assert "Boutique" in browser.get("/texts/app/de/text?key=title&ref=fr").text


def test_a_language_is_added_prepared_and_published(app: App) -> None:
    browser = client(app)
    assert post(browser, "/texts/app", {"do": "add", "locale": "ar"}).status_code == 303
    page = browser.get("/texts/app/ar/text?key=title").text
    assert 'dir="rtl"' in page
    assert "Not public yet" in page
    post(browser, "/texts/app/ar/text", form(app, "title", "ar", value="متجر"))
    assert app.i18n is not None
    assert "ar" not in app.i18n.available_locales
    post(browser, "/texts/app", {"do": "publish", "locale": "ar"})
    assert editor_of(app).languages.all()[1].state == "public"
    assert post(browser, "/texts/app", {"do": "publish", "locale": "de"}).status_code == 400


def test_what_somebody_did_is_taken_back_after_a_look(app: App) -> None:
    editor_of(app).save(Edit("de", "title", "Unsinn", "Eve"))
    browser = client(app)
    fields = {"author": "Eve", "since": "2020-01-01T00:00", "do": "plan"}
    page = post(browser, "/texts/app/history", fields)
    assert "<del>Unsinn</del>" in page.text
    assert value(app, "title") == "Unsinn"
    answer = post(browser, "/texts/app/history", {**fields, "do": "revert"})
    assert "n.count=1" in answer.headers["location"]
    assert value(app, "title") == "Laden"
    assert post(browser, "/texts/app/history", {**fields, "since": "x"}).status_code == 400


def test_the_screens_own_words_are_edited_like_any_other(app: App) -> None:
    browser = client(app, "everything")
    assert "bide.nav.texts" in browser.get("/texts/screens/en?q=nav.texts").text
    assert "bide.nav" not in browser.get("/texts/app/en").text
    post(browser, "/texts/screens/en/text", {"key": "bide.nav.texts", "value": "Words"})
    assert ">Words</a>" in browser.get("/texts/app").text
    assert "bide" not in str(editor_of(app).listing("en").sections.keys())


def sent(content: bytes | str, name: str = "de.csv") -> dict[str, Any]:
    data = content.encode() if isinstance(content, str) else content
    return {"file": (name, io.BytesIO(data))}


def hidden(page: str) -> dict[str, str]:
    found = dict(re.findall(r'type="hidden" name="(mode|filename|data)" value="([^"]*)"', page))
    return {**found, "do": "import"}


def test_texts_go_out_and_come_back_after_a_look(each_app: App) -> None:
    browser = client(each_app)
    answer = browser.get("/texts/app/de/export?format=csv&state=missing")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert "title" not in [row["key"] for row in rows]
    for row in rows:
        if row["key"] == "cart.empty":
            row["text"] = "Leer"
        if row["key"].startswith("cart.items"):
            row["text"] = "%{count} Dinge"
    written = io.StringIO()
    csv.DictWriter(written, rows[0]).writeheader()
    csv.DictWriter(written, rows[0]).writerows(rows)
    page = post(
        browser, "/texts/app/de/exchange", {"mode": "missing"}, files=sent(written.getvalue())
    )
    assert page.is_success, page.text
    assert "3 new" in page.text
    assert value(each_app, "cart.empty") is None
    done = post(browser, "/texts/app/de/exchange", hidden(page.text))
    assert "n.count=3" in done.headers["location"]
    assert value(each_app, "cart.empty") == "Leer"
    assert value(each_app, "cart.items") == {"one": "%{count} Dinge", "other": "%{count} Dinge"}
    assert editor_of(each_app).history.of("de", "cart.empty")[0].author == "ada"


def test_an_edit_during_an_import_is_not_lost_unseen(app: App) -> None:
    browser = client(app)
    file = "de:\n  title: Geschäft\n  cart: {empty: Leer}\n"
    page = post(browser, "/texts/app/de/exchange", {"mode": "missing"}, files=sent(file, "de.yml"))
    editor_of(app).save(Edit("de", "title", "Lädchen", "Ben"))
    post(browser, "/texts/app/de/exchange", hidden(page.text))
    assert value(app, "title") == "Lädchen"
    assert value(app, "cart.empty") == "Leer"


def test_a_file_may_be_brought_in_as_suggestions(app: App) -> None:
    guest = client(app, "texts.suggest")
    file = "de:\n  title: Geschäft\n  greeting: Hallo %{nom}\n"
    page = post(guest, "/texts/app/de/exchange", {"mode": "suggest"}, files=sent(file, "de.yml"))
    assert page.is_success
    post(guest, "/texts/app/de/exchange", hidden(page.text))
    assert value(app, "title") == "Laden"
    assert len(editor_of(app).reviews.proposals("de", "title")) == 1
    assert editor_of(app).reviews.proposals("de", "greeting") == []
    assert (
        post(
            guest, "/texts/app/de/exchange", {**hidden(page.text), "mode": "overwrite"}
        ).status_code
        == 403
    )


def test_texts_with_errors_are_left_out_of_an_import(app: App) -> None:
    browser = client(app)
    file = "de:\n  greeting: Hallo %{nom}\n  title: Geschäft\n"
    page = post(browser, "/texts/app/de/exchange", {"mode": "overwrite"}, files=sent(file, "x.yml"))
    assert "1 with errors" in page.text
    post(browser, "/texts/app/de/exchange", hidden(page.text))
    assert (value(app, "greeting"), value(app, "title")) == ("Hallo %{name}", "Geschäft")


@pytest.mark.parametrize(
    ("content", "name"),
    [("x", "x.exe"), ("[", "x.json"), ("en:\n  a: b\n", "en.yml"), ("de: !ruby/object:X {}", "x.yml"),
     (b"\xff\xfe\x00", "x.csv"), ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "x.xlf"),
     ("", "x.csv"), ("a", "")],
)  # fmt: skip
def test_files_that_hold_no_texts_of_the_language_are_refused(
    app: App, content: Any, name: str
) -> None:
    answer = post(
        client(app), "/texts/app/de/exchange", {"mode": "missing"}, files=sent(content, name)
    )
    assert answer.status_code in (200, 400)
    assert "root:" not in answer.text
    broken = post(
        client(app), "/texts/app/de/exchange", {"filename": "x.csv", "data": "%%%", "do": "import"}
    )
    assert broken.status_code == 400


def test_an_application_without_texts_has_no_texts_in_its_screens() -> None:
    browser = client(App("memory://"))
    assert browser.get("/texts").status_code == 404


def test_texts_in_files_only_are_told_how_to_become_editable(sqlite_url: str) -> None:
    app = App(sqlite_url)
    files = Simple()
    files.store("en", {"a": "b"})
    app.use(I18n(files))
    app.migrate()
    answer = client(app).get("/texts/app")
    assert answer.status_code == 400
    assert "Database(app)" in answer.text
    app.close()


def test_who_administers_one_language_changes_no_other(app: App) -> None:
    german = client(app, "texts.administer:de")
    page = german.get("/texts/app").text
    assert 'value="add"' not in page
    assert 'value="add"' in client(app, "texts.administer").get("/texts/app").text
    assert post(german, "/texts/app", {"do": "add", "locale": "fr"}).status_code == 403
    post(client(app), "/texts/app", {"do": "add", "locale": "fr"})
    assert post(german, "/texts/app", {"do": "publish", "locale": "fr"}).status_code == 403
    for locale in ("en", "de"):
        post(client(app), f"/texts/app/{locale}/text", {"key": "title", "value": "X", "do": "save"})
    taken_back = {"author": "ada", "since": "2020-01-01"}
    answer = post(german, "/texts/app/history", {"do": "revert", **taken_back})
    assert answer.headers["location"].endswith("n.count=1")
    assert (value(app, "title", "en"), value(app, "title", "de")) == ("X", "Laden")


@pytest.mark.parametrize("path", ["exchange", "review", "check", "text"])
def test_a_language_comes_into_being_by_being_added_alone(app: App, path: str) -> None:
    import base64

    data = base64.b64encode(b"xx: {title: X}").decode()
    fields = {"mode": "overwrite", "do": "import", "filename": "a.yml", "data": data}
    told = fields if path == "exchange" else {"key": "title", "do": "note", "note": "x"}
    assert post(client(app), f"/texts/app/xx/{path}", told).status_code == 404
    assert [one.locale for one in editor_of(app).languages.all()] == ["en", "de"]


def test_a_language_is_added_once_however_its_tag_is_written(app: App) -> None:
    answer = post(client(app), "/texts/app", {"do": "add", "locale": "DE"})
    assert answer.status_code == 400
    assert "the language de is there already" in answer.text


@pytest.mark.parametrize("given", ["nan", "inf", "-inf", "1e999", "9" * 400, "9" * 5000, "one"])
def test_what_is_no_number_is_refused(app: App, given: str) -> None:
    fields = form(app, "rate", value=given, do="save", confirmed="yes")
    assert post(client(app), "/texts/app/de/text", fields).status_code == 409
    assert value(app, "rate") is None


@pytest.mark.parametrize("data", ["é", "!!", "="])
def test_a_form_whose_file_was_garbled_is_refused(app: App, data: str) -> None:
    fields = {"mode": "overwrite", "do": "import", "filename": "a.yml", "data": data}
    answer = post(client(app), "/texts/app/de/exchange", fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


def test_half_a_character_in_a_file_is_refused(app: App) -> None:
    browser = client(app)
    browser.get("/texts/app/de/exchange")
    answer = browser.post(
        "/texts/app/de/exchange",
        data={"csrf": browser.cookies["bide_csrf"], "mode": "overwrite"},
        files={"file": ("de.json", b'{"de": {"title": "\\ud800"}}')},
    )
    assert answer.status_code == 400
    assert "can not load translations from de.json" in answer.text
