"""What workers count: every attempt once, in the minute, queue and name it belongs to."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import bide
from bide import clock
from bide.errors import ConnectionLost
from bide.jobs.statistics import MINUTE, Statistic
from bide.workers import tally as module
from bide.workers.tally import MOST, OTHERS, Tally
from waiting import wait_until
from workers.fleets import fleet


@pytest.fixture
def app() -> bide.App:
    return bide.App("memory://")


def total(app: bide.App) -> Statistic:
    [row] = app.store.statistics.read(by=())
    return row


def test_what_succeeded_and_what_failed_is_counted(app: bide.App) -> None:
    @app.job(queue="mail", max_attempts=2)
    def send(fail: bool) -> None:
        if fail:
            raise ValueError("no such mailbox")

    for fail in (False, False, True):
        send.delay(fail)
    app.worker().work_off()
    [row] = app.store.statistics.read(step=MINUTE)
    assert (row.queue, row.name.rpartition(".")[2]) == ("mail", "send")
    assert (row.succeeded, row.failed_attempts, row.failed) == (2, 1, 0)
    app.store.retry(bide.jobs.job.Filter(), clock.utc_now(), reset_attempts=False)
    app.worker().work_off()
    assert (total(app).failed_attempts, total(app).failed) == (2, 1)


@pytest.mark.parametrize("fails", [False, True])
def test_run_time_and_waiting_time_are_counted(app: bide.App, fails: bool) -> None:
    """Those of an attempt that failed too, whenever the next one is due."""
    began = datetime(2027, 1, 31, 8, 0, 30, tzinfo=UTC)

    @app.job
    def work() -> None:
        if fails:
            raise ValueError("no")

    clock.set_wall(lambda: began)
    try:
        work.delay()
        clock.set_wall(lambda: began + timedelta(seconds=40))
        app.worker().work_off()
    finally:
        clock.set_wall(None)
    [row] = app.store.statistics.read(step=MINUTE)
    assert row.minute == datetime(2027, 1, 31, 8, 1, tzinfo=UTC)
    assert row.wait_seconds == row.wait_longest == row.wait_average == pytest.approx(40.0, abs=1)
    assert 0 < row.run_seconds == row.run_longest
    assert (sum(row.run_buckets), sum(row.wait_buckets)) == (1, 1)
    assert row.wait_percentile(0.5) == pytest.approx(25.0, abs=15)


def test_a_timeout_counts_as_one(app: bide.App) -> None:
    @app.job(max_run_time=0.05)
    def hangs() -> None:
        while True:
            clock.sleep(0.01)

    hangs.delay()
    app.worker().work_off()
    assert (total(app).failed_attempts, total(app).timed_out) == (1, 1)


def test_a_job_that_is_skipped_or_given_back_is_not_counted(app: bide.App) -> None:
    @app.job
    def work() -> None: ...

    @app.lifecycle.around("perform")
    def never(worker: Any, job: bide.Job, proceed: Any) -> None: ...

    work.delay()
    app.worker().work_off()
    assert app.store.statistics.read() == []


def test_nothing_is_counted_when_it_is_switched_off() -> None:
    app = bide.App("memory://", statistics=False)

    @app.job
    def work() -> None: ...

    work.delay()
    app.worker().work_off()
    assert app.store.statistics.read() == []


class Sink:
    """A store of statistics that may be away."""

    def __init__(self) -> None:
        self.lost = False
        self.rows: dict[Any, Statistic] = {}

    def write(self, writer: int, rows: list[Statistic]) -> None:
        if self.lost:
            raise ConnectionLost("gone")
        self.rows |= {row[:3]: row for row in rows}


def a_job(app: bide.App, name: str, queue: str = "mail") -> bide.Job:
    @app.job(name=name, queue=queue)
    def work() -> None: ...

    return work.delay()


def ended(tally: Tally, job: bide.Job, seconds: float = 0.0) -> None:
    now = clock.monotonic()
    tally.ended(job, now - seconds, now)


def test_what_could_not_be_written_is_written_the_next_time(app: bide.App) -> None:
    sink = Sink()
    tally, job = Tally(sink), a_job(app, "send")
    ended(tally, job)
    sink.lost = True
    with pytest.raises(ConnectionLost):
        tally.report()
    ended(tally, job)
    sink.lost = False
    tally.report()
    assert sum(row.succeeded for row in sink.rows.values()) == 2


def test_only_what_has_changed_is_written(app: bide.App) -> None:
    sink = Sink()
    tally = Tally(sink)
    ended(tally, a_job(app, "one"))
    tally.report()
    sink.rows.clear()
    tally.report()
    assert sink.rows == {}
    ended(tally, a_job(app, "two"))
    tally.report()
    assert [name for _, _, name in sink.rows] == ["two"]


def test_names_without_end_do_not_fill_the_table(app: bide.App) -> None:
    """Display names may hold anything, an order's number for instance."""
    sink = Sink()
    tally, job = Tally(sink), a_job(app, "send")
    for number in range(MOST + 50):
        job.name = f"Order {number}"
        ended(tally, job)
    tally.report()
    assert len(sink.rows) == MOST + 1
    [others] = [row for row in sink.rows.values() if row.name == OTHERS]
    assert (others.queue, others.succeeded) == (OTHERS, 50)


def test_a_long_job_counts_in_the_minute_of_its_end(app: bide.App) -> None:
    sink = Sink()
    now = clock.utc_now()
    tally = Tally(sink)
    ended(tally, a_job(app, "slow"), 600.0)
    tally.report()
    [(minute, _, _)] = sink.rows
    assert now - timedelta(seconds=90) < minute <= clock.utc_now()


def test_attempts_are_added_up_together_and_measured_one_by_one(app: bide.App) -> None:
    sink = Sink()
    tally, job = Tally(sink), a_job(app, "send")
    job.run_at = clock.utc_now() - timedelta(seconds=30)
    for seconds in (0.001, 0.004, 0.2, 0.9):
        ended(tally, job, seconds)
    tally.report()
    counted = list(sink.rows.values())
    assert sum(row.succeeded for row in counted) == 4
    assert sum(row.run_seconds for row in counted) == pytest.approx(1.105)
    assert max(row.run_longest for row in counted) == pytest.approx(0.9)
    buckets = [sum(place) for place in zip(*(row.run_buckets for row in counted), strict=True)]
    assert buckets[:5] == [2, 0, 0, 1, 1]
    assert sum(row.wait_seconds for row in counted) == pytest.approx(120, abs=60)
    assert sum(sum(row.wait_buckets[6:7]) for row in counted) == 4


def test_attempts_of_several_jobs_and_minutes_are_told_apart(app: bide.App) -> None:
    sink = Sink()
    tally = Tally(sink)
    half_past = datetime(2027, 1, 31, 8, 0, 59, 500000, tzinfo=UTC)
    clock.set_wall(lambda: half_past)
    try:
        one, other = a_job(app, "one"), a_job(app, "other", queue="else")
        now = clock.monotonic()
        for job, after in ((one, 0.0), (other, 0.1), (one, 0.2), (one, 0.7), (other, 0.8)):
            tally.ended(job, now + after, now + after + 0.05)
        tally.report()
        for after in (0.0, 0.7):
            tally.ended(one, now + after, now + after + 0.05)
        tally.report()
    finally:
        clock.set_wall(None)
    counted = {
        (minute.minute, queue, name): row.succeeded
        for (minute, queue, name), row in sink.rows.items()
    }
    assert counted == {
        (0, "mail", "one"): 3, (0, "else", "other"): 1, (1, "mail", "one"): 2, (1, "else", "other"): 1,
    }  # fmt: skip


def test_a_job_that_began_before_it_was_due_has_not_waited(app: bide.App) -> None:
    """As happens where the clocks of two machines differ; one without a due time has not either."""
    sink = Sink()
    tally, job = Tally(sink), a_job(app, "send")
    for due in (clock.utc_now() + timedelta(seconds=5), None):
        job.run_at = due
        ended(tally, job)
    job.run_at = clock.utc_now() - timedelta(seconds=20)
    ended(tally, job)
    tally.report()
    [row] = sink.rows.values()
    assert row.wait_seconds == row.wait_longest == pytest.approx(20, abs=5)
    assert (row.wait_buckets[0], sum(row.wait_buckets)) == (2, 3)


def test_what_one_thread_counts_while_another_writes_is_counted_once(app: bide.App) -> None:
    sink = Sink()
    tally, job = Tally(sink), a_job(app, "send")
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            tally.report()

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(20_000):
        ended(tally, job)
    done.set()
    writer.join()
    tally.report()
    assert sum(row.succeeded for row in sink.rows.values()) == 20_000


def test_old_minutes_are_forgotten_here(app: bide.App) -> None:
    tally = Tally(Sink())
    long_ago = clock.utc_now() - module.REMEMBERED - MINUTE
    clock.set_wall(lambda: long_ago)
    try:
        ended(tally, a_job(app, "one"))
    finally:
        clock.set_wall(None)
    tally.report()
    assert not tally._lines
    assert not tally._written


def test_older_tables_keep_none_and_jobs_run(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The step that makes the tables may come later than the code."""
    from bide.db.migrate import downgrade
    from bide.jobs.migrations import JOBS

    app = bide.App(database_url, heartbeat_interval=0.1)
    app.migrate()
    assert app.database is not None
    downgrade(app.database, JOBS, "0002")

    @app.job
    def work() -> None: ...

    work.delay()
    with caplog.at_level(logging.WARNING, "bide"):
        assert app.worker().work_off() == (1, 0)
    assert [line.message for line in caplog.records if "No statistics" in line.message] != []
    assert not [line for line in caplog.records if line.levelno > logging.WARNING]
    app.close()


@pytest.mark.story
def test_a_fleet_counts_every_job_once_and_deaths_too(database_url: str, tmp_path: Path) -> None:
    with fleet(tmp_path, database_url, heartbeat_interval=0.5) as shop:
        for number in range(30):
            shop.enqueue("work", number)
        shop.start("-n", "2")
        wait_until(lambda: _succeeded(shop.app) == 30, within=40)
        shop.enqueue("dies", 1, 1)
        wait_until(lambda: _attempts(shop.app) == 32, within=40)
        rows = {row.name: row for row in shop.app.store.statistics.read(by=["name"])}
        assert (rows["work"].succeeded, rows["work"].failed_attempts) == (30, 0)
        dies = rows["dies"]
        assert (dies.succeeded, dies.failed_attempts, dies.crashed, dies.failed) == (1, 1, 1, 0)


@pytest.mark.story
def test_a_killed_worker_loses_its_last_seconds_only(sqlite_url: str, tmp_path: Path) -> None:
    with fleet(tmp_path, sqlite_url, heartbeat_interval=0.3) as shop:
        shop.start("-n", "2")
        for number in range(10):
            shop.enqueue("work", number)
        wait_until(lambda: _succeeded(shop.app) == 10, within=20)
        shop.end()
        assert _succeeded(shop.app) == 10


def _succeeded(app: bide.App) -> int:
    return sum(row.succeeded for row in app.store.statistics.read(by=()))


def _attempts(app: bide.App) -> int:
    return sum(row.attempts for row in app.store.statistics.read(by=()))


def test_statistics_outlive_the_connection_of_their_table(sqlite_url: str) -> None:
    """A process that is not allowed to write them goes on working, and says so once."""
    app = bide.App(sqlite_url, heartbeat_interval=0.1)
    app.migrate()
    assert app.database is not None
    with app.database.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER refuse BEFORE INSERT ON bide_statistics "
                "BEGIN SELECT RAISE(ABORT, 'not allowed'); END"
            )
        )

    @app.job
    def work() -> None: ...

    work.delay()
    assert app.worker().work_off() == (1, 0)
    assert app.store.workers() == []
    app.close()
