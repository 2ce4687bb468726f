"""Bide under the names of django-tasks-db, for its own tests: nothing else of that package is here.

`DatabaseBackend` is Bide's backend, which tries once and gives out random UUIDs; the model is a view
on Bide's tables; the commands run Bide's worker and delete its jobs.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from django.core.exceptions import ImproperlyConfigured

from bide.contrib.django import TaskBackend
from bide.contrib.django.options import BackendOptions


class DatabaseBackend(TaskBackend):
    """Once, with the ids that the tests look at."""

    def __init__(self, alias, params):
        super().__init__(alias, params)
        once = {"max_attempts": 1}
        if self.bide_options.id_function is None:
            once["id_function"] = uuid.uuid4
        self.bide_options: BackendOptions = replace(self.bide_options, **once)

    def enqueue(self, task, args, kwargs):
        """What Bide refuses in other words."""
        try:
            return super().enqueue(task, args, kwargs)
        except ImproperlyConfigured as error:
            told = "id_function cannot be a database expression until Django 6.0"
            raise ImproperlyConfigured(told) from error

    def check(self, **kwargs):
        """What Bide says where its application is missing, of the one that stands for it here."""
        for one in super().check(**kwargs):
            if one.id == "bide.E001":
                one.hint = one.hint.replace("bide.contrib.django", "django_tasks_db")
            yield one
