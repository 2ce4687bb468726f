"""Workers that share a process in threads: what ends one of them ends the others, in good time."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from bide.errors import FatalBackendError
from bide.workers.members import _Threads
from bide.workers.signals import Requests
from waiting import wait_until


class Working:
    """A worker that does no more than `work`."""

    recycled = False

    def __init__(self, work: Callable[[Requests], None]) -> None:
        self.requests, self._work = Requests(), work

    def start(self) -> None:
        self._work(self.requests)
        self.requests.close()


def test_workers_that_fail_together_ask_another_only_once_to_stop() -> None:
    """The second request would take its job from it."""
    stops: list[int] = []

    def fail(_: Requests) -> None:
        raise FatalBackendError("ten reservations in a row failed")

    def go_on(requests: Requests) -> None:
        failing = ("bide-worker-0", "bide-worker-1")
        wait_until(lambda: not any(each.name in failing for each in threading.enumerate()))
        stops.append(requests.stops)

    with pytest.raises(FatalBackendError):
        _Threads([Working(fail), Working(fail), Working(go_on)]).work()
    assert stops == [1]
