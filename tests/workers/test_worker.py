"""The worker: which jobs it takes, how many, what it makes of them, when it ends (queue.md 5)."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import bide
from bide import clock, errors
from bide.events import subscribe
from bide.jobs.job import Filter, State
from waiting import wait_until


@pytest.fixture
def app() -> bide.App:
    return bide.App("memory://")


@pytest.fixture
def ran() -> list[Any]:
    return []


@pytest.fixture
def note(app: bide.App, ran: list[Any]) -> Any:
    @app.job
    def note(text: str) -> None:
        ran.append(text)

    return note


@pytest.fixture
def fails(app: bide.App) -> Any:
    @app.job
    def fails(text: str = "boom") -> None:
        raise ValueError(text)

    return fails


def job_with(app: bide.App, **members: Any) -> bide.Job:
    cls = type("Job", (), {"perform": lambda self: None, "__module__": __name__} | members)
    return app.enqueue(app.job(name="a job")(cls)())


def test_a_stored_job_is_performed_with_its_arguments(app: bide.App, ran: list[Any]) -> None:
    """DJ-193, DJ-423."""

    @app.job
    def add(a: int, *, b: int) -> int:
        ran.append(a + b)
        return a + b

    add.delay(1, b=2)
    assert app.worker().work_off() == (1, 0)
    assert ran == [3]


def test_jobs_of_a_batch_run_in_the_order_they_were_given(
    app: bide.App, note: Any, ran: list[Any]
) -> None:
    """DJ-195, DJ-199: lower priorities first, then first come, first served."""
    for text in ("c", "d"):
        note.using(priority=5).delay(text)
    app.enqueue_many([note.bind("a"), note.bind("b")])
    assert app.worker().work_off() == (4, 0)
    assert ran == ["a", "b", "c", "d"]


@pytest.mark.parametrize("many", [False, True])
def test_a_job_of_the_future_waits(app: bide.App, note: Any, ran: list[Any], many: bool) -> None:
    """DJ-196, DJ-197, DJ-198, DJ-441: also through a batch."""
    later = note.using(run_at=timedelta(seconds=5))
    job = app.enqueue_many([later.bind("x")])[0] if many else later.delay("x")
    assert (job.reload().run_at - clock.utc_now()).total_seconds() == pytest.approx(5, abs=2)
    assert app.worker().work_off() == (0, 0)
    now = clock.utc_now()
    clock.set_wall(lambda: now + timedelta(seconds=6))
    try:
        assert app.worker().work_off() == (1, 0)
    finally:
        clock.set_wall(None)
    assert ran == ["x"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"queues": ["a"]}, ["a"]),
        ({"queues": ["a", "b"]}, ["a", "b"]),
        ({}, ["a", "b", "c", "none"]),
        ({"queues": []}, ["a", "b", "c", "none"]),
        ({"except_queues": ["a", "default"]}, ["b", "c"]),
    ],
)
def test_a_worker_takes_its_queues_only(
    app: bide.App, note: Any, ran: list[Any], wanted: dict[str, Any], expected: list[str]
) -> None:
    """DJ-052, DJ-053, DJ-054, DJ-194: a job for which no queue was named is in the default one."""
    for queue in ("a", "b", "c"):
        note.using(queue=queue).delay(queue)
    note.delay("none")
    app.worker(**wanted).work_off()
    assert ran == expected


def test_a_worker_takes_its_priorities_only(app: bide.App, note: Any, ran: list[Any]) -> None:
    """DJ-044, DJ-045: both ends included."""
    for priority in (-1, 0, 4, 5, 6):
        note.using(priority=priority).delay(str(priority))
    app.worker(min_priority=0, max_priority=5).work_off()
    assert ran == ["0", "4", "5"]


def test_a_batch_ends_at_its_number(app: bide.App, note: Any, ran: list[Any]) -> None:
    """DJ-529: a hundred, or as many as asked."""
    app.enqueue_many(note.bind(str(number)) for number in range(120))
    assert app.worker().work_off(5) == (5, 0)
    assert app.worker().work_off() == (100, 0)
    assert app.store.count(Filter(states=(State.READY,))) == 15
    assert app.store.count(Filter(states=(State.RUNNING,))) == 0


def test_stopping_in_a_batch_leaves_the_rest_untouched(
    app: bide.App, note: Any, ran: list[Any]
) -> None:
    """DJ-530."""
    worker = app.worker()

    @app.job(priority=-1)
    def last() -> None:
        worker.stop()

    last.delay()
    for number in range(3):
        note.delay(str(number))
    assert worker.work_off() == (1, 0)
    rows = app.store.find(Filter())
    assert [(row.attempts, row.locked_by, row.state) for row in rows] == [
        (0, None, State.READY)
    ] * 3


def test_the_first_failure_is_recorded_and_the_job_comes_back(app: bide.App, fails: Any) -> None:
    """DJ-072, DJ-351: message and place, one attempt, six seconds, no lock."""
    heard: list[Any] = []
    unsubscribe = subscribe(lambda name, facts: heard.append((name, facts)))
    job = fails.delay()
    assert app.worker().work_off() == (0, 1)
    unsubscribe()
    job.reload()
    assert job.last_error is not None
    assert job.last_error.splitlines()[0] == "boom"
    assert "in fails" in job.last_error
    assert "bide/jobs/perform.py" not in job.last_error.splitlines()[2]
    assert (job.attempts, job.locked_by, job.locked_at, job.failed_at) == (1, None, None, None)
    assert (job.run_at - clock.utc_now()).total_seconds() == pytest.approx(6, abs=2)
    [facts] = [facts for name, facts in heard if name == "job_failed"]
    assert (facts["job"], type(facts["error"]), facts["prior_attempts"]) == (job, ValueError, 0)


def test_an_error_without_a_message_is_recorded_by_its_type(app: bide.App) -> None:
    """DJ-074."""
    job = job_with(app, perform=_assert_nothing)
    app.worker().work_off()
    assert (job.reload().last_error or "").splitlines()[0] == "AssertionError"


def _assert_nothing(self: object) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("setting", "own", "kept"),
    [(False, None, True), (True, None, False), (False, True, False), (True, False, True)],
)
def test_a_job_that_failed_for_good_is_kept_or_deleted(
    setting: bool, own: bool | None, kept: bool
) -> None:
    """DJ-062, DJ-063, DJ-070, DJ-071, DJ-078..085, DJ-307, DJ-352: the job's own wish comes first."""
    app = bide.App("memory://", max_attempts=2, destroy_failed_jobs=setting)
    members: dict[str, Any] = {} if own is None else {"destroy_failed_jobs": lambda self: own}
    job = job_with(app, perform=_assert_nothing, **members)
    for attempts in (1, 2):
        app.store.retry(Filter(), clock.utc_now(), reset_attempts=False)
        assert app.worker().work_off() == (0, 1)
        row = app.store.get(job.id or 0)
        assert (row is not None) == (kept or attempts == 1)
        if row is not None:
            assert (row.attempts, row.failed_at is not None) == (attempts, attempts == 2)


@pytest.mark.parametrize("setting", [True, False])
def test_an_unloadable_payload_is_kept_as_the_setting_says(setting: bool) -> None:
    """DJ-064, DJ-070, DJ-513, DJ-520: failed at once, one attempt counted."""
    app = bide.App("memory://", destroy_failed_jobs=setting)
    job = job_with(app, destroy_failed_jobs=lambda self: not setting)
    app.store.change(job.id or 0, clock.utc_now(), payload="7")
    assert app.worker().work_off() == (0, 1)
    row = app.store.get(job.id or 0)
    assert (row is None) == setting
    if row is not None:
        assert (row.state, row.attempts, row.locked_by) == (State.FAILED, 1, None)
        assert "not a payload of Bide" in (row.last_error or "")


def test_a_job_that_is_not_known_here_yet_is_retried(app: bide.App) -> None:
    """DJ-407, DJ-408: the error names it."""
    job = job_with(app)
    gone = '{"v":1,"job":"shop.tasks.coming","args":[],"kwargs":{}}'
    app.store.change(job.id or 0, clock.utc_now(), payload=gone)
    assert app.worker().work_off() == (0, 1)
    job.reload()
    assert (job.state, job.attempts) == ("scheduled", 1)
    assert "'shop.tasks.coming' is not declared" in (job.last_error or "")


def test_an_unloadable_job_in_front_does_not_hide_those_behind(
    app: bide.App, note: Any, ran: list[Any]
) -> None:
    """DJ-514, DJ-515: it counts as failed, the batch goes on, the worker does not leave early."""
    broken = job_with(app)
    app.store.change(broken.id or 0, clock.utc_now(), payload="{")
    note.delay("a")
    note.delay("b")
    app.worker(exit_on_complete=True).start()
    assert ran == ["a", "b"]


@pytest.mark.parametrize("own", [0, 1, None, 3])
def test_the_jobs_own_limit_of_attempts_counts(own: int | None) -> None:
    """DJ-055, DJ-056, DJ-416, DJ-526: 0 and 1 both mean once, None the setting."""
    app = bide.App("memory://", max_attempts=2)
    job = job_with(app, perform=_assert_nothing, max_attempts=lambda self: own)
    runs = 0
    while job.reload().state != "failed":
        app.store.retry(Filter(), clock.utc_now(), reset_attempts=False)
        app.worker().work_off()
        runs += 1
    assert runs == job.attempts == {None: 2, 0: 1}.get(own, own)


def test_the_calls_own_limit_beats_the_jobs(app: bide.App, fails: Any) -> None:
    job = fails.using(max_attempts=1).delay()
    app.worker().work_off()
    assert job.reload().state == "failed"


@pytest.mark.parametrize(
    ("own", "limit"),
    [(None, 14400), (0, 14400), (60, 60), (0.5, 0.5), (timedelta(minutes=2), 120), (1e9, 14400)],
)
def test_the_jobs_own_time_counts_up_to_the_settings(app: bide.App, own: Any, limit: float) -> None:
    """DJ-057..061, DJ-306, DJ-524."""
    job = job_with(app, max_run_time=lambda self: own)
    assert job.option("max_run_time") == own
    assert app.worker()._attempts.max_run_time(job) == limit


def test_what_a_failed_job_did_is_not_rolled_back(app: bide.App, note: Any) -> None:
    """DJ-532."""

    @app.job(max_attempts=1)
    def half_done() -> None:
        note.delay("stored by a job that fails")
        raise ValueError("then")

    half_done.delay()
    assert app.worker().work_off() == (1, 1)


@pytest.mark.parametrize("ends", ["succeeds", "fails"])
def test_a_job_that_deletes_itself_ends_in_peace(app: bide.App, ends: str) -> None:
    """DJ-531: its end is told of in the log and recorded nowhere."""
    heard: list[str] = []
    unsubscribe = subscribe(lambda name, facts: heard.append(name))

    @app.job
    def vanishes() -> None:
        job = bide.current_job()
        assert job is not None
        job.delete()
        assert ends == "succeeds"

    vanishes.delay()
    assert app.worker().work_off() == ((1, 0) if ends == "succeeds" else (0, 1))
    unsubscribe()
    assert heard.count("lease_lost") == 1
    assert app.store.count(Filter()) == 0


def test_a_worker_ends_when_nothing_is_left_if_asked_to(
    app: bide.App, note: Any, ran: list[Any]
) -> None:
    """DJ-110: jobs of the future do not count."""
    note.delay("now")
    note.using(run_at=timedelta(hours=1)).delay("later")
    app.worker(exit_on_complete=True).start()
    assert ran == ["now"]
    assert app.store.workers() == []


def test_an_idle_worker_says_nothing_and_wakes_at_once_to_stop(app: bide.App) -> None:
    """DJ-321, DJ-557."""
    heard: list[str] = []
    unsubscribe = subscribe(lambda name, facts: heard.append(name))
    worker = app.worker(sleep_delay=60)
    thread = threading.Thread(target=worker.start)
    thread.start()
    wait_until(lambda: app.store.workers())
    began = clock.monotonic()
    worker.stop()
    thread.join(50)
    unsubscribe()
    assert clock.monotonic() - began < 50
    assert heard == ["worker_started", "worker_stopped"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_worker_after_the_running_job(
    app: bide.App, note: Any, ran: list[Any], number: signal.Signals
) -> None:
    """queue.md 5.6: the running job is finished, the next one left alone, handlers restored."""

    @app.job(priority=-1)
    def signalled() -> None:
        signal.raise_signal(number)
        ran.append("finished")

    earlier = signal.getsignal(number)
    signalled.delay()
    note.delay("next")
    app.worker().start()
    assert ran == ["finished"]
    assert app.store.count(Filter(states=(State.READY,))) == 1
    assert signal.getsignal(number) == earlier


def test_a_worker_sleeps_until_the_next_job_is_due(
    app: bide.App, note: Any, ran: list[Any]
) -> None:
    """DJ-321: sleep_delay is the longest sleep, not the shortest."""
    note.using(run_at=0.2).delay("soon")
    worker = app.worker(sleep_delay=60)
    thread = threading.Thread(target=worker.start)
    thread.start()
    wait_until(lambda: ran)
    worker.stop()
    thread.join(10)


def test_names_of_workers(app: bide.App) -> None:
    """queue.md 5.2: host and process, or the given name; None brings the first back."""
    import os
    import socket

    worker = app.worker()
    assert worker.name == f"host:{socket.gethostname()} pid:{os.getpid()}"
    worker.name = "mail 1"
    assert worker.name == "mail 1"
    worker.name = None
    assert worker.name.startswith("host:")


def test_the_worker_is_seen_while_it_works_and_gone_afterwards(app: bide.App) -> None:
    seen: list[Any] = []

    @app.job
    def look() -> None:
        seen.extend(app.store.workers())

    look.delay()
    app.worker(name="me").work_off()
    assert [row.name for row in seen] == ["me"]
    assert app.store.workers() == []


@pytest.mark.parametrize("queues", ["mail", b"mail"])
def test_queues_that_are_text_are_refused(app: bide.App, queues: Any) -> None:
    with pytest.raises(errors.SettingsError, match="must be a list of names"):
        app.worker(queues=queues)


def test_a_moment_without_zone_and_one_with_are_told_apart() -> None:
    """DJ-034, DJ-092..094: every moment of Bide is aware and in UTC."""
    assert clock.utc_now().tzinfo is UTC
    with pytest.raises(ValueError, match="has no time zone"):
        clock.moment(datetime(2030, 1, 1))  # noqa: DTZ001
