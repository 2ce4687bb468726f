"""OPTIONS of a backend in settings.TASKS."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bide.contrib.django.declaring import seconds
from bide.jobs.keys import new_key

#: Seconds for which results are kept where nobody says otherwise: two weeks.
KEPT = 14 * 86400.0
#: What OPTIONS may hold.
NAMES = ("max_attempts", "keep_results", "enqueue_on_commit", "id_function")


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """What one backend was told."""

    max_attempts: int | None
    keep_results: float
    enqueue_on_commit: str | None
    id_function: Callable[[], Any] | str | None

    @classmethod
    def load(cls, alias: str, given: dict[str, Any]) -> BackendOptions:
        """From OPTIONS; raises ImproperlyConfigured naming every problem."""
        from django.core.exceptions import ImproperlyConfigured

        problems = [
            f"unknown option {name!r}; the options are {', '.join(NAMES)}"
            for name in given
            if name not in NAMES
        ]
        problems += [text for name, check in _CHECKS.items() if (text := check(given.get(name)))]
        if problems:
            raise ImproperlyConfigured(f"TASKS[{alias!r}]['OPTIONS']: {'; '.join(problems)}")
        on_commit = given.get("enqueue_on_commit")
        return cls(
            given.get("max_attempts"),
            seconds(given.get("keep_results", KEPT)),
            "default" if on_commit is True else on_commit or None,
            given.get("id_function"),
        )

    def new_id(self) -> str:
        """The id of a new result: ours, which grow with time, or what `id_function` makes."""
        make = self.id_function
        if make is None:
            return shown_id(new_key())
        if isinstance(make, str):
            from django.utils.module_loading import import_string

            make = import_string(make)
        made = make()
        if hasattr(made, "resolve_expression"):
            from django.core.exceptions import ImproperlyConfigured

            raise ImproperlyConfigured(
                "OPTIONS['id_function'] makes an expression for the database; ids are made by the "
                "program, e.g. by uuid.uuid4"
            )
        return shown_id(str(made))


def shown_id(key: str) -> str:
    """The id of a result whose job has that key: UUIDs with their dashes, anything else as it is."""
    try:
        return str(uuid.UUID(key))
    except ValueError:
        return key


def key_of(result_id: object) -> str | None:
    """The key of the job that may have that result; None for what cannot be one."""
    text = str(result_id)
    if not text.isascii() or "\0" in text or not 0 < len(text) <= 64:
        return None
    try:
        return uuid.UUID(text).hex
    except ValueError:
        return text


def _count(value: Any) -> str | None:
    right = value is None or (type(value) is int and value >= 1)
    return None if right else f"max_attempts={value!r} must be a whole number of at least 1"


def _duration(value: Any) -> str | None:
    if value is None or (isinstance(value, timedelta) and value > timedelta(0)):
        return None
    right = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return None if right else f"keep_results={value!r} must be seconds above 0 or a timedelta"


def _alias(value: Any) -> str | None:
    right = value is None or isinstance(value, bool | str)
    return None if right else f"enqueue_on_commit={value!r} must be the alias of a database"


def _function(value: Any) -> str | None:
    right = value is None or isinstance(value, str) or callable(value)
    return None if right else f"id_function={value!r} must be a function or the path of one"


_CHECKS = {
    "max_attempts": _count,
    "keep_results": _duration,
    "enqueue_on_commit": _alias,
    "id_function": _function,
}
