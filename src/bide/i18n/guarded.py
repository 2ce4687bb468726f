"""A lock that a forked child gets anew, so that one held elsewhere in the parent blocks nobody."""

from __future__ import annotations

import os
import threading
from types import TracebackType
from weakref import WeakSet


class Guard:
    """A reentrant lock for stores and loads; lookups take none."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _guards.add(self)

    def renew(self) -> None:
        """Forget who holds it (in a forked child)."""
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()


_guards: WeakSet[Guard] = WeakSet()


def _renew_all() -> None:
    for guard in list(_guards):
        guard.renew()


os.register_at_fork(after_in_child=_renew_all)
