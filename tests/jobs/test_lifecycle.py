"""Lifecycle events: order, arguments, what arounds may do, what an exception leaves out (queue.md 4)."""

from __future__ import annotations

from typing import Any

import pytest

import bide
from bide.errors import InvalidCallback
from bide.jobs.lifecycle import EVENTS, Lifecycle


@pytest.fixture
def lifecycle() -> Lifecycle:
    return Lifecycle()


@pytest.fixture
def told() -> list[Any]:
    return []


def say(told: list[Any], word: str) -> Any:
    return lambda *args: told.append((word, *args))


def around(told: list[Any], word: str) -> Any:
    def callback(worker: Any, job: Any, proceed: Any) -> Any:
        told.append(f"{word} in")
        result = proceed(worker, job)
        told.append(f"{word} out")
        return result

    return callback


def test_before_and_after_get_the_events_arguments(lifecycle: Lifecycle, told: list[Any]) -> None:
    """DJ-128, DJ-129."""
    lifecycle.after("perform", lambda worker, job: told.append(("after", worker, job)))
    lifecycle.before("perform", lambda worker, job: told.append(("before", worker, job)))
    result = lifecycle.run("perform", lambda worker, job: told.append("body") or "result", "w", "j")
    assert told == [("before", "w", "j"), "body", ("after", "w", "j")]
    assert result == "result"


def test_arounds_nest_in_the_order_of_their_registration(
    lifecycle: Lifecycle, told: list[Any]
) -> None:
    """DJ-130, DJ-131, DJ-503: all before, the first around outermost, all after."""
    lifecycle.after("perform", lambda: told.append("after 1"))
    lifecycle.around("perform", around(told, "1"))
    lifecycle.before("perform", lambda: told.append("before 1"))
    lifecycle.around("perform", around(told, "2"))
    lifecycle.after("perform", lambda: told.append("after 2"))
    lifecycle.before("perform", lambda: told.append("before 2"))
    lifecycle.run("perform", lambda *_: told.append("body"), "w", "j")
    assert told == [
        "before 1",
        "before 2",
        "1 in",
        "2 in",
        "body",
        "2 out",
        "1 out",
        "after 1",
        "after 2",
    ]


@pytest.mark.parametrize("kind", ["before", "after", "always"])
def test_a_lone_around_is_not_alone_when_another_callback_comes(
    lifecycle: Lifecycle, told: list[Any], kind: str
) -> None:
    lifecycle.around("perform", around(told, "around"))
    assert lifecycle.run("perform", lambda *_: "done", "w", "j") == "done"
    assert told == ["around in", "around out"]
    getattr(lifecycle, kind)("perform", say(told, kind))
    lifecycle.run("perform", lambda *_: None, "w", "j")
    assert told.count((kind, "w", "j")) == 1
    assert told.count("around in") == 2


def test_an_around_changes_arguments_and_result_and_may_leave_the_body_out(
    lifecycle: Lifecycle,
) -> None:
    """DJ-504."""
    lifecycle.around("enqueue", lambda job, proceed: proceed(job + 1) * 10)
    assert lifecycle.run("enqueue", lambda job: job, 1) == 20
    lifecycle.around("enqueue", lambda job, proceed: 7)
    assert lifecycle.run("enqueue", lambda job: pytest.fail("ran"), 1) == 70


def test_an_error_leaves_out_what_comes_behind_but_not_the_always_callbacks(
    lifecycle: Lifecycle, told: list[Any]
) -> None:
    """DJ-507."""
    lifecycle.around("perform", around(told, "1"))
    lifecycle.after("perform", lambda: told.append("after"))
    lifecycle.always("perform", lambda: told.append("always"))
    with pytest.raises(ZeroDivisionError):
        lifecycle.run("perform", lambda *_: 1 / 0, "w", "j")
    assert told == ["1 in", "always"]

    told.clear()
    lifecycle.before("perform", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        lifecycle.run("perform", lambda *_: told.append("body"), "w", "j")
    assert told == ["always"]


@pytest.mark.parametrize("event", EVENTS)
def test_the_wrong_number_of_arguments_is_refused_with_the_right_one(
    lifecycle: Lifecycle, event: str
) -> None:
    """DJ-132, with and without callbacks."""
    expected = len(EVENTS[event])
    for _ in range(2):
        with pytest.raises(
            InvalidCallback, match=rf"takes {expected} argument.*{EVENTS[event][0]}"
        ):
            lifecycle.run(event, lambda *_: None, *range(expected + 1))
        lifecycle.before(event, lambda: None)


def test_unknown_events_and_callbacks_that_do_not_fit_are_refused_when_registered(
    lifecycle: Lifecycle,
) -> None:
    """DJ-132, queue.md 4.2: the message lists the events, or says what it was called with."""
    with pytest.raises(InvalidCallback, match="unknown event 'performing'; the events are enqueue"):
        lifecycle.before("performing", lambda: None)
    with pytest.raises(InvalidCallback, match="unknown event"):
        lifecycle.run("performing", lambda: None)
    with pytest.raises(InvalidCallback, match="needs a callable"):
        lifecycle.before("perform", "name")
    with pytest.raises(InvalidCallback, match=r"calls .* with \(worker, job\), but it takes \(a\)"):
        lifecycle.before("perform", lambda a: None)
    with pytest.raises(InvalidCallback, match="proceed"):
        lifecycle.around("perform", lambda: None)


def test_decorators_leave_the_function_as_it_is(lifecycle: Lifecycle) -> None:
    @lifecycle.before("execute")
    def greet(worker: Any) -> str:
        return f"hello {worker}"

    assert greet("you") == "hello you"


def test_an_around_of_perform_that_does_not_proceed_skips_the_job() -> None:
    """DJ-505: no attempt, no lock, back after a while; the batch goes on."""
    app = bide.App("memory://", sleep_delay=60)
    ran: list[str] = []

    @app.job
    def note(text: str) -> None:
        ran.append(text)

    @app.lifecycle.around("perform")
    def skips_some(worker: Any, job: bide.Job, proceed: Any) -> Any:
        return None if job.payload_object.args == ["skipped"] else proceed(worker, job)

    skipped = note.delay("skipped")
    note.delay("ran")
    assert app.worker().work_off() == (1, 1)
    assert ran == ["ran"]
    skipped.reload()
    assert (skipped.attempts, skipped.state, skipped.locked_by) == (0, "scheduled", None)


def test_what_an_around_of_perform_returns_does_not_steer_the_batch() -> None:
    """DJ-506."""
    app = bide.App("memory://")

    @app.job
    def nothing() -> None: ...

    @app.lifecycle.around("perform")
    def forgets_the_result(worker: Any, job: bide.Job, proceed: Any) -> None:
        proceed(worker, job)

    for _ in range(3):
        nothing.delay()
    assert app.worker().work_off() == (3, 0)


def test_callbacks_registered_before_and_after_workers_are_made_all_run() -> None:
    """DJ-501, DJ-502: however many workers there are, each callback runs once for each of them."""
    app = bide.App("memory://")
    told: list[str] = []
    app.lifecycle.before("execute", lambda worker: told.append(f"early {worker.name}"))
    workers = [app.worker(name=name, exit_on_complete=True) for name in ("a", "b")]
    app.lifecycle.before("execute", lambda worker: told.append(f"late {worker.name}"))
    for worker in workers:
        worker.start()
    assert told == ["early a", "late a", "early b", "late b"]


def test_the_worker_runs_execute_once_and_loop_for_each_batch() -> None:
    """DJ-319, queue.md 4.1."""
    app = bide.App("memory://")
    told: list[str] = []
    for event in ("execute", "loop"):
        app.lifecycle.before(event, lambda worker, event=event: told.append(f"{event} in"))
        app.lifecycle.after(event, lambda worker, event=event: told.append(f"{event} out"))

    @app.job
    def nothing() -> None: ...

    nothing.delay()
    app.worker(exit_on_complete=True).start()
    assert told == ["execute in", "loop in", "loop out", "loop in", "loop out", "execute out"]


def test_an_error_of_an_execute_callback_ends_the_worker_in_good_order() -> None:
    """What an application sets up for its workers must be there: no job is taken without it."""
    app = bide.App("memory://")

    @app.lifecycle.before("execute")
    def install(worker: Any) -> None:
        raise LookupError("no texts")

    with pytest.raises(LookupError):
        app.worker(exit_on_complete=True).start()
    assert app.store.workers() == []
