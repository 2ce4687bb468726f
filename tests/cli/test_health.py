"""`bide health` and `bide metrics`: exit statuses and files for those who watch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bide
from bide import clock
from bide.cli.main import bide as command


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bide.App]:
    monkeypatch.setenv("BIDE_DATABASE_URL", f"sqlite:///{tmp_path / 'bide.db'}")
    monkeypatch.chdir(tmp_path)
    app = bide.App.from_env()
    app.migrate()
    yield app
    app.close()


def run(*words: str) -> Result:
    return CliRunner().invoke(command, words)


def test_all_is_well(app: bide.App) -> None:
    result = run("health")
    assert (result.exit_code, result.output) == (0, "All is well.\n")


def test_workers_that_are_wanted_must_be_alive(app: bide.App) -> None:
    result = run("health", "--workers", "2", "--json")
    reason = "0 workers are alive, 2 are wanted"
    assert (result.exit_code, json.loads(result.output)) == (
        1,
        {"healthy": False, "reasons": [reason]},
    )
    for number in (1, 2):
        app.store.register(f"worker {number}", "here", number, {})
    assert run("health", "--workers", "2").exit_code == 0


def test_a_job_that_waits_too_long_is_a_reason(app: bide.App) -> None:
    @app.job(queue="mail")
    def send() -> None: ...

    send.using(run_at=clock.utc_now() - timedelta(seconds=400)).delay()
    assert run("health", "--max-age", "600").exit_code == 0
    result = run("health", "--max-age", "300")
    assert result.exit_code == 1
    assert "queue mail: the oldest ready job waits for 40" in result.output


def test_a_missing_database_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIDE_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    result = run("health")
    assert result.exit_code == 1
    assert "run `bide migrate`" in result.output


def test_metrics_are_printed_or_written_for_the_node_exporter(
    app: bide.App, tmp_path: Path
) -> None:
    printed = run("metrics")
    assert printed.exit_code == 0
    assert "bide_up 1\n" in printed.output
    file = tmp_path / "bide.prom"
    assert run("metrics", "--textfile", str(file)).exit_code == 0
    assert "bide_up 1\n" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".bide.prom")] == []


def test_metrics_say_when_the_database_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIDE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    file = tmp_path / "bide.prom"
    result = CliRunner().invoke(command, ["metrics", "--textfile", str(file)])
    assert isinstance(result.exception, bide.ConnectionLost)  # one line and status 1 in `main`
    assert "bide_up 0" in file.read_text()


def test_a_textfile_that_cannot_be_written_is_told(app: bide.App, tmp_path: Path) -> None:
    result = run("metrics", "--textfile", str(tmp_path / "none" / "bide.prom"))
    assert result.exit_code == 1
    assert "cannot be written: No such file or directory" in result.output
