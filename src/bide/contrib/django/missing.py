"""Tasks that were stored and are no longer in the code: they can be read, and not called."""

from __future__ import annotations

from dataclasses import fields
from types import FunctionType
from typing import Any

from bide.contrib.django.call import TaskCall
from bide.contrib.django.declaring import Task
from bide.contrib.django.tasks_api import DjangoTask
from bide.errors import UnknownJob


def task_of(call: TaskCall, priority: int, queue: str) -> DjangoTask:
    """The task of a call as it was enqueued; one that cannot be called where it is there no more."""
    try:
        found = call.found()
    except UnknownJob as error:
        found = _stand_in(call, str(error))
    changes = {
        "priority": priority,
        "queue_name": queue,
        "run_after": call.run_after,
        "backend": call.backend,
    }
    return unchecked(found, **changes)


def unchecked(task: DjangoTask, **changes: Any) -> DjangoTask:
    """A copy that is not validated: what settings refuse by now must still be readable."""
    copy: DjangoTask = object.__new__(type(task))
    for one in fields(task):
        value = changes[one.name] if one.name in changes else getattr(task, one.name)
        object.__setattr__(copy, one.name, value)
    return copy


def _stand_in(call: TaskCall, reason: str) -> Task:
    def gone(*_args: Any, **_kwargs: Any) -> Any:
        raise UnknownJob(reason)

    module, _, name = call.task.rpartition(".")
    function = FunctionType(gone.__code__, {"UnknownJob": UnknownJob}, name, None, gone.__closure__)
    function.__module__, function.__qualname__ = module, name
    made = object.__new__(Task)
    for one in fields(Task):
        object.__setattr__(made, one.name, function if one.name == "func" else one.default)
    return made
