from __future__ import annotations

from typing import Any

import pytest

from bide.forks.findings import ERROR, OK, WARNING
from bide.workers.checkup import examine, unusable
from bide.workers.settings import Settings

WHERE = "postgresql://localhost/shop"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BIDE_PYTHON", "BIDE_VENV", "BIDE_REQUIRE"):
        monkeypatch.delenv(name, raising=False)


def test_the_defaults_are_sound() -> None:
    [found] = examine(Settings(database_url=WHERE), processes=8)
    assert (found.level, found.text) == (OK, "every value is sound")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"grace_time": 30.0}, "a stop can take 35 s, and containers are killed after 30 s"),
        ({"heartbeat_interval": 1.0, "statement_timeout": 1.0}, "pauses for 2 s loses its jobs"),
        ({"heartbeat_interval": 300.0}, "the jobs of a lost host wait for 600 s"),
        ({"statement_timeout": 60.0}, "statement_timeout=60 is not below the 20 s"),
        ({"sleep_delay": 600.0}, "waits that long"),
        ({"delay_jobs": False}, "each job runs where it is enqueued"),
        ({"recycle_above_memory": 512}, "a worker that did nothing has about"),
        ({"recycle_after_jobs": 1}, "mostly forks"),
        ({"database_url": "sqlite:///bide.db"}, "another file in each directory"),
        ({"database_url": "memory://"}, "lost at its end"),
    ],
)
def test_a_value_that_will_be_regretted_is_a_warning_with_the_value(
    values: dict[str, Any], words: str
) -> None:
    [found] = examine(Settings(**{"database_url": WHERE} | values))
    assert found.level == WARNING
    assert words in found.text
    assert found.advice


def test_memory_is_an_error_for_several_processes() -> None:
    [found] = examine(Settings(database_url="memory://"), processes=2)
    assert found.level == ERROR


def test_an_absolute_file_is_sound() -> None:
    assert examine(Settings(database_url="sqlite:////srv/bide.db"))[0].level == OK


def test_a_variable_that_does_not_reach_the_settings_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BIDE_METRICS_TOKEN", "a-long-random-word")
    monkeypatch.setenv("BIDE_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("BIDE_READ_AHEAD", "many")
    [found] = examine(Settings(database_url=WHERE, max_attempts=7))
    assert found.level == WARNING
    assert found.text.startswith("the variable BIDE_METRICS_TOKEN does not count")
    assert "random" not in found.text


def test_a_misspelt_variable_is_told_with_the_right_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIDE_GRACETIME", "5")
    monkeypatch.setenv("BIDE_SOMETHING_OF_OURS", "5")
    [found] = examine(Settings(database_url=WHERE))
    assert (found.text, found.advice) == (
        "the variable BIDE_GRACETIME is no setting",
        "BIDE_GRACE_TIME?",
    )


def test_impossible_values_are_errors_each() -> None:
    found = unusable(["max_attempts=0: must be at least 1", "sleep_delay=0: must be above 0"])
    assert [each.level for each in found] == [ERROR, ERROR]
