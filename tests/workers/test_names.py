"""Names of workers and queues: what no database keeps is refused, what a dead worker held goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

import bide
from bide.errors import EnqueueError, SettingsError
from bide.jobs.job import WorkerRow
from bide.jobs.store import Wanted
from bide.workers.processes import host_name, identity, process_lives
from in_child import in_child

NOW = datetime(2030, 1, 1, tzinfo=UTC)
NOBODY_KEEPS = ["a\0b", "x" * 256, "half \ud800"]


@pytest.fixture
def app(sqlite_url: str) -> Iterator[bide.App]:
    app = bide.App(sqlite_url)
    app.migrate()
    yield app
    app.close()


@pytest.mark.parametrize("name", NOBODY_KEEPS)
def test_a_name_that_no_database_keeps_is_refused_at_once(app: bide.App, name: str) -> None:
    @app.job
    def nothing() -> None: ...

    for refused in (lambda: app.worker(name=name), lambda: app.worker(queues=[name])):
        with pytest.raises(SettingsError, match=r"must be at most 255 whole"):
            refused()
    with pytest.raises(EnqueueError, match=r"must be at most 255 whole"):
        nothing.using(queue=name).delay()


@pytest.mark.parametrize(
    "name", ["[bold]x[/]", "\x1b[31mred", "😀" * 50, "a\nb", "'; --", "%s %(x)s"]
)
def test_any_other_name_is_a_name(app: bide.App, name: str) -> None:
    @app.job
    def nothing() -> None: ...

    nothing.using(queue=name).delay()
    assert app.worker(name=name, queues=[name]).work_off() == (1, 0)


def test_a_worker_goes_on_at_once_where_a_dead_one_of_its_name_ended(app: bide.App) -> None:
    """DJ-038."""

    @app.job
    def nothing() -> None: ...

    nothing.delay()

    def dies_with_a_job_in_hand() -> None:
        ref = app.store.register("w", host_name(), os.getpid(), identity(os.getpid()))
        assert app.store.claim(ref, Wanted(), 1, datetime.now(UTC))

    in_child(dies_with_a_job_in_hand)
    assert app.worker(name="other").work_off() == (0, 0)
    assert app.worker(name="w").work_off() == (1, 0)


@pytest.mark.parametrize(
    ("changed", "lives"), [({}, False), ({"space": "of another container"}, True)]
)
def test_a_process_of_another_container_is_not_taken_for_dead(
    changed: dict[str, Any], lives: bool
) -> None:
    """Containers that share the host's name have numbers of their own."""
    gone = in_child(lambda: identity(os.getpid()))
    row = WorkerRow(1, "w", host_name(), gone["pid"], NOW, NOW, {**gone, **changed})
    assert process_lives(row) is lives
