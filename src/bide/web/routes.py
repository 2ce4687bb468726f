"""How a function becomes a page: who may see it, and what a form must hold."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from bide.web.live import stream_of
from bide.web.screens import Screens
from bide.web.visit import Visit

Handler = Callable[[Visit], Response]

#: Bytes of a form, unless its page says otherwise.
LARGEST_FORM: Final = 4 * 1024 * 1024
#: What every database can compare an id with.
_LARGEST_ID: Final = 2**63 - 1


def get(screens: Screens, path: str, handler: Handler, *, role: str | None) -> Route:
    """A page for viewers who have `role` (None: for everybody, logged in or not).

    The handler runs in a thread. With `?live=stream` the block `live` of its template comes again
    whenever it has changed, with `?live=once` it comes once.
    """

    async def endpoint(request: Request) -> Response:
        _check(request, role)
        visit = Visit(screens, request)
        wanted = request.query_params.get("live")
        if wanted == "stream" and screens.live == "stream":
            return stream_of(visit, handler)
        visit.live = wanted is not None
        return await run_in_threadpool(handler, visit)

    return Route(path, endpoint, methods=["GET"])


def post(
    screens: Screens, path: str, handler: Handler, *, role: str | None, largest: int = LARGEST_FORM
) -> Route:
    """What a form does, for viewers who have `role`; refused without the form's `csrf` field (or the
    header X-CSRF-Token). `largest`: bytes of the request."""

    async def endpoint(request: Request) -> Response:
        _check(request, role)
        form = await _form(request, largest)
        given = str(form.get("csrf") or request.headers.get("x-csrf-token") or "")
        if not secrets.compare_digest(given.encode(), request.scope["state"]["csrf"].encode()):
            raise HTTPException(403, "csrf")
        try:
            return await run_in_threadpool(handler, Visit(screens, request, form))
        finally:
            await form.close()

    return Route(path, endpoint, methods=["POST"])


def _check(request: Request, role: str | None) -> None:
    viewer = request.scope["state"]["viewer"]
    if role is not None and (viewer is None or not viewer.may(role)):
        raise HTTPException(403, "role")
    if any(isinstance(one, int) and one > _LARGEST_ID for one in request.path_params.values()):
        raise HTTPException(404)


async def _form(request: Request, largest: int) -> FormData:
    """The fields of a form that is not larger than that, whatever its length header says."""
    receive, size = request.receive, 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > largest:
            raise HTTPException(413, "too_large")
        return message

    return await Request(request.scope, limited).form(max_fields=5000, max_part_size=largest)
