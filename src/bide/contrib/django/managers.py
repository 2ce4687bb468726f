"""Queries go to the database of the jobs, whatever the project's routers say."""

from __future__ import annotations

from typing import Any

from django.db import models

from bide.contrib.django.settings import ProjectSettings


class OnAlias(models.Manager):
    """The manager of every model of Bide."""

    def get_queryset(self) -> Any:
        """On the alias of settings.BIDE, unless another was asked for."""
        found = super().get_queryset()
        return found if self._db else found.using(ProjectSettings.load().database)
