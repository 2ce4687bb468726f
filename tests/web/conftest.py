"""Fixtures of the browser tests: one Chromium for all tests of a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bide import App
from bide.web import Viewer, create_app
from conftest import lacking
from web.browser import chromium, program, served
from web.shop import open_shop


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Playwright keeps an event loop running in this thread: tests of other modules need theirs."""
    if program() is None:
        lacking("browser", "apt-get install chromium")
    with chromium() as browser:
        yield browser


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Call it with an ASGI application for its address."""
    with ExitStack() as stack:
        yield lambda screens: stack.enter_context(served(screens))


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest) -> Iterator[App]:
    """A filled shop on each of two databases."""
    app = App(request.getfixturevalue(f"{request.param}_url"))
    app.migrate()
    open_shop(app)
    yield app
    app.close()


@pytest.fixture
def small_shop(sqlite_url: str) -> Iterator[App]:
    """A filled shop on SQLite, for what no database has a part in."""
    app = App(sqlite_url)
    app.migrate()
    open_shop(app)
    yield app
    app.close()


@pytest.fixture
def open_page(browser: Any, serve: Callable[[Any], str]) -> Iterator[Callable[..., Any]]:
    """Call it with an App for a page of the overview, seen by ada; whatever the page complains about
    fails the test."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def open_one(
        app: App, path: str = "/", roles: tuple[str, ...] = ("everything",), **options: Any
    ) -> Any:
        address = serve(create_app(app, auth=lambda request: Viewer("ada", roles)))
        options = {
            "viewport": {"width": 1200, "height": 800},
            "timezone_id": "Europe/Berlin",
            **options,
        }
        context = browser.new_context(base_url=address, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on(
            "console", lambda said: complaints.append(said.text) if _is_complaint(said) else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(said: Any) -> bool:
    """A form that was not taken comes again with its reasons, which Chromium counts as an error."""
    return said.type == "error" and "409 (Conflict)" not in said.text
