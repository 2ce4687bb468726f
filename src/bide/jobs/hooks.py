"""Hooks and optional methods of a payload: enqueue, before, success, error, after, failure (queue.md 3)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

HOOKS = ("enqueue", "before", "success", "error", "after", "failure")

#: What an object may define besides perform and the hooks.
OPTIONAL = (
    "queue_name",
    "display_name",
    "max_attempts",
    "max_run_time",
    "reschedule_at",
    "destroy_failed_jobs",
)


def call_hook(target: object, name: str, *args: Any) -> bool:
    """Call the hook if `target` has it, with `args` or with none if it takes none; did it exist?"""
    hook = getattr(target, name, None)
    if not callable(hook):
        return False
    hook(*_accepted(hook, args))
    return True


def ask(target: object, name: str, *args: Any) -> Any:
    """The value of an optional method or attribute of `target`, None when it has none."""
    value = getattr(target, name, None)
    return value(*_accepted(value, args)) if callable(value) else value


def _accepted(hook: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """A hook that takes no arguments is called with none (queue.md 3.1)."""
    try:
        return args if inspect.signature(hook).parameters else ()
    except (TypeError, ValueError):
        return args
