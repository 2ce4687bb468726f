"""The application that a command is for, and its database when the command has ended."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bide.cli.main import bide as command


def test_a_command_leaves_no_connection_open(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MySQL counts each as a client that was aborted, and can write it into its log."""
    name = f"shop_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(f"import bide\napp = bide.App({database_url!r})\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for words, status in ((["migrate"], 0), (["queues"], 0), (["jobs", "show", "7"], 1)):
        done = CliRunner().invoke(command, ["--app", name, *words])
        assert done.exit_code == status
        assert sys.modules[name].app.database._pool._engine.reset() is None
