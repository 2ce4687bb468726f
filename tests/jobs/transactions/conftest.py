"""An application on a fresh database of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import bide


@pytest.fixture
def app(database_url: str) -> Iterator[bide.App]:
    """The test runs three times: an application on migrated tables of each kind of database."""
    yield from migrated(database_url)


@pytest.fixture
def postgresql_app(postgresql_url: str) -> Iterator[bide.App]:
    yield from migrated(postgresql_url)


@pytest.fixture
def sqlite_app(sqlite_url: str) -> Iterator[bide.App]:
    yield from migrated(sqlite_url)


def migrated(url: str) -> Iterator[bide.App]:
    app = bide.App(url)
    app.migrate()
    yield app
    app.close()


@pytest.fixture
def note() -> Callable[[bide.App], Any]:
    """Declares a job that does nothing with a word."""

    def declare(app: bide.App) -> Any:
        @app.job(name="note")
        def note(word: str = "") -> str:
            return word

        return note

    return declare
