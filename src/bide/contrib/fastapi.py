"""Bide inside FastAPI: its lifespan, and enqueueing in a request's session as a dependency."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Depends

from bide.contrib.asgi import WithBide, lifespan
from bide.contrib.sqlalchemy import AsyncEnqueue, Enqueue

__all__ = ["AsyncEnqueue", "Enqueue", "WithBide", "async_enqueue_in", "enqueue_in", "lifespan"]


def enqueue_in(get_session: Callable[..., Any]) -> Callable[..., Enqueue]:
    """A dependency that stores jobs in the session of another one.

    >>> EnqueueIn = Annotated[Enqueue, Depends(enqueue_in(get_session))]
    >>> @api.post("/orders")
    ... def place(order: Order, session: SessionIn, enqueue: EnqueueIn): ...

    It is the same session that the route gets, so that what the route commits is committed together.
    """

    def dependency(session: Any = Depends(get_session)) -> Enqueue:  # noqa: B008 - FastAPI's way
        return Enqueue(session)

    return dependency


def async_enqueue_in(get_session: Callable[..., Any]) -> Callable[..., AsyncEnqueue]:
    """The same for an AsyncSession: `await enqueue(send_receipt, order.id)`."""

    def dependency(session: Any = Depends(get_session)) -> AsyncEnqueue:  # noqa: B008
        return AsyncEnqueue(session)

    return dependency
