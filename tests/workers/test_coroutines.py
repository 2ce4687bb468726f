"""`async def` jobs of a worker that runs one at a time: each is a task, and leaves the next alone."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

import bide
from bide.workers.coroutines import Coroutines

Body = Callable[[], Coroutine[Any, Any, Any]]


@pytest.fixture
def run() -> Any:
    coroutines = Coroutines()
    yield lambda body: coroutines.run(body())
    coroutines.close()


def test_a_coroutine_that_waits_for_nothing_is_a_task_on_a_running_loop(run: Any) -> None:
    async def look() -> tuple[Any, Any, bool]:
        loop = asyncio.get_running_loop()
        return (
            asyncio.current_task(),
            asyncio.current_task() in asyncio.all_tasks(),
            loop.is_running(),
        )

    task, among_all, running = run(look)
    assert isinstance(task, asyncio.Task)
    assert (among_all, running) == (True, True)
    assert asyncio._get_running_loop() is None


def test_limits_and_groups_work_in_the_first_step(run: Any) -> None:
    async def limited() -> str:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)
        return "never"

    async def grouped() -> list[int]:
        async def give(number: int) -> int:
            return number

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(give(number)) for number in range(3)]
        return [task.result() for task in tasks]

    with pytest.raises(TimeoutError):
        run(limited)
    assert run(grouped) == [0, 1, 2]


def test_what_it_raises_is_raised_before_and_after_it_has_waited(run: Any) -> None:
    async def at_once() -> None:
        raise ValueError("at once")

    async def later() -> None:
        await asyncio.sleep(0)
        raise ValueError("later")

    for body, text in ((at_once, "at once"), (later, "later")):
        with pytest.raises(ValueError, match=text):
            run(body)


def test_what_it_calls_soon_is_called_before_the_next_begins(run: Any) -> None:
    called = []

    async def call() -> None:
        asyncio.get_running_loop().call_soon(called.append, "soon")

    async def look() -> list[str]:
        return [*called]

    run(call)
    assert run(look) == ["soon"]


def test_a_loop_stopped_by_one_serves_the_next(run: Any) -> None:
    async def stop() -> int:
        asyncio.get_running_loop().stop()
        return 1

    async def wait() -> int:
        await asyncio.sleep(0.001)
        return 2

    assert (run(stop), run(wait)) == (1, 2)


def test_the_loop_cannot_be_closed_or_started_from_inside(run: Any) -> None:
    async def close() -> None:
        asyncio.get_running_loop().close()

    async def start() -> None:
        asyncio.get_running_loop().run_forever()

    for body in (close, start):
        with pytest.raises(RuntimeError):
            run(body)


def test_context_variables_stay_in_their_coroutine(run: Any) -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")

    async def change() -> str:
        before = variable.get()
        variable.set("changed")
        return before

    token = variable.set("outside")
    assert [run(change), run(change), variable.get()] == ["outside", "outside", "outside"]
    variable.reset(token)


def test_tasks_left_behind_are_cancelled_and_end_before_the_next(run: Any) -> None:
    ended = []

    async def stays() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("stays")

    async def leaves() -> None:
        _tasks.append(asyncio.create_task(stays()))
        await asyncio.sleep(0)

    _tasks: list[Any] = []
    run(leaves)
    assert ended == ["stays"]


def test_async_generators_belong_to_the_loop(run: Any) -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 1

    async def look() -> Any:
        await anext(numbers())
        return sys.get_asyncgen_hooks().finalizer is not None

    before = sys.get_asyncgen_hooks()
    assert run(look) is True
    assert sys.get_asyncgen_hooks() == before


def test_a_job_inside_a_job_has_a_loop_of_its_own() -> None:
    app = bide.App("memory://")
    seen = []

    @app.job
    async def inner() -> None:
        seen.append(asyncio.current_task())

    @app.job
    async def outer() -> None:
        inner.delay()
        seen.append(asyncio.current_task())
        assert app.worker().work_off() == (1, 0)
        assert asyncio.current_task() is seen[0]

    outer.delay()
    assert app.worker().work_off(1) == (1, 0)
    assert len({id(task) for task in seen}) == 2


def test_a_coroutine_that_never_waits_is_ended_by_its_limit() -> None:
    app = bide.App("memory://")

    @app.job(max_run_time=0.05, max_attempts=1)
    async def spins() -> None:
        while True:
            pass

    @app.job
    async def next_one() -> None:
        await asyncio.sleep(0)

    spins.delay()
    next_one.delay()
    assert app.worker().work_off() == (1, 1)
