"""Django's connections under forked workers that run ten tasks at a time: kept, checked, given back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import bide
from bide.jobs.job import Filter, JobRow, State
from contrib.with_django.projects import as_json, database, run
from servers.postgresql import PostgreSQL
from waiting import wait_until

PROJECT = Path(__file__).parent / "connecting"
#: Threads that ask for connections: ten of the pool, the loop's own, the one for coroutines' queries.
THREADS = 12


class Task(NamedTuple):
    """How one task stands: its state, its failed attempts, the connection it had."""

    state: State
    failures: int
    connection: int | None


class Project:
    """The project in a folder of its own, on one database."""

    def __init__(self, folder: Path, url: str, **settings: Any) -> None:
        shutil.copytree(PROJECT, folder)
        self.folder, self.url = folder, url
        self.known = {
            "SUITE_DATABASES": as_json({"default": {**database(url), **settings}}),
            "DJANGO_SETTINGS_MODULE": "connecting_settings",
        }
        self.said("-m", "django", "migrate", "-v0")

    def said(self, *arguments: str) -> str:
        done = run(self.folder, *arguments, **self.known)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def enqueue(self, *arguments: float, **counts: int) -> set[str]:
        wanted = [f"{name}={count}" for name, count in counts.items()]
        ids = json.loads(self.said("ask.py", *wanted, *map(str, arguments)))
        return {one.replace("-", "") for one in ids}

    def tasks(self, ids: set[str]) -> list[Task]:
        app = bide.App(self.url)
        try:
            rows = [row for row in app.store.find(Filter(), limit=1000) if row.key in ids]
            return [self._task(app, row) for row in rows]
        finally:
            app.close()

    def _task(self, app: bide.App, row: JobRow) -> Task:
        kept = app.store.result(row.id)
        failures = len(app.store.attempts(row.id)) if row.last_error else 0
        return Task(State(row.state), failures, None if kept is None else int(kept.value))

    def ended(self, ids: set[str]) -> list[Task]:
        """All of them, once none is left to do."""

        def found_ended() -> list[Task]:
            found = self.tasks(ids)
            over = all(one.state in (State.SUCCEEDED, State.FAILED) for one in found)
            return found if over and len(found) == len(ids) else []

        return wait_until(found_ended, within=60, every=0.1)

    @contextmanager
    def working(self) -> Iterator[None]:
        """One forked worker, ten tasks at a time."""
        with (self.folder / "log").open("w") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "django", "bide", "work", "-n", "1", "--concurrency", "10"],
                cwd=self.folder, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": str(self.folder), **self.known},
            )  # fmt: skip
        try:
            yield
        finally:
            worker.terminate()
            worker.wait(30)


def failures(tasks: list[Task]) -> int:
    return sum(one.failures for one in tasks)


def states(tasks: list[Task]) -> set[str]:
    return {one.state.name.lower() for one in tasks}


@pytest.mark.story
@pytest.mark.timeout(200)
@pytest.mark.parametrize("checked", [True, False], ids=["checked", "unchecked"])
def test_lasting_connections_outlive_a_restart_of_postgresql(
    checked: bool, own_postgresql: PostgreSQL, tmp_path: Path
) -> None:
    """With health checks no later task fails; without, each connection fails those in its thread once."""
    own_postgresql.create_database("shop")
    settings = {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": checked}
    project = Project(tmp_path / "project", own_postgresql.url("shop"), **settings)
    with project.working():
        asked = project.enqueue(whose=40, whose_async=20)
        first = project.ended(asked)
        assert (states(first), failures(first)) == ({"succeeded"}, 0)
        assert len({one.connection for one in first}) <= THREADS

        waiting = project.enqueue(0.1, whose=100)
        wait_until(lambda: any(one.state is State.SUCCEEDED for one in project.tasks(waiting)))
        own_postgresql.restart()
        assert states(project.ended(waiting)) == {"succeeded"}

        later = project.ended(project.enqueue(whose=60, whose_async=20))
        assert states(later) == {"succeeded"}
        assert failures(later) <= (0 if checked else 2 * THREADS)  # coroutines share one

        broken = project.ended(project.enqueue(breaks=10))
        assert states(broken) == {"failed"}
        after = project.ended(project.enqueue(whose=60))
        assert (states(after), failures(after)) == ({"succeeded"}, 0)


@pytest.mark.story
@pytest.mark.timeout(200)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_connections_of_no_age_are_closed_behind_every_task(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Where Django has no CONN_MAX_AGE, as it is unless a project says otherwise."""
    url = str(request.getfixturevalue(f"{kind}_url"))
    project = Project(tmp_path / "project", url, CONN_MAX_AGE=0)
    asked = project.enqueue(whose=30)
    with project.working():
        found = project.ended(asked)
        coroutines = project.ended(project.enqueue(whose_async=1))
        more = project.ended(project.enqueue(whose_async=1))
    assert (states(found), failures(found)) == ({"succeeded"}, 0)
    assert len({one.connection for one in found + coroutines + more}) == 32


@pytest.mark.story
@pytest.mark.timeout(200)
def test_connections_of_a_pool_are_given_back_behind_every_task(
    postgresql_url: str, tmp_path: Path
) -> None:
    """Ten threads share four connections of the pool that Django keeps."""
    pool = {"min_size": 1, "max_size": 4, "timeout": 20}
    project = Project(tmp_path / "project", postgresql_url, OPTIONS={"pool": pool})
    asked = project.enqueue(whose=60, whose_async=10)
    with project.working():
        found = project.ended(asked)
    assert (states(found), failures(found)) == ({"succeeded"}, 0)
    assert len({one.connection for one in found}) <= 4
