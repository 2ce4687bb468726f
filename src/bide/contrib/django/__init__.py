"""Bide in a Django project: add "bide.contrib.django" to INSTALLED_APPS.

`app` is the project's App, made from settings.BIDE at its first use; `TaskBackend` is what settings.TASKS
names; `task` and `Task` are Django's with Bide's options.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bide.contrib.django.application import DjangoApp
    from bide.contrib.django.backend import TaskBackend
    from bide.contrib.django.declaring import Task, task

    #: The project's App.
    app: DjangoApp

_HOMES = {
    "Task": "bide.contrib.django.declaring",
    "TaskBackend": "bide.contrib.django.backend",
    "task": "bide.contrib.django.declaring",
}

__all__ = ["Task", "TaskBackend", "app", "task"]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use: Django imports this package before its models are ready."""
    if name == "app":
        from django.apps import apps

        from bide.contrib.django.application import project_app

        if not (apps.ready or apps.loading):  # a program that is none of manage.py's
            import django

            django.setup()
        return project_app()
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value
