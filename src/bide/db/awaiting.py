"""Await inside synchronous code that runs in a greenlet, so that one story serves sync and async."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy.util import await_only, greenlet_spawn

T = TypeVar("T")


async def greenlet(function: Callable[..., T], *args: Any) -> T:
    """Run `function(*args)`; inside it `await_here` waits without blocking the event loop."""
    return await greenlet_spawn(function, *args)


def await_here(awaitable: Awaitable[T]) -> T:
    """Wait for `awaitable` in the event loop that called `greenlet`."""
    return await_only(awaitable)


async def in_thread(function: Callable[..., T], *args: Any) -> T:
    """`function(*args)` in a thread, without blocking the event loop."""
    from asyncio import to_thread  # programs that never await do without asyncio, 7 MB

    return await to_thread(function, *args)
