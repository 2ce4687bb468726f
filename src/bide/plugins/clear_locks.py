"""Gives back a worker's claimed jobs when it leaves, on errors too (queue.md 4.3: the first plugin)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bide.jobs.lifecycle import Lifecycle
from bide.jobs.plugin import Plugin


class ClearLocks(Plugin):
    """Part of every App from the start."""

    def callbacks(self, lifecycle: Lifecycle) -> None:
        """Around execute, so that it runs on every way out."""
        lifecycle.around("execute", clear_locks)


def clear_locks(worker: Any, proceed: Callable[[Any], Any]) -> Any:
    """Run the worker; whatever ends it, it holds no claim afterwards."""
    try:
        return proceed(worker)
    finally:
        worker.clear_locks()
