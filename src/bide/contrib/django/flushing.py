"""Emptying Bide's tables behind a TransactionTestCase, which empties only what Django manages."""

from __future__ import annotations

from typing import Any

from bide.contrib.django.models import Attempt, Job, Queue, Result, Worker
from bide.contrib.django.settings import ProjectSettings
from bide.contrib.django.testing_mode import in_tests


def flushed(using: str, **_: Any) -> None:
    """Behind `flush` (and `migrate`): in tests no job survives the test that stored it."""
    if not in_tests() or using != ProjectSettings.load().database:
        return
    from django.db import connections

    known = connections[using].introspection.table_names()
    for model in (Result, Attempt, Job, Worker, Queue):
        if model._meta.db_table in known:
            model.objects.using(using).all()._raw_delete(using)
