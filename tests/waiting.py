"""Wait for a condition with a deadline; tests never sleep for a guessed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], within: float = 30.0, every: float = 0.01) -> T:
    """The first true value of `condition()`; AssertionError when there is none in `within` seconds.

    `every` is the pause between two looks. Exceptions of the condition are the caller's business.
    """
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{condition} was still {value!r} after {within:g} seconds")
        time.sleep(every)
