"""Settings: defaults, where they come from, and that every wrong value is told, all at once (queue.md 5.1)."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import bide
from bide.errors import SettingsError
from bide.workers.settings import Settings


def test_the_defaults_are_the_originals_or_decided_otherwise() -> None:
    """queue.md 5.1: failed jobs are kept (DJ-307), read_ahead counts claims, not candidates."""
    settings = Settings()
    measured = {
        "sleep_delay": 5, "max_attempts": 25, "max_run_time": 4 * 3600, "default_priority": 0,
        "delay_jobs": True,
    }  # fmt: skip
    assert {name: getattr(settings, name) for name in measured} == measured
    assert (settings.destroy_failed_jobs, settings.read_ahead) == (False, 100)


def test_two_workers_of_one_process_do_not_share_their_settings() -> None:
    """queue.md 5.1: what a worker is told stays with it."""
    app = bide.App("memory://", sleep_delay=7)
    fast, slow = app.worker(sleep_delay=0.5), app.worker()
    assert (fast.settings.sleep_delay, slow.settings.sleep_delay) == (0.5, 7)
    assert app.settings.sleep_delay == 7


def test_all_problems_are_told_together() -> None:
    with pytest.raises(SettingsError) as caught:
        bide.App("memory://", sleep_delay=0, max_attempts="many", colour="red")
    assert len(caught.value.problems) == 2
    assert "unknown setting 'colour'" in caught.value.problems[0]
    assert "max_attempts='many': must be a whole number, e.g. 25" in caught.value.problems[1]
    with pytest.raises(SettingsError) as caught:
        bide.App("memory://", sleep_delay=0, max_crashes=0)
    assert [text.split(":")[0] for text in caught.value.problems] == [
        "max_crashes=0",
        "sleep_delay=0.0",
    ]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("max_attempts", 0, "at least 1"),
        ("max_attempts", True, "must be a number"),
        ("max_attempts", 2.5, "whole number"),
        ("max_attempts", 2**31, "32 bits"),
        ("start_method", "forkserver", "must be fork or spawn"),
        ("default_priority", -(2**40), "32 bits"),
        ("max_run_time", 0, "above 0"),
        ("max_run_time", -1, "above 0"),
        ("max_run_time", float("inf"), "ten years"),
        ("max_run_time", float("nan"), "above 0"),
        ("sleep_delay", "soon", "number of seconds"),
        ("sleep_delay", float("inf"), "ten years"),
        ("delay_jobs", "perhaps", "true or false"),
        ("default_queue", 7, "must be text"),
        ("job_modules", 7, "list of names"),
        ("missed_heartbeats", 1, "at least 2"),
    ],
)
def test_wrong_values_are_refused_with_reason_and_example(name: str, value: Any, says: str) -> None:
    """DJ-569, DJ-570: no value is cut, misread or ignored."""
    with pytest.raises(SettingsError, match=says) as caught:
        bide.App("memory://", **{name: value})
    assert "e.g. " in str(caught.value)


def test_durations_may_be_timedeltas_and_fractions() -> None:
    """DJ-524, DJ-570."""
    app = bide.App("memory://", max_run_time=timedelta(minutes=2), sleep_delay=0.5)
    assert (app.settings.max_run_time, app.settings.sleep_delay) == (120.0, 0.5)


def test_the_environment_is_read_where_code_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """DJ-344, DJ-345, DJ-581: a variable that is not set overwrites nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.bide]\nmax_attempts = 3\nsleep_delay = 9\njob_modules = ["a", "b"]\n'
    )
    for name, value in {
        "DATABASE_URL": "memory://", "MAX_ATTEMPTS": "4", "READ_AHEAD": "7",
        "QUEUE_PRIORITIES": "mail=1, slow=-2", "DESTROY_FAILED_JOBS": "yes",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"BIDE_{name}", value)
    settings = bide.App.from_env(read_ahead=8).settings
    assert (settings.read_ahead, settings.max_attempts, settings.sleep_delay) == (8, 4, 9.0)
    assert settings.queue_priorities == {"mail": 1, "slow": -2}
    assert settings.destroy_failed_jobs is True
    assert settings.job_modules == ("a", "b")


@pytest.mark.parametrize(
    ("name", "text"), [("MAX_ATTEMPTS", "x"), ("QUEUE_PRIORITIES", "mail"), ("DELAY_JOBS", "2")]
)
def test_wrong_variables_are_refused_by_their_name(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"BIDE_{name}", text)
    with pytest.raises(SettingsError, match=f"BIDE_{name}='{text}'"):
        bide.App.from_env()


def test_an_application_by_code_does_not_look_at_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BIDE_MAX_ATTEMPTS", "4")
    assert bide.App("memory://").settings.max_attempts == 25


def test_every_setting_says_what_it_is_for_with_a_value_that_it_takes() -> None:
    for one in fields(Settings):
        told = one.metadata
        assert told["help"].endswith(".")
        settings = Settings.load({one.name: told["example"]})
        assert getattr(settings, one.name) is not None


def test_stores_are_chosen_by_the_first_word_of_the_address(sqlite_url: str) -> None:
    """DJ-104."""
    assert bide.App("memory://").store.name == "memory"
    assert bide.App(sqlite_url).store.name == "sqlite"
    with pytest.raises(SettingsError, match="oracle"):
        _ = bide.App("oracle://somewhere").store


@pytest.mark.parametrize("prefix", ["bide_", "shop_"])
def test_tables_carry_the_prefix(sqlite_url: str, prefix: str) -> None:
    """DJ-099, DJ-100, DJ-309."""
    import sqlite3

    app = bide.App(sqlite_url, table_prefix=prefix)
    app.migrate()

    @app.job
    def nothing() -> None: ...

    nothing.delay()
    assert app.worker().work_off() == (1, 0)
    app.close()
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        ours = "SELECT name FROM sqlite_master WHERE tbl_name <> 'translations'"  # the gem's name
        names = {row[0] for row in connection.execute(ours)}
    connection.close()
    assert f"{prefix}jobs" in names
    assert all(name.startswith((prefix, "sqlite_", "ix_", "alembic")) for name in names), names
