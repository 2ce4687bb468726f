"""Django's own tests of tasks, with Bide's backend in the places of Dummy and Immediate."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import django
import pytest

from contrib.with_django.suites_of_others import OMISSIONS, SUITES, run_on_each, source_of, those

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
@pytest.mark.skipif(
    django.VERSION < (6, 0), reason="Django has tasks, and tests of them, since 6.0"
)
def test_djangos_own_tests_of_tasks_pass(
    sqlite_url: str, postgresql_url: str, tmp_path: Path
) -> None:
    """At least 82 of 85 on each database; each of the rest has its reason in suites/omissions.toml."""
    archive = tmp_path / "archive"
    archive.mkdir()
    source = source_of("django", django.__version__, archive)

    def make(project: Path) -> None:
        shutil.copytree(source / "tests" / "tasks", project / "tasks")
        for name in ("shim.py", "suite_settings.py"):
            shutil.copy(SUITES / name, project)
        for path in (project / "tasks").glob("*.py"):
            text = path.read_text()
            for old, new in CHANGES.items():
                text = re.sub(old, new, text)
            path.write_text(text)

    urls = {"sqlite": sqlite_url, "postgresql": postgresql_url}
    for kind, outcomes in run_on_each(urls, "tasks", make, tmp_path).items():
        said = (tmp_path / kind / "said").read_text()
        assert those(outcomes, "failed") == set(OMISSIONS["django"]), said[-8000:]
        assert those(outcomes, "skipped") == set()
        assert len(outcomes) >= 85
        assert len(those(outcomes, "passed")) >= 82
