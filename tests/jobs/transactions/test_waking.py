"""A commit of the caller's wakes a worker that has nothing to do, long before it would look by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import bide
from bide.jobs.job import Filter
from lending import LENT, Lend, stored
from waiting import wait_until

Declare = Callable[[bide.App], Any]


@contextmanager
def idle_worker(url: str) -> Iterator[list[str]]:
    """A worker of a second application that looks once in a minute, asleep; the words it was told."""
    app, heard, idle = bide.App(url), [], threading.Event()

    @app.job(name="note")
    def note(word: str = "") -> None:
        heard.append(word)

    app.lifecycle.after("loop")(lambda worker: idle.set())
    worker = app.worker(sleep_delay=60)
    thread = threading.Thread(target=worker.start, daemon=True)
    thread.start()
    assert idle.wait(10)
    try:
        yield heard
    finally:
        worker.stop()
        thread.join(10)
        app.close()


@pytest.mark.parametrize("lend", LENT)
def test_a_commit_wakes_an_idle_worker_and_a_rollback_gives_it_nothing(
    app: bide.App, database_url: str, note: Declare, lend: Lend
) -> None:
    job = note(app)
    with idle_worker(database_url) as heard, lend(database_url) as on:
        job.using(session=on).delay("gone")
        on.rollback()
        job.using(session=on).delay("first")
        on.commit()
        wait_until(lambda: heard == ["first"], within=20)
        app.enqueue_many([job.bind("second"), job.bind("third")], session=on)
        on.commit()
        wait_until(lambda: heard == ["first", "second", "third"], within=20)
        wait_until(lambda: app.store.count(Filter()) == 0)
    assert stored(app) == []
