"""A call of a job as it comes back from the payload column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from bide.jobs.registry import Declared


def _nothing_to_close() -> None:
    """Plain arguments hold on to nothing."""


class Payload(msgspec.Struct):
    """A call brought back. Close it when the attempt is over, so that its records are let go.

    `object` carries hooks and optional methods: the job object or class itself; the target of a
    method if its class says `delayed_hooks = True` (`queue.md DJ-550`); None for functions.
    `declared` is the declaration of the function or class, None for methods. `silent`: it is a function
    whose declaration says nothing that is asked for each attempt, which has no limit or result then.
    """

    call: Callable[..., Any]
    args: list[Any]
    kwargs: dict[str, Any]
    object: Any = None
    declared: Declared | None = None
    close: Callable[[], None] = _nothing_to_close
    silent: bool = False

    def perform(self) -> Any:
        """Run the job and return its result; a coroutine when the job is `async def`."""
        return self.call(*self.args, **self.kwargs)
