"""The backend of django.tasks (on Django 5.2 of django-tasks): tasks are jobs of the project's App."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from inspect import Parameter, iscoroutinefunction, signature
from typing import Any

from bide.app import App
from bide.contrib.django import telling
from bide.contrib.django.application import project_app, session_of
from bide.contrib.django.call import TaskCall
from bide.contrib.django.declaring import Task, seconds
from bide.contrib.django.options import BackendOptions, key_of
from bide.contrib.django.results import Found, ended, local, result_of, running_result
from bide.contrib.django.running import coroutines_looked_after
from bide.contrib.django.stored import attempts_of, find
from bide.contrib.django.tasks_api import (
    BaseTaskBackend,
    DjangoTask,
    TaskContext,
    TaskResult,
    TaskResultDoesNotExist,
    TaskResultStatus,
    normalize_json,
)
from bide.errors import DeserializationError
from bide.jobs.enqueue import Call, Options
from bide.jobs.handle import Job


class TaskBackend(BaseTaskBackend):
    """`TASKS = {"default": {"BACKEND": "bide.contrib.django.TaskBackend"}}`.

    OPTIONS: `max_attempts` and `keep_results` (seconds or a timedelta) for tasks that do not say it
    themselves; `enqueue_on_commit`, the alias of a database (True: "default") whose transaction is
    waited for before a task is stored, where the jobs are in another database; `id_function`, which
    makes the ids of results.
    """

    task_class = Task
    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        self.bide_options = BackendOptions.load(alias, self.options)

    @property
    def app(self) -> App:
        """The project's App, in which tasks are declared."""
        app: App = project_app()
        return app

    def enqueue(
        self, task: DjangoTask, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> TaskResult:
        """Store a task, inside the transaction of the database that the jobs are in."""
        self.validate_task(task)
        call, result = self._new(task, args, kwargs)
        alias = self.bide_options.enqueue_on_commit
        if alias is None:
            self._stored(self.app.enqueue(call), result)
            telling.enqueued(self, result)
            return result
        from django.db import transaction

        def store() -> None:
            self._stored(self.app.enqueue(call), result)
            telling.enqueued(self, result)

        transaction.on_commit(store, using=alias)
        return result

    async def aenqueue(
        self, task: DjangoTask, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> TaskResult:
        """The same without blocking the event loop."""
        if self.bide_options.enqueue_on_commit is not None:
            from asgiref.sync import sync_to_async

            waited: TaskResult = await sync_to_async(self.enqueue)(task, args, kwargs)
            return waited
        self.validate_task(task)
        call, result = self._new(task, args, kwargs)
        self._stored(await self.app.aenqueue(call), result)
        await telling.aenqueued(self, result)
        return result

    def get_result(self, result_id: str) -> TaskResult:
        """The result of a task; TaskResultDoesNotExist for an id of any shape that nothing has."""
        key = key_of(result_id)
        found = find(self.app, key) if key is not None else None
        if found is None:
            raise TaskResultDoesNotExist(result_id)
        call = _call_of(found.job)
        if call is None:
            raise TaskResultDoesNotExist(result_id)
        value = self.app._home.read(found.result.value) if found.result is not None else None
        return result_of(found, call, value)

    def check(self, **kwargs: Any) -> list[Any]:
        """What is wrong with the settings."""
        from bide.contrib.django.checks import backend_problems

        return [*super().check(**kwargs), *backend_problems(self)]

    # What a worker asks

    def perform(self, call: TaskCall, task: DjangoTask, job: Job) -> Any:
        """Run one attempt of a task."""
        result = self._running(call, job)
        telling.started(self, result)
        first = [TaskContext(task_result=result)] if task.takes_context else []
        if iscoroutinefunction(task.func):
            return self._awaited(task, first, call, job)
        return self._kept(task.call(*first, *call.args, **call.kwargs), call, job)

    def pause(self, call: TaskCall, attempts: int, job: Job, error: BaseException) -> Any:
        """Seconds until the next try; None: as the App does it."""
        backoff = getattr(call.found(), "backoff", None)
        if backoff is None or not callable(backoff):
            return None if backoff is None else seconds(backoff)
        if _takes_two(backoff):
            result = result_of(Found(job, attempts_of(self.app, job), None), call)
            return backoff(error, result)
        return backoff(attempts)

    def finished(self, call: TaskCall, job: Job) -> None:
        """Tell that a task has ended."""
        if job.kept is None:
            found = Found(job, attempts_of(self.app, job), None)
            telling.finished(self, result_of(found, call))
            return
        value = self.app._home.read(job.kept.value)
        telling.finished(self, ended(self._running(call, job), value))

    def _running(self, call: TaskCall, job: Job) -> TaskResult:
        return running_result(Found(job, attempts_of(self.app, job), None), call)

    async def _awaited(self, task: DjangoTask, first: list[Any], call: TaskCall, job: Job) -> Any:
        with coroutines_looked_after():
            return self._kept(await task.acall(*first, *call.args, **call.kwargs), call, job)

    def _kept(self, value: Any, call: TaskCall, job: Job) -> Any:
        try:
            returned = normalize_json(value)
        except (TypeError, ValueError, RecursionError) as error:
            job.max_attempts = 1  # the next try would do the work again, and fail again
            raise TypeError(
                f"{call.task} returned {type(value).__name__}, which is not JSON serializable"
            ) from error
        keep = call.keep_result or self.bide_options.keep_results
        job.keep(returned, keep, at_once=telling.is_listened_to())
        return returned

    # Enqueueing

    def _new(
        self, task: DjangoTask, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Call, TaskResult]:
        """What is to be stored, and the result as it is before."""
        result = TaskResult(
            task=task, id=self.bide_options.new_id(), status=TaskResultStatus.READY,
            enqueued_at=None, started_at=None, finished_at=None, last_attempted_at=None,
            args=list(args), kwargs=dict(kwargs), backend=self.alias, errors=[], worker_ids=[],
        )  # fmt: skip
        timeout, keep = getattr(task, "timeout", None), getattr(task, "keep_result", None)
        call = TaskCall(
            task.module_path, self.alias, result.args, result.kwargs, key_of(result.id) or "",
            run_after=task.run_after, locale=getattr(task, "locale", None),
            timeout=None if timeout is None else seconds(timeout),
            keep_result=None if keep is None else seconds(keep),
        )  # fmt: skip
        return Call(call, (), {}, self._options_of(task)), result

    def _options_of(self, task: DjangoTask) -> Options:
        own = getattr(task, "max_attempts", None)
        return Options(
            queue=task.queue_name,
            priority=-int(task.priority),
            run_at=_aware(task.run_after),
            max_attempts=self.bide_options.max_attempts if own is None else own,
            session=session_of(self.app),
        )

    def _stored(self, job: Job, result: TaskResult) -> None:
        object.__setattr__(result, "enqueued_at", local(job.created_at))
        if job.kept is not None:  # it ran where it was enqueued
            ended(result, self.app._home.read(job.kept.value))


def _call_of(job: Job) -> TaskCall | None:
    """The task that a job calls; None for a job that is none."""
    try:
        call = job.payload_object.object
    except DeserializationError:
        return None
    return call if isinstance(call, TaskCall) else None


def _aware(moment: datetime | None) -> datetime | None:
    from django.utils import timezone

    if moment is None or timezone.is_aware(moment):
        return moment
    return timezone.make_aware(moment)


def _takes_two(function: Callable[..., Any]) -> bool:
    """Whether a back-off wants the exception and the result instead of the attempts made."""
    taken = signature(function).parameters.values()
    needed = [one for one in taken if one.default is Parameter.empty]
    return sum(one.kind in _POSITIONAL for one in needed) == 2


_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
