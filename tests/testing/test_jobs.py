"""Users' tests: inline, drain, what was enqueued, and time that stands still."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

import bide
from bide.testing import assert_enqueued, assert_not_enqueued, drain, enqueued, frozen_time, inline


@pytest.fixture
def ran() -> list[object]:
    return []


@pytest.fixture
def welcome(app: bide.App, ran: list[object]):
    @app.job(queue="mail")
    def welcome(user_id: int, *, name: str = "you") -> None:
        ran.append((user_id, name))

    return welcome


def test_inline_runs_jobs_at_once_and_stores_nothing(app, welcome, ran) -> None:
    with inline(app):
        job = welcome.delay(1)
    assert ran == [(1, "you")]
    assert job.id is None
    assert welcome.delay(2).id is not None


def test_drain_runs_jobs_that_jobs_enqueue_and_leaves_those_for_later(app, ran) -> None:
    @app.job
    def chain(left: int) -> None:
        ran.append(left)
        if left:
            chain.delay(left - 1)

    chain.delay(3)
    later = chain.using(run_at=timedelta(hours=1)).delay(0)
    assert drain(app) == (4, 0)
    assert ran == [3, 2, 1, 0]
    assert [job.id for job in enqueued(app)] == [later.id]


def test_drain_says_when_jobs_go_on_for_ever(app) -> None:
    @app.job
    def again() -> None:
        again.delay()

    again.delay()
    with pytest.raises(AssertionError, match="20 jobs ran and there are more"):
        drain(app, most=20)


def test_assert_enqueued_finds_by_job_arguments_and_columns(app, welcome) -> None:
    job = welcome.using(priority=3).delay(1, name="Ada")
    assert assert_enqueued(welcome, app=app) == job
    assert_enqueued(welcome, args=[1], kwargs={"name": "Ada"}, queue="mail", priority=3, app=app)
    assert_not_enqueued(welcome, args=[2], app=app)
    with pytest.raises(AssertionError, match=r"2 of \S*welcome\(1\) wanted, 1 found"):
        assert_enqueued(welcome, args=[1], count=2, app=app)
    with pytest.raises(
        AssertionError, match=r"no .*welcome\(\.\.\.\) queue='mail' wanted, 1 found"
    ):
        assert_not_enqueued(welcome, app=app, queue="mail")


def test_assert_enqueued_compares_job_objects(app) -> None:
    @app.job
    @dataclass
    class Letter:
        text: str

        def perform(self) -> None: ...

    app.enqueue(Letter("hi"))
    assert_enqueued(Letter("hi"), app=app)
    assert_enqueued(Letter, app=app)
    assert_not_enqueued(Letter("ho"), app=app)


def test_frozen_time_moves_schedules_and_retries(app, ran) -> None:
    @app.job
    def fails_once() -> None:
        ran.append(1)
        if len(ran) == 1:
            raise ValueError("once")

    with frozen_time(datetime(2027, 1, 31, 12, tzinfo=UTC)) as time:
        fails_once.using(run_at=timedelta(days=1)).delay()
        assert drain(app) == (0, 0)
        time.move(timedelta(days=1))
        assert drain(app) == (0, 1)
        time.move(5.9)
        assert drain(app) == (0, 0)
        time.move(0.2)
        assert drain(app) == (1, 0)
