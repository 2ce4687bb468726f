"""Jobs that change the process they run in: the worker and the jobs behind them never notice."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import bide
from bide import clock
from bide.errors import WorkerTimeout
from bide.jobs.job import Filter, JobRow, State
from bide.workers.signals import Bell
from in_child import in_child
from waiting import wait_until


@pytest.fixture
def app(sqlite_url: str) -> Iterator[bide.App]:
    app = bide.App(sqlite_url, max_run_time=0.5, max_attempts=1)
    app.migrate()
    yield app
    app.close()


def loop(seconds: float) -> None:
    end = clock.monotonic() + seconds
    while clock.monotonic() < end:
        clock.sleep(0.01)


def uses_the_alarm_for_itself() -> None:
    earlier = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.alarm(5)
    signal.alarm(0)
    signal.signal(signal.SIGALRM, earlier)


def leaves_the_alarm_to_the_system() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def ignores_the_alarm() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)


@pytest.mark.parametrize(
    "rude", [uses_the_alarm_for_itself, leaves_the_alarm_to_the_system, ignores_the_alarm]
)
def test_the_next_job_has_its_limit_whatever_became_of_the_alarm(
    app: bide.App, rude: Callable[[], None]
) -> None:
    """DJ-523, DJ-524."""
    app.job(rude).delay()
    app.job(loop).delay(3.0)

    assert in_child(lambda: app.worker().work_off()) == (1, 1)
    [failed] = failed_jobs(app)
    assert WorkerTimeout.__name__ in (failed.last_error or "")


def failed_jobs(app: bide.App) -> list[JobRow]:
    return app.store.find(Filter(states=(State.FAILED,)))


@pytest.mark.parametrize("ending", ["return", "exit", "raise"])
def test_a_child_that_a_job_forks_and_forgets_to_end_is_no_second_worker(
    app: bide.App, tmp_path: Path, ending: str
) -> None:
    told = tmp_path / "told"

    @app.job
    def forks() -> None:
        child = os.fork()
        if child == 0:
            if ending == "exit":
                sys.exit(3)
            if ending == "raise":
                raise ValueError("in the child")
            return
        _, status = os.waitpid(child, 0)
        told.write_text(str(os.waitstatus_to_exitcode(status)))

    forks.delay()
    assert in_child(lambda: app.worker().work_off()) == (1, 0)
    assert told.read_text() == {"return": "0", "exit": "3", "raise": "1"}[ending]
    assert failed_jobs(app) == []


def test_a_child_that_a_job_forks_leaves_the_records_session_to_its_parent(
    app: bide.App, tmp_path: Path
) -> None:
    """It would end the parent's transaction, over the parent's connection."""
    closed = tmp_path / "closed"

    @app.job(max_run_time=5)
    def forks() -> None:
        parent, job = os.getpid(), bide.current_job()
        assert job is not None

        def close() -> None:
            closed.write_text(str(os.getpid() == parent))

        job.payload_object.close = close
        if child := os.fork():
            os.waitpid(child, 0)
            assert not closed.exists()

    forks.delay()
    assert in_child(lambda: app.worker().work_off()) == (1, 0)
    assert closed.read_text() == "True"


@pytest.mark.parametrize("where", ["failure hook", "callback"])
def test_a_child_that_is_forked_behind_a_job_is_no_second_worker(
    app: bide.App, tmp_path: Path, where: str
) -> None:
    told = tmp_path / "told"

    def forks(*_: object) -> None:
        if child := os.fork():
            os.waitpid(child, 0)

    @app.job
    class Job:
        def perform(self) -> None:
            if where == "failure hook":
                raise ValueError("once")

        def failure(self, job: bide.Job) -> None:
            forks()

    def work() -> tuple[int, int]:
        counts = app.worker().work_off()
        with told.open("a") as file:
            file.write("worked off\n")
        return counts

    if where == "callback":
        app.lifecycle.after("perform", forks)
    app.enqueue(Job())
    in_child(work)
    assert told.read_text() == "worked off\n"


class Unspeakable(Exception):
    """Its text cannot be asked for."""

    def __str__(self) -> str:
        raise SystemExit("no text")


def test_an_error_that_ends_whoever_reads_it_is_recorded(app: bide.App) -> None:
    """DJ-521."""

    @app.job
    def fails() -> None:
        raise Unspeakable

    fails.delay()
    assert app.worker().work_off() == (0, 1)
    [failed] = failed_jobs(app)
    assert (failed.last_error or "").startswith("Unspeakable (its message could not be read)")


def test_a_worker_stops_although_a_job_took_its_signals(app: bide.App) -> None:
    @app.job
    def deaf() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    job = deaf.delay()

    def work() -> bool:
        def tell() -> None:
            wait_until(lambda: app.store.get(job.id or 0) is None)
            clock.sleep(0.2)
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=tell, daemon=True).start()
        threading.Timer(8, os._exit, (9,)).start()
        app.worker(sleep_delay=1).start()
        return True

    assert in_child(work)


def test_a_bell_is_heard_among_thousands_of_descriptors() -> None:
    """select() refuses numbers from 1024 on."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
    reader, writer = os.pipe()
    high = fcntl.fcntl(reader, fcntl.F_DUPFD_CLOEXEC, 2000)
    os.write(writer, b".")
    bell = Bell()
    try:
        assert bell.wait(0.0, [high])
    finally:
        bell.close()
        for descriptor in (reader, writer, high):
            os.close(descriptor)
