"""What the command line says when it cannot do what was asked: one sentence, a status, no traceback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bide
from bide.workers.signals import handled
from waiting import wait_until

COMMAND = [sys.executable, "-m", "bide.cli"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a migrated database in it and no setting from outside."""
    for name in [name for name in os.environ if name.startswith("BIDE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    app = bide.App("sqlite:///bide.db")
    app.migrate()
    app.close()
    return tmp_path


def said(
    *arguments: str, status: int, environment: dict[str, str] | None = None, **how: Any
) -> str:
    """What a command that ends with `status` wrote to stderr."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
        **({"stdout": subprocess.PIPE} | how),
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == status, done.stderr
    return str(done.stderr)


def test_output_that_cannot_be_written_is_told_once(here: Path) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        assert "bide: No space left on device" in said("queues", status=1, stdout=full)


def test_a_closed_standard_output_is_no_error(here: Path) -> None:
    app = bide.App("sqlite:///bide.db")

    @app.job
    def hello() -> None:
        """Nothing."""

    hello.delay()
    app.close()
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&- <&-', "sh", *COMMAND, "jobs", "list"],
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = = 3", "pyproject.toml cannot be read: Invalid value"),
        ("[tool]\nbide = 3\n", "[tool.bide] in pyproject.toml must be a table"),
    ],
)
def test_a_broken_pyproject_is_named(here: Path, text: str, reason: str) -> None:
    (here / "pyproject.toml").write_text(text)
    assert reason in said("queues", status=2)


def test_a_setting_is_named_as_its_variable_is_written(here: Path) -> None:
    told = said("queues", status=2, environment={"BIDE_SLEEP_DELAY": "soon"})
    assert "BIDE_SLEEP_DELAY='soon': must be a number of seconds, e.g. 5" in told


def test_a_module_that_is_missing_is_told_without_the_insides_of_the_import(here: Path) -> None:
    told = said("--app", "nowhere.tasks:app", "queues", status=2)
    assert "'nowhere.tasks' could not be imported" in told
    assert "<frozen" not in told


def test_the_application_s_own_frames_are_shown(here: Path) -> None:
    (here / "shop.py").write_text("1 / 0\n")
    told = said("--app", "shop:app", "queues", status=2)
    assert "ZeroDivisionError" in told
    assert 'shop.py", line 1' in told


def test_an_error_of_the_system_in_a_hook_of_the_application_says_where(here: Path) -> None:
    (here / "shop.py").write_text(
        "import bide\n"
        "app = bide.App('sqlite:///bide.db')\n"
        "app.lifecycle.before('execute', lambda worker: open('/nowhere/to/be/found'))\n"
    )
    told = said("--app", "shop:app", "workoff", status=1)
    assert "bide: No such file or directory: /nowhere/to/be/found" in told
    assert 'shop.py", line 3' in told


@pytest.mark.parametrize("url", ["nonsense", "oracle://x/y"])
def test_screens_of_no_database_are_not_served(here: Path, url: str) -> None:
    told = said("web", "--port", "0", status=2, environment={"BIDE_DATABASE_URL": url})
    assert "database URL" in told


@pytest.mark.parametrize("command", ["work", "workoff"])
def test_priorities_between_which_there_is_none_are_refused(here: Path, command: str) -> None:
    told = said(command, "--min-priority", "5", "--max-priority", "1", status=2)
    assert "no priority is at least 5 and at most 1" in told


@pytest.mark.parametrize(
    "arguments",
    [("jobs", "show", "9" * 24), ("jobs", "list", "--before", "9" * 24), ("jobs", "retry", "x")],
)
def test_a_number_that_no_job_can_have_is_refused(here: Path, arguments: tuple[str, ...]) -> None:
    assert f"'{arguments[-1]}' is no id of a job" in said(*arguments, status=2)


def test_spans_longer_than_time_are_as_long_as_can_be(here: Path) -> None:
    said("check", "--max-age", "1e30", status=0)
    said("health", "--max-age", "1e30", status=0)
    assert "is no moment" in said("stats", "--since", "99999999d", status=2)


def test_tables_that_are_missing_are_missed_by_the_question(here: Path) -> None:
    """What was said before on the same connection has nothing to do with it."""
    url = {"BIDE_DATABASE_URL": "sqlite:///empty.db"}
    told = said("queues", status=1, environment=url)
    assert "a question needs is missing; run `bide migrate`" in told
    assert "PRAGMA" not in told


def test_a_directory_in_which_no_writer_can_take_turns_is_named(here: Path) -> None:
    (here / "bide.db-turn").unlink(missing_ok=True)
    (here / "bide.db-turn").mkdir()
    told = said("queues", status=1)
    assert "bide.db-turn', by which writers take turns, cannot be opened" in told


def test_a_daemon_that_does_not_run_is_named_once(here: Path) -> None:
    assert said("reload", status=1).startswith("bide: no instances running as bide; start it")


def test_ctrl_c_ends_a_command_that_waits_for_the_database(here: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://127.0.0.1:{silent.getsockname()[1]}/x"
        # A test run in the background of a script ignores SIGINT, and so would the command.
        with handled({signal.SIGINT: signal.default_int_handler}):
            waiting = subprocess.Popen(
                [*COMMAND, "queues"],
                env={**os.environ, "BIDE_DATABASE_URL": url},
                stderr=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        try:
            silent.settimeout(20)
            connection, _ = silent.accept()
            with connection:
                wait_until(lambda: connection.recv(1, socket.MSG_PEEK))
                waiting.send_signal(signal.SIGINT)
                _, told = waiting.communicate(timeout=20)
        finally:
            waiting.kill()
            waiting.wait(10)
    assert "Traceback" not in told
    assert told.strip().endswith("Aborted!")
    assert waiting.returncode == 1
