"""A whole Django project with Bide in it: its own test suite, on each kind of database."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from conftest import lacking
from contrib.with_django.projects import as_json, database, run

PROJECT = Path(__file__).parent / "project"


@pytest.mark.story
@pytest.mark.timeout(200)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mysql"])
def test_the_suite_of_a_project_passes(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The backend, transactions, signals, admin, screens, mail, texts, checks; see project/shop/tests."""
    if kind == "mysql" and find_spec("MySQLdb") is None:
        pytest.skip("Django needs mysqlclient for MySQL")
    url = str(request.getfixturevalue(f"{kind}_url"))
    project = tmp_path / "project"
    shutil.copytree(PROJECT, project)
    databases = {"default": database(url), "other": database(f"sqlite:///{tmp_path / 'other.db'}")}
    done = run(
        project, "-m", "django", "test", "--noinput", "--settings", "project_settings", "shop",
        SUITE_DATABASES=as_json(databases), timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-6000:]
    assert "\nOK" in done.stderr


def test_every_step_of_bides_has_its_migration_of_django() -> None:
    """Made by `step_sql`; a step that is added without one fails here."""
    if find_spec("django") is None:
        lacking("django", "pip install django")
    from bide.db.migrate import revisions
    from bide.i18n.migrations import TEXTS
    from bide.jobs.migrations import JOBS

    folder = Path(__file__).parents[3] / "src/bide/contrib/django/migrations"
    texts = "\n".join(path.read_text() for path in folder.glob("0*.py"))
    steps = [("jobs", one) for one in revisions(JOBS)] + [
        ("texts", one) for one in revisions(TEXTS)
    ]
    missing = [step for step in steps if f'BideStep("{step[0]}", "{step[1]}")' not in texts]
    assert missing == []
