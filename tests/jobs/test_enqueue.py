"""Enqueueing: what becomes of the caller's options, defaults, hooks, inline mode."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import bide
from bide import clock, errors
from bide.jobs.job import Filter


@pytest.fixture
def app() -> bide.App:
    return bide.App("memory://", queue_priorities={"mail": 7})


def stored(app: bide.App) -> int:
    return app.store.count(Filter())


@pytest.fixture
def ran() -> list[Any]:
    return []


@pytest.fixture
def simple(app: bide.App, ran: list[Any]) -> Any:
    """A declared class of job objects that writes down each that was performed."""

    @app.job
    @dataclass
    class Simple:
        text: str = "hi"

        def perform(self) -> str:
            ran.append(self)
            return "result"

    return Simple


@pytest.fixture
def mailing(app: bide.App) -> Any:
    @app.job
    class Mailing:
        queue: Any = "mail"

        def perform(self) -> None: ...

        def queue_name(self) -> Any:
            return self.queue

    return Mailing


def test_one_row_with_the_defaults_is_stored(app: bide.App, simple: Any) -> None:
    """DJ-006, DJ-009, DJ-012, DJ-014, DJ-254, DJ-277: queue default, priority 0, due now."""
    before = clock.utc_now()
    job = app.enqueue(simple())
    assert stored(app) == 1
    assert (job.queue, job.priority, job.attempts, job.state) == ("default", 0, 0, "ready")
    assert before <= job.created_at <= clock.utc_now()
    assert job.reload().run_at == job.created_at


def test_defaults_are_the_applications(ran: list[Any]) -> None:
    """DJ-006, DJ-009, DJ-419, DJ-420."""
    app = bide.App("memory://", default_queue="slow", default_priority=9)
    job = app.enqueue(app.job(type("Job", (), {"perform": ran.append}))())
    assert (job.queue, job.priority) == ("slow", 9)


def test_the_queue_option_comes_before_the_jobs_own_queue_name(app: bide.App, mailing: Any) -> None:
    """DJ-008, DJ-010: a job without the option goes to its queue_name."""
    assert app.enqueue(mailing(), queue="other").queue == "other"
    assert app.enqueue(mailing()).queue == "mail"


def test_a_queue_name_of_none_means_the_default_queue(app: bide.App, mailing: Any) -> None:
    """DJ-538."""
    job = mailing()
    job.queue = None
    assert app.enqueue(job).queue == "default"


def test_an_empty_queue_name_is_a_name(app: bide.App, simple: Any) -> None:
    """DJ-537."""
    assert app.enqueue(simple(), queue="").reload().queue == ""


def test_a_queue_brings_its_priority(app: bide.App, simple: Any, mailing: Any) -> None:
    """DJ-046, DJ-047: which an explicit one beats, 0 included (DJ-536)."""
    assert app.enqueue(simple(), queue="mail").priority == 7
    assert app.enqueue(mailing()).priority == 7
    assert app.enqueue(simple(), queue="mail", priority=0).priority == 0
    assert app.enqueue(simple(), queue="other").priority == 0


def test_the_callers_options_stay_as_they_are(app: bide.App, simple: Any) -> None:
    """DJ-017."""
    options = {"priority": 5, "queue": "mail"}
    app.enqueue(simple(), **options)
    app.delay(None, **options)
    assert options == {"priority": 5, "queue": "mail"}


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(timedelta(minutes=5), 300), (5, 5), (2.5, 2.5), (timedelta(0), 0), (-3600, -3600)],
)
def test_run_at_may_be_how_long_from_now(
    app: bide.App, simple: Any, given: Any, seconds: float
) -> None:
    """DJ-007, DJ-412, DJ-413, DJ-258, DJ-260."""
    run_at = app.enqueue(simple(), run_at=given).reload().run_at
    assert run_at is not None
    assert (run_at - clock.utc_now()).total_seconds() == pytest.approx(seconds, abs=2)


def test_run_at_may_be_text_or_a_moment_of_any_zone(app: bide.App, simple: Any) -> None:
    """DJ-541, DJ-034: stored in UTC."""
    moment = datetime(2031, 5, 1, 12, tzinfo=UTC)
    assert app.enqueue(simple(), run_at="2031-05-01T14:00:00+02:00").run_at == moment
    assert app.enqueue(simple(), run_at=moment).reload().run_at == moment


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"colour": "red"}, "unknown option 'colour'"),
        ({"run_at": datetime(2031, 5, 1)}, "has no time zone"),  # noqa: DTZ001
        ({"run_at": "tomorrow"}, "run_at='tomorrow'"),
        ({"run_at": float("inf")}, "run_at=inf"),
        ({"run_at": True}, "is no moment"),
        ({"priority": "high"}, "must be a whole number"),
        ({"priority": 2**31}, "must fit 32 bits"),
        ({"priority": True}, "must be a whole number"),
        ({"max_attempts": -(2**40)}, "must fit 32 bits"),
        ({"queue": 7}, "must be a name"),
        ({"queue": "x" * 256}, "at most 255"),
        ({"queue": "a\0b"}, "without NUL"),
    ],
)
def test_wrong_options_are_refused_and_nothing_is_stored(
    app: bide.App, simple: Any, options: dict[str, Any], says: str
) -> None:
    """DJ-539."""
    with pytest.raises(errors.EnqueueError, match=says):
        app.enqueue(simple(), **options)
    assert stored(app) == 0


@pytest.mark.parametrize("nothing", [(), (None,), (7,), ("text",), (object(),)])
def test_what_has_no_perform_is_refused(app: bide.App, nothing: tuple[Any, ...]) -> None:
    """DJ-004, DJ-011, DJ-542."""
    with pytest.raises(errors.NotAJob, match="perform"):
        app.enqueue(*nothing)
    assert stored(app) == 0


def test_a_job_may_be_a_class_that_performs_itself(app: bide.App, ran: list[Any]) -> None:
    """DJ-543."""

    @app.job
    class Cleanup:
        @classmethod
        def perform(cls) -> None:
            ran.append(cls)

    app.enqueue(Cleanup)
    assert app.worker().work_off() == (1, 0)
    assert ran == [Cleanup]


def test_what_the_enqueue_hook_changes_is_what_is_stored(app: bide.App) -> None:
    """DJ-097, DJ-170."""

    @app.job
    class Careful:
        def perform(self) -> None: ...

        def enqueue(self, job: bide.Job) -> None:
            assert job.id is None
            job.run_at, job.priority, job.queue = timedelta(hours=1), 3, "other"  # type: ignore[assignment]

    job = app.enqueue(Careful()).reload()
    assert (job.priority, job.queue, job.state) == (3, "other", "scheduled")
    assert app.enqueue_many([Careful()])[0].reload().priority == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("priority", 2**40),
        ("priority", None),
        ("queue", None),
        ("queue", "x" * 300),
        ("run_at", datetime(2031, 5, 1)),  # noqa: DTZ001
        ("max_attempts", "many"),
    ],
)
def test_what_a_hook_cannot_mean_is_refused_like_an_option(
    app: bide.App, name: str, value: Any
) -> None:
    """DJ-097: a row that no database takes is refused where it is made."""

    @app.job
    class Careless:
        def perform(self) -> None: ...

        def enqueue(self, job: bide.Job) -> None:
            setattr(job, name, value)

    with pytest.raises(errors.EnqueueError, match=name):
        app.enqueue(Careless())
    with pytest.raises(errors.EnqueueError, match=name):
        app.enqueue_many([Careless()])
    assert stored(app) == 0


def test_a_queue_name_that_cannot_be_stored_is_refused(app: bide.App, mailing: Any) -> None:
    """DJ-010."""
    job = mailing()
    job.queue = "x" * 300
    with pytest.raises(errors.EnqueueError, match="at most 255"):
        app.enqueue(job)


def test_an_enqueue_hook_or_callback_that_raises_stores_nothing(app: bide.App, simple: Any) -> None:
    """queue.md 3.4: it reaches the caller. DJ-447: in a batch nothing of the batch is stored."""

    @app.job
    class Refusing:
        def perform(self) -> None: ...

        def enqueue(self) -> None:
            raise LookupError("not now")

    with pytest.raises(LookupError):
        app.enqueue(Refusing())
    with pytest.raises(LookupError):
        app.enqueue_many([simple(), Refusing()])
    app.lifecycle.before("enqueue", _refuse)
    with pytest.raises(PermissionError):
        app.enqueue(simple())
    assert stored(app) == 0


def _refuse(job: bide.Job) -> None:
    raise PermissionError(job.name)


def test_inline_runs_the_very_object_and_stores_nothing(
    app: bide.App, simple: Any, ran: list[Any]
) -> None:
    """DJ-018, DJ-019, DJ-020, DJ-547."""
    app.delay_jobs = False
    mine = simple()
    job = app.enqueue(mine)
    assert isinstance(job, bide.Job)
    assert job.id is None
    assert [one is mine for one in ran] == [True]
    assert stored(app) == 0


@pytest.mark.parametrize("wish", [None, False, lambda: False, lambda job: job.priority > 5])
def test_inline_by_every_kind_of_wish(
    app: bide.App, simple: Any, ran: list[Any], wish: Any
) -> None:
    """DJ-157, DJ-160, DJ-549: None is inline, callables take the job or nothing."""
    app.delay_jobs = wish
    app.enqueue(simple())
    assert (len(ran), stored(app)) == (1, 0)


class Always:
    def __call__(self, job: bide.Job) -> bool:
        return job.queue != "now"


@pytest.mark.parametrize("wish", [True, lambda: True, lambda job: job.priority < 5, Always()])
def test_stored_by_every_kind_of_wish(
    app: bide.App, simple: Any, ran: list[Any], wish: Any
) -> None:
    """DJ-158, DJ-159, DJ-549: an object with __call__ is asked too."""
    app.delay_jobs = wish
    app.enqueue(simple())
    assert (len(ran), stored(app)) == (0, 1)


def test_a_batch_is_run_inline_too(app: bide.App, simple: Any, ran: list[Any]) -> None:
    """DJ-274."""
    app.delay_jobs = False
    jobs = app.enqueue_many([simple("a"), simple("b")])
    assert ([one.text for one in ran], [job.id for job in jobs]) == (["a", "b"], [None, None])
    assert stored(app) == 0


def test_an_inline_failure_reaches_the_caller(app: bide.App, ran: list[Any]) -> None:
    """DJ-548, DJ-176, DJ-025: after the error and after hooks; no failure hook, no row."""

    @app.job
    class Failing:
        def perform(self) -> None:
            raise ValueError("boom")

        def error(self, job: bide.Job, error: Exception) -> None:
            ran.append(str(error))

        def after(self) -> None:
            ran.append("after")

        def failure(self) -> None:
            ran.append("failure")

    app.delay_jobs = False
    with pytest.raises(ValueError, match="boom"):
        app.enqueue(Failing())
    assert (ran, stored(app)) == (["boom", "after"], 0)


async def test_inline_coroutines_run_inside_and_outside_of_an_event_loop(
    app: bide.App, ran: list[Any]
) -> None:
    """DJ-157 for `async def`: delay waits for it, adelay awaits it."""

    @app.job
    async def note(text: str) -> None:
        await asyncio.sleep(0)
        ran.append((text, bide.current_job() is not None))

    app.delay_jobs = False
    await note.adelay("awaited")
    note.delay("in a loop")
    await asyncio.to_thread(note.delay, "in a thread")
    app.delay_jobs = True
    await note.adelay("worked off")
    assert app.worker().work_off() == (1, 0)
    assert ran == [
        ("awaited", True), ("in a loop", True), ("in a thread", True), ("worked off", True)
    ]  # fmt: skip


def test_an_around_callback_may_change_the_job_passed_inwards(app: bide.App, simple: Any) -> None:
    """DJ-504, and one that does not proceed stores nothing."""
    app.lifecycle.around("enqueue", _in_another_queue)
    assert app.enqueue(simple()).reload().queue == "another"
    app.lifecycle.around("enqueue", lambda job, proceed: None)
    assert app.enqueue(simple()).id is None
    assert stored(app) == 1


def _in_another_queue(job: bide.Job, proceed: Any) -> Any:
    job.queue = "another"
    return proceed(job)


def test_a_batch_fires_the_event_and_the_hook_for_each_before_any_is_stored(
    app: bide.App, simple: Any
) -> None:
    """DJ-348, DJ-349: who subscribes hears of each job."""
    seen: list[tuple[str, int]] = []
    app.lifecycle.after(
        "enqueue", lambda job: seen.append((job.payload_object.object.text, stored(app)))
    )
    heard: list[Any] = []
    unsubscribe = bide.events.subscribe(lambda name, facts: heard.append((name, facts)))
    jobs = app.enqueue_many([simple("a"), simple("b"), simple("c")])
    unsubscribe()
    assert seen == [("a", 0), ("b", 0), ("c", 0)]
    assert [(name, facts["job"]) for name, facts in heard] == [("enqueued", job) for job in jobs]


def test_an_empty_batch_touches_nothing(app: bide.App) -> None:
    """DJ-269, DJ-439."""
    app.store = None  # type: ignore[assignment]
    assert app.enqueue_many([]) == []


def test_reload_builds_the_payload_anew(app: bide.App, simple: Any) -> None:
    """DJ-003, DJ-253."""
    job = app.find(app.enqueue(simple()).id or 0)
    first = job.payload_object
    assert job.payload_object is first
    assert job.reload().payload_object is not first
    assert job.payload_object.object == first.object


def test_a_job_keeps_its_name_when_its_payload_cannot_be_loaded(app: bide.App, simple: Any) -> None:
    """DJ-042, DJ-301, DJ-296: the name is a column."""
    job = app.enqueue(simple())
    app.store.change(
        job.id or 0, clock.utc_now(), payload='{"v":1,"object":"gone.Thing","state":{}}'
    )
    assert job.reload().name.endswith("Simple")
    with pytest.raises(errors.DeserializationError):
        _ = job.payload_object


def test_names_are_the_class_the_label_or_the_method(app: bide.App, simple: Any) -> None:
    """DJ-296, DJ-298, DJ-299, DJ-300: jobs can be counted by them."""

    @app.job
    class Labelled:
        def perform(self) -> None: ...

        def display_name(self) -> str:
            return "A label"

    @app.job(name="mine")
    def named() -> None: ...

    @app.delayable
    class Order:
        def invoice(self) -> None: ...

    names = [
        app.enqueue(simple()).name,
        app.enqueue(Labelled()).name,
        app.delay(Order()).invoice().name,
        named.delay().name,
    ]
    assert names[0].endswith("Simple")
    assert names[1] == "A label"
    assert names[2].endswith("Order#invoice")
    assert names[3] == "mine"
    assert app.store.count(Filter(name="A label")) == 1
