"""adelay in event loops: several of them, cancelled in the middle, timed out, and never blocking."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import bide
from bide.jobs.job import Filter
from lending import async_session, stored
from waiting import wait_until

Declare = Callable[[bide.App], Any]


def test_one_application_serves_several_event_loops(app: bide.App, note: Declare) -> None:
    job = note(app)

    async def enqueue() -> list[Any]:
        return [one.id for one in await asyncio.gather(*(job.adelay(str(n)) for n in range(10)))]

    ids = [asyncio.run(enqueue()) for _ in "ab"]
    assert sorted(ids[0] + ids[1]) == stored(app)


async def test_the_loop_goes_on_while_a_job_waits_for_the_database(
    sqlite_app: bide.App, sqlite_url: str, note: Declare
) -> None:
    """A writer of the application's holds the file until the loop itself has let it go."""
    async with async_session("aiosqlite")(sqlite_url) as (on, commit, _):
        await note(sqlite_app).using(session=on).adelay("first")
        waiting = asyncio.create_task(note(sqlite_app).adelay("second"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
        await commit()
        second = await asyncio.wait_for(waiting, 20)
    assert second.id in stored(sqlite_app)


async def test_a_cancelled_call_has_stored_its_jobs_or_none(app: bide.App, note: Declare) -> None:
    job = note(app)
    for number in range(6):
        task = asyncio.create_task(app.aenqueue_many([job.bind(str(n)) for n in range(5)]))
        for _ in range(number):
            await asyncio.sleep(0.001)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(job.adelay("late"), 0.0001)
    last = await job.adelay("last")
    batches = lambda: app.store.count(Filter()) % 5 in (1, 2)  # noqa: E731
    await asyncio.to_thread(wait_until, batches)
    assert last.id in stored(app)


async def test_a_cancelled_call_leaves_the_callers_session_to_its_caller(
    sqlite_app: bide.App, sqlite_url: str, note: Declare
) -> None:
    entered = asyncio.Event()
    job = note(sqlite_app)
    async with async_session("aiosqlite")(sqlite_url) as (on, commit, rollback):

        async def work() -> None:
            await job.using(session=on).adelay("a")
            entered.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await entered.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await rollback()
        assert stored(sqlite_app) == []
        kept = await job.using(session=on).adelay("b")
        await commit()
    assert stored(sqlite_app) == [kept.id]
