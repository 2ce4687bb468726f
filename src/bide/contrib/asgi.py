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
Scope = MutableMapping[str, Any]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]
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
    """An ASGI application around another: opened and closed with it, as `lifespan` says.

    It needs a server that sends lifespan events; the application inside need not know them. If Bide
    cannot be opened, the server is told why and does not start.
    """

    def __init__(self, asgi: ASGI, app: App, **options: Any) -> None:
        self._asgi, self._opened = asgi, lifespan(app, **options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Requests pass through."""
        if scope["type"] != "lifespan":
            await self._asgi(scope, receive, send)
            return
        started = _Startup(receive, send)
        try:
            async with self._opened(self._asgi):
                await started.run(self._asgi, scope)
        except Exception as error:
            if not started.answered:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise


class _Startup:
    """The lifespan events of the application inside, answered in its place if it knows none."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._asked = self.answered = False

    async def run(self, asgi: ASGI, scope: Scope) -> None:
        try:
            await asgi(scope, self.receive, self.send)
        except Exception:
            if self.answered:
                raise
        if not self.answered:
            await self._answer_alone()

    async def receive(self) -> Message:
        self._asked = True
        return await self._receive()

    async def send(self, message: Message) -> None:
        self.answered = True
        await self._send(message)

    async def _answer_alone(self) -> None:
        if not self._asked:
            await self.receive()
        await self.send({"type": "lifespan.startup.complete"})
        await self.receive()
        await self.send({"type": "lifespan.shutdown.complete"})
