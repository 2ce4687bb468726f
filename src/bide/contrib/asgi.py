"""Bide inside any ASGI application: started and stopped with it.

Starlette, FastAPI and Litestar take `lifespan(app)` as it is. For a framework that has no such place,
`WithBide(asgi, app)` wraps the whole application.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from bide.app import App

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGI = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


def lifespan(
    app: App,
    *,
    migrate: bool = False,
    work: bool = False,
    queues: Iterable[str] | None = None,
    threads: int = 1,
    inner: Lifespan | None = None,
) -> Lifespan:
    """A lifespan that opens Bide with the application and closes it with it.

    `migrate`: bring the tables up to date first. `work`: perform jobs (of `queues`, in `threads`) in
    threads of this process: for development and small sites. `inner`: the application's own lifespan,
    which runs inside; its state is passed on. Nothing blocks the event loop.
    """

    @asynccontextmanager
    async def opened(server: Any) -> AsyncIterator[Any]:
        if migrate:
            await asyncio.to_thread(app.migrate)
        background = app.run_in_background(queues=queues, threads=threads) if work else None
        try:
            async with inner(server) if inner is not None else nullcontext() as state:
                yield state
        finally:
            if background is not None:
                await asyncio.to_thread(background.stop)
            await asyncio.to_thread(app.close)

    return opened


class WithBide:
    """An ASGI application around another: its lifespan first opens Bide, as `lifespan` does.

    Servers that send no lifespan events (and tests without them) get no worker and no migration.
    """

    def __init__(self, asgi: ASGI, app: App, **options: Any) -> None:
        self._asgi, self._opened = asgi, lifespan(app, **options)

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        """Requests pass through."""
        if scope["type"] != "lifespan":
            await self._asgi(scope, receive, send)
            return
        try:
            async with self._opened(self._asgi):
                await self._asgi(scope, receive, send)
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
