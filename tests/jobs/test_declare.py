"""Declared jobs: their defaults, their stored form, batches of them, and errors on the way to the store."""

from __future__ import annotations

import json
from typing import Any

import pytest

import bide
from bide import errors
from bide.jobs.job import Filter
from bide.jobs.stores.memory import MemoryStore


@pytest.fixture
def app() -> bide.App:
    return bide.App("memory://")


def test_without_any_choice_queue_and_priority_are_the_defaults(app: bide.App) -> None:
    """DJ-418, DJ-410, DJ-192: a priority of None is no choice; the name is the function's."""

    @app.job(name="note")
    def note() -> None: ...

    job = note.using(priority=None, queue=None).delay()
    assert (job.queue, job.priority, job.name) == ("default", 0, "note")
    assert str(job) == f"<bide.Job {job.id} note ready queue='default'>"


def test_what_the_declaration_says_beats_the_settings_and_the_call_beats_both() -> None:
    """DJ-421, DJ-418."""
    app = bide.App("memory://", default_queue="q", default_priority=9, queue_priorities={"mail": 7})

    @app.job(queue="mail", priority=1)
    def note() -> None: ...

    assert (note.delay().queue, note.delay().priority) == ("mail", 1)
    job = note.using(queue="other", priority=0).delay()
    assert (job.queue, job.priority) == ("other", 0)


@pytest.mark.parametrize(
    ("options", "problems"),
    [
        ({"max_run_time": 0}, 1),
        ({"max_run_time": "long", "max_attempts": "many", "queue": 7}, 3),
        ({"priority": 1.5, "backoff": 3}, 2),
        ({"colour": "red"}, 1),
    ],
)
def test_wrong_declarations_are_refused_where_they_stand(
    app: bide.App, options: dict[str, Any], problems: int
) -> None:
    """DJ-539, DJ-524: all problems in one error."""
    with pytest.raises(errors.SettingsError) as caught:
        app.job(**options)(lambda: None)
    assert len(caught.value.problems) == problems


def test_what_cannot_be_performed_cannot_be_declared(app: bide.App) -> None:
    """DJ-004."""
    for wrong in (7, type("Empty", (), {}), lambda: None):
        with pytest.raises(errors.NotAJob):
            app.job(wrong)


def test_the_stored_form_is_name_and_arguments_and_nothing_else(app: bide.App) -> None:
    """DJ-404: what else is known of a job are columns."""

    @app.job(name="note")
    def note(text: str, *, times: int = 1) -> None: ...

    job = note.delay("a", times=2).reload()
    assert json.loads(job.payload) == {
        "v": 1, "job": "note", "args": ["a"], "kwargs": {"times": 2}
    }  # fmt: skip


def test_enqueueing_reads_nothing_back(app: bide.App, monkeypatch: pytest.MonkeyPatch) -> None:
    """DJ-403."""

    @app.job(name="note")
    def note(text: str) -> None: ...

    monkeypatch.setattr("bide.jobs.payload.Payloads.decode", lambda *_: pytest.fail("was read"))
    note.delay("a")
    app.enqueue_many([note.bind("b")])
    assert app.store.count(Filter()) == 2


def test_what_cannot_be_stored_reaches_the_caller_and_nothing_is_stored(app: bide.App) -> None:
    """DJ-405: the first of a batch that cannot stops the batch."""

    @app.job
    def note(what: Any) -> None: ...

    with pytest.raises(errors.UnsupportedArgument, match=r"args\[0\]"):
        note.delay(open)
    with pytest.raises(errors.UnsupportedArgument):
        app.enqueue_many([note.bind(1), note.bind(lambda: None)])
    assert app.store.count(Filter()) == 0


class Refusing(MemoryStore):
    def insert(self, jobs: Any, on: Any = None) -> list[int]:
        raise errors.ConnectionLost(f"{len(jobs)} jobs were refused")


async def test_errors_of_the_store_reach_the_caller(app: bide.App) -> None:
    """DJ-406, DJ-449: alone and in a batch; one job is a batch of one."""
    app.store = Refusing()

    @app.job
    def note() -> None: ...

    with pytest.raises(errors.ConnectionLost, match="1 jobs"):
        note.delay()
    with pytest.raises(errors.ConnectionLost, match="1 jobs"):
        await note.adelay()
    with pytest.raises(errors.ConnectionLost, match="2 jobs"):
        app.enqueue_many([note.bind(), note.bind()])


def test_a_batch_of_different_jobs_comes_back_in_order_with_ids_and_choices(app: bide.App) -> None:
    """DJ-440, DJ-442, DJ-443, DJ-444, DJ-445."""

    @app.job(name="one", queue="first")
    def one(text: str) -> None: ...

    @app.job(name="two", priority=3)
    class Two:
        def perform(self) -> None: ...

    jobs = app.enqueue_many([one.bind("x"), Two(), one.using(priority=8, queue="other").bind("y")])
    assert [(job.name, job.queue, job.priority, job.state) for job in jobs] == [
        ("one", "first", 0, "ready"), ("two", "default", 3, "ready"), ("one", "other", 8, "ready")
    ]  # fmt: skip
    assert [app.find(job.id or 0).name for job in jobs] == ["one", "two", "one"]


def test_a_job_once_failed_shows_its_error_while_it_is_tried_again(app: bide.App) -> None:
    """DJ-431, DJ-433, DJ-305: the last error stays on the row, the lock does not."""
    seen: list[Any] = []

    @app.job(max_attempts=2, backoff=lambda attempts: 0)
    def fails() -> None:
        job = bide.current_job()
        assert job is not None
        seen.append((job.last_error or "").partition("\n")[0])
        raise ValueError(f"time {len(seen)}")

    job = fails.delay()
    assert app.worker().work_off() == (0, 2)
    job.reload()
    assert seen == ["", "time 1"]
    assert (job.state, job.attempts, job.locked_by, job.locked_at) == ("failed", 2, None, None)
    assert (job.last_error or "").startswith("time 2")
