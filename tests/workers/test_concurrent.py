"""Many jobs at a time in one process: on an event loop, and in threads beside it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bide
from bide import events
from bide.errors import ConnectionLost
from bide.jobs.job import Filter, State
from bide.jobs.store import Wanted
from bide.workers.worker import Worker
from waiting import wait_until
from workers.fleets import fleet


@pytest.fixture
def app() -> bide.App:
    return bide.App("memory://")


def work_off(app: bide.App, concurrency: int) -> tuple[int, int]:
    return app.worker_for(Wanted(), concurrency=concurrency).work_off()


def test_async_jobs_run_at_the_same_time_each_knowing_its_own_job(app: bide.App) -> None:
    together = asyncio.Barrier(5)
    seen: list[tuple[int, int | None]] = []

    @app.job
    async def meet(number: int) -> None:
        await together.wait()
        job = bide.current_job()
        assert job is not None
        seen.append((number, job.id))

    jobs = [meet.delay(number) for number in range(5)]
    assert work_off(app, 5) == (5, 0)
    assert sorted(seen) == [(number, job.id) for number, job in enumerate(jobs)]


@pytest.mark.parametrize("concurrency", [1, 2])
def test_async_jobs_one_after_the_other_see_the_variables_of_their_own_job(
    app: bide.App, concurrency: int
) -> None:
    seen: list[int | None] = []

    @app.job
    async def look() -> None:
        job = bide.current_job()
        assert job is not None
        seen.append(job.id)

    jobs = [look.delay() for _ in range(3)]
    work_off(app, concurrency)
    assert sorted(seen) == [job.id for job in jobs]  # type: ignore[type-var]


def test_other_jobs_run_in_threads_at_the_same_time(app: bide.App) -> None:
    together = threading.Barrier(5, timeout=10)

    @app.job
    def meet() -> None:
        together.wait()

    for _ in range(5):
        meet.delay()
    assert work_off(app, 5) == (5, 0)


def test_no_more_jobs_run_at_a_time_than_asked_for(app: bide.App) -> None:
    running, most = 0, 0

    @app.job
    async def count() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    for _ in range(20):
        count.delay()
    assert work_off(app, 3) == (20, 0)
    assert most <= 3


def test_a_long_job_does_not_keep_others_from_starting(app: bide.App) -> None:
    """A loop event starts 100 jobs at most; what it leaves running runs on in the next one."""
    number, release = 0, asyncio.Event()
    rounds: list[int] = []

    @app.lifecycle.before("loop")
    def count(worker: object) -> None:
        rounds.append(number)

    @app.job
    async def long() -> None:
        await asyncio.wait_for(release.wait(), 10)

    @app.job
    async def short() -> None:
        nonlocal number
        number += 1
        if number == 250:
            release.set()

    jobs = [long.delay(), *[short.delay() for _ in range(250)]]
    app.worker_for(Wanted(), concurrency=2, exit_on_complete=True).start()
    assert app.store.find(Filter()) == []
    assert jobs[0].id is not None
    assert len(rounds) >= 3


def test_as_many_jobs_run_at_a_time_as_asked_for_also_above_a_hundred(app: bide.App) -> None:
    together = asyncio.Barrier(250)

    @app.job
    async def meet() -> None:
        await asyncio.wait_for(together.wait(), 10)

    for _ in range(250):
        meet.delay()
    app.worker_for(Wanted(), concurrency=250, exit_on_complete=True).start()
    assert app.store.find(Filter()) == []


def test_a_worker_is_replaced_after_its_share_of_jobs_whatever_still_ran(
    tmp_path: Path, sqlite_url: str
) -> None:
    source = """
@app.job
async def nap(number):
    import asyncio
    await asyncio.sleep(0.01 * (number % 3))
    note(did=number)
"""
    with fleet(tmp_path, sqlite_url, source, sleep_delay=0.5, recycle_after_jobs=10) as shop:
        for number in range(30):
            shop.enqueue("nap", number)
        shop.start("-n", "2", "--concurrency", "4")
        done = Counter(note["pid"] for note in shop.wait_for(30, did=None))
        assert len(done) >= 3
        assert max(done.values()) == 10


def test_a_worker_that_ends_lets_what_it_left_running_end_first(app: bide.App) -> None:
    release, ended = asyncio.Event(), []
    worker = app.worker_for(Wanted(), concurrency=2)

    @app.job
    async def long() -> None:
        await asyncio.wait_for(release.wait(), 10)
        ended.append("long")

    @app.job
    async def short() -> None:
        await asyncio.sleep(0)

    @app.lifecycle.after("loop")
    def stop(_: object) -> None:
        worker.stop()
        release.set()

    long.delay()
    for _ in range(120):
        short.delay()
    worker.start()
    assert ended == ["long"]
    assert {row.state for row in app.store.find(Filter())} == {State.READY}


def test_what_runs_goes_on_while_a_callback_prevents_loop_events(app: bide.App) -> None:
    release, closed, looks = asyncio.Event(), False, 0
    worker = app.worker_for(Wanted(), concurrency=2)

    @app.job
    async def long() -> None:
        await asyncio.wait_for(release.wait(), 10)
        worker.stop()

    @app.job
    async def close(really: bool) -> None:
        nonlocal closed
        closed = closed or really

    @app.lifecycle.around("loop")
    def pause(worker: Worker, proceed: Callable[[Worker], None]) -> None:
        nonlocal looks
        looks += 1
        if not closed:
            proceed(worker)
            return
        release.set()
        if looks > 100:
            worker.stop()

    long.delay()
    for number in range(120):
        close.delay(number == 60)
    worker.start()
    assert looks == 2


def two_at_a_time(app: bide.App) -> tuple[Worker, list[str], Callable[..., Any]]:
    """A worker of two places, a list for what its jobs tell, and how it claims."""
    return app.worker_for(Wanted(), concurrency=2), [], app.store.claim


def test_a_worker_that_must_stop_while_the_database_is_away_lets_its_jobs_end(
    app: bide.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, ended, claim = two_at_a_time(app)

    @app.job
    async def long() -> None:
        await asyncio.sleep(0)
        ended.append("long")

    def claim_once(*args: Any) -> Any:
        monkeypatch.setattr(app.store, "claim", refuse)
        return claim(*args)

    def refuse(*_: Any) -> Any:
        worker.stop()
        raise ConnectionLost("the server went away")

    long.delay()
    monkeypatch.setattr(app.store, "claim", claim_once)
    worker.start()
    assert ended == ["long"]
    assert app.store.find(Filter()) == []


def test_a_job_that_waits_to_run_alone_is_given_back_by_a_worker_that_stops(
    app: bide.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, ended, claim = two_at_a_time(app)

    @app.job
    async def long() -> None:
        await asyncio.sleep(0)
        worker.stop()
        ended.append("long")

    @app.job
    async def suspicious() -> None:
        ended.append("suspicious")

    def claim_suspicious(*args: Any) -> Any:
        return [row._replace(crashes=int(row.name.endswith("suspicious"))) for row in claim(*args)]

    long.delay()
    suspicious.delay()
    monkeypatch.setattr(app.store, "claim", claim_suspicious)
    worker.start()
    assert ended == ["long"]
    [row] = app.store.find(Filter())
    assert (row.state, row.worker_id, row.attempts) == (State.READY, None, 0)


def test_a_job_that_runs_too_long_is_ended_and_the_others_go_on(app: bide.App) -> None:
    """DJ-523, DJ-524."""
    release = asyncio.Event()

    @app.job(max_run_time=0.1, max_attempts=1)
    async def too_long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            release.set()

    @app.job(max_run_time=0.1, max_attempts=1)
    def too_long_in_a_thread() -> None:
        for _ in range(6000):
            threading.Event().wait(0.01)

    @app.job
    async def patient() -> None:
        await release.wait()

    jobs = [too_long.delay(), too_long_in_a_thread.delay(), patient.delay()]
    assert work_off(app, 3) == (1, 2)
    for job in jobs[:2]:
        assert job.reload().state == "failed"
        assert "max_run_time is only 0.1 seconds" in str(job.last_error)


def test_failures_are_recorded_one_by_one(app: bide.App) -> None:
    @app.job(max_attempts=1)
    async def fails(number: int) -> None:
        await asyncio.sleep(0)
        raise ValueError(f"number {number}")

    jobs = [fails.delay(number) for number in range(4)]
    assert work_off(app, 4) == (0, 4)
    assert [str(job.reload().last_error).splitlines()[0] for job in jobs] == [
        f"number {number}" for number in range(4)
    ]


def test_hooks_and_lifecycle_callbacks_surround_async_jobs(app: bide.App) -> None:
    told: list[str] = []

    @app.lifecycle.around("perform")
    def around(worker, job, proceed):
        told.append("in")
        result = proceed(worker, job)
        told.append("out")
        return result

    @app.job
    class Letter:
        def before(self, job: bide.Job) -> None:
            told.append("before")

        async def perform(self) -> None:
            await asyncio.sleep(0)
            told.append("perform")

        def success(self, job: bide.Job) -> None:
            told.append("success")

    app.enqueue(Letter())
    assert work_off(app, 2) == (1, 0)
    assert told == ["in", "before", "perform", "success", "out"]


@pytest.mark.story
def test_a_fleet_reports_every_job_of_a_killed_concurrent_worker(
    tmp_path: Path, sqlite_url: str
) -> None:
    with fleet(tmp_path, sqlite_url, sleep_delay=0.3) as shop:
        for number in range(3):
            shop.enqueue("slow", number, 0.5)
        shop.start("-n", "2", "--concurrency", "4")
        shop.wait_for(3, began=None)
        shop.enqueue("dies", 9, 1)
        shop.wait_for(did=9)
        wait_until(lambda: {note["did"] for note in shop.notes(did=None)} == {0, 1, 2, 9})


def test_hooks_and_callbacks_run_as_with_one_job_at_a_time(app: bide.App) -> None:
    """No event loop is there for them, so what refuses to run on one runs; `async def` jobs have it."""
    seen: list[str] = []

    async def note(what: str) -> None:
        await asyncio.sleep(0)
        seen.append(what)

    class Letter:
        def before(self, job: bide.Job) -> None:
            asyncio.run(note("before"))

        async def perform(self) -> None:
            await note("perform")
            asyncio.get_running_loop()

        def success(self, job: bide.Job) -> None:
            asyncio.run(note("success"))

    @app.lifecycle.after("perform")
    def done(worker: object, job: bide.Job) -> None:
        asyncio.run(note("callback"))

    app.job(Letter)
    for _ in range(3):
        app.enqueue(Letter())
    assert work_off(app, 3) == (3, 0)
    assert sorted(seen) == sorted(["before", "perform", "success", "callback"] * 3)
    assert seen.index("perform") > seen.index("before")


def test_a_job_that_overruns_behind_a_hook_is_ended(app: bide.App) -> None:
    class Endless:
        def before(self, job: bide.Job) -> None:
            asyncio.run(asyncio.sleep(0))

        async def perform(self) -> None:
            await asyncio.Event().wait()

        def max_run_time(self) -> float:
            return 0.05

    app.job(Endless)
    job = app.enqueue(Endless())
    assert work_off(app, 2) == (0, 1)
    job.reload()
    assert job.last_error is not None
    assert "WorkerTimeout" in job.last_error


def test_threads_tell_when_they_are_lent_and_returned(app: bide.App) -> None:
    told: list[tuple[str, str]] = []

    def note(name: str, facts: dict[str, object]) -> None:
        told.append((name, threading.current_thread().name))

    @app.job
    def work(fails: bool) -> None:
        told.append(("work", threading.current_thread().name))
        if fails:
            raise ValueError

    work.delay(False)
    work.delay(True)
    wanted = {"thread_lent", "thread_returned"}
    unsubscribe = events.subscribe(note, wants=wanted.__contains__)
    try:
        work_off(app, 2)
    finally:
        unsubscribe()
    heard = [one for one in told if one[0] == "work" or one[0] in wanted]
    for thread in {thread for _, thread in heard}:
        mine = [name for name, its in heard if its == thread]
        assert mine == ["thread_lent", "work", "thread_returned"] * (len(mine) // 3)
        assert thread.startswith("bide-job")
    assert len(heard) == 6
