"""The tests of django-tasks-db, whose names a shim answers with Bide; see suites/db."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import django
import pytest

from contrib.with_django.suites_of_others import OMISSIONS, SUITES, run_on_each, source_of, those

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

#: With those that they skip; newer Pythons say «Ran 89 tests» on SQLite, as they do not count those.
TESTS = 95
#: What their authors skip: on SQLite four that lock rows and two about PostgreSQL's own expressions, one
#: of which is for older Djangos; on PostgreSQL three that lock a file and one of those two.
SKIPPED = {"sqlite": 6 if django.VERSION >= (6, 0) else 5, "postgresql": 4}
#: What its authors skip on both.
FOR_ANOTHER_DJANGO = "DatabaseBackendTestCase." + (
    "test_postgres_id_function_expression"
    if django.VERSION >= (6, 0)
    else "test_postgres_db_id_function"
)


@pytest.mark.story
@pytest.mark.timeout(420)
def test_the_tests_of_django_tasks_db_pass(
    sqlite_url: str, postgresql_url: str, tmp_path: Path
) -> None:
    """At least 85 on each database, all but three or four of what its authors run there."""
    archive = tmp_path / "archive"
    archive.mkdir()
    source = source_of("django-tasks-db", "0.13.0", archive)

    def make(project: Path) -> None:
        shutil.copytree(SUITES / "db", project)
        text = (source / "tests" / "tests.py").read_text()
        for old, new in CHANGES.items():
            text = re.sub(old, new, text, flags=re.MULTILINE)
        (project / "tests" / "tests.py").write_text(text)

    urls = {"sqlite": sqlite_url, "postgresql": postgresql_url}
    found = run_on_each(urls, "tests.tests", make, tmp_path)
    for kind, outcomes in found.items():
        said = (tmp_path / kind / "said").read_text()
        assert those(outcomes, "failed") == set(omitted(kind)), said[-8000:]
        assert len(outcomes) == TESTS
        assert len(those(outcomes, "passed")) >= 85
        assert len(those(outcomes, "skipped")) == SKIPPED[kind]
    failed = set().union(*(those(one, "failed") for one in found.values()))
    passed = set().union(*(those(one, "passed") for one in found.values())) - failed
    assert set(found["sqlite"]) - passed - failed == {FOR_ANOTHER_DJANGO}


def omitted(kind: str) -> list[str]:
    """The tests that do not pass on this kind of database."""
    expressions = kind == "postgresql" and django.VERSION >= (6, 0)
    return [*OMISSIONS["db"], *(OMISSIONS["db_expressions"] if expressions else ())]
