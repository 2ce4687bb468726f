"""Django's signals of tasks; the sender is always the class of the backend."""

from __future__ import annotations

from typing import Any

from bide.contrib.django.tasks_api import TaskResult, task_enqueued, task_finished, task_started

#: Django's own logger listens to every signal.
_LOGGERS = 1


def enqueued(backend: Any, result: TaskResult) -> None:
    """A task was stored."""
    task_enqueued.send_robust(sender=type(backend), task_result=result)


async def aenqueued(backend: Any, result: TaskResult) -> None:
    """The same without blocking the event loop."""
    await task_enqueued.asend_robust(sender=type(backend), task_result=result)


def started(backend: Any, result: TaskResult) -> None:
    """An attempt begins."""
    task_started.send_robust(sender=type(backend), task_result=result)


def finished(backend: Any, result: TaskResult) -> None:
    """A task has ended. Inside the `except` of a failed one, as Django's logger looks for it there."""
    task_finished.send_robust(sender=type(backend), task_result=result)


def is_listened_to() -> bool:
    """Whether somebody wants to hear of ends who may look into the database then."""
    return len(task_finished.receivers) > _LOGGERS
