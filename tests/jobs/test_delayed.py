"""`delay` and `asynchronously`: methods that run later, options, hooks of the target (queue.md 2.1, 2.4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import bide
from bide import clock, errors
from bide.jobs.job import Filter


@pytest.fixture
def app() -> bide.App:
    return bide.App("memory://", default_priority=4, default_queue="house")


def stored(app: bide.App) -> int:
    return app.store.count(Filter())


TOLD: list[Any] = []


@pytest.fixture(autouse=True)
def _clean() -> None:
    TOLD.clear()


@pytest.fixture
def story(app: bide.App) -> Any:
    counter = iter(range(1, 100))

    @app.delayable
    class Story:
        priority = "its own attribute"

        def __init__(self, title: str = "once") -> None:
            self.title = title

        @app.asynchronously(queue="tales", priority=lambda: next(counter))
        def tell(self, times: int = 1, *, loud: bool = False) -> str:
            """Tell it."""
            TOLD.append((self.title, times, loud))
            return "told"

        @app.asynchronously(
            queue=lambda story: f"queue of {story.title}", run_at=timedelta(hours=1)
        )
        def _whisper(self) -> None: ...

        @app.asynchronously
        @classmethod
        def count(cls) -> str:
            TOLD.append(cls)
            return "counted"

        def read(self, page: int, *, aloud: bool = False) -> None:
            TOLD.append((self, page, aloud))

        def _private(self) -> None:
            TOLD.append("private")

    return Story


def test_calling_an_asynchronous_method_stores_a_job_of_the_method_itself(
    app: bide.App, story: Any
) -> None:
    """DJ-150, DJ-546, DJ-333: positional and keyword arguments stay apart."""
    job = story("one").tell(3, loud=True)
    assert isinstance(job, bide.Job)
    assert (TOLD, stored(app), job.name.split(".")[-1]) == ([], 1, "Story#tell")
    assert app.worker().work_off() == (1, 0)
    assert TOLD == [("one", 3, True)]


def test_now_runs_the_method_at_once(app: bide.App, story: Any) -> None:
    """DJ-149."""
    assert story("one").tell.now(2) == "told"
    assert story.count.now() == "counted"
    assert (TOLD, stored(app)) == ([("one", 2, False), story], 0)
    assert story.__dict__["tell"].__doc__ == "Tell it."


def test_nothing_is_added_to_a_class_but_what_was_asked_for(app: bide.App, story: Any) -> None:
    """DJ-148: no helper leaks into classes or objects, and every object lacks `delay`."""
    plain = {"tell", "_whisper", "count", "read", "_private", "priority"}
    assert {name for name in vars(story) if not name.startswith("__")} == plain
    assert not hasattr(story(), "delay")
    assert vars(story()) == {"title": "once"}


def test_callable_options_are_asked_at_each_call(story: Any) -> None:
    """DJ-151, DJ-152: with the object if they take one argument."""
    assert [story().tell().priority for _ in range(3)] == [1, 2, 3]
    assert story("two")._whisper().queue == "queue of two"


def test_class_methods_and_private_methods_may_be_asynchronous(app: bide.App, story: Any) -> None:
    """DJ-546, DJ-164."""
    story.count()
    assert story()._whisper().state == "scheduled"
    assert app.worker().work_off() == (1, 0)
    assert [story] == TOLD


def test_wrong_options_are_refused_where_the_class_is_made(app: bide.App) -> None:
    """DJ-539."""
    with pytest.raises(errors.EnqueueError, match="unknown option 'colour'"):

        class _Wrong:
            @app.asynchronously(colour="red")
            def tell(self) -> None: ...


def test_delay_stores_a_call_with_its_arguments(app: bide.App, story: Any) -> None:
    """DJ-153, DJ-154, DJ-155, DJ-158, DJ-162: default queue and priority."""
    job = app.delay(story("three")).read(7, aloud=True)
    assert (job.queue, job.priority, TOLD) == ("house", 4, [])
    assert app.worker().work_off() == (1, 0)
    [(target, page, aloud)] = TOLD
    assert (target.title, page, aloud) == ("three", 7, True)


def test_delay_takes_options(app: bide.App, story: Any) -> None:
    """DJ-156."""
    job = app.delay(story(), priority=0, run_at=timedelta(minutes=5), queue="q").read(1)
    assert (job.priority, job.queue, job.state) == (0, "q", "scheduled")
    assert (job.run_at - clock.utc_now()).total_seconds() == pytest.approx(300, abs=3)  # type: ignore[operator]
    with pytest.raises(errors.EnqueueError, match="unknown option"):
        app.delay(story(), colour="red")


@pytest.mark.parametrize("wish", [False, lambda job: False, lambda: False])
def test_inline_a_delayed_method_runs_on_the_same_object(
    app: bide.App, story: Any, wish: Any
) -> None:
    """DJ-157, DJ-160."""
    app.delay_jobs, mine = wish, story()
    app.delay(mine).read(1)
    assert TOLD[0][0] is mine
    assert stored(app) == 0


@pytest.mark.parametrize("wish", [True, lambda job: True, lambda: True])
def test_otherwise_it_is_stored_and_does_not_run(app: bide.App, story: Any, wish: Any) -> None:
    """DJ-158, DJ-159."""
    app.delay_jobs = wish
    app.delay(story()).read(1)
    assert (TOLD, stored(app)) == ([], 1)


def test_the_targets_own_attributes_are_left_alone(app: bide.App, story: Any) -> None:
    """DJ-280."""
    app.delay(story(), priority=3).read(1)
    app.worker().work_off()
    assert TOLD[0][0].priority == "its own attribute"


def test_methods_that_do_not_exist_and_blocks_of_wrong_arguments_are_refused(
    app: bide.App, story: Any
) -> None:
    """DJ-163, DJ-544."""
    with pytest.raises(AttributeError, match="no method 'sing'"):
        app.delay(story()).sing()
    with pytest.raises(errors.EnqueueError, match="read"):
        app.delay(story()).read()
    with pytest.raises(errors.UnsupportedArgument):
        app.delay(story()).read(lambda: None)
    assert stored(app) == 0


def test_a_method_of_nothing_does_nothing(app: bide.App) -> None:
    """DJ-161."""
    app.delay(None).anything()
    assert app.worker().work_off() == (1, 0)


class Hooked:
    """Opts in: its hooks and optional methods count for its delayed methods."""

    delayed_hooks = True

    def __init__(self, trouble: str = "") -> None:
        self.trouble = trouble

    def work(self) -> None:
        TOLD.append("work")
        if self.trouble:
            raise ValueError(self.trouble)

    def before(self, job: bide.Job) -> None:
        TOLD.append(f"before {job.name}")

    def success(self, job: bide.Job) -> None:
        TOLD.append("success")

    def after(self, job: bide.Job) -> None:
        TOLD.append("after")

    def enqueue(self, job: bide.Job) -> None:
        TOLD.append(f"enqueue {type(job).__name__}")

    def error(self, job: bide.Job, error: Exception) -> None:
        TOLD.append(f"error {error}")

    def failure(self, job: bide.Job) -> None:
        TOLD.append("failure")

    def max_attempts(self) -> int:
        return 1


def test_hooks_of_a_target_that_opts_in_are_called(app: bide.App) -> None:
    """DJ-167, DJ-168, DJ-169, DJ-170, DJ-550."""
    app.delayable(Hooked)
    app.delay(Hooked()).work()
    assert TOLD == ["enqueue Job"]
    app.worker().work_off()
    assert TOLD[1:] == ["before Hooked#work", "work", "success", "after"]


def test_error_and_failure_hooks_of_the_target_are_called_and_its_limits_count(
    app: bide.App,
) -> None:
    """DJ-171, DJ-172, DJ-550."""
    app.delayable(Hooked)
    job = app.delay(Hooked("boom")).work()
    assert app.worker().work_off() == (0, 1)
    assert TOLD[1:] == ["before Hooked#work", "work", "error boom", "after", "failure"]
    assert job.reload().state == "failed"


def test_inline_the_targets_hooks_are_called_and_errors_reach_the_caller(app: bide.App) -> None:
    """DJ-173, DJ-174, DJ-175, DJ-176, DJ-177: the failure hook belongs to workers."""
    app.delayable(Hooked)
    app.delay_jobs = False
    app.delay(Hooked()).work()
    assert TOLD == ["enqueue Job", "before Hooked#work", "work", "success", "after"]
    TOLD.clear()
    with pytest.raises(ValueError, match="boom"):
        app.delay(Hooked("boom")).work()
    assert TOLD == ["enqueue Job", "before Hooked#work", "work", "error boom", "after"]


def test_a_target_that_does_not_opt_in_is_left_in_peace(app: bide.App) -> None:
    """DJ-550: its `before` may mean something else entirely."""

    @app.delayable
    class Event:
        def before(self, other: Any) -> bool:
            raise TypeError("compares dates")

        def max_attempts(self) -> int:
            raise TypeError("of logging in")

        def hold(self) -> None:
            TOLD.append("held")

    app.delay(Event()).hold()
    assert app.worker().work_off() == (1, 0)
    assert TOLD == ["held"]


def test_the_module_delays_on_the_newest_application(app: bide.App, story: Any) -> None:
    bide.delay(story()).read(1)
    assert stored(app) == 1
