"""System checks: what is wrong with a project's settings, said before it hurts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import connections

from bide.app import App
from bide.contrib.django.application import has_tasks, project_app
from bide.contrib.django.settings import ProjectSettings, table
from bide.db.alias import version_of
from bide.db.migrate import revisions
from bide.errors import BideError
from bide.jobs.migrations import JOBS

APP = "bide.contrib.django"


def backend_problems(backend: Any) -> Iterable[checks.CheckMessage]:
    """What keeps a backend from working."""
    if not apps.is_installed(APP):
        yield checks.Error(
            f"the backend {backend.alias!r} is Bide's, and its application is not installed",
            hint=f"Insert '{APP}' in INSTALLED_APPS.",
            id="bide.E001",
        )


def check_project(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """settings.BIDE, and the settings of the database that it names."""
    try:
        settings = ProjectSettings.load()
        app: App = project_app()
        assert app.shown_url
    except BideError as error:
        return [checks.Error(str(error), id="bide.E002")]
    if settings.database_url is not None or settings.app is not None:
        return []
    known = connections.settings[settings.database]
    return [*_in_memory(settings.database, known), *_old_connections(settings.database, known)]


def check_database(databases: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """The tables, and whether some worker takes each queue of settings.TASKS. Asks the database."""
    try:
        settings = ProjectSettings.load()
    except BideError:
        return []
    if settings.database not in (databases or ()) or settings.app or settings.database_url:
        return []
    found = version_of(connections[settings.database], table("jobs_version"))
    newest = revisions(JOBS)[-1]
    if found not in revisions(JOBS):
        return []  # before the first `migrate`, or newer than this code
    if found != newest:
        return [
            checks.Warning(
                f"Bide's tables are at version {found}, and {newest} is needed",
                hint="Run manage.py migrate bide.",
                id="bide.W003",
            )
        ]
    return [*_uncovered()]


def _in_memory(alias: str, known: dict[str, Any]) -> Iterable[checks.CheckMessage]:
    if connections[alias].vendor == "sqlite" and ":memory:" in str(known["NAME"]):
        yield checks.Warning(
            f"the jobs are in the database {alias!r}, which is in memory: no worker can see them",
            hint="Name a file, or another alias in BIDE['DATABASE'].",
            id="bide.W001",
        )


def _old_connections(alias: str, known: dict[str, Any]) -> Iterable[checks.CheckMessage]:
    """A worker that waited for hours would give its first job a dead connection."""
    lasting = known.get("CONN_MAX_AGE", 0) != 0 and not known.get("CONN_HEALTH_CHECKS")
    if lasting and connections[alias].vendor != "sqlite":
        yield checks.Warning(
            f"connections of the database {alias!r} live on (CONN_MAX_AGE) and are not checked before "
            "they are used: a worker that has waited may give a job a connection that is dead",
            hint="Set CONN_HEALTH_CHECKS to True.",
            id="bide.W002",
        )


def _uncovered() -> Iterable[checks.CheckMessage]:
    """Queues that a backend allows and no worker takes, while there are workers."""
    from bide.contrib.django.models import Worker

    taken = [
        json.loads(info).get("queues") for info in Worker.objects.values_list("info", flat=True)
    ]
    if not taken or None in taken:
        return
    covered = {queue for queues in taken for queue in queues}
    for alias, backend in _backends():
        for queue in sorted(set(backend.queues) - covered):
            yield checks.Warning(
                f"no worker takes the queue {queue!r} of TASKS[{alias!r}]",
                hint=f"Start one: manage.py bide work --queues {queue}",
                id="bide.W004",
            )


def _backends() -> Iterable[tuple[str, Any]]:
    from django.conf import settings

    if not has_tasks():
        return
    from bide.contrib.django.tasks_api import task_backends

    for alias in getattr(settings, "TASKS", {}):
        backend = task_backends[alias]
        if hasattr(backend, "bide_options"):
            yield alias, backend
