"""Nothing that a job, a hook, a callback or an answer does ends the worker or leaves a row locked."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import bide
from bide import clock
from bide.events import subscribe
from waiting import wait_until

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def app() -> bide.App:
    return bide.App("memory://")


def raises(error: BaseException) -> Callable[..., Any]:
    def raising(*_: Any, **__: Any) -> Any:
        raise error

    return raising


def job_with(app: bide.App, **members: Any) -> bide.Job:
    """A stored job whose class has these members, perform fails unless given."""
    cls = type(
        "Job", (), {"perform": raises(RuntimeError("boom")), "__module__": __name__} | members
    )
    return app.enqueue(app.job(name="a job")(cls)())


EXITS = [SystemExit("bye"), GeneratorExit("bye"), asyncio.CancelledError("bye")]


@pytest.mark.parametrize("error", EXITS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("hook", ["before", "error", "after", "failure", "perform"])
def test_a_hook_that_exits_is_the_jobs_failure_alone(
    app: bide.App, hook: str, error: BaseException
) -> None:
    """DJ-511, DJ-508. Ruby's list of errors that a worker survives has no end here."""
    job = job_with(app, **{"max_attempts": 1, hook: raises(error)})

    assert app.worker().work_off() == (0, 1)

    row = app.store.get(job.id or 0)
    assert row is not None
    assert (row.attempts, row.locked_by, row.failed_at is not None) == (1, None, True)
    message = "boom" if hook in ("error", "after", "failure") else "bye"
    assert (row.last_error or "").startswith(message)


@pytest.mark.parametrize("hook", ["success", "after"])
def test_a_success_or_after_hook_that_exits_leaves_the_job_done(app: bide.App, hook: str) -> None:
    """DJ-509."""
    job = job_with(app, perform=lambda self: None, **{hook: raises(SystemExit(1))})
    assert app.worker().work_off() == (1, 0)
    assert app.store.get(job.id or 0) is None


@pytest.mark.parametrize("error", [ValueError("oh"), SystemExit("oh"), KeyboardInterrupt("oh")])
@pytest.mark.parametrize("event", ["perform", "error", "failure", "invoke_job"])
@pytest.mark.parametrize("kind", ["before", "after", "around", "always"])
def test_a_callback_that_raises_neither_ends_the_worker_nor_locks_the_row(
    app: bide.App, kind: str, event: str, error: BaseException
) -> None:
    """DJ-327, DJ-328, DJ-508, DJ-512."""
    getattr(app.lifecycle, kind)(event, raising_callback(kind, event, error))
    job = job_with(app, max_attempts=1)
    worker = app.worker()

    with_our_signals(lambda: worker.work_off())

    row = app.store.get(job.id or 0)
    assert row is not None
    assert (row.attempts, row.locked_by, row.failed_at is not None) == (1, None, True)
    assert app.store.workers() == []


def raising_callback(kind: str, event: str, error: BaseException) -> Callable[..., Any]:
    if event == "invoke_job":
        return (lambda job, proceed: raises(error)()) if kind == "around" else raises(error)
    if kind == "around":
        return lambda worker, job, proceed: raises(error)()
    return lambda worker, job: raises(error)()


def with_our_signals(action: Callable[[], Any]) -> Any:
    """As in a started worker, where Ctrl-C is a request and KeyboardInterrupt only an error."""
    import signal

    earlier = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return action()
    finally:
        signal.signal(signal.SIGINT, earlier)


def test_ctrl_c_that_nobody_handles_gives_the_job_back_and_comes_through(app: bide.App) -> None:
    job = job_with(app, perform=raises(KeyboardInterrupt()))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            app.worker().work_off()
    finally:
        signal.signal(signal.SIGINT, before)
    row = app.store.get(job.id or 0)
    assert row is not None
    assert (row.attempts, row.locked_by) == (0, None)
    assert app.store.workers() == []


def test_a_loop_callback_that_raises_does_not_end_the_worker(app: bide.App) -> None:
    """DJ-508 for the loop event."""
    calls: list[int] = []
    job = job_with(app, perform=lambda self: None)

    @app.lifecycle.before("loop")
    def first_time(worker: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("not yet")

    app.worker(exit_on_complete=True, sleep_delay=0.01).start()
    assert app.store.get(job.id or 0) is None or calls == [1]
    app.worker(exit_on_complete=True, sleep_delay=0.01).start()
    assert app.store.get(job.id or 0) is None


ANSWERS: list[Any] = [raises(ValueError("no")), raises(SystemExit(1)), "garbage", object(), [1]]


@pytest.mark.parametrize("answer", ANSWERS, ids=["raises", "exits", "text", "object", "list"])
@pytest.mark.parametrize("name", ["max_attempts", "reschedule_at", "max_run_time"])
def test_a_wrong_answer_is_reported_and_counts_as_none(
    app: bide.App, name: str, answer: Any
) -> None:
    """DJ-055, DJ-057, DJ-073."""
    told: list[str] = []
    unsubscribe = subscribe(lambda event, facts: told.append(facts.get("hook", event)))
    job = job_with(app, **{name: answer if callable(answer) else lambda self, *_: answer})

    assert app.worker().work_off() == (0, 1)
    unsubscribe()

    row = app.store.get(job.id or 0)
    assert row is not None
    assert (row.attempts, row.locked_by, row.failed_at) == (1, None, None)
    assert (row.run_at - clock.utc_now()).total_seconds() <= 6
    assert name in told


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (None, 6),
        (datetime(2030, 1, 1), 6),  # noqa: DTZ001 - without a zone it is no moment
        (timedelta(hours=1), 3600),
        (90, 90),
        (NOW, None),
        (datetime.max.replace(tzinfo=UTC), None),
        (datetime.min.replace(tzinfo=UTC), 0),
    ],
)
def test_the_next_run_is_the_jobs_own_choice_if_it_is_a_moment(
    app: bide.App, answer: Any, seconds: float | None
) -> None:
    """DJ-073, DJ-527: nothing, and what is no moment, mean the back-off."""
    asked: list[tuple[datetime, int]] = []

    def reschedule_at(self: object, now: datetime, attempts: int) -> Any:
        asked.append((now, attempts))
        return answer

    job = job_with(app, reschedule_at=reschedule_at)
    app.worker().work_off(1)

    [(now, attempts)] = asked
    assert attempts == 1
    assert abs((clock.utc_now() - now).total_seconds()) < 60
    row = app.store.get(job.id or 0)
    assert row is not None
    if seconds is not None:
        assert (row.run_at - now).total_seconds() == pytest.approx(seconds, abs=3 + seconds / 4)
    elif answer == NOW:
        assert row.run_at == NOW
    else:
        assert row.run_at.year == 9999


@pytest.mark.parametrize(
    "backoff", [raises(ValueError()), lambda n: "soon", lambda n: float("nan")]
)
def test_a_broken_back_off_is_replaced_by_the_originals(app: bide.App, backoff: Any) -> None:
    @app.job(backoff=backoff)
    def fails() -> None:
        raise ValueError("boom")

    job = fails.delay()
    assert app.worker().work_off() == (0, 1)
    seconds = (job.reload().run_at - clock.utc_now()).total_seconds()  # type: ignore[operator]
    assert seconds == pytest.approx(6, abs=2)


def test_an_error_that_cannot_be_printed_is_recorded_by_its_type(app: bide.App) -> None:
    class Unprintable(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

        __repr__ = __str__

    job = job_with(app, perform=raises(Unprintable()), error=raises(Unprintable()))
    assert app.worker().work_off() == (0, 1)
    assert (job.reload().last_error or "").startswith("Unprintable")


def test_a_callback_that_proceeds_twice_runs_the_job_once(app: bide.App) -> None:
    ran: list[int] = []
    job = job_with(app, perform=lambda self: ran.append(1))

    @app.lifecycle.around("perform")
    def twice(worker: Any, job: bide.Job, proceed: Any) -> Any:
        proceed(worker, job)
        return proceed(worker, job)

    assert app.worker().work_off() == (1, 0)
    assert ran == [1]
    assert app.store.get(job.id or 0) is None


def test_a_callback_that_passes_something_else_inwards_does_not_lose_the_job(app: bide.App) -> None:
    """DJ-504: the claimed job is performed, whatever a callback of perform makes of it."""
    job = job_with(app)

    @app.lifecycle.around("perform")
    def careless(worker: Any, job: bide.Job, proceed: Any) -> Any:
        return proceed(worker, None)

    assert app.worker().work_off() == (0, 1)
    assert (job.reload().attempts, job.locked_by) == (1, None)


def test_a_job_that_works_off_others_keeps_its_own_limit(app: bide.App) -> None:
    """DJ-535: the running job is not picked up again; its deadline counts on."""
    worker = app.worker()
    ran: list[str] = []

    @app.job
    def inner() -> None:
        ran.append("inner")

    @app.job(max_run_time=0.2)
    def outer() -> None:
        ran.append(str(worker.work_off()))
        ran.append(str(app.worker().work_off()))
        deadline = clock.monotonic() + 10
        while clock.monotonic() < deadline:
            clock.sleep(0.01)

    job = outer.delay()
    inner.delay()
    assert worker.work_off() == (0, 1)
    assert ran == ["inner", "(1, 0)", "(0, 0)"]
    assert (job.reload().last_error or "").startswith("execution expired (max_run_time is only 0.2")


def test_a_coroutine_that_is_timed_out_does_not_run_on_in_the_next_job(app: bide.App) -> None:
    told: list[str] = []

    @app.job(max_run_time=0.1)
    async def slow() -> None:
        try:
            await asyncio.sleep(0.3)
            told.append("went on")
        finally:
            told.append("ended")

    @app.job
    async def leaves_a_task_behind() -> None:
        asyncio.get_running_loop().create_task(slow.original(), name="left")
        await asyncio.sleep(0)

    @app.job
    async def next_one() -> None:
        await asyncio.sleep(0.4)
        told.append("next")

    for one in (slow, leaves_a_task_behind, next_one):
        one.delay()
    assert app.worker().work_off() == (2, 1)
    assert told == ["ended", "ended", "next"]


def test_stopping_twice_gives_a_sleeping_job_back_at_once(app: bide.App) -> None:
    """DJ-558: no attempt is counted."""
    started = threading.Event()

    @app.job
    def sleeps() -> None:
        started.set()
        clock.sleep(30)

    job = sleeps.delay()
    worker = app.worker()
    threading.Thread(target=lambda: stop_twice(worker, started), daemon=True).start()
    began = clock.monotonic()
    assert worker.work_off() == (0, 0)
    assert clock.monotonic() - began < 25
    assert (job.reload().attempts, job.state, job.locked_by) == (0, "ready", None)


def stop_twice(worker: bide.Worker, started: threading.Event) -> None:
    started.wait(25)
    worker.stop()
    worker.stop()


def test_a_job_cannot_turn_a_stop_into_its_own_failure(app: bide.App) -> None:
    """DJ-558: whatever a job makes of the stop, its attempt is given back."""
    started = threading.Event()

    @app.job
    def stubborn() -> None:
        try:
            started.set()
            clock.sleep(30)
        except BaseException:  # noqa: BLE001 - what this test is about
            raise ValueError("mine") from None

    job = stubborn.delay()
    worker = app.worker()
    threading.Thread(target=lambda: stop_twice(worker, started), daemon=True).start()
    worker.work_off()
    assert (job.reload().attempts, job.state, job.last_error) == (0, "ready", None)


def test_a_worker_in_a_thread_is_stopped_twice_too(app: bide.App) -> None:
    """DJ-558 where no signal can reach the job."""
    started = threading.Event()

    @app.job
    def busy() -> None:
        started.set()
        deadline = clock.monotonic() + 30
        while clock.monotonic() < deadline:
            clock.sleep(0.01)

    job = busy.delay()
    worker = app.worker()
    thread = threading.Thread(target=worker.start, daemon=True)
    thread.start()
    stop_twice(worker, started)
    wait_until(lambda: not thread.is_alive())
    assert (job.reload().attempts, job.state) == (0, "ready")


def test_a_stop_before_anything_runs_does_nothing(app: bide.App) -> None:
    """DJ-319: execute fires once; ours takes no job when it was told to stop before it began."""
    told: list[str] = []
    app.lifecycle.before("execute", lambda worker: told.append("before"))
    app.lifecycle.around("execute", lambda worker, proceed: (told.append("in"), proceed(worker))[1])
    app.lifecycle.after("execute", lambda worker: told.append("after"))
    job = job_with(app)
    worker = app.worker()
    worker.stop()
    worker.start()
    assert told == ["before", "in", "after"]
    assert (job.reload().attempts, job.state) == (0, "ready")
