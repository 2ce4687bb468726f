"""Pages that stay fresh: server-sent events with the part of a page that changes, when it has changed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from bide.errors import BideError
from bide.web.roles import Viewer
from bide.web.visit import Visit

#: Streams of one process; more are refused, and their pages ask instead.
MOST_STREAMS: Final = 200
#: A quiet page is looked at less often, up to this many times the usual pause.
_CALMEST: Final = 5
#: Seconds after which a stream ends and the browser comes again by itself: a server that stops waits
#: for the streams that it does not end (`end_streams`).
LONGEST: Final = 20.0

#: The streams of this process, each with what ends it.
_streams: set[asyncio.Event] = set()


def end_streams() -> None:
    """End every stream now, because the server stops. Called in the event loop that serves them."""
    for ended in _streams:
        ended.set()


def stream_of(visit: Visit, handler: Callable[[Visit], Response]) -> Response:
    """The block `live` of the page, again and again."""
    if len(_streams) >= MOST_STREAMS:
        raise HTTPException(503, "too_many_streams")
    visit.live = True
    return StreamingResponse(
        _events(visit, handler),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _events(visit: Visit, handler: Callable[[Visit], Response]) -> AsyncIterator[bytes]:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    _streams.add(ended)
    ends, seen, calm = loop.time() + LONGEST, "", 1
    try:
        yield b"retry: 1000\n\n"
        while not ended.is_set() and loop.time() < ends and await _still_welcome(visit):
            html = await _rendered(visit, handler)
            digest = hashlib.sha256(html.encode()).hexdigest()
            if digest == seen:
                calm = min(calm + 1, _CALMEST)
                yield b": still\n\n"
            else:
                calm, seen = 1, digest
                yield _event("live", html)
            pause = min(visit.screens.live_every * calm, ends - loop.time())
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), pause)
        yield _event("end", "")
    finally:
        _streams.discard(ended)


async def _still_welcome(visit: Visit) -> bool:
    """Whether the session goes on: who logged out, or lost a role, sees nothing more."""
    found = await visit.screens.security.identify(visit.request)
    return isinstance(found, Viewer) and found == visit.viewer


async def _rendered(visit: Visit, handler: Callable[[Visit], Response]) -> str:
    try:
        response = await run_in_threadpool(handler, visit)
    except BideError:
        return ""  # the database is away for a moment: the page keeps what it shows
    return bytes(response.body).decode()


def _event(name: str, data: str) -> bytes:
    # A carriage return in a job's error would end the line, and two of them the event.
    whole = data.replace("\r\n", "\n").replace("\r", "\n")
    lines = "".join(f"data: {line}\n" for line in whole.split("\n"))
    return f"event: {name}\n{lines}\n".encode()
