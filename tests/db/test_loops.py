"""A worker's loop waits, and never spins, while another thread makes a look that takes long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bide.clock import monotonic
from bide.db.loops import BETWEEN, Loop
from waiting import wait_until


class Slow:
    """Looks until it may end; then it is due after a long while."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Event(), threading.Event()

    def look(self) -> float:
        self.begun.set()
        self.end.wait(20)
        return monotonic() + 60

    def descriptors(self) -> list[int]:
        return []


@contextmanager
def looked_at_elsewhere(loop: Loop, slow: Slow) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=loop.look)
    thread.start()
    try:
        assert slow.begun.wait(20)
        yield thread
    finally:
        slow.end.set()
        thread.join()


def test_who_finds_another_thread_looking_comes_again_after_a_pause() -> None:
    loop, slow = Loop(None, lambda: None), Slow()
    loop.take(slow)
    with looked_at_elsewhere(loop, slow) as thread:
        loop.look()
        assert BETWEEN / 2 < loop.pause() <= BETWEEN
        slow.end.set()
        wait_until(lambda: not thread.is_alive(), within=20)
    assert loop.pause() > BETWEEN
