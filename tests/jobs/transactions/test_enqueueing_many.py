"""enqueue_many in batches: each is stored whole, and before anybody hears of the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import bide
from bide import errors
from bide.jobs.enqueue import BATCH
from bide.jobs.job import Filter


def declared(app: bide.App) -> Any:
    @app.job
    def numbered(number: int) -> None: ...

    return numbered


def test_many_batches_come_back_in_order_with_their_ids(app: bide.App) -> None:
    numbered = declared(app)
    jobs = app.enqueue_many(numbered.bind(number) for number in range(2 * BATCH + 7))
    assert app.store.count(Filter()) == len(jobs) == 2 * BATCH + 7
    for number in (0, 1, BATCH - 1, BATCH, 2 * BATCH + 6):
        sent = jobs[number].payload
        assert (jobs[number].reload().payload, jobs[number].state) == (sent, "ready")


def test_a_call_that_cannot_be_prepared_leaves_the_batches_before_it_stored(
    app: bide.App,
) -> None:
    numbered = declared(app)

    def calls() -> Iterator[Any]:
        for number in range(BATCH):
            yield numbered.bind(number)
        yield numbered.bind(object())

    with pytest.raises(errors.EnqueueError):
        app.enqueue_many(calls())
    assert app.store.count(Filter()) == BATCH
    assert app.enqueue_many([numbered.bind(1), numbered.bind(2)])[1].id is not None


def test_a_callback_sees_a_batch_after_those_before_it_are_stored(app: bide.App) -> None:
    numbered = declared(app)
    seen: list[int] = []

    @app.lifecycle.before("enqueue")
    def count(job: bide.Job) -> None:
        if len(seen) == BATCH:
            assert app.store.count(Filter()) == BATCH
        seen.append(1)

    app.enqueue_many(numbered.bind(number) for number in range(BATCH + 3))
    assert len(seen) == BATCH + 3


def test_nobody_hears_of_a_batch_behind_one_that_could_not_be_stored(app: bide.App) -> None:
    numbered = declared(app)
    seen: list[int] = []

    @app.lifecycle.before("enqueue")
    def note(job: bide.Job) -> None:
        seen.append(1)

    with app.store.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE bide_jobs")
    with pytest.raises(errors.NotMigrated):
        app.enqueue_many(numbered.bind(number) for number in range(2 * BATCH))
    assert len(seen) == BATCH
