"""`bide doctor` as users run it: in a process of its own, on an application of theirs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HEALTHY = """
import bide
app = bide.App({url!r})
"""
OPENS_AT_IMPORT = """
import bide, sqlalchemy, psycopg
app = bide.App({url!r})
translations = psycopg.connect({url!r})
engine = sqlalchemy.create_engine({url!r}.replace("postgresql:", "postgresql+psycopg:"))
with engine.connect() as connection:
    connection.execute(sqlalchemy.text("SELECT 1"))
"""


def run(directory: Path, application: str, *arguments: str, **variables: str) -> Any:
    (directory / "shop.py").write_text(application)
    return subprocess.run(
        [sys.executable, "-m", "bide.cli", "--app", "shop", *arguments],
        cwd=directory, env=os.environ | variables, capture_output=True, text=True, timeout=50,
    )  # fmt: skip


def test_a_healthy_application_ends_with_status_0(database_url: str, tmp_path: Path) -> None:
    application = HEALTHY.format(url=database_url)
    assert run(tmp_path, application, "migrate").returncode == 0
    said = run(tmp_path, application, "doctor", "--json")
    found = json.loads(said.stdout)
    assert (said.returncode, found["ok"], found["connections"]) == (0, True, [])
    assert "error" not in {each["level"] for each in found["findings"]}


def test_missing_tables_end_with_status_1_and_the_command_to_run(
    database_url: str, tmp_path: Path
) -> None:
    said = run(tmp_path, HEALTHY.format(url=database_url), "doctor")
    assert said.returncode == 1
    [line] = [line for line in said.stdout.splitlines() if line.startswith("error\t")]
    assert "bide migrate" in line


def test_connections_open_before_a_fork_are_told_with_library_line_and_fate(
    postgresql_url: str, tmp_path: Path
) -> None:
    application = OPENS_AT_IMPORT.format(url=postgresql_url)
    run(tmp_path, application, "migrate")
    said = run(tmp_path, application, "doctor", "--json", "-n", "4")
    found = json.loads(said.stdout)
    assert (said.returncode, found["ok"]) == (1, False)
    raw, pooled = sorted(found["connections"], key=lambda each: str(each["pool"]))
    assert (raw["library"], raw["service"]) == ("psycopg", "postgresql")
    assert raw["opened_at"] == f"{tmp_path / 'shop.py'}:4 in <module>"
    assert raw["fate"].startswith("refused")
    assert (pooled["pool"], pooled["fate"][:7]) == ("SQLAlchemy", "renewed")
    assert pooled["opened_at"] == f"{tmp_path / 'shop.py'}:6 in <module>"
    errors = [each["text"] for each in found["findings"] if each["level"] == "error"]
    assert len(errors) == 1
    assert "shop.py:4 in <module>" in errors[0]


def test_what_bide_itself_opened_at_import_is_no_fault(sqlite_url: str, tmp_path: Path) -> None:
    application = HEALTHY.format(url=sqlite_url) + "app.migrate()\napp.store.queues()\n"
    said = run(tmp_path, application, "doctor", "--json")
    assert (said.returncode, json.loads(said.stdout)["connections"]) == (0, [])


def test_impossible_settings_are_all_told(sqlite_url: str, tmp_path: Path) -> None:
    application = f"import bide\napp = bide.App({sqlite_url!r}, max_attempts=0, sleep_delay=-1)\n"
    said = run(tmp_path, application, "doctor")
    assert said.returncode == 1
    assert "max_attempts=0" in said.stdout
    assert "sleep_delay=-1" in said.stdout


def test_an_application_that_cannot_be_loaded_is_wrong_usage(tmp_path: Path) -> None:
    said = run(tmp_path, "import nowhere", "doctor")
    assert said.returncode == 2
    assert "No module named 'nowhere'" in said.stderr


@pytest.mark.parametrize("option", ["--help"])
def test_the_command_explains_itself(option: str, tmp_path: Path) -> None:
    said = run(tmp_path, "", "doctor", option)
    assert "Status 1 where something is wrong" in " ".join(said.stdout.split())
