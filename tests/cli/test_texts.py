"""`bide texts`: import and export, what is missing, unused or wrong, as a user calls it."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bide.cli.main import bide as command
from bide.errors import InvalidLocaleData
from bide.i18n import Missing
from bide.i18n.editing.editor import Editor

PROGRAM = """
import bide
from bide.i18n import Chain, Database, I18n, Simple

app = bide.App.from_env()
database = Database(app)
i18n = I18n(Chain(database, Simple("locales/*.yml")), default_locale="en")
app.use(i18n)
"""
FILES = {
    "en": 'en:\n  title: "Shop %{name}"\n  menu: {file: File, edit: Edit}\n  cars: {one: a car, other: "%{count} cars"}\n  old: Old\n',
    "de": 'de:\n  title: "Laden %{nam}"\n  menu: {file: Datei}\n  cars: {one: ein Auto, other: "%{count} Autos"}\n',
    "ru": "ru:\n  menu: {file: Файл}\n",
}
Run = Callable[..., Result]


@pytest.fixture
def run(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Run]:
    """Runs a command in an application of its own; its module is named after the test."""
    monkeypatch.setenv("BIDE_DATABASE_URL", sqlite_url)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = f"shop_{abs(hash(request.node.nodeid))}"
    (tmp_path / f"{module}.py").write_text(PROGRAM)
    (tmp_path / "locales").mkdir()
    for locale, texts in FILES.items():
        (tmp_path / "locales" / f"{locale}.yml").write_text(texts)

    def run(*words: str, **options: Any) -> Result:
        return CliRunner().invoke(command, ["--app", f"{module}:app", "texts", *words], **options)

    run.module = module  # type: ignore[attr-defined]
    loaded = importlib.import_module(module)
    loaded.app.migrate()
    yield run
    loaded.database.close()
    loaded.app.close()


def shown(result: Result) -> str:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.output


def stored(run: Run) -> Any:
    """The texts in the table."""
    return json.loads(run("export", "-", "--format", "json", "--table").stdout)


def test_an_export_says_how_much_it_wrote(run: Run, tmp_path: Path) -> None:
    assert run("export", "{locale}.yml", "--table").stderr == "no texts, no file\n"
    assert run("export", "ru.yml", "--locale", "ru").stderr == "ru.yml: 1 text\n"
    assert run("export", "de.yml", "--locale", "de").stderr == "de.yml: 4 texts\n"
    assert {path.name for path in tmp_path.glob("*.yml")} == {"ru.yml", "de.yml"}


def test_a_dry_run_shows_a_diff_and_imports_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "new.yml").write_text("de:\n  greeting: Hallo\n  menu: Menü\n")
    output = shown(run("import", "new.yml", "--dry-run", "--mode", "overwrite"))
    assert '+ de.greeting: "Hallo"' in output
    assert "would be: 2 new" in output
    assert shown(run("import", "new.yml", "-n")) == output


def test_an_import_is_read_back(run: Run, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("key;text\ngreeting;Hallo\nempty;\n")
    assert (
        shown(run("import", "new.csv", "--locale", "de", "--author", "Ann")).strip()
        == "1 new, 1 without a text"
    )
    assert stored(run) == {"de": {"greeting": "Hallo"}}
    (tmp_path / "again.json").write_text('{"de": {"greeting": "Servus", "more": ["a", 1]}}')
    assert "1 new, 1 kept as they are" in shown(run("import", "again.json"))
    output = shown(run("import", "again.json", "--mode", "overwrite", "--json"))
    assert {change["key"]: change["action"] for change in json.loads(output)} == {
        "greeting": "change",
        "more": "same",
    }


def test_a_conflict_is_asked_and_changes_nothing_unless_agreed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text("en:\n  a: {b: B}\n")
    (tmp_path / "two.yml").write_text("en:\n  a: A\n")
    run("import", "one.yml")
    asked = run("import", "two.yml", "--mode", "overwrite", input="n\n")
    assert asked.exit_code == 2
    assert "Nobody is there to answer; say --yes" in asked.output
    assert "! en.a:" in asked.output
    assert '    - a.b: "B"' in asked.output
    assert stored(run) == {"en": {"a": {"b": "B"}}}
    assert "1 replaced" in shown(run("import", "two.yml", "--mode", "overwrite", "--yes"))
    assert stored(run) == {"en": {"a": "A"}}


def test_a_broken_file_is_named_with_its_line_and_nothing_is_imported(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "good.yml").write_text("de:\n  a: A\n")
    (tmp_path / "broken.yml").write_text("de:\n  a: [\n")
    result = run("import", "good.yml", "broken.yml")
    assert isinstance(result.exception, InvalidLocaleData)
    assert "broken.yml, line 3" in str(result.exception)
    absent = run("import", "absent.yml")
    assert "absent.yml: No such file" in str(absent.exception)
    assert stored(run) == {}


def test_hostile_texts_are_shown_without_their_control_characters(run: Run, tmp_path: Path) -> None:
    (tmp_path / "new.json").write_text(
        json.dumps({"de": {"a": "\x1b[31mred\nnext\x00", "b\x1b": "[bold]"}})
    )
    output = shown(run("import", "new.json", "--dry-run"))
    assert "\x1b" not in output
    assert "\x00" not in output


def test_one_file_for_each_language(run: Run, tmp_path: Path) -> None:
    shown(run("export", "out-{locale}.po"))
    assert sorted(path.name for path in tmp_path.glob("out-*.po")) == [
        "out-de.po",
        "out-en.po",
        "out-ru.po",
    ]
    assert 'msgid "File"\nmsgstr "Datei"' in (tmp_path / "out-de.po").read_text()
    result = run("export", "all.po")
    assert "one locale, not de, en, ru" in str(result.exception)
    assert not list(tmp_path.glob("all*"))


def test_what_is_missing_travels_to_a_translator_and_back(run: Run, tmp_path: Path) -> None:
    shown(run("export", "todo.csv", "--missing", "--locale", "ru"))
    lines = (tmp_path / "todo.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "locale,key,source,text,kind,note"
    assert "ru,cars.few,%{count} cars,,text," in lines
    assert not [line for line in lines if "menu.file" in line]
    done = [lines[0], *(line.replace(",,text", ",Слово,text") for line in lines[1:])]
    (tmp_path / "todo.csv").write_text("\n".join(done))
    assert f"{len(lines) - 1} new" in shown(run("import", "todo.csv"))
    assert shown(run("missing", "--locale", "ru")).strip() == "Nothing is missing."


def test_missing_texts_are_listed_with_the_plural_forms_of_each_language(run: Run) -> None:
    found = json.loads(shown(run("missing", "--json")))
    keys = {(one["locale"], one["key"]) for one in found}
    assert ("de", "menu.edit") in keys
    assert {key for locale, key in keys if locale == "ru" and key.startswith("cars.")} == {
        "cars.one", "cars.few", "cars.many", "cars.other",
    }  # fmt: skip
    assert run("missing", "--strict").exit_code == 1
    assert run("missing", "-l", "xx").exit_code != 0


def test_a_key_asked_for_in_vain_is_listed_with_its_place(run: Run) -> None:
    assert run("stats").exit_code == 0
    loaded = sys.modules[run.module]  # type: ignore[attr-defined]
    loaded.i18n.backend = Missing(loaded.i18n.backend, loaded.database.record)
    loaded.i18n.t("asked.for", name=1)
    loaded.database.live.write_missing()
    [row] = [
        one for one in json.loads(run("missing", "--json").stdout) if one["key"] == "asked.for"
    ]
    assert row["locale"] == "en"
    assert "test_texts.py:" in row["place"]
    assert row["names"] == ["name"]
    assert "test_texts.py:" in run("missing", "-l", "en").output


def test_suggestions_wait_for_somebody_to_accept_them(run: Run, tmp_path: Path) -> None:
    texts = {
        "title": "Laden %{name}",
        "cars": {"one": "ein Wagen", "other": "%{count} Wagen"},
        "menu": {"file": "%{bad}"},
    }
    (tmp_path / "new.json").write_text(json.dumps({"de": texts}))
    result = run("import", "new.json", "--mode", "suggest", "--author", "Ann")
    assert "4 suggested" in shown(result)
    assert "refused: " in result.output
    assert stored(run) == {}
    editor = Editor(sys.modules[run.module].i18n)  # type: ignore[attr-defined]
    [proposal] = editor.reviews.proposals("de", "cars")
    assert json.loads(proposal.value or "") == {"one": "ein Wagen", "other": "%{count} Wagen"}
    assert proposal.author == "Ann"
    assert len(editor.reviews.proposals("de", "title")) == 1
    assert editor.reviews.proposals("de", "menu.file") == []


def test_unused_keys_are_those_that_no_code_names(run: Run, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text('t("title", name=1); t(f"menu.{what}"); t(key)\n')
    (tmp_path / "code" / "a.html").write_text("{{ t('cars', count=n) }}")
    found = json.loads(shown(run("unused", "code", "--json")))
    assert found["unused"] == ["old"]
    assert found["computed"] == ["code/a.py:1"]
    assert shown(run("unused", "code", "--keep", "old")).startswith("Every key is used.")
    assert run("unused", "code", "--strict").exit_code == 1
    assert "no such file" in str(run("unused", "nowhere").exception)


def test_check_compares_with_the_source_language(run: Run) -> None:
    result = run("check")
    assert result.exit_code == 1
    assert "error\tde\ttitle\tthe source text has no placeholder nam" in result.output
    [first, *_] = json.loads(run("check", "--json", "-l", "de").output)
    assert (first["locale"], first["key"], first["check"]) == ("de", "title", "unknown_placeholder")
    assert run("check", "-l", "ru").exit_code == 0


def test_stats_show_how_far_each_language_is(run: Run) -> None:
    rows = {row["locale"]: row for row in json.loads(shown(run("stats", "--json")))}
    assert rows["en"]["percent"] == 100
    assert rows["de"]["wanted"] == 6
    assert rows["de"]["translated"] == 4
    assert 0 < rows["ru"]["percent"] < 20
    assert "de\t4\t4\t2\t66.6 %\t1\t" in shown(run("stats"))


def test_an_application_without_texts_is_told_how_to_use_some(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BIDE_DATABASE_URL", sqlite_url)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command, ["texts", "stats"])
    assert result.exit_code == 2
    assert "must call app.use(i18n)" in result.output
