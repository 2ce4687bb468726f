"""The same in an event loop: every async session and connection, and the order of hooks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

import bide
from lending import ASYNC_LENT, ALent, session, stored

Declare = Callable[[bide.App], Any]


@pytest.fixture(params=ASYNC_LENT)
def lent(request: pytest.FixtureRequest) -> tuple[str, Any]:
    """The URL of an empty database, and what lends an async connection to it."""
    kind, lend = ASYNC_LENT[request.param]
    return str(request.getfixturevalue(f"{kind}_url")), lend


@asynccontextmanager
async def opened(lent: tuple[str, Any]) -> AsyncIterator[tuple[bide.App, ALent]]:
    url, lend = lent
    app = bide.App(url)
    await asyncio.to_thread(app.migrate)
    async with lend(url) as lending:
        yield app, lending
    app.close()


async def test_a_job_is_there_when_the_caller_commits(lent: tuple[str, Any], note: Declare) -> None:
    async with opened(lent) as (app, (on, commit, _)):
        job = await note(app).using(session=on).adelay("a")
        assert stored(app) == []
        await commit()
        assert stored(app) == [job.id]
        assert job.reload().payload == app.find(job.id).payload


async def test_a_job_is_gone_when_the_caller_rolls_back(
    lent: tuple[str, Any], note: Declare
) -> None:
    async with opened(lent) as (app, (on, _, rollback)):
        job = await note(app).using(session=on).adelay("a")
        await rollback()
        assert stored(app) == []
        with pytest.raises(bide.JobNotFound, match="rolled back"):
            job.reload()


async def test_every_way_to_enqueue_takes_the_callers_session(
    lent: tuple[str, Any], note: Declare
) -> None:
    async with opened(lent) as (app, (on, commit, _)):

        @app.delayable
        class Box:
            @classmethod
            def empty(cls) -> None: ...

            @app.asynchronously(session=lambda: on)
            @classmethod
            def fill(cls) -> None: ...

        job = note(app)
        jobs = [
            await job.using(session=on).adelay("a"),
            await app.aenqueue(job.using(session=on).bind("b")),
            *await app.aenqueue_many([job.bind(str(number)) for number in range(20)], session=on),
            *await app.aenqueue_many([job.using(session=on).bind("c")]),
            await bide.adelay(Box, session=on).empty(),
            await app.adelay(Box, session=on).empty(),
            await Box.fill.adelay(),
        ]
        assert stored(app) == []
        await commit()
        assert stored(app) == [job.id for job in jobs]


async def test_the_same_key_twice_is_one_job(lent: tuple[str, Any], note: Declare) -> None:
    async with opened(lent) as (app, (on, commit, _)):

        @app.lifecycle.before("enqueue")
        def same(job: bide.Job) -> None:
            job.key = "the-same-key"

        job = note(app)
        jobs = [await job.using(session=on).adelay("a") for _ in "ab"]
        jobs += await app.aenqueue_many([job.bind("b"), job.bind("c")], session=on)
        await commit()
        assert {job.id for job in jobs} == set(stored(app))
        assert len(stored(app)) == 1


async def test_what_is_refused_leaves_the_transaction_usable(
    lent: tuple[str, Any], note: Declare
) -> None:
    async with opened(lent) as (app, (on, commit, _)):
        wrong: dict[str, Any] = {}

        @app.lifecycle.before("enqueue")
        def choose(job: bide.Job) -> None:
            for name, value in wrong.items():
                setattr(job, name, value)

        job = note(app).using(session=on)
        first = await job.adelay("first")
        with pytest.raises(bide.UnsupportedArgument):
            await job.adelay(object())
        for choice in ({"key": "a\0b"}, {"name": "x" * 256}, {"queue": "\ud800"}, {"locale": "\0"}):
            wrong = choice
            with pytest.raises(bide.EnqueueError):
                await job.adelay("a")
        wrong = {}
        second = await job.adelay("second")
        await commit()
        assert stored(app) == [first.id, second.id]


async def test_a_sync_call_with_an_async_session_is_refused_before_any_hook(
    lent: tuple[str, Any], note: Declare
) -> None:
    async with opened(lent) as (app, (on, _, _)):
        seen: list[bide.Job] = []
        app.lifecycle.before("enqueue")(seen.append)
        job = note(app)
        for call in (
            lambda: job.using(session=on).delay("a"),
            lambda: app.enqueue(job.using(session=on).bind("a")),
            lambda: app.enqueue_many([job.bind("a")], session=on),
        ):
            with pytest.raises(bide.WrongConnection, match=r"use `await job.adelay\(\.\.\.\)`"):
                call()
        assert seen == []


async def test_a_closed_connection_is_refused(lent: tuple[str, Any], note: Declare) -> None:
    url, lend = lent
    async with opened(lent) as (app, _):
        async with lend(url) as (on, *_):
            pass
        if "ession" in type(on).__name__:
            return  # a closed session begins anew
        with pytest.raises(bide.WrongConnection, match="given is closed: give an open one"):
            await note(app).using(session=on).adelay("a")


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("many", [False, True])
async def test_hooks_and_callbacks_come_in_the_same_order(
    sqlite_app: bide.App, inline: bool, many: bool
) -> None:
    """DJ-097."""
    app, seen = sqlite_app, []

    @app.job
    @dataclass
    class Letter:
        text: str

        def perform(self) -> None:
            seen.append("perform")

        def enqueue(self, job: bide.Job) -> None:
            seen.append("enqueue")
            job.run_at = "2040-01-01T00:00:00Z"

        def before(self, job: bide.Job) -> None:
            seen.append("before")

        def after(self, job: bide.Job) -> None:
            seen.append("after")

    @app.lifecycle.around("enqueue")
    def around(job: bide.Job, proceed: Any) -> Any:
        seen.append("around")
        result = proceed(job)
        seen.append("around ends")
        return result

    for kind in ("before", "after"):
        getattr(app.lifecycle, kind)("enqueue")(lambda job, kind=kind: seen.append(f"{kind} event"))
    app.delay_jobs = not inline
    if many:
        jobs = app.enqueue_many([Letter("a"), Letter("b")])
        blocking, seen[:] = list(seen), []
        jobs += await app.aenqueue_many([Letter("a"), Letter("b")])
    else:
        jobs = [app.enqueue(Letter("a"))]
        blocking, seen[:] = list(seen), []
        jobs.append(await app.aenqueue(Letter("a")))
    assert seen == blocking
    assert seen[:3] == ["before event", "around", "enqueue"]
    assert ("perform" in seen) is inline
    if not inline:
        assert {job.reload().run_at.year for job in jobs if job.run_at} == {2040}


async def test_a_callback_that_does_not_proceed_keeps_a_job_out(
    sqlite_app: bide.App, note: Declare
) -> None:
    app = sqlite_app

    @app.lifecycle.around("enqueue")
    def only_b(job: bide.Job, proceed: Any) -> None:
        if '"b"' in job.payload:
            proceed(job)

    job = note(app)
    calls = [job.bind("a"), job.bind("b")]
    jobs = [*app.enqueue_many(calls), *await app.aenqueue_many(calls)]
    jobs += [app.enqueue(call) for call in calls]
    assert [job.id is None for job in jobs] == [True, False] * 3
    assert stored(app) == [job.id for job in jobs if job.id is not None]
    with pytest.raises(bide.JobStateError, match="a callback kept it out"):
        jobs[0].reload()


async def test_a_sync_session_may_be_given_to_an_async_call(
    sqlite_url: str, sqlite_app: bide.App, note: Declare
) -> None:
    with session(sqlite_url) as on:
        job = await note(sqlite_app).using(session=on).adelay("a")
        assert stored(sqlite_app) == []
        on.commit()
    assert stored(sqlite_app) == [job.id]
