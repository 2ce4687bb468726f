"""The task of django-tasks-db, which is found by its import path once Django is configured."""

from __future__ import annotations

from django_tasks import task

from contest.peer import tick


@task()
def no_op(number: int) -> None:
    tick()
