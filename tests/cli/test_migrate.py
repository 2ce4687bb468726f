"""`bide migrate --to`: every step down and up again, with data in the tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bide
from bide.cli.main import bide as command
from bide.db.migrate import revisions, versions
from bide.i18n import Chain, Database, I18n
from bide.i18n.migrations import TEXTS
from bide.jobs.job import Filter
from bide.jobs.migrations import JOBS

APPLICATION = """
import bide
app = bide.App({url!r})
"""


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / f"steps_{tmp_path.name}.py").write_text(APPLICATION.format(url=database_url))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(*words: str, answer: str | None = None) -> Result:
        named = ["--app", f"steps_{tmp_path.name}:app", "migrate", *words]
        return CliRunner().invoke(command, named, input=answer)

    return run


def test_every_step_goes_down_and_up_again_with_jobs_and_texts_in_the_tables(
    run, database_url: str
) -> None:
    app = bide.App(database_url)
    app.migrate()
    app.use(I18n(Chain(Database(app))))
    job = app.job(print, name="kept", keep_result=60).delay("x")
    app.job(print, name="waiting").delay("y")
    app.worker().work_off(1)
    assert app.i18n is not None
    app.i18n.store("de", {"hello": "Hallo"})
    assert job.result() is None
    for line, product in ((JOBS, "jobs"), (TEXTS, "texts")):
        steps = revisions(line)
        for step in reversed(steps[:-1]):
            assert run("--to", f"{product}:{step}", "--yes").exit_code == 0
            assert versions(app.database, line)[0] == step
        assert run("--to", f"{product}:{steps[-1]}").exit_code == 0
        assert versions(app.database, line)[0] == steps[-1]
    assert [job.name for job in map(app.held, app.store.find(Filter()))] == ["waiting", "kept"]
    app.i18n.reload()
    assert app.i18n.t("hello", locale="de") == "Hallo"
    app.job(print, name="new").delay("z")
    assert app.worker().work_off() == (2, 0)
    app.close()


def test_undoing_asks_first(run, database_url: str) -> None:
    app = bide.App(database_url)
    app.migrate()
    asked = run("--to", "jobs:base", answer="n\n")
    assert asked.exit_code == 1
    assert "Steps 0004, 0003, 0002, 0001" in asked.output
    assert versions(app.database, JOBS)[0] == revisions(JOBS)[-1]
    assert run("--to", "jobs:base", answer="y\n").exit_code == 0
    assert versions(app.database, JOBS)[0] is None
    assert run("--to", "jobs:0002").exit_code == 0
    assert run().exit_code == 0
    app.close()


@pytest.mark.parametrize("wrong", ["", "jobs", "jobs:9999", "cats:0001", "0003"])
def test_wrong_steps_are_told(wrong: str, sqlite_url: str, tmp_path: Path, monkeypatch) -> None:
    from bide.errors import SettingsError
    from bide.plugins.tables import Move

    app = bide.App(sqlite_url)
    with pytest.raises(SettingsError, match="jobs"):
        Move.named(app.database, None, wrong)
