"""A worker on each database: success, failure, every awkward error text, and what is left behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import bide
from bide import clock
from bide.jobs.job import Filter, State


@pytest.fixture
def app(database_url: str) -> Iterator[bide.App]:
    app = bide.App(database_url)
    app.migrate()
    yield app
    app.close()


RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _clean() -> None:
    RAN.clear()


def test_jobs_of_every_fate_leave_what_they_should(app: bide.App) -> None:
    """DJ-012, DJ-072, DJ-078..085, DJ-193, DJ-514: one batch with all of them."""

    @app.job
    def fate(what: str) -> None:
        RAN.append(what)
        if what != "good":
            raise ValueError(what)

    good, bad, last, broken, again = (
        fate.delay("good"), fate.delay("bad"), fate.using(max_attempts=1).delay("last"),
        fate.delay("good"), fate.delay("good"),
    )  # fmt: skip
    app.store.change(broken.id or 0, clock.utc_now(), payload="7")
    assert app.worker(name="w").work_off() == (2, 3)
    assert RAN == ["good", "bad", "last", "good"]
    assert {row.id for row in app.store.find(Filter())} == {bad.id, last.id, broken.id}
    assert good.id != again.id
    states = [(job.reload().state, job.attempts, job.locked_by) for job in (bad, last, broken)]
    assert states == [("scheduled", 1, None), ("failed", 1, None), ("failed", 1, None)]
    assert [one.worker for one in bad.failures()] == ["w"]
    assert app.store.workers() == []


TEXTS = {
    "nul": "a\0b",
    "surrogate": "a\ud800b",
    "four bytes": "\U0001f600",
    "long": "x" * 200_000,
    "quotes": "'; DROP TABLE bide_jobs; -- \" \\ % :name %(x)s ?",
    "empty": "",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_error_text_is_recorded(
    app: bide.App, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """DJ-521: the job comes back, the worker lives."""
    caplog.set_level(logging.CRITICAL, "bide")  # a report of this text could not be sent on

    @app.job
    def fails() -> None:
        raise ValueError(text)

    job = fails.delay()
    assert app.worker().work_off() == (0, 1)
    job.reload()
    assert (job.attempts, job.state, job.locked_by) == (1, "scheduled", None)
    assert job.last_error
    assert job.failures()[0].error == job.last_error


def test_wishes_at_the_ends_of_the_calendar_can_be_stored(app: bide.App) -> None:
    """DJ-073: and at the ends of 32 bits, DJ-005."""

    @app.job
    class Far:
        def perform(self) -> None:
            raise ValueError("boom")

        def reschedule_at(self, now: datetime, attempts: int) -> datetime:
            return datetime.max.replace(tzinfo=UTC)

    jobs = [app.enqueue(Far(), priority=priority) for priority in (-(2**31), 2**31 - 1)]
    assert app.worker().work_off() == (0, 2)
    assert {job.reload().run_at.year for job in jobs} == {9999}  # type: ignore[union-attr]


def test_a_clock_that_goes_back_and_leaps_loses_and_repeats_nothing(app: bide.App) -> None:
    """What is ready runs, what waits becomes due by the clock of the moment, attempts count once."""

    @app.job
    def fate(number: int) -> None:
        RAN.append(number)
        if number < 0 and len(RAN) < 4:
            raise ValueError(number)

    now = clock.utc_now()
    fate.delay(1)
    fate.using(run_at=now + timedelta(seconds=30)).delay(2)
    worker = app.worker()
    try:
        clock.set_wall(lambda: now - timedelta(hours=2))
        fate.delay(3)
        failing = fate.delay(-1)
        assert worker.work_off() == (2, 1)
        assert RAN == [1, 3, -1]
        assert failing.reload().run_at == now - timedelta(hours=2) + timedelta(seconds=6)
        assert worker.work_off() == (0, 0)
        clock.set_wall(lambda: now + timedelta(minutes=1))
        assert worker.work_off() == (2, 0)
    finally:
        clock.set_wall(None)
    assert sorted(RAN[3:]) == [-1, 2]
    assert app.store.count(Filter()) == 0


def test_a_job_that_works_off_others_does_not_meet_itself(app: bide.App) -> None:
    """DJ-535."""
    worker = app.worker()

    @app.job
    def inner(number: int) -> None:
        RAN.append(number)

    @app.job
    def outer() -> None:
        RAN.append(worker.work_off())

    outer.delay()
    app.enqueue_many(inner.bind(number) for number in range(3))
    assert worker.work_off() == (1, 0)
    assert RAN == [0, 1, 2, (3, 0)]
    assert app.store.count(Filter(states=(State.RUNNING,))) == 0
