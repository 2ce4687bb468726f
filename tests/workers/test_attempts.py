"""One attempt: what its limit counts, what callbacks and listeners may do in it (queue.md 3.3, 5.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import bide
from bide import clock
from bide.events import subscribe
from bide.jobs.stores.memory import MemoryStore

SHORT = 0.5


@pytest.fixture
def app() -> bide.App:
    return bide.App("memory://", max_run_time=SHORT, sleep_delay=0.01)


@pytest.fixture
def ran(app: bide.App) -> list[Any]:
    return []


@pytest.fixture
def note(app: bide.App, ran: list[Any]) -> Any:
    @app.job
    def note(text: str, more: str = "") -> None:
        ran.append(text + more)
        clock.sleep(0.01)

    return note


@pytest.fixture
def listen() -> Iterator[Callable[[str, Callable[[], Any]], None]]:
    ends = []

    def listen(event: str, then: Callable[[], Any]) -> None:
        ends.append(subscribe(lambda name, _: then() if name == event else None))

    yield listen
    for end in ends:
        end()


def test_the_limit_does_not_count_what_callbacks_of_perform_do_before(
    app: bide.App, note: Any, ran: list[Any]
) -> None:
    app.lifecycle.before("perform", lambda _worker, _job: clock.sleep(SHORT))
    note.delay("first")
    note.delay("second")
    assert app.worker().work_off() == (2, 0)
    assert ran == ["first", "second"]


def test_the_limit_does_not_count_what_who_hears_of_a_start_does(
    app: bide.App, note: Any, ran: list[Any], listen: Any
) -> None:
    listen("job_started", lambda: clock.sleep(SHORT))
    note.delay("first")
    note.delay("second")
    assert app.worker().work_off() == (2, 0)
    assert ran == ["first", "second"]


def test_keywords_that_a_callback_of_perform_adds_are_passed(
    app: bide.App, note: Any, ran: list[Any]
) -> None:
    def add(_worker: Any, job: bide.Job) -> None:
        job.payload_object.kwargs["more"] = " and more"

    app.lifecycle.before("perform", add)
    note.delay("text")
    assert app.worker().work_off() == (1, 0)
    assert ran == ["text and more"]


def test_a_job_that_was_not_run_has_not_succeeded_though_others_did_meanwhile(
    app: bide.App, note: Any, ran: list[Any], listen: Any
) -> None:
    """Whoever hears that it was left out works off another one with the same worker."""
    app.lifecycle.around(
        "perform", lambda worker, job, proceed: job.queue == "run" and proceed(worker, job)
    )
    note.using(queue="leave", priority=-1).delay("left out")
    note.using(queue="run").delay("run")
    worker = app.worker()
    inner = []
    listen("skipped", lambda: inner.append(worker.work_off(1)))
    assert worker.work_off(1) == (0, 1)
    assert inner == [(1, 0)]
    assert ran == ["run"]


def test_what_a_claim_raises_is_not_said_to_come_of_an_empty_hand(
    app: bide.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def refuse(*_: Any) -> Any:
        raise ValueError("refused")

    monkeypatch.setattr(MemoryStore, "claim", refuse)
    end = subscribe(lambda name, facts: seen.append(facts) if name == "reserve_failed" else None)
    try:
        app.worker().work_off()
    finally:
        end()
    assert [facts["error"].__context__ for facts in seen] == [None]
