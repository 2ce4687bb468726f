"""System checks: what is wrong with a project's settings, said before it hurts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.core import checks

from bide.contrib.django.application import project_app
from bide.contrib.django.settings import ProjectSettings
from bide.errors import BideError

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
    """settings.BIDE and the database it names."""
    try:
        settings = ProjectSettings.load()
        app = project_app()
        shown = app.shown_url
    except BideError as error:
        return [checks.Error(str(error), id="bide.E002")]
    del shown
    return [*_in_memory(settings)]


def _in_memory(settings: ProjectSettings) -> Iterable[checks.CheckMessage]:
    from django.db import connections

    if settings.database_url is not None or settings.app is not None:
        return
    known = connections.settings[settings.database]
    if connections[settings.database].vendor == "sqlite" and ":memory:" in str(known["NAME"]):
        yield checks.Warning(
            f"the jobs are in the database {settings.database!r}, which is in memory: no worker "
            "can see them",
            hint="Name a file, or another alias in BIDE['DATABASE'].",
            id="bide.W001",
        )
