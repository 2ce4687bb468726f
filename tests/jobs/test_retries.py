"""When a failed job is tried again and when it is given up: the original's numbers (queue.md 5.4)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import bide
from bide import clock
from bide.jobs.job import Filter
from bide.jobs.retries import (
    LATEST,
    constant,
    exponential,
    may_retry,
    next_run_at,
    polynomial,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MEASURED = json.loads((Path(__file__).parents[1] / "workers" / "data" / "backoff.json").read_text())


@pytest.mark.parametrize("row", MEASURED["formula"], ids=lambda row: str(row["attempts"]))
def test_the_pause_is_the_originals(row: dict[str, int]) -> None:
    """DJ-528: attempts to the fourth power and five seconds."""
    assert polynomial(row["attempts"]) == row["reschedule_at_minus_now_s"]
    assert next_run_at(NOW, row["attempts"]) == NOW + timedelta(
        seconds=row["reschedule_at_minus_now_s"]
    )


def test_twenty_four_retries_take_twenty_days() -> None:
    """DJ-528."""
    seconds = sum(polynomial(attempts) for attempts in range(1, 25))
    assert seconds / 86400 == pytest.approx(20.4, abs=0.05)


@pytest.mark.parametrize(
    ("attempts", "most", "again"),
    [(1, 25, True), (24, 25, True), (25, 25, False), (1, 1, False), (1, 0, False), (2, 1, False)],
)
def test_the_last_attempt_is_the_last(attempts: int, most: int, again: bool) -> None:
    """DJ-526, DJ-080, DJ-083."""
    assert may_retry(attempts, most) is again


def test_a_job_that_always_fails_runs_twenty_five_times_by_the_measured_clock() -> None:
    """DJ-078, DJ-080, DJ-528: every retry at the moment that the original chose."""
    app = bide.App("memory://")

    @app.job
    def fails() -> None:
        raise ValueError("boom")

    job, now, pauses = fails.delay(), NOW, []
    app.store.change(job.id or 0, NOW, run_at=NOW)
    try:
        while job.reload().state != "failed":
            clock.set_wall(lambda now=now: now)
            assert app.worker().work_off() == (0, 1)
            pauses.append((job.reload().run_at - now).total_seconds())  # type: ignore[operator]
            now = max(now, job.run_at or now)
    finally:
        clock.set_wall(None)
    assert job.attempts == len(job.failures()) == 25
    assert pauses[:24] == [polynomial(attempts) for attempts in range(1, 25)]


def test_moments_beyond_every_calendar_are_the_last_that_can_be_stored() -> None:
    assert next_run_at(NOW, 25, lambda _: 1e12) == LATEST
    assert next_run_at(NOW, 25, lambda _: 1e300) == LATEST
    assert next_run_at(NOW, 25, lambda _: -1e300) == NOW
    assert next_run_at(NOW, 10**6) == LATEST


@pytest.mark.parametrize(
    ("backoff", "pauses"),
    [
        (exponential(), [1, 2, 4, 8]),
        (exponential(base=10, first=3, longest=100), [3, 30, 100, 100]),
        (constant(7), [7, 7, 7, 7]),
        (lambda attempts: attempts * 60, [60, 120, 180, 240]),
    ],
)
def test_other_back_offs_can_be_declared(backoff: Any, pauses: list[float]) -> None:
    assert [backoff(attempts) for attempts in range(1, 5)] == pauses
    app = bide.App("memory://")

    @app.job(backoff=backoff)
    def fails() -> None:
        raise ValueError("boom")

    job = fails.delay()
    app.worker().work_off()
    assert (job.reload().run_at - clock.utc_now()).total_seconds() == pytest.approx(  # type: ignore[operator]
        pauses[0], abs=2
    )


def test_exponential_pauses_never_overflow() -> None:
    """DJ-435: retries may go on for as long as somebody wants."""
    assert exponential()(100_000) == 3600
    assert polynomial(10_000) == 1e16 + 5


def test_a_job_may_be_tried_more_than_ten_thousand_times() -> None:
    """DJ-435."""
    app = bide.App("memory://", max_attempts=2**31 - 1)

    @app.job(backoff=constant(0))
    def fails() -> None:
        raise ValueError("boom")

    job = fails.delay()
    for _ in range(3):
        app.worker().work_off()
    assert (job.reload().state, job.attempts) == ("ready", 300)
    assert may_retry(10_001, app.settings.max_attempts)


def test_a_retried_job_keeps_its_queue_name_and_what_an_operator_made_of_it() -> None:
    """DJ-428, DJ-429, DJ-432: a retry is the same row, with its creation time."""
    app = bide.App("memory://")

    @app.job
    def fails() -> None:
        raise ValueError("boom")

    job = fails.using(queue="mail", priority=3).delay()
    created = job.created_at
    app.worker().work_off()
    app.store.change(job.id or 0, clock.utc_now(), priority=9)
    app.store.retry(Filter(), clock.utc_now(), reset_attempts=False)
    app.worker().work_off()
    job.reload()
    assert (job.queue, job.priority, job.created_at, job.attempts) == ("mail", 9, created, 2)


@pytest.mark.parametrize(("reset", "tries"), [(False, 1), (True, 3)])
def test_a_failed_job_that_is_retried_has_one_try_or_all_of_them(reset: bool, tries: int) -> None:
    """DJ-434: one more without resetting its attempts, all with."""
    app = bide.App("memory://", max_attempts=3)
    runs: list[int] = []

    @app.job(backoff=constant(0))
    def fails() -> None:
        runs.append(1)
        raise ValueError("boom")

    job = fails.delay()
    app.worker().work_off()
    assert (job.reload().state, len(runs)) == ("failed", 3)
    app.store.retry(Filter(), clock.utc_now(), reset_attempts=reset)
    app.worker().work_off()
    assert (job.reload().state, len(runs)) == ("failed", 3 + tries)
