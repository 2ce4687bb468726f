"""`bide stats` and `bide audit`: what was counted, and what people did with the commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import bide
from bide.cli.audit import user
from bide.cli.main import bide as command
from bide.db.migrate import downgrade
from bide.jobs.migrations import JOBS

Run = Callable[..., Result]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bide.App]:
    monkeypatch.setenv("BIDE_DATABASE_URL", f"sqlite:///{tmp_path / 'bide.db'}")
    monkeypatch.chdir(tmp_path)
    app = bide.App.from_env()
    app.migrate()

    @app.job(name="charge", queue="bank", max_attempts=1)
    def charge(fail: bool) -> None:
        if fail:
            raise ConnectionError("no answer from the bank")

    for fail in (True, False, True):
        charge.delay(fail)
    app.worker().work_off()
    charge.delay(False)
    yield app
    app.close()


@pytest.fixture
def run(app: bide.App) -> Run:
    def run(*words: str, status: int = 0) -> Result:
        result = CliRunner().invoke(command, words)
        assert result.exit_code == status, result.output
        return result

    return run


def audit(run: Run) -> list[tuple[str, str, Any]]:
    rows = json.loads(run("audit", "--json").output)
    assert {row["who"] for row in rows} <= {user()}
    return [(row["action"], row["what"], row["detail"]) for row in reversed(rows)]


def test_stats_tell_what_was_counted(run: Run) -> None:
    [row] = json.loads(run("stats", "--json").output)
    told = {name: row[name] for name in ("queue", "name", "succeeded", "failed", "attempts")}
    assert told == {"queue": "bank", "name": "charge", "succeeded": 1, "failed": 2, "attempts": 3}
    assert row["run_average"] > 0
    header, line = run("stats").output.splitlines()
    assert header.split("\t")[:4] == ["queue", "name", "succeeded", "failed attempts"]
    assert line.split("\t")[:5] == ["bank", "charge", "1", "2", "2"]


def test_stats_by_steps_of_time(run: Run) -> None:
    [row] = json.loads(run("stats", "--step", "1d", "--by", "", "--json").output)
    assert (row["queue"], row["succeeded"]) == ("", 1)
    assert row["minute"].endswith("T00:00:00+00:00")
    assert run("stats", "--step", "1d").output.startswith("from\tqueue\tname\t")
    assert run("stats", "--queue", "mail").output == "Nothing was counted.\n"
    assert json.loads(run("stats", "--all", "--json").output)[0]["attempts"] == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--step", "10s"), "no length of time; e.g. 1m"),
        (("--step", "0m"), "no length of time"),
        (("--by", "worker"), "names something else than queue and name"),
        (("--all", "--since", "1h"), "--all is all time"),
    ],
)
def test_stats_refuse_what_they_cannot_answer(run: Run, words: tuple[str, ...], told: str) -> None:
    assert told in run("stats", *words, status=2).output


def test_what_is_done_to_jobs_and_queues_is_in_the_audit_list(run: Run) -> None:
    run("jobs", "cancel", "4")
    run("jobs", "retry", "--queue", "bank", "--yes")
    run("jobs", "delete", "1", "3")
    run("queues", "pause", "bank", "mail")
    run("queues", "pause", "bank")
    run("queues", "resume", "bank")
    run("clear", "--yes")
    assert audit(run) == [
        ("jobs.cancel", "4", {}),
        ("jobs.retry", "queue=bank", {"number": 3}),
        ("jobs.delete", "1", {}),
        ("jobs.delete", "3", {}),
        ("queues.pause", "bank", {}),
        ("queues.pause", "mail", {}),
        ("queues.resume", "bank", {}),
        ("jobs.delete", "all", {"number": 1}),
    ]


def test_the_audit_list_is_shown_a_page_at_a_time(run: Run) -> None:
    run("queues", "pause", "a", "b", "c")
    first = run("audit", "--limit", "2")
    assert [line.split("\t")[4] for line in first.stdout.splitlines()[1:]] == ["c", "b"]
    assert "More: --before 2" in first.output
    rest = run("audit", "--limit", "2", "--before", "2")
    assert [line.split("\t")[4] for line in rest.stdout.splitlines()[1:]] == ["a"]
    assert run("audit", "--who", "nobody@nowhere").output == "Nothing was done.\n"


def test_nothing_changed_is_nothing_done(run: Run) -> None:
    run("jobs", "retry", "--queue", "none", "--yes")
    assert audit(run) == []


def test_older_tables_have_no_audit_list_and_commands_work(app: bide.App, run: Run) -> None:
    assert app.database is not None
    downgrade(app.database, JOBS, "0002")
    result = run("queues", "pause", "bank")
    assert "bank: paused" in result.stdout
    assert "The audit list has no table yet: run `bide migrate`." in result.stderr
