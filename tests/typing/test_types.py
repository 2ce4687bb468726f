"""Two pages of users' code: mypy and pyright accept the right one, and refuse each wrong line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WRONG = [
    number
    for number, line in enumerate((HERE / "wrong.py").read_text().splitlines(), 1)
    if line.endswith("# wrong")
]


def mypy(page: str, cache: Path) -> list[int]:
    """The lines that mypy finds fault with, in its strict mode."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}"]
    ran = subprocess.run(
        [*command, HERE / page], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    return sorted({int(line) for line in re.findall(r"\.py:(\d+): error", ran.stdout)})


def pyright(page: str, folder: Path) -> list[int]:
    """The same for pyright, in a folder without settings."""
    found = Path(sys.executable).parent / "pyright"
    program = found if found.exists() else shutil.which("pyright")
    if program is None:
        pytest.skip("pyright is absent: pip install 'pyright[nodejs]'")
    ran = subprocess.run(
        [program, "--outputjson", "--pythonpath", sys.executable, HERE / page],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    told = json.loads(ran.stdout)
    assert told["summary"]["filesAnalyzed"] == 1
    errors = [one for one in told["generalDiagnostics"] if one["severity"] == "error"]
    return sorted({one["range"]["start"]["line"] + 1 for one in errors})


@pytest.mark.parametrize(("page", "lines"), [("right.py", []), ("wrong.py", WRONG)])
def test_mypy_sees_what_is_wrong_and_nothing_else(page: str, lines: list[int]) -> None:
    assert mypy(page, ROOT / ".mypy_cache") == lines


@pytest.mark.parametrize(("page", "lines"), [("right.py", []), ("wrong.py", WRONG)])
def test_pyright_sees_what_is_wrong_and_nothing_else(
    page: str, lines: list[int], tmp_path: Path
) -> None:
    assert pyright(page, tmp_path) == lines
