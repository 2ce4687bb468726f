"""Bide's backend in the places of Django's Dummy and Immediate backends, for Django's own tests."""

from __future__ import annotations

from dataclasses import replace

from asgiref.sync import sync_to_async

from bide.contrib.django import TaskBackend
from bide.contrib.django.stored import outside_of_loops
from bide.contrib.django.tasks_api import BaseTaskBackend
from bide.jobs.job import Filter


class Tried(TaskBackend):
    """Once: the tests know no retries."""

    def __init__(self, alias, params):
        super().__init__(alias, params)
        self.bide_options = replace(self.bide_options, max_attempts=1)


class AsDummy(Tried):
    """Tasks are stored and not run; everything stored can be listed and cleared."""

    @property
    def results(self):
        return outside_of_loops(self._all)

    def _all(self):
        rows = self.app.store.find(Filter(), limit=1000)
        return [self.get_result(row.key) for row in reversed(rows)]

    def clear(self):
        self.app.store.delete(Filter())


class AsImmediate(Tried):
    """A worker works off the queue inside enqueue. Like Immediate it offers neither defer nor results."""

    supports_defer = False
    supports_get_result = False
    get_result = BaseTaskBackend.get_result

    def enqueue(self, task, args, kwargs):
        result = super().enqueue(task, args, kwargs)
        self.app.worker().work_off()
        found = TaskBackend.get_result(self, result.id)
        for name in (*found.__slots__, "_return_value"):
            object.__setattr__(result, name, getattr(found, name))
        return result

    async def aenqueue(self, task, args, kwargs):
        return await sync_to_async(self.enqueue, thread_sensitive=True)(task, args, kwargs)
