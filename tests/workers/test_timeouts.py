"""Time limits of jobs: what is cut off, how it is recorded, in which thread (queue.md 5.4)."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import bide
from bide import clock
from bide.errors import WorkerStop, WorkerTimeout
from bide.workers import timeouts
from bide.workers.timeouts import Alarm, Deadline


@pytest.fixture
def app() -> bide.App:
    return bide.App("memory://")


def in_main(work: Callable[[], Any]) -> None:
    work()


def in_thread(work: Callable[[], Any]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


WHERE = pytest.mark.parametrize("where", [in_main, in_thread])


def busy(seconds: float = 10) -> None:
    deadline = clock.monotonic() + seconds
    while clock.monotonic() < deadline:
        clock.sleep(0.005)


@WHERE
@pytest.mark.parametrize(
    ("limit", "words"), [(1, "is only 1 second)"), (0.2, "is only 0.2 seconds)")]
)
def test_a_job_over_its_limit_fails_and_says_which_limit(
    app: bide.App, where: Any, limit: float, words: str
) -> None:
    """DJ-069, DJ-524, DJ-525: in the singular where it is one; with the place where the job was."""

    @app.job(max_run_time=limit)
    def slow() -> None:
        busy()

    job, result = slow.delay(), []
    where(lambda: result.append(app.worker().work_off()))
    assert result == [(0, 1)]
    text = job.reload().last_error or ""
    assert text.splitlines()[0] == f"execution expired (max_run_time {words}"
    assert "in busy" in text
    assert (job.attempts, job.state, job.failures()[0].kind) == (1, "scheduled", "timeout")


def test_a_limit_of_the_application_holds_for_every_job() -> None:
    """DJ-061: the job's own is capped by it."""
    app = bide.App("memory://", max_run_time=0.2)

    @app.job(max_run_time=100)
    def slow() -> None:
        busy()

    job = slow.delay()
    app.worker().work_off()
    assert "is only 0.2 seconds" in (job.reload().last_error or "")


@WHERE
def test_a_job_that_swallows_every_exception_has_timed_out_all_the_same(
    app: bide.App, where: Any
) -> None:
    """DJ-325, DJ-523."""
    ran: list[str] = []

    @app.job(max_run_time=0.1)
    def swallows() -> None:
        try:
            busy()
        except Exception:  # noqa: BLE001 - it does not see the timeout
            ran.append("exception")
        except:  # noqa: E722 - it does
            ran.append("all")

    job = swallows.delay()
    where(lambda: app.worker().work_off())
    assert ran == ["all"]
    assert (job.reload().attempts, job.failures()[0].kind) == (1, "timeout")


def test_a_blocking_call_is_ended_too(app: bide.App) -> None:
    @app.job(max_run_time=0.1)
    def sleeps() -> None:
        clock.sleep(20)

    sleeps.delay()
    began = clock.monotonic()
    assert app.worker().work_off() == (0, 1)
    assert clock.monotonic() - began < 18


def test_hooks_are_limited_with_the_job_and_the_error_hooks_see_the_timeout(app: bide.App) -> None:
    """queue.md 3.3: error and after run behind the deadline, as long as they need."""
    told: list[str] = []

    @app.job(max_run_time=0.1)
    class Slow:
        def before(self) -> None:
            busy()

        def perform(self) -> None:
            told.append("perform")

        def error(self, job: bide.Job, error: BaseException) -> None:
            busy(0.3)
            told.append(f"error {error}")

        def after(self) -> None:
            told.append("after")

    app.enqueue(Slow())
    assert app.worker().work_off() == (0, 1)
    assert told == ["error execution expired (max_run_time is only 0.1 seconds)", "after"]


@WHERE
def test_a_job_in_time_is_left_alone_and_so_is_what_follows(app: bide.App, where: Any) -> None:
    """One limit does not ring in the next body."""
    ran: list[str] = []

    @app.job(max_run_time=0.1)
    def quick() -> None:
        ran.append("quick")

    @app.job
    def long() -> None:
        busy(0.3)
        ran.append("long")

    quick.delay()
    long.delay()
    where(lambda: app.worker().work_off())
    assert ran == ["quick", "long"]


def test_limits_may_be_nested_and_the_outer_one_still_rings() -> None:
    deadline, told = Deadline(), []

    def outer() -> None:
        with deadline.limit(0.4):
            with pytest.raises(WorkerTimeout, match=r"0\.1"), deadline.limit(0.1):
                busy()
            told.append("inner is over")
            busy()

    with pytest.raises(WorkerTimeout, match=r"0\.4"):
        outer()
    deadline.disarm()
    assert told == ["inner is over"]


class Rings(Alarm):
    """Rings, and its limit is over, just `before` or just `after` another limit holds."""

    now = ""

    def __setattr__(self, name: str, value: Any) -> None:
        now = self.now if name == "holds" else ""
        if now == "before":
            self._ring()
        super().__setattr__(name, value)
        if now == "after":
            self._ring()

    def _ring(self) -> None:
        assert self.holds is not None
        self.now, self.holds.until = "", 0.0
        signal.raise_signal(signal.SIGALRM)


@pytest.mark.parametrize(("entered", "left"), [("after", ""), ("", "before")])
def test_an_alarm_that_rings_as_a_limit_is_entered_or_left_spares_the_outer_one(
    monkeypatch: pytest.MonkeyPatch, entered: str, left: str
) -> None:
    """What is raised before a body or behind it would leave its limit in force for ever."""
    monkeypatch.setattr(timeouts, "Alarm", Rings)
    deadline = Deadline()
    alarm: Any = deadline._alarm

    def outer() -> None:
        with deadline.limit(0.3):
            alarm.now = entered
            with suppress(WorkerTimeout), deadline.limit(5):
                alarm.now = left
            busy(2)

    with pytest.raises(WorkerTimeout, match=r"0\.3"):
        outer()
    deadline.disarm()


def test_a_limit_that_is_over_when_an_inner_one_is_left_ends_its_body_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise a body that enters limits all the time would have none."""
    monkeypatch.setattr(timeouts, "Alarm", Rings)
    deadline, told = Deadline(), []
    alarm: Any = deadline._alarm

    def outer() -> None:
        with deadline.limit(5):
            with deadline.limit(5):
                alarm.now = "after"
            told.append("went on")

    with pytest.raises(WorkerTimeout):
        outer()
    deadline.disarm()
    assert told == []


def test_an_alarm_at_any_opcode_leaves_no_limit_and_no_error_behind() -> None:
    """Those of debuggers and of other interpreters come where this one has none."""
    script = Path(__file__).with_name("alarm_at_opcodes.py")
    tried = subprocess.run(
        [sys.executable, script], timeout=60, check=True, capture_output=True, text=True
    )
    assert int(tried.stdout) > 400


def test_ctrl_c_at_the_end_of_a_body_leaves_no_limit_to_who_works_on() -> None:
    deadline = Deadline()
    alarm: Any = deadline._alarm
    deadline.within(60, clock.monotonic(), lambda *_: None, 1, 2)
    alarm.holds = deadline._outermost
    deadline.disarm()
    assert alarm.holds is None


def test_the_alarm_of_the_program_is_given_back() -> None:
    """A program's own SIGALRM rings behind a worker that used the signal."""
    rang: list[int] = []
    earlier = signal.signal(signal.SIGALRM, lambda number, _: rang.append(number))
    left = signal.setitimer(signal.ITIMER_REAL, 0.3)[0]
    try:
        app = bide.App("memory://")
        app.enqueue(app.job(type("Job", (), {"perform": lambda self: busy(0.05)}))())
        assert app.worker().work_off() == (1, 0)
        assert rang == []
        busy(0.5)
        assert rang == [signal.SIGALRM]
    finally:
        signal.signal(signal.SIGALRM, earlier)
        signal.setitimer(signal.ITIMER_REAL, left)


@WHERE
def test_nothing_is_cut_outside_of_a_body(where: Any) -> None:
    deadline, ran = Deadline(), []

    def work() -> None:
        deadline.cut(WorkerStop())
        with deadline.limit(5):
            ran.append("in time")
        deadline.cut(WorkerStop())
        busy(0.05)
        deadline.disarm()
        ran.append("afterwards")

    where(work)
    assert ran == ["in time", "afterwards"]


@WHERE
def test_a_body_is_cut_from_another_thread(where: Any) -> None:
    deadline, told = Deadline(), []

    def work() -> None:
        inside = threading.Event()
        other = threading.Thread(target=lambda: (inside.wait(20), deadline.cut(WorkerStop())))
        other.start()
        try:
            with deadline.limit(30):
                inside.set()
                busy()
        except WorkerStop:
            told.append("stopped")
        other.join()
        deadline.disarm()

    where(work)
    assert told == ["stopped"]


def test_a_job_is_cut_though_the_one_before_took_the_alarm_away() -> None:
    """The timer is not looked at between two short jobs; whoever looks from outside sees it."""
    deadline, ended = Deadline(), threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            deadline.look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with deadline.limit(0.2):
            signal.setitimer(signal.ITIMER_REAL, 0)
        with pytest.raises(WorkerTimeout), deadline.limit(0.2):
            busy()
    finally:
        ended.set()
        watcher.join()
        deadline.disarm()
