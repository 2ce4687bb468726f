"""Django's own tests of tasks, with Bide's backend in the places of Dummy and Immediate."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import django
import pytest

from contrib.with_django.projects import as_json, database, run
from contrib.with_django.suites_of_others import OMISSIONS, outcome, source_of

HERE = Path(__file__).parent / "suites"
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
