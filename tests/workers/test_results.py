"""What a job returned is kept with it, if it asks for that, and can be read for as long as it asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

import bide
from bide.jobs.job import State


@pytest.fixture
def app_here(database_url: str) -> Iterator[bide.App]:
    made = bide.App(database_url)
    made.migrate()
    yield made
    made.close()


def test_a_result_comes_back_as_it_was_returned(app_here: bide.App) -> None:
    value = {"price": Decimal("9.99"), "at": datetime(2031, 1, 1, tzinfo=UTC), "of": (1, {2})}
    job = app_here.job(lambda_free(value), keep_result=timedelta(hours=1)).delay()
    with pytest.raises(bide.JobStateError, match="ready and has no result"):
        job.result()
    assert app_here.worker().work_off() == (1, 0)
    assert job.result() == value
    assert app_here.find(job.id or 0).state == "succeeded"
    row = app_here.store.result(job.id or 0)
    assert row is not None
    assert row.started_at is not None
    assert timedelta(minutes=59) < row.keep_until - row.started_at < timedelta(minutes=61)


def lambda_free(value: object):
    def answer() -> object:
        return value

    return answer


def test_jobs_without_results_and_with_them_end_together() -> None:
    made = bide.App("memory://")
    plain = made.job(lambda_free(1), name="plain")
    kept = made.job(lambda_free(2), name="kept", keep_result=60)
    jobs = [plain.delay(), kept.delay(), plain.delay(), kept.delay()]
    assert made.worker().work_off() == (4, 0)
    assert [made.store.get(job.id or 0) is None for job in jobs] == [True, False, True, False]
    assert jobs[3].result() == 2
    with pytest.raises(bide.JobNotFound):
        jobs[0].result()


def test_a_job_may_decide_itself_what_is_kept() -> None:
    made = bide.App("memory://")

    def work() -> str:
        job = bide.current_job()
        assert job is not None
        job.keep("chosen", 60)
        return "returned"

    job = made.job(work).delay()
    made.worker().work_off()
    assert job.result() == "chosen"


def test_what_cannot_be_kept_fails_the_job_once() -> None:
    made = bide.App("memory://")
    job = made.job(lambda_free(open), name="opens", keep_result=60).delay()
    assert made.worker().work_off() == (0, 1)
    row = made.store.get(job.id or 0)
    assert row is not None
    assert (row.state, row.attempts) == (State.FAILED, 1)
    assert "opens returned what cannot be kept" in (row.last_error or "") or "answer" in (
        row.last_error or ""
    )


def test_a_job_that_failed_before_keeps_what_it_returned_at_last() -> None:
    made = bide.App("memory://")
    tries = []

    def third_time() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("not yet")
        return len(tries)

    job = made.job(third_time, keep_result=60, backoff=lambda attempts: 0.0).delay()
    made.worker().work_off()
    assert job.result() == 3
    assert len(job.failures()) == 2


def test_inline_jobs_have_their_result_at_hand() -> None:
    made = bide.App("memory://", delay_jobs=False)
    job = made.job(lambda_free([1, 2]), name="inline", keep_result=60).delay()
    assert job.result() == [1, 2]


@pytest.mark.parametrize("wrong", [0, -1, "long", True])
def test_the_time_must_be_one(wrong: object) -> None:
    with pytest.raises(bide.SettingsError, match="keep_result"):
        bide.App("memory://").job(keep_result=wrong)


def test_expired_results_are_pruned_by_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    from bide.workers.housekeeping import Housekeeping

    made = bide.App("memory://")
    job = made.job(lambda_free(1), name="short", keep_result=0.001).delay()
    made.worker().work_off()
    keeping = Housekeeping(made._home, made.lifecycle, made.settings, set)
    from waiting import wait_until

    def gone() -> bool:
        keeping.prune()
        return made.store.get(job.id or 0) is None

    wait_until(gone)
