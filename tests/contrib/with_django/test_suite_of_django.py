"""Django's own tests of tasks, with Bide's backend in the places of Dummy and Immediate."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import django
import pytest

from conftest import lacking
from contrib.with_django.projects import as_json, database, run

HERE = Path(__file__).parent / "suites"
OMISSIONS = tomllib.loads((HERE / "omissions.toml").read_text())
#: What is put in the place of what; nothing else of the tests is changed.
CHANGES = {
    r"django\.tasks\.backends\.dummy\.DummyBackend": "shim.AsDummy",
    r"django\.tasks\.backends\.immediate\.ImmediateBackend": "shim.AsImmediate",
    r"from django\.tasks\.backends\.dummy import Dummy": "from shim import AsDummy as Dummy",
    r"from django\.tasks\.backends\.immediate import Immediate": (
        "from shim import AsImmediate as Immediate"
    ),
    r"\bSimpleTestCase, TransactionTestCase": "TransactionTestCase",
    r"\bSimpleTestCase": "TransactionTestCase",
    r"available_apps = \[\]": "pass",
}


def source_of(package: str, version: str, into: Path) -> Path:
    """The source archive of a package, unpacked; skips where no registry can be reached."""
    if not list(into.glob(f"{package}-*.tar.gz")):
        got = subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", package,
             "--disable-pip-version-check", "-d", str(into), f"{package}=={version}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if got.returncode:
            lacking("suites", f"pip download {package}=={version} failed: {got.stderr[-300:]}")
    archive = next(into.glob(f"{package}-*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(into, filter="data")
    return next(path for path in into.iterdir() if path.is_dir())


def outcome(text: str) -> tuple[int, set[str]]:
    """How many tests ran, and those that did not pass, as «module.Class.test»."""
    ran = re.search(r"^Ran (\d+) tests?", text, re.MULTILINE)
    failed = re.findall(r"^(?:FAIL|ERROR): \w+ \(([\w.]+)\)", text, re.MULTILINE)
    return int(ran[1]) if ran else 0, set(failed)


@pytest.mark.story
@pytest.mark.timeout(300)
@pytest.mark.skipif(django.VERSION < (6, 0), reason="Django has tasks since 6.0")
def test_djangos_own_tests_of_tasks_pass(tmp_path: Path) -> None:
    """At least 82 of 85; each of the rest has its reason in suites/omissions.toml."""
    archive = tmp_path / "archive"
    archive.mkdir()
    source = source_of("django", django.__version__, archive)
    project = tmp_path / "project"
    shutil.copytree(source / "tests" / "tasks", project / "tasks")
    for name in ("shim.py", "suite_settings.py"):
        shutil.copy(HERE / name, project)
    for path in (project / "tasks").glob("test_*.py"):
        text = path.read_text()
        for old, new in CHANGES.items():
            text = re.sub(old, new, text)
        path.write_text(text)
    here = database(f"sqlite:///{tmp_path / 'main.db'}")
    here["TEST"] = {"NAME": str(tmp_path / "tests.db")}
    done = run(
        project, "-m", "django", "test", "--noinput", "--settings", "suite_settings", "tasks",
        SUITE_DATABASES=as_json({"default": here}), timeout=280,
    )  # fmt: skip
    ran, failed = outcome(done.stderr)
    known = {f"tasks.{name}" for name in OMISSIONS["django"]}
    assert failed == known, done.stderr[-8000:]
    assert ran - len(failed) >= 82 * ran // 85
