"""Bide opened and closed with an ASGI application."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Self

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from litestar import Litestar
from litestar.testing import TestClient as LitestarClient
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import bide
from bide.contrib.fastapi import (
    AsyncEnqueue,
    Enqueue,
    WithBide,
    async_enqueue_in,
    enqueue_in,
    lifespan,
)
from bide.web import Viewer, create_app
from lending import stored
from waiting import wait_until


@pytest.fixture
def app(sqlite_url: str) -> Iterator[bide.App]:
    app = bide.App(sqlite_url)
    yield app
    app.close()


@pytest.fixture
def ran() -> list[Any]:
    return []


@pytest.fixture
def note(app: bide.App, ran: list[Any]) -> Any:
    @app.job(name="note")
    def note(number: int) -> None:
        ran.append(number)

    return note


def test_fastapi_migrates_works_and_stops_with_its_lifespan(
    app: bide.App, note: Any, ran: list[Any]
) -> None:
    api = FastAPI(lifespan=lifespan(app, migrate=True, work=True))

    @api.post("/notes/{number}")
    async def add(number: int) -> None:
        await note.adelay(number)

    with TestClient(api) as client:
        assert client.post("/notes/7").status_code == 200
        wait_until(lambda: ran == [7], within=30)
        assert len(app.store.workers()) == 1
    assert app.store.workers() == []


def test_the_applications_own_lifespan_runs_inside_and_keeps_its_state(app: bide.App) -> None:
    told: list[str] = []

    @asynccontextmanager
    async def own(api: FastAPI) -> AsyncIterator[dict[str, int]]:
        assert stored(app) == []
        told.append("begun")
        yield {"answer": 42}
        told.append("ended")

    api = FastAPI(lifespan=lifespan(app, migrate=True, inner=own))

    @api.get("/")
    def answer(request: Request) -> int:
        return int(request.state.answer)

    with TestClient(api) as client:
        assert client.get("/").json() == 42
    assert told == ["begun", "ended"]


def test_only_the_queues_asked_for_are_worked_in_the_background(
    app: bide.App, note: Any, ran: list[Any]
) -> None:
    with TestClient(FastAPI(lifespan=lifespan(app, migrate=True, work=True, queues=["mail"]))):
        note.delay(1)
        note.using(queue="mail").delay(2)
        wait_until(lambda: ran == [2], within=30)
    assert len(stored(app)) == 1


def test_a_dependency_stores_in_the_session_of_the_route(
    app: bide.App, note: Any, sqlite_url: str
) -> None:
    engine = create_engine(sqlite_url, poolclass=NullPool)

    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    api = FastAPI(lifespan=lifespan(app, migrate=True))

    @api.post("/{number}")
    def add(
        number: int,
        session: Session = Depends(get_session),  # noqa: B008
        enqueue: Enqueue = Depends(enqueue_in(get_session)),  # noqa: B008
    ) -> None:
        assert enqueue.session is session
        enqueue(note, number)
        if number % 2:
            session.commit()

    with TestClient(api) as client:
        for number in range(4):
            assert client.post(f"/{number}").status_code == 200
        assert len(stored(app)) == 2


def test_a_dependency_stores_in_an_async_session(app: bide.App, note: Any, sqlite_url: str) -> None:
    engine = create_async_engine(
        sqlite_url.replace("sqlite:", "sqlite+aiosqlite:"), poolclass=NullPool
    )

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engine) as session:
            yield session

    api = FastAPI(lifespan=lifespan(app, migrate=True))

    @api.post("/{number}")
    async def add(
        number: int,
        session: AsyncSession = Depends(get_session),  # noqa: B008
        enqueue: AsyncEnqueue = Depends(async_enqueue_in(get_session)),  # noqa: B008
    ) -> None:
        await enqueue(note.using(queue="mail"), number)
        if number % 2:
            await session.commit()

    with TestClient(api) as client:
        for number in range(4):
            assert client.post(f"/{number}").status_code == 200
        assert len(stored(app)) == 2


def test_screens_are_mounted_below_a_path(app: bide.App) -> None:
    async def viewer(request: Request) -> Viewer | None:
        name = request.headers.get("x-user")
        return Viewer(name) if name else None

    api = FastAPI(lifespan=lifespan(app, migrate=True))
    api.mount("/bide", create_app(app, auth=viewer))
    with TestClient(api) as client:
        assert client.get("/bide/").status_code == 403
        page = client.get("/bide/", headers={"x-user": "ada"})
        assert page.status_code == 200
        style = re.search(r'href="(/bide/static/[^"]+\.css[^"]*)"', page.text)
        assert style is not None
        assert client.get(style[1]).status_code == 200


def test_starlette_and_litestar_take_the_same_lifespan(
    app: bide.App, note: Any, ran: list[Any]
) -> None:
    async def add(request: Request) -> JSONResponse:
        return JSONResponse((await note.adelay(1)).id)

    opened = lifespan(app, migrate=True, work=True)
    with TestClient(Starlette(routes=[Route("/", add)], lifespan=opened)) as client:
        assert client.get("/").json() == 1
        wait_until(lambda: ran == [1], within=30)
    with LitestarClient(Litestar(lifespan=[opened])):
        note.delay(2)
        wait_until(lambda: ran == [1, 2], within=30)


# Plain ASGI


class Server:
    """Speaks the lifespan protocol as servers do."""

    def __init__(self, asgi: Any) -> None:
        self._asgi = asgi
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._task = asyncio.create_task(self._asgi(scope, self._to_app.get, self._from_app.put))
        self.said = await self.tell("startup")
        return self

    async def tell(self, event: str) -> dict[str, Any]:
        await self._to_app.put({"type": f"lifespan.{event}"})
        return await asyncio.wait_for(self._from_app.get(), 30)

    async def __aexit__(self, *_: object) -> None:
        if self.said["type"] == "lifespan.startup.complete":
            assert (await self.tell("shutdown"))["type"] == "lifespan.shutdown.complete"
        await asyncio.gather(self._task, return_exceptions=True)


async def knows_no_lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def asks_and_gives_up(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    raise NotImplementedError


@pytest.mark.parametrize("inner", [knows_no_lifespan, asks_and_gives_up, Starlette()])
async def test_any_asgi_application_can_be_wrapped(
    app: bide.App, note: Any, ran: list[Any], inner: Any
) -> None:
    async with Server(WithBide(inner, app, migrate=True, work=True)) as server:
        assert server.said["type"] == "lifespan.startup.complete"
        await note.adelay(1)
        await asyncio.to_thread(wait_until, lambda: ran == [1], within=30)
    assert app.store.workers() == []


async def test_requests_reach_the_application_inside(app: bide.App) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await WithBide(knows_no_lifespan, app)({"type": "http"}, None, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 204


async def test_a_database_that_cannot_be_opened_keeps_the_server_from_starting() -> None:
    app = bide.App("sqlite:////nowhere/to/be/found.db")
    async with Server(WithBide(knows_no_lifespan, app, migrate=True)) as server:
        assert server.said["type"] == "lifespan.startup.failed"
        assert "/nowhere" in server.said["message"]


async def test_an_application_that_fails_to_start_says_so_itself(app: bide.App) -> None:
    @asynccontextmanager
    async def broken(_: Any) -> AsyncIterator[None]:
        raise RuntimeError("no")
        yield

    async with Server(WithBide(Starlette(lifespan=broken), app)) as server:
        assert server.said["type"] == "lifespan.startup.failed"
        assert "RuntimeError: no" in server.said["message"]
