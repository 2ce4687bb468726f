"""A task of Django as a job of Bide: what is stored of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bide.contrib.django.tasks_api import DjangoTask, task_backends
from bide.errors import UnknownJob
from bide.jobs.handle import Job, current_job

#: What payloads call it.
NAME = "django.task"


class Performs(Protocol):
    """What a call needs of the backend that enqueued it."""

    def perform(self, call: TaskCall, task: DjangoTask, job: Job) -> Any: ...
    def finished(self, call: TaskCall, job: Job) -> None: ...
    def pause(self, call: TaskCall, attempts: int, job: Job, error: BaseException) -> Any: ...


@dataclass
class TaskCall:
    """One call of a task. `task` is its import path; only what is a Task there is ever called."""

    task: str
    backend: str
    args: list[Any]
    kwargs: dict[str, Any]
    id: str
    run_after: datetime | None = None
    timeout: float | None = None
    locale: str | None = None
    keep_result: float | None = None

    @property
    def display_name(self) -> str:
        """What lists and logs call the job."""
        return self.task

    def enqueue(self, job: Job) -> None:
        """The job is known by the id of the task's result, and speaks the language asked for."""
        job.key = self.id
        job.locale = self.locale or job.locale

    def max_run_time(self) -> float | None:
        """Seconds for one attempt."""
        return self.timeout

    def perform(self) -> Any:
        """Call the task; what it returns is kept. A coroutine where the task is `async def`."""
        job = current_job()
        assert job is not None, "performed by a worker, or where it was enqueued"
        return self.of_backend().perform(self, self.found(), job)

    def error(self, job: Job, error: BaseException) -> None:
        """Remember what `reschedule_at` is to be asked about."""
        self._failed = job, error

    def reschedule_at(self, _now: datetime, attempts: int) -> Any:
        """Until when it waits for its next try, if the task has a back-off of its own and is there."""
        job, error = self._failed
        if isinstance(error, UnknownJob):
            return None
        return self.of_backend().pause(self, attempts, job, error)

    def tell_finished(self, job: Job) -> None:
        """Say that the task has ended, by Django's signal."""
        self.of_backend().finished(self, job)

    def found(self) -> DjangoTask:
        """The task, as it is declared now. Raises UnknownJob when it is not there (any more)."""
        from django.utils.module_loading import import_string

        try:
            found = import_string(self.task)
        except ImportError as error:
            raise UnknownJob(
                f"the task {self.task} is not there ({error}): deploy the code that has it, or "
                "delete the job"
            ) from error
        if not isinstance(found, DjangoTask):
            raise UnknownJob(f"{self.task} does not point to a Task, so it is not called")
        return found

    def of_backend(self) -> Performs:
        """The backend that enqueued it. Raises UnknownJob when settings.TASKS has it no more."""
        from django.core.exceptions import ImproperlyConfigured

        try:
            backend = task_backends[self.backend]
        except ImproperlyConfigured as error:
            raise UnknownJob(
                f"settings.TASKS has no usable backend {self.backend!r} for {self.task}: {error}"
            ) from error
        if not callable(getattr(backend, "perform", None)):
            raise UnknownJob(
                f"the backend {self.backend!r} of {self.task} is {type(backend).__name__}, which "
                "is not Bide's"
            )
        found: Performs = backend
        return found
