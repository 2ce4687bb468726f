"""`bide init` in empty directories and in projects."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bide.cli.main import bide

Init = Callable[..., Result]


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIDE_DATABASE_URL", raising=False)

    def init(*options: str) -> Result:
        return CliRunner().invoke(bide, ["init", *options])

    return init


def settings() -> dict[str, object]:
    return dict(tomllib.loads(Path("pyproject.toml").read_text())["tool"]["bide"])


def test_an_empty_directory_gets_settings_a_job_and_tables(init: Init) -> None:
    done = init("--yes")
    assert done.exit_code == 0, done.output
    assert settings() == {"app": "tasks:app", "database_url": "sqlite:///bide.db"}
    assert Path("bide.db").exists()
    assert "wrote tasks.py" in done.output


@pytest.mark.story
def test_what_it_says_comes_next_works(init: Init, tmp_path: Path) -> None:
    done = init("--yes")
    for line in done.output.split("perform it:\n")[1].strip().splitlines():
        command = line.strip().replace("python", sys.executable)
        command = (
            command.replace("bide ", f"{sys.executable} -m bide.cli ", 1)
            if command.startswith("bide")
            else command
        )
        ran = subprocess.run(
            command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True
        )
    assert "Hello, Ada!" in ran.stdout


def test_a_project_keeps_its_pyproject_and_gets_the_module_in_its_package(init: Init) -> None:
    before = '[project]\nname = "tea-shop"  # größte\r\n[tool.other]\nx = 1'
    Path("pyproject.toml").write_bytes(before.encode())
    Path("src/tea_shop").mkdir(parents=True)
    assert init("--yes", "--no-migrate").exit_code == 0
    assert Path("src/tea_shop/tasks.py").exists()
    assert Path("pyproject.toml").read_bytes().decode().startswith(before + "\n\n[tool.bide]")
    assert settings()["app"] == "tea_shop.tasks:app"
    assert not Path("bide.db").exists()


def test_flags_choose_module_and_database(init: Init) -> None:
    done = init("--yes", "--module", "shop.work", "--database-url", "sqlite:///jobs.db")
    assert done.exit_code == 0
    assert Path("shop/work.py").exists()
    assert Path("jobs.db").exists()
    assert settings() == {"app": "shop.work:app", "database_url": "sqlite:///jobs.db"}


def test_nothing_is_overwritten_and_nothing_half_done(init: Init) -> None:
    Path("tasks.py").write_text("mine")
    done = init("--yes")
    assert done.exit_code == 2
    assert "tasks.py exists and stays as it is; name another module" in done.output
    assert Path("tasks.py").read_text() == "mine"
    assert not Path("pyproject.toml").exists()

    Path("pyproject.toml").write_text('[tool.bide]\napp = "mine:app"\n')
    done = init("--yes", "--module", "other")
    assert done.exit_code == 2
    assert "has [tool.bide] already" in done.output
    assert not Path("other.py").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--module", "shop/tasks.py"], "'shop/tasks.py' is no module; e.g. --module shop.tasks"),
        (["--module", "shop..tasks"], "is no module"),
        (["--module", "shop.class"], "is no module"),
        (["--module", "json.tasks"], "would hide the module 'json' that is there already"),
        (["--module", "bide"], "would hide the module 'bide'"),
        (["--database-url", "redis://localhost"], "names no database that Bide knows"),
    ],
)
def test_wrong_answers_are_refused_before_anything_is_written(
    init: Init, options: list[str], words: str
) -> None:
    done = init("--yes", *options)
    assert done.exit_code != 0
    assert words in done.output + str(done.exception)
    assert list(Path().iterdir()) == []


def test_a_path_that_cannot_be_made_is_told(init: Init) -> None:
    Path("shop").write_text("a file, no directory")
    done = init("--yes", "--module", "shop.tasks")
    assert done.exit_code == 1
    assert "Error: Not a directory: shop" in done.output or "File exists: shop" in done.output
    assert not Path("pyproject.toml").exists()


def test_a_broken_pyproject_is_left_alone(init: Init) -> None:
    Path("pyproject.toml").write_text("[project\n")
    done = init("--yes")
    assert done.exit_code == 2
    assert "cannot be read" in done.output
    assert Path("pyproject.toml").read_text() == "[project\n"


def test_a_password_is_not_written_down(init: Init) -> None:
    done = init("--yes", "--no-migrate", "--database-url", "postgresql://ada:secret@db/shop")
    assert done.exit_code == 0
    assert "set BIDE_DATABASE_URL" in done.output
    assert "secret" not in done.output + Path("pyproject.toml").read_text()


def test_a_database_that_is_away_keeps_the_files(init: Init) -> None:
    done = init("--yes", "--database-url", "sqlite:////nowhere/to/be/bide.db")
    assert done.exit_code == 1
    assert "the files are written, but there are no tables yet" in done.output
    assert Path("tasks.py").exists()


def test_without_a_terminal_it_does_not_guess(init: Init) -> None:
    done = init()
    assert done.exit_code == 2
    assert "say --yes" in done.output


@pytest.mark.story
def test_at_a_terminal_it_asks(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "bide.cli", "init"], cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs,
    ) as process:  # fmt: skip
        os.close(theirs)
        os.write(ours, b"shop.work\nsqlite:///jobs.db\n")
        assert process.wait(50) == 0
    os.close(ours)
    assert (tmp_path / "jobs.db").exists()
    assert (tmp_path / "shop" / "work.py").exists()
