"""`bide jobs`: what is shown of stored jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import bide
from bide.cli.main import bide as command


def test_show_prints_each_error_once_and_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIDE_DATABASE_URL", f"sqlite:///{tmp_path / 'bide.db'}")
    monkeypatch.chdir(tmp_path)
    app = bide.App.from_env()
    app.migrate()

    @app.job
    def charge() -> None:
        raise ConnectionError("no answer from the bank")

    job = charge.delay()
    app.worker().work_off()
    app.close()
    shown = CliRunner().invoke(command, ["jobs", "show", str(job.id)])
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert lines.count("  no answer from the bank") == 1
    assert not [line for line in lines if "last_error" in line]
