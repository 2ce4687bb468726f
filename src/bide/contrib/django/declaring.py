"""Django's Task with Bide's options, and the decorator that takes them in every version of Django."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from bide import clock
from bide.contrib.django.tasks_api import DjangoTask, InvalidTask, django_task, task_backends

#: Seconds until the next try: fixed, by the attempts made, or by the exception and Django's TaskResult.
Backoff = float | timedelta | Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(DjangoTask):
    """What `@task(...)` makes for a backend of Bide.

    `max_attempts`: how often it is tried; None: the backend's option, else the App's setting.
    `backoff`: seconds or a timedelta until the next try, or what is called with the attempts made, or
    with the exception and the TaskResult, and returns them. `timeout`: seconds for one attempt.
    `locale`: the language it speaks; None: that of whoever enqueues it. `keep_result`: seconds for
    which the result is kept; None: the backend's option.
    """

    max_attempts: int | None = None
    backoff: Backoff | None = None
    timeout: float | timedelta | None = None
    locale: str | None = None
    keep_result: float | timedelta | None = None

    def __post_init__(self) -> None:
        problems = [text for name, check in _CHECKS if (text := check(name, getattr(self, name)))]
        if problems:
            raise InvalidTask("; ".join(problems))
        DjangoTask.__post_init__(self)

    def using(
        self,
        *,
        priority: int | None = None,
        queue_name: str | None = None,
        run_after: datetime | timedelta | None = None,
        backend: str | None = None,
        **options: Any,
    ) -> Task:
        """The same task with some of it changed; `run_after` may be a timedelta from now."""
        if run_after is not None:
            run_after = _moment(run_after)
        unknown = options.keys() - OPTIONS
        if unknown:
            names = ", ".join(sorted(OPTIONS))
            raise TypeError(f"unknown option {min(unknown)!r}; Bide's options are {names}")
        given = {
            "priority": priority,
            "queue_name": queue_name,
            "run_after": run_after,
            "backend": backend,
            **options,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        changed: Task = replace(self, **changes)
        return changed


#: What `task(...)` and `using(...)` take besides Django's own.
OPTIONS = {one.name for one in fields(Task)} - {one.name for one in fields(DjangoTask)}


def task(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Django's decorator `task`, which takes Bide's options in Django 6.0 too.

    Raises InvalidTask for a wrong option, TypeError for an unknown one.
    """
    ours = {name: options.pop(name) for name in OPTIONS & options.keys()}

    def wrapper(function: Callable[..., Any]) -> Any:
        made = django_task(**options)(function)
        if not ours:
            return made
        if not isinstance(made, Task):
            backend = task_backends[made.backend]
            raise TypeError(
                f"{', '.join(ours)} are options of Bide, and the backend {made.backend!r} is "
                f"{type(backend).__name__}"
            )
        return replace(made, **ours)

    return wrapper if function is None else wrapper(function)


def seconds(value: float | timedelta) -> float:
    """A duration in seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def _moment(run_after: Any) -> datetime:
    """Raises InvalidTask for what is neither a moment nor a duration, or is beyond the calendar."""
    if isinstance(run_after, datetime):
        return run_after
    if not isinstance(run_after, timedelta):
        raise InvalidTask(
            f"run_after={run_after!r} must be an aware datetime, or a timedelta from now"
        )
    try:
        return _now() + run_after
    except OverflowError as error:
        raise InvalidTask(f"run_after={run_after!r} ends beyond the calendar") from error


def _now() -> datetime:
    from django.conf import settings
    from django.utils import timezone

    now = clock.utc_now()
    return now if settings.USE_TZ else timezone.make_naive(now)


def _not_a_count(name: str, value: Any) -> str | None:
    right = value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1)
    return None if right else f"{name}={value!r} must be a whole number of at least 1"


def _not_a_duration(name: str, value: Any) -> str | None:
    if value is None or (isinstance(value, timedelta) and value > timedelta(0)):
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    right = number and 0 < value < float("inf")
    return None if right else f"{name}={value!r} must be seconds above 0 or a timedelta"


def _not_a_backoff(name: str, value: Any) -> str | None:
    if callable(value) or value == 0:
        return None
    wrong = _not_a_duration(name, value)
    return f"{wrong}, or be callable" if wrong else None


def _not_a_locale(name: str, value: Any) -> str | None:
    right = value is None or (isinstance(value, str) and value != "")
    return None if right else f"{name}={value!r} must be the name of a language, e.g. 'de'"


_CHECKS = (
    ("max_attempts", _not_a_count),
    ("backoff", _not_a_backoff),
    ("timeout", _not_a_duration),
    ("locale", _not_a_locale),
    ("keep_result", _not_a_duration),
)
