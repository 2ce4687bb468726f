"""A disk without room for SQLite: what was acknowledged stays, what waits goes on when there is room again."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import bide
from bide import events
from bide.jobs.job import Filter
from in_child import in_child


@pytest.fixture
def app(sqlite_url: str) -> Iterator[bide.App]:
    app = bide.App(sqlite_url)
    app.migrate()
    yield app
    app.close()


@contextmanager
def no_file_grows_beyond(size: int) -> Iterator[None]:
    """The limit of a process on the size of files, in whose stead a disk is full in the same calls."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_what_was_acknowledged_before_the_disk_was_full_is_there_afterwards(app: bide.App) -> None:
    did: list[str] = []

    @app.job
    def keep(number: int, weight: str) -> None:
        did.append(f"{number}")

    def child() -> tuple[list[int], int, tuple[int, int], list[str]]:
        acknowledged, refused = [], 0
        with no_file_grows_beyond(600_000):
            while refused < 3:
                try:
                    acknowledged.append(keep.delay(len(acknowledged), "x" * 20_000).id or 0)
                except bide.DatabaseError:
                    refused += 1
        left = app.store.count(Filter())
        return acknowledged, left, app.worker().work_off(), did

    acknowledged, left, counts, did = in_child(child, within=60)
    assert acknowledged
    assert left == len(acknowledged)
    assert counts == (left, 0)
    assert did == [f"{number}" for number in range(left)]


def test_a_job_that_ends_while_the_disk_is_full_is_finished_once_when_there_is_room(
    app: bide.App, tmp_path: Path
) -> None:
    """Promise 1: what could not be written is written later, and the job does not run again."""
    limit = no_file_grows_beyond(0)
    heard: list[str] = []

    @app.job
    def fills_the_disk() -> None:
        with (tmp_path / "runs").open("a") as file:
            file.write("ran\n")
        limit.__enter__()

    fills_the_disk.delay()

    def hear(name: str, facts: dict[str, Any]) -> None:
        if name == "database_lost":
            limit.__exit__(None, None, None)
        heard.append(name)

    def child() -> tuple[tuple[int, int], int]:
        events.subscribe(hear)
        return app.worker().work_off(), heard.count("database_lost")

    assert in_child(child, within=60) == ((1, 0), 1)
    assert (tmp_path / "runs").read_text() == "ran\n"
    assert app.store.count(Filter()) == 0
