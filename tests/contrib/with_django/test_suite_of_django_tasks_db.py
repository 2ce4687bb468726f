"""The tests of django-tasks-db, whose names a shim answers with Bide; see suites/db."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import django
import pytest

from contrib.with_django.projects import as_json, database, run
from contrib.with_django.suites_of_others import OMISSIONS, outcome, skipped, source_of

HERE = Path(__file__).parent / "suites" / "db"
#: What is put in the place of what. Waiting takes as long as it takes; nothing else is changed.
CHANGES = {
    r"^from django\.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings": (
        "from django.test import SimpleTestCase, override_settings\n"
        "from counting import TestCase, TransactionTestCase\n"
        "from patience import started"
    ),
    r"time\.sleep\(self\.WORKER_STARTUP_TIME\)": "started(self)",
    r"sleep_for\.enqueue\(2\)": "sleep_for.enqueue(4)",
    r"timeout=[\d.]+\)": "timeout=60)",
    r"process\.wait\(1\)": "process.wait(30)",
}

#: On SQLite four that lock rows and two about PostgreSQL's own expressions, one of which is for older
#: Djangos; on PostgreSQL three that lock a file and one of those two.
SKIPPED = {"sqlite": 6 if django.VERSION >= (6, 0) else 5, "postgresql": 4}


@pytest.mark.story
@pytest.mark.timeout(420)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_tests_of_django_tasks_db_pass(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """All of 89 but three, which have their reasons in suites/omissions.toml.

    What its authors skip on one of the databases passes on the other, but a fourth about expressions of
    PostgreSQL, which needs Django 6.
    """
    archive = tmp_path / "archive"
    archive.mkdir()
    source = source_of("django-tasks-db", "0.13.0", archive)
    project = tmp_path / "project"
    shutil.copytree(HERE, project)
    text = (source / "tests" / "tests.py").read_text()
    for old, new in CHANGES.items():
        text = re.sub(old, new, text, flags=re.MULTILINE)
    (project / "tests" / "tests.py").write_text(text)
    here = database(str(request.getfixturevalue(f"{kind}_url")))
    here["TEST"] = {"NAME": _of_tests(here["NAME"])}
    done = run(
        project, "-m", "django", "test", "--noinput", "--settings", "suite_settings", "tests.tests",
        SUITE_DATABASES=as_json({"default": here}), DJANGO_SETTINGS_MODULE="suite_settings", timeout=400,
    )  # fmt: skip
    ran, failed = outcome(done.stderr)
    known = {f"tests.tests.{name}" for name in omitted(kind)}
    assert failed == known, done.stderr[-8000:]
    assert ran >= 89  # older Pythons count parts of tests too
    assert skipped(done.stderr) == SKIPPED[kind]


def omitted(kind: str) -> list[str]:
    """The tests that do not pass on this kind of database."""
    expressions = kind == "postgresql" and django.VERSION >= (6, 0)
    return [*OMISSIONS["db"], *(OMISSIONS["db_expressions"] if expressions else ())]


def _of_tests(name: str) -> str:
    """A database of its own for the tests, whose worker processes must find it."""
    return f"{name}_tests"
